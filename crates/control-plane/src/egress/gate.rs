//! From a name to a connection: the name is resolved once, every address is
//! judged, and the connection goes to the very address that was judged. A name
//! that resolves differently the next moment gains nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::address::is_public;
use super::policy::{Host, Policy};

const RESOLVE: Duration = Duration::from_secs(10);
/// For one address; a name may have several.
const CONNECT: Duration = Duration::from_secs(5);
/// Addresses of a name that are tried.
const ADDRESSES: usize = 4;
/// Names being resolved at once: each holds a thread for as long as the
/// system's resolver takes.
const LOOKUPS: usize = 64;

/// Turns names into addresses.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { lookups: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.lookups.clone().acquire_owned().await.map_err(io::Error::other)?;
        let name = name.to_owned();
        let lookup = move || {
            let _turn = turn;
            (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect())
        };
        tokio::task::spawn_blocking(lookup).await.map_err(io::Error::other)?
    }
}

/// Why a tenant gets no connection. The texts go to the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this is no request for a proxy: use CONNECT, or http:// in full")]
    Malformed,
    #[error("this port is not open to agents")]
    Port,
    #[error("this host is not on the operator's list")]
    Host,
    #[error("this address is not on the public internet")]
    Address,
    #[error("this name is not known")]
    Unknown,
    #[error("the host does not answer")]
    Unreachable,
    #[error("the host takes too long")]
    TooLate,
}

/// Opens connections by the policy.
pub struct Gate {
    policy: Policy,
    resolver: Arc<dyn Resolver>,
}

impl Gate {
    pub fn new(policy: Policy, resolver: Arc<dyn Resolver>) -> Self {
        Self { policy, resolver }
    }

    pub async fn open(&self, host: &Host, port: u16) -> Result<TcpStream, Refusal> {
        if !self.policy.hosts.permits(host) {
            return Err(Refusal::Host);
        }
        if !self.policy.ports.contains(&port)
            && !self.policy.allow_addresses.iter().any(|open| open.port() == port)
        {
            return Err(Refusal::Port);
        }
        let addresses = match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => match timeout(RESOLVE, self.resolver.resolve(name)).await {
                Err(_) => return Err(Refusal::TooLate),
                Ok(found) => found.map_err(|_| Refusal::Unknown)?,
            },
        };
        if addresses.is_empty() {
            return Err(Refusal::Unknown);
        }
        let mut refusal = Refusal::Address;
        let judged = addresses.into_iter().map(|address| SocketAddr::new(address.to_canonical(), port));
        for address in judged.filter(|address| self.permits(*address)).take(ADDRESSES) {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(_)) => refusal = Refusal::Unreachable,
                Err(_) => refusal = Refusal::TooLate,
            }
        }
        Err(refusal)
    }

    fn permits(&self, address: SocketAddr) -> bool {
        let open = self.policy.ports.contains(&address.port()) && is_public(address.ip()) && !is_own(address);
        open || self.policy.allow_addresses.contains(&address)
    }
}

/// Whether an address, however public, is one of this host's: what listens here
/// for everyone is still behind a firewall for those outside. No packet is sent:
/// the kernel names the source it would use, which for its own is the same.
fn is_own(address: SocketAddr) -> bool {
    let from: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let source = UdpSocket::bind(from).and_then(|socket| {
        socket.connect(address)?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_own_addresses_are_known() {
        assert!(is_own("127.0.0.1:80".parse().unwrap()));
        assert!(!is_own("192.0.2.1:80".parse().unwrap()));
    }
}

//! Who is connected how often, so that nobody takes all the connections there are.

use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UnixStream;

/// What tells peers apart, by the kernel's word alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A server that is root gives every instance a user of its own.
    User(u32),
    /// Else they share the server's user, but not a pid namespace.
    Namespace(u64),
    /// As [`network`] has it.
    Address(IpAddr),
}

impl Peer {
    pub fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let peer = stream.peer_cred()?;
        if peer.uid() != rustix::process::geteuid().as_raw() {
            return Ok(Self::User(peer.uid()));
        }
        let namespace = peer.pid().and_then(|pid| fs::metadata(format!("/proc/{pid}/ns/pid")).ok());
        Ok(namespace.map_or(Self::User(peer.uid()), |namespace| Self::Namespace(namespace.ino())))
    }

    pub fn at(address: IpAddr) -> Self {
        Self::Address(network(address))
    }
}

/// What one customer has: an IPv4 address, or an IPv6 network of 64 bits.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
    }
}

/// Counts connections.
pub struct Peers {
    most: usize,
    most_each: usize,
    open: Mutex<HashMap<Peer, usize>>,
}

/// A place taken; given back when dropped.
pub struct Place {
    peers: Arc<Peers>,
    peer: Peer,
}

impl Peers {
    pub fn new(most: usize, most_each: usize) -> Arc<Self> {
        Arc::new(Self { most, most_each, open: Mutex::default() })
    }

    /// A place, if there is one left for this peer. Whoever comes over this
    /// machine's own loopback may be anybody here: that tells no two apart, and
    /// nothing that is shut in has it.
    pub fn admit(self: &Arc<Self>, peer: Peer) -> Option<Place> {
        let is_one = !matches!(peer, Peer::Address(address) if address.is_loopback());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.get(&peer).copied().unwrap_or(0);
        if (is_one && own >= self.most_each) || open.values().sum::<usize>() >= self.most {
            return None;
        }
        open.insert(peer, own + 1);
        Some(Place { peers: self.clone(), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_can_not_take_the_places_of_all() {
        let peers = Peers::new(5, 3);
        let greedy: Vec<_> = (0..10).filter_map(|_| peers.admit(Peer::User(1))).collect();
        let other: Vec<_> = (0..10).filter_map(|_| peers.admit(Peer::Namespace(1))).collect();
        assert_eq!((greedy.len(), other.len()), (3, 2));
        drop(greedy);
        assert!(peers.admit(Peer::Namespace(2)).is_some());
        let neighbours = [1, 2].map(|n| Peer::at(format!("2001:db8::{n}").parse().unwrap()));
        assert_eq!(neighbours[0], neighbours[1], "one customer");
        drop(other);
        let here = [0; 4].map(|_| peers.admit(Peer::at([127, 0, 0, 1].into())));
        assert!(here.iter().all(Option::is_some), "on this machine");
        drop(here);
        assert!(peers.open.lock().unwrap().is_empty());
    }
}

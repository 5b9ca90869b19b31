//! Addresses for tasks: each has its own in 127.0.0.0/8, so that all of them
//! may serve on the same port of one machine.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// Hands addresses out. A /24 is held by an abstract socket of its name, which
/// the kernel lets go when the fake ends: fakes of other processes that run at
/// the same time take other addresses.
#[derive(Default)]
pub(crate) struct Addresses {
    held: Vec<UnixListener>,
    free: VecDeque<Ipv4Addr>,
}

impl Addresses {
    pub fn take(&mut self) -> io::Result<Ipv4Addr> {
        if let Some(address) = self.free.pop_front() {
            return Ok(address);
        }
        let (held, [a, b]) = hold()?;
        self.held.push(held);
        self.free.extend((1..=254).map(|last| Ipv4Addr::new(127, a, b, last)));
        self.take()
    }

    /// For another task, but the last of all: what still connects to it should
    /// not meet a stranger.
    pub fn give_back(&mut self, address: Ipv4Addr) {
        self.free.push_back(address);
    }
}

/// From 127.1.0.0/24 on: 127.0.0.0/24 is the machine's own.
fn hold() -> io::Result<(UnixListener, [u8; 2])> {
    for (a, b) in (1..=254).flat_map(|a| (0..=255).map(move |b| (a, b))) {
        let name = SocketAddr::from_abstract_name(format!("ecs-fake/127.{a}.{b}.0"))?;
        match UnixListener::bind_addr(&name) {
            Ok(held) => return Ok((held, [a, b])),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "every address for tasks is held"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn two_fakes_share_no_address_and_one_comes_back_last() {
        let (mut one, mut other) = (Addresses::default(), Addresses::default());
        let (first, second, foreign) = (one.take().unwrap(), one.take().unwrap(), other.take().unwrap());
        assert!(first != second && first.octets()[..3] == second.octets()[..3]);
        assert_ne!(first.octets()[..3], foreign.octets()[..3]);
        one.give_back(first);
        assert!((0..252).all(|_| one.take().unwrap() != first));
        assert_eq!(one.take().unwrap(), first);
    }
}

//! Addresses for tasks: each has its own in 127.0.0.0/8, so that all of them
//! may serve on the same port of one machine.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use crate::environment::host_name;
use crate::shape::{Epoch, KeyValue, NetworkInterface, Status};
use crate::state::Record;

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

/// The network interface is there: PENDING.
pub(crate) fn attach(record: &mut Record, address: Ipv4Addr) {
    let task = record.task();
    task.last_status = Status::Pending;
    task.connectivity = Some("CONNECTED");
    task.connectivity_at = Some(Epoch::now());
    let [_, b, c, d] = address.octets();
    let told = [
        ("networkInterfaceId", format!("eni-{:017x}", u32::from(address))),
        ("macAddress", format!("0a:ff:7f:{b:02x}:{c:02x}:{d:02x}")),
        ("privateDnsName", host_name(address)),
        ("privateIPv4Address", address.to_string()),
    ];
    for attachment in &mut task.attachments {
        attachment.status = "ATTACHED";
        attachment.details.extend(
            told.iter().map(|(name, value)| KeyValue { name: (*name).to_owned(), value: value.clone() }),
        );
        for container in &mut task.containers {
            let (attachment_id, private_ipv4_address) = (attachment.id.clone(), address.to_string());
            container.network_interfaces = vec![NetworkInterface { attachment_id, private_ipv4_address }];
        }
    }
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

//! What the process gives up before it does anything else. All that it starts
//! inherits this.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _,
};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, set_child_subreaper, set_dumpable_behavior, setrlimit,
};

use crate::config::Listeners;

/// The newest ABI whose rules for files are asked for.
const NEWEST: u8 = 5;

/// Makes memory, environment and descriptors unreadable to the tenant, whose
/// shells may run as the same user. A program that is executed is readable again.
pub fn hide() -> rustix::io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
}

/// Orphans come to this process even where it is not the first of its
/// namespace, so that it knows all of its descendants.
pub fn adopt_orphans() -> rustix::io::Result<()> {
    set_child_subreaper(rustix::process::Pid::from_raw(1))
}

/// Writing stays possible in the home, `/tmp` and `/dev`; everything else may be
/// read and executed. For the calling thread, and the threads and programs that
/// it starts. Holds to all that the kernel's ABI has, or fails.
pub fn restrict_files(home: &Path, abi: u8) -> Result<(), landlock::RulesetError> {
    let abi = ABI::from(i32::from(abi.min(NEWEST)));
    let whole = AccessFs::from_all(abi);
    let rules =
        Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(whole)?.create()?;
    let mut rules = rules.no_new_privs(true);
    let places = [
        (Path::new("/"), AccessFs::from_read(abi)),
        (home, whole),
        (Path::new("/tmp"), whole),
        (Path::new("/dev"), whole),
    ];
    for (place, access) in places {
        // A place that is not there needs no rule.
        if let Ok(place) = PathFd::new(place) {
            rules = rules.add_rule(PathBeneath::new(place, access))?;
        }
    }
    rules.restrict_self().map(drop)
}

/// The sockets to serve on; no program that is executed gets them or anything
/// else that was open.
///
/// # Safety
/// Descriptors 3 and, with two listeners, 4 must be owned by nobody else.
pub unsafe fn take_listeners(listeners: Listeners) -> std::io::Result<Vec<Socket>> {
    // SAFETY: no pointer is passed; flag 4 is CLOSE_RANGE_CLOEXEC.
    if unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 4) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let take = |number| {
        // SAFETY: only asks whether the number is a descriptor.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
        // SAFETY: it is open, and the caller promises that it is ours.
        Ok(unsafe { OwnedFd::from_raw_fd(number) })
    };
    match listeners {
        Listeners::Unix => Ok(vec![Socket::Unix(take(3)?)]),
        Listeners::UnixAndTcp => Ok(vec![Socket::Unix(take(3)?), Socket::Direct(take(4)?)]),
        Listeners::Network { relayed, direct } => {
            let mut sockets = vec![Socket::Relayed(TcpListener::bind(relayed)?.into())];
            if let Some(direct) = direct {
                sockets.push(Socket::Direct(bind(direct)?.into()));
            }
            Ok(sockets)
        }
    }
}

/// For both families at once, where the system has both.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    match TcpListener::bind(address) {
        Err(error)
            if error.raw_os_error() == Some(libc::EAFNOSUPPORT) && address.ip() == Ipv6Addr::UNSPECIFIED =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port()))
        }
        outcome => outcome,
    }
}

/// A listening socket, and who comes to it.
#[derive(Debug)]
pub enum Socket {
    /// The control plane on the same machine.
    Unix(OwnedFd),
    /// Browsers.
    Direct(OwnedFd),
    /// The control plane over its network; browsers by its relay.
    Relayed(OwnedFd),
}

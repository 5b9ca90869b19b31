//! The tenant's own user: whose processes the shells and all they start are, and
//! whose rights to files the daemon has. Neither can the tenant reach what the
//! daemon knows, nor can it make the daemon reach what the tenant may not.

mod connect;
mod filter;

use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::str::FromStr;

use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

use libc::c_long;

pub use connect::Supervised;

/// What the daemon needs: to be the tenant where files are concerned and to
/// start its processes, to stop these, and to make their connections.
const NEEDED: [(CapabilitySet, &str); 4] = [
    (CapabilitySet::SETUID, "CAP_SETUID"),
    (CapabilitySet::SETGID, "CAP_SETGID"),
    (CapabilitySet::KILL, "CAP_KILL"),
    (CapabilitySet::SYS_PTRACE, "CAP_SYS_PTRACE"),
];

/// A user and a group, neither of them root's nor the daemon's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenant {
    uid: Uid,
    gid: Gid,
}

impl FromStr for Tenant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (uid, gid) = text.split_once(':').ok_or("is no <uid>:<gid>")?;
        let number = |text: &str| text.parse::<u32>().ok().filter(|id| *id != u32::MAX);
        let (uid, gid) = number(uid).zip(number(gid)).ok_or("is no <uid>:<gid>")?;
        if uid == 0 || gid == 0 {
            return Err("names root");
        }
        let tenant = Self { uid: Uid::from_raw(uid), gid: Gid::from_raw(gid) };
        if tenant.uid == rustix::process::getuid() || tenant.gid == rustix::process::getgid() {
            return Err("names the daemon's own user or group");
        }
        Ok(tenant)
    }
}

/// Why the daemon can't have a tenant of another user.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("the daemon has to be root or to be given{0}")]
    Lacks(String),
    #[error("the home belongs to user {0} and not to the tenant; with CAP_CHOWN it would be given to it")]
    Home(u32),
    #[error("{doing}: {source}")]
    Io { doing: &'static str, source: io::Error },
}

fn io<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Unfit {
    move |source| Unfit::Io { doing, source: source.into() }
}

impl Tenant {
    /// Gives the home to the tenant, and gives up every right to files that the
    /// tenant has not, and every capability but those that a tenant needs. What
    /// is made from now on, terminals too, is the tenant's.
    ///
    /// For the calling thread and those that it starts. Files' user is apart from
    /// the user that may be signalled and looked into: that one stays the daemon's.
    pub fn move_in(self, home: &Path) -> Result<(), Unfit> {
        let has = capabilities(None).map_err(io("asking for capabilities"))?.effective;
        let mut lacks = String::new();
        for (_, name) in NEEDED.iter().filter(|(capability, _)| !has.contains(*capability)) {
            let _ = write!(lacks, " {name}");
        }
        if !lacks.is_empty() {
            return Err(Unfit::Lacks(lacks));
        }
        self.own(home)?;
        set_thread_groups(&[]).map_err(io("leaving the daemon's groups"))?;
        // SAFETY: no pointer is passed.
        unsafe {
            libc::setfsgid(self.gid.as_raw());
            libc::setfsuid(self.uid.as_raw());
        }
        // They tell no error; asked for what is none, they tell what is.
        // SAFETY: as above.
        let (uid, gid) = unsafe { (libc::setfsuid(u32::MAX), libc::setfsgid(u32::MAX)) };
        if (uid.cast_unsigned(), gid.cast_unsigned()) != (self.uid.as_raw(), self.gid.as_raw()) {
            return Err(io("becoming the tenant to files")(io::Error::from(io::ErrorKind::PermissionDenied)));
        }
        let kept = NEEDED.iter().fold(CapabilitySet::empty(), |all, (capability, _)| all | *capability);
        let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
        set_capabilities(None, sets).map_err(io("giving up capabilities"))
    }

    fn own(self, home: &Path) -> Result<(), Unfit> {
        let owner = std::fs::metadata(home).map_err(io("looking at the home"))?.uid();
        if owner == self.uid.as_raw() {
            return Ok(());
        }
        match rustix::fs::chown(home, Some(self.uid), Some(self.gid)) {
            Err(rustix::io::Errno::PERM) => Err(Unfit::Home(owner)),
            done => done.map_err(io("giving the home to the tenant")),
        }
    }

    /// Becomes the tenant for good: no program that is executed gets more.
    ///
    /// Between fork and exec: system calls only.
    pub fn assume(self) -> io::Result<()> {
        set_thread_groups(&[])?;
        set_thread_res_gid(self.gid, self.gid, self.gid)?;
        set_thread_res_uid(self.uid, self.uid, self.uid)?;
        // From one ordinary user to another the kernel leaves them.
        let none = CapabilitySet::empty();
        set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
        Ok(set_no_new_privs(true)?)
    }
}

fn checked(outcome: c_long) -> io::Result<c_long> {
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(outcome) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_user_and_a_group_of_its_own() {
        assert!("4001:4002".parse::<Tenant>().is_ok());
        for wrong in ["", "4001", "4001:", ":4001", "a:b", "-1:5", "4294967295:5", "0:4001", "4001:0"] {
            assert!(wrong.parse::<Tenant>().is_err(), "{wrong}");
        }
        let own = format!("{}:4002", rustix::process::getuid().as_raw());
        assert!(own.parse::<Tenant>().is_err());
    }
}

//! Makes the tenant's connections: all but those to where a provider tells tasks
//! and machines about themselves. What the kernel connects to is the daemon's own
//! copy of the address: in the tenant's memory it could change after a look.

use std::collections::HashSet;
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard};

use libc::{c_int, c_long, seccomp_notif, seccomp_notif_resp, sock_filter};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use rustix::thread::{UnshareFlags, set_thread_res_gid, set_thread_res_uid, unshare_unsafe};
use tokio::io::unix::AsyncFd;
use tokio::sync::Semaphore;

use super::{Tenant, checked, filter};

/// Connections that one terminal's programs may be waiting for at a time: each
/// has a thread.
const WAITING: usize = 256;
/// Of such a thread, in bytes.
const STACK: usize = 128 * 1024;
/// The longest address there is.
const LONGEST: usize = size_of::<libc::sockaddr_storage>();
/// A name server at a link-local address may be asked.
const DNS: u16 = 53;

/// A program that is being started, whose connections will be made here.
#[derive(Debug)]
pub struct Supervised {
    tenant: Tenant,
    calls: Arc<[sock_filter]>,
    ours: OwnedFd,
    theirs: OwnedFd,
}

impl Supervised {
    pub fn new(tenant: Tenant) -> io::Result<Self> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok(Self { tenant, calls: filter::calls().into(), ours, theirs })
    }

    /// What the new process has to do last of all, as the tenant.
    pub fn submission(&self) -> impl Fn() -> io::Result<()> + Send + Sync + use<> {
        let (calls, theirs) = (Arc::clone(&self.calls), self.theirs.as_raw_fd());
        move || {
            let listener = filter::submit(&calls)?;
            // SAFETY: it is open until the program is executed.
            filter::hand_over(unsafe { BorrowedFd::borrow_raw(theirs) }, &listener)
        }
    }

    /// Makes its connections, and those of all that it starts, until none of
    /// them is left.
    pub fn watch(self) -> io::Result<()> {
        let listener = Arc::new(filter::take_over(&self.ours)?);
        // SAFETY: the descriptor is owned by the registration and closed after it.
        let listener = unsafe { AsyncFd::register(listener) }?;
        tokio::spawn(async move {
            if let Err(error) = serve(&listener, self.tenant).await {
                tracing::error!(%error, "programs can't connect any more");
            }
        });
        Ok(())
    }
}

/// Calls that have begun, each by thread and address. One that is broken off, by a
/// signal or to stand still, the kernel makes again: then it may be connected already.
type Begun = Arc<Mutex<HashSet<(u32, Vec<u8>)>>>;

/// As many are remembered; more at a time come about by intent alone.
const BEGUN: usize = 1024;

async fn serve(listener: &AsyncFd<Arc<OwnedFd>>, tenant: Tenant) -> io::Result<()> {
    let (room, begun) = (Arc::new(Semaphore::new(WAITING)), Begun::default());
    loop {
        let mut ready = listener.readable().await?;
        let mut polled = [PollFd::new(listener, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec::default()))?;
        let state = polled[0].revents();
        if state.contains(PollFlags::IN) {
            if let Some(call) = Call::receive(Arc::clone(listener.get_ref()), Arc::clone(&begun))? {
                match Arc::clone(&room).try_acquire_owned() {
                    Ok(place) => call.answer_apart(tenant, place)?,
                    Err(_) => drop(call.reply(libc::EAGAIN)),
                }
            }
            // Whoever makes thousands must not keep terminals waiting.
            tokio::task::yield_now().await;
        } else if state.is_empty() {
            ready.clear_ready();
        } else {
            return Ok(());
        }
    }
}

/// A call of `connect` whose caller waits.
struct Call {
    listener: Arc<OwnedFd>,
    begun: Begun,
    notice: seccomp_notif,
}

impl Call {
    fn receive(listener: Arc<OwnedFd>, begun: Begun) -> io::Result<Option<Self>> {
        // SAFETY: numbers only, which the kernel wants to be 0.
        let mut notice: seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel fills what it is given.
        let got =
            unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut notice) };
        match checked(got.into()) {
            Ok(_) => Ok(Some(Self { listener, begun, notice })),
            // Who called has ended, or was interrupted and will call again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// By a thread of its own: a connection may be long in coming.
    fn answer_apart(self, tenant: Tenant, place: impl Send + 'static) -> io::Result<()> {
        let answer = move || {
            if let Err(error) = self.answer(tenant) {
                // It fails when who called is gone, to whom nothing is owed.
                let _ = self.reply(error.raw_os_error().unwrap_or(libc::EACCES));
            }
            drop(place);
        };
        std::thread::Builder::new().stack_size(STACK).spawn(answer).map(drop)
    }

    fn answer(&self, tenant: Tenant) -> io::Result<()> {
        let caller = Pid::from_raw(self.notice.pid.cast_signed())
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))?;
        let [socket, at, length, ..] = self.notice.data.args;
        let process = pidfd_open(leader(caller)?, PidfdFlags::empty())?;
        let socket = pidfd_getfd(process, socket as c_int, PidfdGetfdFlags::empty())?;
        let address = read(caller, at, length as c_int)?;
        let place = folder_for(&address, caller)?;
        // All that was read and opened was the caller's, if that is still there.
        self.is_valid()?;
        if is_closed_off(&address) {
            return Err(io::Error::from_raw_os_error(libc::EACCES));
        }
        quietly_as(tenant)?;
        if let Some(place) = place {
            // SAFETY: of this thread only, which holds no descriptor as its own.
            unsafe { unshare_unsafe(UnshareFlags::FS) }?;
            rustix::process::fchdir(place)?;
        }
        let this = (self.notice.pid, address);
        let again = {
            let mut begun = self.begun();
            begun.len() < BEGUN && !begun.insert(this.clone())
        };
        let (pointer, length) = (this.1.as_ptr().cast(), this.1.len() as libc::socklen_t);
        // SAFETY: the pointer and the length are the address's.
        let connected = checked(unsafe { libc::connect(socket.as_raw_fd(), pointer, length) }.into());
        let outcome = match connected.err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EACCES)) {
            libc::EISCONN if again => 0,
            libc::EALREADY if again => libc::EINPROGRESS,
            outcome => outcome,
        };
        let waited = self.reply(outcome).is_ok();
        if waited || !matches!(outcome, 0 | libc::EINPROGRESS) {
            self.begun().remove(&this);
        }
        Ok(())
    }

    fn begun(&self) -> MutexGuard<'_, HashSet<(u32, Vec<u8>)>> {
        self.begun.lock().expect("no holder panics")
    }

    fn is_valid(&self) -> io::Result<()> {
        let (listener, id) = (self.listener.as_raw_fd(), &raw const self.notice.id);
        // SAFETY: the kernel reads what it is given.
        checked(unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_ID_VALID, id) }.into()).map(drop)
    }

    /// With an error's number, or 0. Fails when the caller waits no more.
    fn reply(&self, error: c_int) -> io::Result<()> {
        let mut reply = seccomp_notif_resp { id: self.notice.id, val: 0, error: -error, flags: 0 };
        let (listener, reply) = (self.listener.as_raw_fd(), &raw mut reply);
        // SAFETY: the kernel reads what it is given.
        checked(unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, reply) }.into()).map(drop)
    }
}

/// The process that a thread is of.
fn leader(thread: Pid) -> io::Result<Pid> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", thread.as_raw_nonzero()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    line.and_then(|text| Pid::from_raw(text.trim().parse().ok()?))
        .ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}

/// Copies an address out of another process.
fn read(from: Pid, at: u64, length: c_int) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).ok().filter(|length| *length <= LONGEST);
    let mut address = vec![0; length.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?];
    let here = libc::iovec { iov_base: address.as_mut_ptr().cast(), iov_len: address.len() };
    let there = libc::iovec { iov_base: at as *mut libc::c_void, iov_len: address.len() };
    let from = from.as_raw_nonzero().get();
    // SAFETY: the kernel writes no more than there is room for.
    let count = unsafe { libc::process_vm_readv(from, &raw const here, 1, &raw const there, 1, 0) };
    if checked(count as c_long)? == address.len() as c_long {
        Ok(address)
    } else {
        Err(io::Error::from_raw_os_error(libc::EFAULT))
    }
}

/// From where the caller's path leads, if the address is one that needs it.
fn folder_for(address: &[u8], caller: Pid) -> io::Result<Option<OwnedFd>> {
    let relative = family(address) == Some(libc::AF_UNIX)
        && address.get(2).is_some_and(|first| !matches!(first, 0 | b'/'));
    if !relative {
        return Ok(None);
    }
    let folder = format!("/proc/{}/cwd", caller.as_raw_nonzero());
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(Some(rustix::fs::openat(CWD, folder, flags, Mode::empty())?))
}

/// Whoever listens on a Unix socket is to see the tenant come. As this is the
/// thread's effective user only, the tenant can neither signal nor trace it.
fn quietly_as(tenant: Tenant) -> io::Result<()> {
    // A signal would break off what can't be begun again.
    // SAFETY: a set on the stack, filled before it is read.
    unsafe {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), std::ptr::null_mut());
    }
    set_thread_res_gid(None, tenant.gid, None)?;
    Ok(set_thread_res_uid(None, tenant.uid, None)?)
}

fn family(address: &[u8]) -> Option<c_int> {
    Some(u16::from_ne_bytes(*address.first_chunk()?).into())
}

/// Link-local addresses, of which 169.254.169.254 and 169.254.170.2 are AWS's,
/// and AWS's own in IPv6. What is too short for its kind the kernel refuses.
fn is_closed_off(address: &[u8]) -> bool {
    let port = address.get(2..4).and_then(<[u8]>::first_chunk).copied().map(u16::from_be_bytes);
    let ip: Option<IpAddr> = match family(address) {
        Some(libc::AF_INET) => {
            let octets = address.get(4..).and_then(<[u8]>::first_chunk::<4>);
            octets.map(|octets| Ipv4Addr::from(*octets).into())
        }
        Some(libc::AF_INET6) => {
            let octets = address.get(8..).and_then(<[u8]>::first_chunk::<16>);
            octets.map(|octets| Ipv6Addr::from(*octets).to_canonical())
        }
        _ => None,
    };
    let link_local = ip.is_some_and(|ip| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.segments()[..2] == [0xfd00, 0xec2],
    });
    link_local && port != Some(DNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_addresses_are_closed_off_but_for_name_servers() {
        let v4 = |ip: &str, port: u16| {
            let mut address = vec![0; 16];
            address[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
            address[2..4].copy_from_slice(&port.to_be_bytes());
            address[4..8].copy_from_slice(&ip.parse::<Ipv4Addr>().unwrap().octets());
            address
        };
        let v6 = |ip: &str, port: u16| {
            let mut address = vec![0; 28];
            address[..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
            address[2..4].copy_from_slice(&port.to_be_bytes());
            address[8..24].copy_from_slice(&ip.parse::<Ipv6Addr>().unwrap().octets());
            address
        };
        for closed in [
            v4("169.254.170.2", 80),
            v4("169.254.169.254", 80),
            v6("::ffff:169.254.170.2", 80),
            v6("fd00:ec2::254", 80),
            v6("fe80::1", 80),
            [v4("169.254.170.2", 80), vec![0; 100]].concat(),
        ] {
            assert!(is_closed_off(&closed), "{closed:?}");
        }
        for open in [
            v4("169.254.169.253", 53),
            v4("169.253.170.2", 80),
            v4("127.0.0.1", 80),
            v6("::1", 80),
            v6("fd00:ec1::254", 80),
            Vec::new(),
            vec![2],
            b"\x01\x00/run/socket".to_vec(),
        ] {
            assert!(!is_closed_off(&open), "{open:?}");
        }
    }
}

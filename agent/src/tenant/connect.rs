//! Makes the tenant's connections: all but those to where a provider tells tasks
//! and machines about themselves. What the kernel connects to is the daemon's own
//! copy of the address: in the tenant's memory it could change after a look.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd};
use std::sync::Arc;

use libc::{c_int, c_long, seccomp_notif, seccomp_notif_resp, sock_filter, sock_fprog};
use rustix::cmsg_space;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::IoSlice;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use rustix::thread::{UnshareFlags, set_thread_res_gid, set_thread_res_uid, unshare_unsafe};
use tokio::io::unix::AsyncFd;
use tokio::sync::Semaphore;

use super::{Tenant, filter};

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
            let listener = submit(&calls)?;
            // SAFETY: it is open until the program is executed.
            hand_over(unsafe { BorrowedFd::borrow_raw(theirs) }, &listener)
        }
    }

    /// Makes its connections, and those of all that it starts, until none of
    /// them is left.
    pub fn watch(self) -> io::Result<()> {
        let listener = Arc::new(take_over(&self.ours)?);
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

/// System calls only.
fn submit(calls: &[sock_filter]) -> io::Result<OwnedFd> {
    let program = sock_fprog { len: calls.len() as u16, filter: calls.as_ptr().cast_mut() };
    // SAFETY: the program outlives the call, which copies it.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    let listener = checked(listener)? as c_int;
    // SAFETY: it was just made.
    Ok(unsafe { OwnedFd::from_raw_fd(listener) })
}

fn hand_over(to: BorrowedFd, listener: &OwnedFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let listeners = [listener.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&listeners));
    sendmsg(to, &[IoSlice::new(&[0])], &mut control, SendFlags::empty())?;
    Ok(())
}

fn take_over(from: &OwnedFd) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    recvmsg(from, &mut [io::IoSliceMut::new(&mut byte)], &mut control, flags)?;
    let mut came = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut listeners) => listeners.next(),
        _ => None,
    });
    came.next().ok_or_else(|| io::Error::other("the new process did not submit"))
}

async fn serve(listener: &AsyncFd<Arc<OwnedFd>>, tenant: Tenant) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(WAITING));
    loop {
        let mut ready = listener.readable().await?;
        let mut polled = [PollFd::new(listener, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec::default()))?;
        let state = polled[0].revents();
        if state.contains(PollFlags::IN) {
            if let Some(call) = Call::receive(Arc::clone(listener.get_ref()))? {
                match Arc::clone(&room).try_acquire_owned() {
                    Ok(place) => call.answer_apart(tenant, place)?,
                    Err(_) => call.reply(Err(io::Error::from_raw_os_error(libc::EAGAIN))),
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
    notice: seccomp_notif,
}

impl Call {
    fn receive(listener: Arc<OwnedFd>) -> io::Result<Option<Self>> {
        // SAFETY: numbers only, which the kernel wants to be 0.
        let mut notice: seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel fills what it is given.
        let got =
            unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut notice) };
        match checked(got.into()) {
            Ok(_) => Ok(Some(Self { listener, notice })),
            // Who called has ended, or was interrupted and will call again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// By a thread of its own: a connection may be long in coming.
    fn answer_apart(self, tenant: Tenant, place: impl Send + 'static) -> io::Result<()> {
        let answer = move || {
            self.reply(self.connect(tenant));
            drop(place);
        };
        std::thread::Builder::new().stack_size(STACK).spawn(answer).map(drop)
    }

    fn connect(&self, tenant: Tenant) -> io::Result<()> {
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
        let (pointer, length) = (address.as_ptr().cast(), address.len() as libc::socklen_t);
        // SAFETY: the pointer and the length are the address's.
        checked(unsafe { libc::connect(socket.as_raw_fd(), pointer, length) }.into()).map(drop)
    }

    fn is_valid(&self) -> io::Result<()> {
        let (listener, id) = (self.listener.as_raw_fd(), &raw const self.notice.id);
        // SAFETY: the kernel reads what it is given.
        checked(unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_ID_VALID, id) }.into()).map(drop)
    }

    fn reply(&self, outcome: io::Result<()>) {
        let error = outcome.err().map_or(0, |error| -error.raw_os_error().unwrap_or(libc::EACCES));
        let mut reply = seccomp_notif_resp { id: self.notice.id, val: 0, error, flags: 0 };
        // It fails when who called is gone, to whom nothing is owed.
        // SAFETY: the kernel reads what it is given.
        unsafe { libc::ioctl(self.listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut reply) };
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

fn checked(outcome: c_long) -> io::Result<c_long> {
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(outcome) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::*;

    /// What a call comes to in a process that has submitted.
    fn try_there(call: impl Fn() -> c_long + Send + Sync + 'static) -> i32 {
        let calls = filter::calls();
        let mut command = Command::new("true");
        // SAFETY: system calls only.
        unsafe {
            command.pre_exec(move || {
                rustix::thread::set_no_new_privs(true)?;
                let _listener = submit(&calls)?;
                checked(call()).and(Err(io::Error::from_raw_os_error(libc::EISCONN)))
            });
        }
        command.spawn().unwrap_err().raw_os_error().unwrap()
    }

    #[test]
    fn there_is_no_way_around() {
        let call = |number, arguments: [c_int; 4]| {
            // SAFETY: a descriptor that is none, and null pointers.
            move || unsafe {
                libc::syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], 0, 0)
            }
        };
        let fast = libc::MSG_FASTOPEN;
        for (number, arguments) in [
            (libc::SYS_sendto, [-1, 0, 0, fast]),
            (libc::SYS_sendmsg, [-1, 0, fast, 0]),
            (libc::SYS_sendmmsg, [-1, 0, 0, fast]),
        ] {
            assert_eq!(try_there(call(number, arguments)), libc::EOPNOTSUPP, "{number}");
            let plain = arguments.map(|argument| if argument == fast { 0 } else { argument });
            assert_eq!(try_there(call(number, plain)), libc::EBADF, "{number}");
        }
        assert_eq!(try_there(call(libc::SYS_io_uring_setup, [1, 0, 0, 0])), libc::ENOSYS);
        #[cfg(target_arch = "x86_64")]
        assert_eq!(try_there(call(libc::SYS_connect + 0x4000_0000, [-1, 0, 0, 0])), libc::ENOSYS);
    }

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

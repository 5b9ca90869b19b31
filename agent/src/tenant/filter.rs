//! The tenant's seccomp program: connections are the daemon's to make.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_JUMP, BPF_K, BPF_LD, BPF_RET, BPF_STMT, BPF_W,
    MSG_FASTOPEN, SYS_connect, SYS_io_uring_setup, SYS_sendmmsg, SYS_sendmsg, SYS_sendto, c_int, sock_filter,
    sock_fprog,
};
use rustix::cmsg_space;
use rustix::io::IoSlice;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use super::checked;

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;

/// Offsets in `seccomp_data`; of an argument, its low half.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const THIRD_ARGUMENT: u32 = 32;
const FOURTH_ARGUMENT: u32 = 40;

/// Numbers from here on are x86's third way of calling, x32.
const X32: u32 = 0x4000_0000;

fn load(at: u32) -> sock_filter {
    // SAFETY: it puts numbers together.
    unsafe { BPF_STMT((BPF_LD | BPF_W | BPF_ABS) as u16, at) }
}

/// Skips so many instructions when it holds, and so many when it does not.
fn test(how: u32, value: u32, holds: u8, else_: u8) -> sock_filter {
    // SAFETY: as above.
    unsafe { BPF_JUMP((BPF_JMP | how | BPF_K) as u16, value, holds, else_) }
}

fn answer(value: u32) -> sock_filter {
    // SAFETY: as above.
    unsafe { BPF_STMT((BPF_RET | BPF_K) as u16, value) }
}

fn refuse(errno: i32) -> sock_filter {
    answer(libc::SECCOMP_RET_ERRNO | errno.cast_unsigned())
}

/// `connect` is handed to the daemon. What connects otherwise is not there:
/// sending by TCP Fast Open, io_uring, other calling conventions.
pub fn calls() -> Vec<sock_filter> {
    let number = |number: libc::c_long| number as u32;
    vec![
        load(ARCHITECTURE),
        test(BPF_JEQ, ARCH, 1, 0),
        refuse(libc::ENOSYS),
        load(NUMBER),
        test(BPF_JGE, X32, 0, 1),
        refuse(libc::ENOSYS),
        test(BPF_JEQ, number(SYS_io_uring_setup), 0, 1),
        refuse(libc::ENOSYS),
        test(BPF_JEQ, number(SYS_connect), 0, 1),
        answer(libc::SECCOMP_RET_USER_NOTIF),
        test(BPF_JEQ, number(SYS_sendmsg), 0, 2),
        load(THIRD_ARGUMENT),
        test(BPF_JSET, MSG_FASTOPEN.cast_unsigned(), 4, 5),
        test(BPF_JEQ, number(SYS_sendto), 1, 0),
        test(BPF_JEQ, number(SYS_sendmmsg), 0, 3),
        load(FOURTH_ARGUMENT),
        test(BPF_JSET, MSG_FASTOPEN.cast_unsigned(), 0, 1),
        refuse(libc::EOPNOTSUPP),
        answer(libc::SECCOMP_RET_ALLOW),
    ]
}

/// Puts this process, and all that it starts, under the program; what comes back
/// hears of the calls that are handed on. System calls only.
pub fn submit(calls: &[sock_filter]) -> io::Result<OwnedFd> {
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

/// Gives the listener to the other end of a pair of sockets. System calls only.
pub fn hand_over(to: BorrowedFd, listener: &OwnedFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let listeners = [listener.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&listeners));
    sendmsg(to, &[IoSlice::new(&[0])], &mut control, SendFlags::empty())?;
    Ok(())
}

/// What was handed over by now.
pub fn take_over(from: &OwnedFd) -> io::Result<OwnedFd> {
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

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use libc::c_long;

    use super::*;

    /// What a call comes to in a process that has submitted.
    fn try_there(call: impl Fn() -> c_long + Send + Sync + 'static) -> i32 {
        let calls = calls();
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
}

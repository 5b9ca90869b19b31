//! The tenant's seccomp program: connections are the daemon's to make.

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_JUMP, BPF_K, BPF_LD, BPF_RET, BPF_STMT, BPF_W,
    MSG_FASTOPEN, SYS_connect, SYS_io_uring_setup, SYS_sendmmsg, SYS_sendmsg, SYS_sendto, sock_filter,
};

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

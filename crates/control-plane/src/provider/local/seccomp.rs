//! The system calls that no process of an instance may make: those that reach
//! the kernel's inner parts, which an agent's work does not need. A list of the
//! refused, as Docker's and Flatpak's are in effect: compilers, browsers'
//! engines, debuggers and databases run as they are.

use std::collections::BTreeMap;

use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCondition, SeccompFilter, SeccompRule, sock_filter,
};

/// Refused with EPERM, whatever the arguments.
const REFUSED: &[libc::c_long] = &[
    // Other views of the file system, and handles that pass by a mount's root.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_setns,
    // Programs and modules for the kernel.
    libc::SYS_bpf,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    // Parts with a long record of holes.
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_fanotify_init,
    libc::SYS_lookup_dcookie,
    libc::SYS_vhangup,
    // The whole machine's.
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_nfsservctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
];

/// Said not to exist, so that libraries fall back: `clone3`, whose flags a
/// filter can't see, and io_uring, which does I/O past every filter.
const ABSENT: &[libc::c_long] =
    &[libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// Socket families that stay. Among those that go: vsock, which no network
/// namespace holds back from a hypervisor.
const FAMILIES: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// The filter in the form that `bwrap --seccomp` reads.
pub fn program() -> Result<Vec<u8>, seccompiler::BackendError> {
    let mut program = said_absent();
    program.extend(refused()?);
    Ok(program.iter().flat_map(encode).collect())
}

fn refused() -> Result<BpfProgram, seccompiler::BackendError> {
    let argument = |index, op, value: u64| SeccompCondition::new(index, SeccompCmpArgLen::Dword, op, value);
    let new_user = libc::CLONE_NEWUSER as u64;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    for call in [libc::SYS_clone, libc::SYS_unshare] {
        rules.insert(call, vec![SeccompRule::new(vec![argument(0, MaskedEq(new_user), new_user)?])?]);
    }
    // Typing into another's terminal.
    let typed =
        [libc::TIOCSTI, libc::TIOCLINUX].map(|request| SeccompRule::new(vec![argument(1, Eq, request)?]));
    rules.insert(libc::SYS_ioctl, typed.into_iter().collect::<Result<_, _>>()?);
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        let others = FAMILIES.map(|family| argument(0, Ne, family as u64));
        rules.insert(call, vec![SeccompRule::new(others.into_iter().collect::<Result<_, _>>()?)?]);
    }
    let refusal = SeccompAction::Errno(libc::EPERM as u32);
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, refusal, arch)?.try_into()
}

/// Stands before the filter: one filter of seccompiler's knows one answer only,
/// and it does not know x32, x86-64's second set of numbers for all calls.
fn said_absent() -> BpfProgram {
    const LOAD_NUMBER: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS, at offset 0
    const JUMP_EQ: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    const JUMP_GE: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    const X32: u32 = 0x4000_0000;
    let absent = u32::from(SeccompAction::Errno(libc::ENOSYS as u32));
    let mut program = vec![sock_filter { code: LOAD_NUMBER, jt: 0, jf: 0, k: 0 }];
    let tests = ABSENT.iter().map(|call| (JUMP_EQ, *call as u32)).chain([(JUMP_GE, X32)]);
    for (code, k) in tests {
        program.push(sock_filter { code, jt: 0, jf: 1, k });
        program.push(sock_filter { code: RETURN, jt: 0, jf: 0, k: absent });
    }
    program
}

fn encode(instruction: &sock_filter) -> [u8; 8] {
    let sock_filter { code, jt, jf, k } = instruction;
    let ([c0, c1], [k0, k1, k2, k3]) = (code.to_ne_bytes(), k.to_ne_bytes());
    [c0, c1, *jt, *jf, k0, k1, k2, k3]
}

//! Tenants that are another user than the daemon.

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use domain::protocol::{env, instance};
use http::Method;
use rustix::fs::{XattrFlags, setxattr};
use rustix::process::{Pid, Signal};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::support::control::{NONCE, files};
use crate::support::{Control, Daemon, Viewer, open_way, until};

const TENANT: u32 = 4001;
const DAEMON: u32 = 4002;

const SETGID: u32 = 6;
const SETUID: u32 = 7;
const KILL: u32 = 5;
const SYS_PTRACE: u32 = 19;

/// Only root makes other users' processes.
fn root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("this is not root: nothing was tested");
    }
    root
}

fn with_tenant(command: &mut Command) {
    command.env(env::TENANT, format!("{TENANT}:{TENANT}"));
}

async fn ready(control: &Arc<Control>) -> Daemon {
    let daemon = Daemon::start_with(control, with_tenant);
    until("ready", || control.is_ready()).await;
    daemon
}

/// Copies a program, by another one: what this process has open for writing, a
/// child that another test starts has too, and then it can't be executed.
fn copy(program: &str, to: &Path) {
    assert!(Command::new("cp").arg(program).arg(to).status().unwrap().success());
}

/// The daemon's program with just these capabilities, for any user, as an image
/// has it; in a folder that goes with the test.
fn program_with(capabilities: &[u32]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    open_way(folder.path());
    let program = folder.path().join("openclaw-agent");
    copy(env!("CARGO_BIN_EXE_openclaw-agent"), &program);
    // See capabilities(7): the version with the effective bit; the permitted and
    // the inheritable ones below 32, then those above.
    let permitted = capabilities.iter().fold(0_u32, |set, capability| set | 1 << capability);
    let value: Vec<u8> = [0x0200_0001, permitted, 0, 0, 0].into_iter().flat_map(u32::to_le_bytes).collect();
    setxattr(&program, "security.capability", &value, XattrFlags::empty()).unwrap();
    (folder, program)
}

/// As another ordinary user.
fn start_as_a_user(control: &Arc<Control>, program: &Path) -> Daemon {
    let mut command = Command::new(program);
    command.uid(DAEMON).gid(DAEMON);
    Daemon::start_command(control, command, with_tenant)
}

#[tokio::test(flavor = "multi_thread")]
async fn its_programs_are_another_user_who_owns_the_home_and_has_no_rights() {
    if !root() {
        return;
    }
    let daemon = ready(&Control::start()).await;
    // What would make whoever starts it root, and does where nothing keeps it.
    let folder = tempfile::tempdir().unwrap();
    open_way(folder.path());
    let setuid = folder.path().join("id");
    copy("/usr/bin/id", &setuid);
    std::fs::set_permissions(&setuid, Permissions::from_mode(0o4755)).unwrap();
    let root = Command::new(&setuid).arg("-u").uid(TENANT).gid(TENANT).output().unwrap();
    assert_eq!(String::from_utf8(root.stdout).unwrap(), "0\n");

    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("stty -echo; PS1=; id -u; id -G; echo files $(stat -c %u . .bashrc $(tty))\n").await;
    viewer
        .types(&format!("echo setuid $({} -u); sed -n 's/^Cap/Cap/p' /proc/self/status\n", setuid.display()))
        .await;
    viewer.types("echo thr''ough > /dev/stdout; cat /etc/shadow; echo do''ne\n").await;
    viewer.sees("done\r\n").await;
    let seen = viewer.text();
    assert!(seen.contains("4001\r\n4001\r\n") && seen.contains("files 4001 4001 4001\r\n"), "{seen}");
    assert!(seen.contains("setuid 4001\r\n") && seen.contains("through\r\n"), "{seen}");
    for set in ["Inh", "Prm", "Eff", "Amb"] {
        assert!(seen.contains(&format!("Cap{set}:\t0000000000000000\r\n")), "{set}: {seen}");
    }
    assert!(seen.contains("/etc/shadow: Permission denied"), "{seen}");
    // The daemon has no more right to files than the tenant.
    let threads = std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap();
    for thread in threads {
        let status = std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        assert!(status.contains("Uid:\t0\t0\t0\t4001\n") && status.contains("Groups:\t \n"), "{status}");
        assert!(status.contains("CapPrm:\t00000000000800e0\n"), "{status}");
    }
}

async fn is_out_of_reach(daemon: &Daemon) {
    // There is something to find.
    let environment = std::fs::read(format!("/proc/{}/environ", daemon.pid())).unwrap();
    assert!(memchr::memmem::find(&environment, NONCE.as_bytes()).is_some());
    let mut viewer = Viewer::new(daemon, 1, 0).await;
    viewer.types("stty -echo; PS1=; cd /proc/$PPID && echo d''aemon $(cat comm)\n").await;
    viewer
        .types("for file in environ mem maps auxv fd/3 fd/4 syscall stack; do cat $file > /dev/null; done\n")
        .await;
    viewer.types("ls fd; readlink exe cwd root; kill -9 $PPID; kill -STOP $PPID; kill -TERM $PPID\n").await;
    viewer.types("prlimit --pid $PPID --nofile=3:3; renice 19 $PPID\n").await;
    viewer
        .types("grep -las 'canar[y]' /proc/*/environ /proc/*/cmdline | sed 's/^/found /'; echo fini''shed\n")
        .await;
    viewer.sees("finished\r\n").await;
    let seen = viewer.text();
    assert!(seen.contains("daemon openclaw-agent\r\n"), "{seen}");
    assert!(
        seen.matches("Permission denied").count() + seen.matches("not permitted").count() >= 14,
        "{seen}"
    );
    assert_eq!(seen.matches("not permitted").count().min(3), 3, "signals are refused: {seen}");
    assert!(!seen.contains("found /proc/"), "{seen}");
    viewer.types("echo st''ill\n").await;
    viewer.sees("still").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_neither_look_into_the_daemon_nor_end_it() {
    if !root() {
        return;
    }
    is_out_of_reach(&ready(&Control::start()).await).await;
}

/// It saves, ends, begins again: all of the home is there, and the tenant's.
async fn lives(control: &Arc<Control>, start: impl Fn() -> Daemon) {
    let mut daemon = start();
    until("ready", || control.is_ready()).await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("umask 077; mkdir -p a/b; echo kept > a/b/file; chmod 400 a/b/file; chmod 500 a/b\n").await;
    viewer
        .types("ln a/b/file hard; ln -s a soft; mkfifo pipe; rm pipe; cp /bin/true own; chmod 4711 own\n")
        .await;
    viewer.types("for i in $(seq 20); do (setsid sleep 0.01 &) ; done\n").await;
    viewer.types("setsid sh -c 'while :; do date +%N > ~/clock; done' &\n").await;
    until("it runs", || daemon.home().join("clock").exists()).await;
    let commits = || control.state().commits.len();
    until("it is saved in between", || commits() >= 1).await;
    let was = std::fs::read(daemon.home().join("clock")).unwrap();
    until("it goes on", || std::fs::read(daemon.home().join("clock")).unwrap() != was).await;
    control.state().save_every = 0;
    let before = commits();
    daemon.command(Method::POST, instance::SAVE, "").await;
    until("saved", || commits() > before && daemon.output().contains("saved")).await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.exit().await.code(), Some(0), "{}", daemon.output());
    let was = files(&daemon.home());
    drop(daemon);

    control.state().reports.clear();
    control.state().binding = None;
    let daemon = start();
    until("ready again", || control.is_ready()).await;
    assert_eq!(files(&daemon.home()), was);
    for path in ["", ".bashrc", "a", "a/b", "a/b/file", "hard", "soft", "own", "clock"] {
        let about = std::fs::symlink_metadata(daemon.home().join(path)).unwrap();
        assert_eq!((about.uid(), about.gid()), (TENANT, TENANT), "{path}");
    }
    let mode = |path: &str| std::fs::metadata(daemon.home().join(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode("a/b"), mode("a/b/file"), mode("own")), (0o500, 0o400, 0o4711));
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("cat a/b/file; chmod u+w a/b && echo mo''re > a/b/next && cat a/b/next\n").await;
    viewer.sees("kept\r\n").await;
    viewer.sees("more\r\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_comes_back_as_the_tenants() {
    if !root() {
        return;
    }
    let control = Control::start();
    control.state().save_every = 1;
    lives(&control, || Daemon::start_with(&control, with_tenant)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_not_root_needs_five_capabilities_and_names_the_one_it_lacks() {
    const CHOWN: u32 = 0;
    if !root() {
        return;
    }
    for (capabilities, says) in [
        (
            &[][..],
            "OPENCLAW_TENANT: the daemon has to be root or to be given CAP_SETUID CAP_SETGID CAP_KILL CAP_SYS_PTRACE",
        ),
        (&[SETUID, SETGID, SYS_PTRACE], "OPENCLAW_TENANT: the daemon has to be root or to be given CAP_KILL"),
        (
            &[SETUID, SETGID, KILL, SYS_PTRACE],
            "OPENCLAW_TENANT: the home belongs to user 0 and not to the tenant",
        ),
    ] {
        let (_folder, program) = program_with(capabilities);
        let mut daemon = start_as_a_user(&Control::start(), &program);
        assert_eq!(daemon.exit().await.code(), Some(1));
        assert!(daemon.output().contains(says), "{}", daemon.output());
    }
    let (_folder, program) = program_with(&[SETUID, SETGID, KILL, SYS_PTRACE, CHOWN]);
    let control = Control::start();
    control.state().save_every = 1;
    lives(&control, || start_as_a_user(&control, &program)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_not_root_is_as_far_out_of_reach() {
    if !root() {
        return;
    }
    let (_folder, program) = program_with(&[SETUID, SETGID, KILL, SYS_PTRACE, 0]);
    let control = Control::start();
    let daemon = start_as_a_user(&control, &program);
    until("ready", || control.is_ready()).await;
    is_out_of_reach(&daemon).await;
}

/// Does something in the network of a process.
fn in_network_of<T: Send + 'static>(process: Pid, work: impl FnOnce() -> T + Send + 'static) -> T {
    let entered = move || {
        let network = std::fs::File::open(format!("/proc/{process}/ns/net")).unwrap();
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&network), Some(LinkNameSpaceType::Network))
            .unwrap();
        work()
    };
    std::thread::spawn(entered).join().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_task_is_told_about_itself_it_can_not_connect() {
    const LINK_LOCAL: [&str; 4] =
        ["169.254.170.2/80", "169.254.169.254/80", "::ffff:169.254.170.2/80", "fd00:ec2::254/80"];
    if !root() {
        return;
    }
    let mut command = Command::new("unshare");
    let network = "ip link set lo up && ip address add 169.254.170.2/32 dev lo && \
                   ip address add 169.254.169.254/32 dev lo && ip address add fd00:ec2::254/128 dev lo nodad";
    command.args(["--net", "sh", "-c", &format!("{network} && exec \"$0\"")]);
    command.arg(env!("CARGO_BIN_EXE_openclaw-agent"));
    let control = Control::start();
    let daemon = Daemon::start_command(&control, command, with_tenant);
    until("ready", || control.is_ready()).await;
    // One that answers whoever comes, as an endpoint of a provider does; a name
    // server; and one of the tenant's neighbours.
    for address in ["[::]:80", "[::]:53"] {
        let listener = in_network_of(daemon.pid(), move || TcpListener::bind(address).unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = stream.unwrap().write_all(b"here I am\n");
            }
        });
    }
    for address in ["169.254.170.2:80", "169.254.169.254:80", "[fd00:ec2::254]:80"] {
        let answer = in_network_of(daemon.pid(), move || {
            let mut answer = String::new();
            TcpStream::connect(address).unwrap().read_to_string(&mut answer).unwrap();
            answer
        });
        assert_eq!(answer, "here I am\n", "who is not the tenant reaches {address}");
    }
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer
        .types("stty -echo; PS1=; try() { echo \"$1: $(bash -c \"cat < /dev/tcp/$1\" 2>&1 | tail -1)\"; }\n")
        .await;
    for address in LINK_LOCAL {
        viewer.types(&format!("try {address}\n")).await;
        viewer.sees(&format!("/dev/tcp/{address}: Permission denied\r\n")).await;
    }
    for address in ["127.0.0.1/80", "::1/80", "169.254.170.2/53", "fd00:ec2::254/53"] {
        viewer.types(&format!("try {address}\n")).await;
        viewer.sees(&format!("{address}: here I am\r\n")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_unix_sockets_it_is_the_tenant_that_comes() {
    if !root() {
        return;
    }
    let daemon = ready(&Control::start()).await;
    let socket = daemon.home().join("here.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    let connect = "socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un($ARGV[0])) or die $!; <S>";
    for path in ["here.sock", "$HOME/here.sock", "../home/here.sock"] {
        viewer.types(&format!("perl -MSocket -e '{connect}' {path}\n")).await;
        let (stream, _) = listener.accept().await.unwrap();
        let peer = stream.peer_cred().unwrap();
        assert_eq!((peer.uid(), peer.gid()), (TENANT, TENANT), "{path}");
    }
    // Where the tenant may not go, the daemon does not go for it.
    std::fs::set_permissions(&socket, Permissions::from_mode(0o600)).unwrap();
    viewer.types(&format!("perl -MSocket -e '{connect}' here.sock\n")).await;
    viewer.sees("Permission denied at -e").await;
}

/// Whether a thread of the process is about to connect.
fn connects(process: Pid) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero())).unwrap();
    threads.flatten().any(|thread| {
        let call = std::fs::read_to_string(thread.path().join("syscall")).unwrap_or_default();
        call.starts_with(&format!("{} ", libc::SYS_connect))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_comes_while_its_program_stands_still_is_there_when_it_goes_on() {
    if !root() {
        return;
    }
    let daemon = ready(&Control::start()).await;
    // With room for one, which is taken: whoever comes next has to try again.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let first = TcpStream::connect(address).unwrap();
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    let connect = format!(
        "socket(S, AF_INET, SOCK_STREAM, 0); print qq(number $$\\n); \
         connect(S, sockaddr_in({}, INADDR_LOOPBACK)) or print qq(not $!\\n); print <S>",
        address.port()
    );
    viewer.types(&format!("perl -MSocket -e '$|=1; {connect}'\n")).await;
    let number = loop {
        viewer.next().await;
        let seen = viewer.text();
        if let Some((_, rest)) = seen.rsplit_once("\rnumber ").or_else(|| seen.rsplit_once("\nnumber "))
            && let Some((number, _)) = rest.split_once("\r\n")
        {
            break Pid::from_raw(number.parse().unwrap()).unwrap();
        }
    };
    let state = || std::fs::read_to_string(format!("/proc/{}/stat", number.as_raw_nonzero())).unwrap();
    until("it connects", || connects(number) && connects(daemon.pid())).await;
    rustix::process::kill_process(number, Signal::STOP).unwrap();
    until("it stands still", || state().contains(") T ")).await;
    let (one, _) = listener.accept().unwrap();
    assert_eq!(one.peer_addr().unwrap(), first.local_addr().unwrap());
    let (mut other, _) = listener.accept().unwrap();
    until("the daemon is done", || !connects(daemon.pid())).await;
    rustix::process::kill_process(number, Signal::CONT).unwrap();
    other.write_all(b"here I am\n").unwrap();
    drop(other);
    viewer.sees("here I am\r\n").await;
    assert!(!viewer.text().contains("not Transport"), "{}", viewer.text());
}

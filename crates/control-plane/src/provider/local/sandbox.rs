//! What an instance sees: bubblewrap's arguments. They go through a memory
//! file, never through the argument list, which every process of the host can
//! read and in which the enrolment nonce must not stand.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use domain::size::Size;
use rustix::fs::{MemfdFlags, memfd_create};

/// The first descriptor that an agent inherits, as with systemd's sockets.
pub const FIRST_LISTENER: RawFd = 3;
/// The user in the sandbox.
const UID: u32 = 1000;
pub const HOME: &str = "/home/agent";
pub const AGENT: &str = "/opt/openclaw/openclaw-agent";
/// Where the control plane's and the egress proxy's sockets are.
pub const RUN: &str = "/run/openclaw";
const HOSTNAME: &str = "openclaw";
const PATH: &str = "/home/agent/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where the agent listens for its tenant's HTTP, inside the sandbox.
const PROXY: &str = "http://127.0.0.1:3128";

/// Of the host's `/etc` only what programs need to run; no configuration in
/// which an operator's tokens may stand.
const ETC: &[&str] = &[
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "debian_version",
    "fonts",
    "inputrc",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "os-release",
    "pki/ca-trust",
    "pki/tls/certs",
    "pki/tls/openssl.cnf",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
];

const OWN_ETC: &[(&str, &str)] = &[
    (
        "passwd",
        "agent:x:1000:1000:agent:/home/agent:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
    ),
    ("group", "agent:x:1000:\nnogroup:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost openclaw\n::1 localhost\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n"),
    ("bash.bashrc", BASHRC),
    (
        "profile",
        "[ -n \"$BASH_VERSION\" ] && . /etc/bash.bashrc\n[ -n \"$BASH_VERSION\" ] && [ -f ~/.bashrc ] && . ~/.bashrc\n:\n",
    ),
];

const BASHRC: &str = r"[ -z $PS1 ] && return
PS1='\[\e[1;36m\]\u@\h\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ '
shopt -s checkwinsize
alias ls='ls --color=auto' grep='grep --color=auto'
";

/// The places on the host that are bound into the sandbox.
#[derive(Debug, Clone)]
pub struct Sources {
    pub program: PathBuf,
    pub home: PathBuf,
    pub run: PathBuf,
}

/// Bubblewrap's arguments and the files that they name by number; the numbers
/// are good as long as this lives, and in a child that inherits them.
pub struct Arguments {
    pub file: OwnedFd,
    pub inherited: Vec<OwnedFd>,
}

/// Builds the arguments. `status` takes bubblewrap's status, `filter` is the
/// seccomp program, `environment` comes on top of the usual one.
pub fn arguments(
    sources: &Sources,
    size: Size,
    status: OwnedFd,
    filter: Option<&[u8]>,
    environment: &[(&str, &str)],
) -> io::Result<Arguments> {
    let mut list = List::default();
    list.add([
        "--unshare-user",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup",
    ]);
    let id = UID.to_string();
    list.add(["--uid", &id, "--gid", &id, "--hostname", HOSTNAME]);
    // PID 1 is the agent: it reaps, and its end is everyone's. A session of its
    // own keeps the sandbox off any terminal of the server's.
    list.add(["--as-pid-1", "--new-session"]);
    list.add_file(["--json-status-fd"], above_listeners(status)?, []);
    if let Some(filter) = filter {
        let file = memory_file("seccomp", filter)?;
        list.add_file(["--seccomp"], file, []);
    }
    system(&mut list);
    etc(&mut list)?;
    places(&mut list, sources, size);
    list.add(["--clearenv"]);
    for (name, value) in usual_environment().iter().chain(environment) {
        list.add(["--setenv", name, value]);
    }
    list.finish()
}

/// The programs and libraries of the host, read-only.
fn system(list: &mut List) {
    list.add(["--ro-bind", "/usr", "/usr"]);
    for path in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
        match fs::read_link(path) {
            Ok(target) => list.add([OsString::from("--symlink"), target.into(), path.into()]),
            Err(_) => list.add(["--ro-bind-try", path, path]),
        }
    }
}

fn etc(list: &mut List) -> io::Result<()> {
    list.add(["--perms", "0755", "--dir", "/etc"]);
    for name in ETC {
        let path = format!("/etc/{name}");
        list.add(["--ro-bind-try", &path, &path]);
    }
    for (name, content) in OWN_ETC {
        let file = memory_file(name, content.as_bytes())?;
        list.add_file(["--perms", "0444", "--file"], file, [&format!("/etc/{name}")]);
    }
    Ok(())
}

/// What is the instance's own. Memory file systems are bounded by themselves:
/// only where cgroups count do their pages count as the instance's memory.
fn places(list: &mut List, sources: &Sources, size: Size) {
    let bytes = |part: u64| ((u64::from(size.memory_mib()) << 20) / part).to_string();
    list.add(["--proc", "/proc", "--dev", "/dev"]);
    list.add(["--perms", "1777", "--size", &bytes(4), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
    list.add(["--perms", "1777", "--size", &bytes(2), "--tmpfs", "/tmp"]);
    list.add(["--perms", "0755", "--dir", "/var", "--symlink", "../tmp", "/var/tmp"]);
    for parent in ["/home", "/opt", "/opt/openclaw", "/run"] {
        list.add(["--perms", "0755", "--dir", parent]);
    }
    let bind =
        |how: &str, from: &Path, to: &str| [how.into(), from.as_os_str().to_owned(), OsString::from(to)];
    list.add(bind("--ro-bind", &sources.program, AGENT));
    list.add(bind("--ro-bind", &sources.run, RUN));
    list.add(bind("--bind", &sources.home, HOME));
    list.add(["--remount-ro", "/", "--chdir", HOME]);
}

fn usual_environment() -> [(&'static str, &'static str); 15] {
    [
        ("HOME", HOME),
        ("OPENCLAW_HOME", HOME),
        ("USER", "agent"),
        ("LOGNAME", "agent"),
        ("SHELL", "/bin/bash"),
        ("LANG", "C.UTF-8"),
        ("PATH", PATH),
        ("HTTP_PROXY", PROXY),
        ("HTTPS_PROXY", PROXY),
        ("ALL_PROXY", PROXY),
        ("http_proxy", PROXY),
        ("https_proxy", PROXY),
        ("all_proxy", PROXY),
        ("NO_PROXY", "localhost,127.0.0.1"),
        ("no_proxy", "localhost,127.0.0.1"),
    ]
}

#[derive(Default)]
struct List {
    bytes: Vec<u8>,
    inherited: Vec<OwnedFd>,
}

impl List {
    fn add<T: Into<OsString>>(&mut self, arguments: impl IntoIterator<Item = T>) {
        for argument in arguments {
            self.bytes.extend_from_slice(argument.into().as_bytes());
            self.bytes.push(0);
        }
    }

    fn add_file<const A: usize, const B: usize>(
        &mut self,
        before: [&str; A],
        file: OwnedFd,
        after: [&str; B],
    ) {
        self.add(before);
        self.add([file.as_raw_fd().to_string()]);
        self.add(after);
        self.inherited.push(file);
    }

    fn finish(mut self) -> io::Result<Arguments> {
        let file = memory_file("arguments", &self.bytes)?;
        self.bytes.fill(0);
        Ok(Arguments { file, inherited: self.inherited })
    }
}

fn memory_file(name: &str, content: &[u8]) -> io::Result<OwnedFd> {
    let mut file = fs::File::from(memfd_create(name, MemfdFlags::CLOEXEC)?);
    file.write_all(content)?;
    file.rewind()?;
    above_listeners(file.into())
}

/// The same file by a number that no listener gets in a child.
pub fn above_listeners(fd: OwnedFd) -> io::Result<OwnedFd> {
    const ABOVE: RawFd = FIRST_LISTENER + 16;
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, ABOVE)?)
}

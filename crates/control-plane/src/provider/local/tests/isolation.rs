use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::egress::{Policy, Proxy};

/// What a tenant's program tries; every line it prints is something it got.
const INTRUDER: &str = r#"
trap 'exit 0' TERM
cat > /tmp/try.py <<'END'
import ctypes, os, socket, subprocess, sys
host_port, data = int(sys.argv[1]), sys.argv[2]
def got(what):
    print("GOT", what)
def attempt(what, call):
    try:
        result = call()
    except OSError:
        return
    got(f"{what}: {result!r}")
# The network: the host's loopback, its metadata, the world.
for address in ["127.0.0.1", "169.254.169.254", "192.0.2.1", "1.1.1.1"]:
    for port in [host_port, 80]:
        attempt(f"tcp {address}:{port}", lambda: socket.create_connection((address, port), 1))
attempt("vsock", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
if [name for _, name in socket.if_nameindex()] != ["lo"]: got("an interface")
# Files of the host, of other agents, of the control plane.
for path in [data, "/root", "/etc/shadow", "/var/log", "/sys", "/boot", "/srv", "/mnt", "/dev/vda", "/dev/mem", "/dev/kvm"]:
    attempt(path, lambda: os.listdir(path) if os.path.isdir(path) else open(path).read(1))
if os.listdir("/home") != ["agent"]: got("another home")
if os.listdir("/run") != ["openclaw"]: got("more of /run")
if sorted(os.listdir("/run/openclaw")) != ["egress.sock"]: got("more of /run/openclaw")
# The same through the one way out.
for target in [f"127.0.0.1:{host_port}", f"localhost:{host_port}", f"[::ffff:7f00:1]:{host_port}", "169.254.169.254:80", "10.0.0.1:443"]:
    way = socket.socket(socket.AF_UNIX)
    way.connect("/run/openclaw/egress.sock")
    way.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = way.recv(100)
    if not answer.startswith(b"HTTP/1.1 403"): got(f"egress {target}: {answer}")
for path in ["/", "/usr", "/etc", "/run/openclaw", "/opt/openclaw", "/dev", "/proc/sys/kernel"]:
    attempt("write " + path, lambda: open(path + "/intruder", "w"))
attempt("sysctl", lambda: open("/proc/sys/kernel/core_pattern", "w"))
attempt("sysrq", lambda: open("/proc/sysrq-trigger", "w").write("h"))
# Processes: only its own.
seen = [open(f"/proc/{pid}/cmdline").read() for pid in os.listdir("/proc") if pid.isdigit()]
if any("CANARY-" + "HOST" in line for line in seen) or len(seen) > 4: got(seen)
# Descriptors that were the server's.
for number in os.listdir("/proc/1/fd"):
    target = os.readlink("/proc/1/fd/" + number)
    if not (target == "/dev/null" or target.startswith("socket:") or target.endswith(("/output.log", "/journal.log", "/dev/null"))) and int(number) != 255:
        got(f"descriptor {number} = {target}")
# Rights and calls.
status = open("/proc/self/status").read()
for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"]:
    if line not in status: got(f"no {line}")
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *args):
    if libc.syscall(number, *args) >= 0: got(name)
if os.uname().machine == "x86_64":
    call("unshare user", 272, 0x10000000)
    call("unshare mount", 272, 0x20000)
    call("clone user", 56, 0x10000011, 0, 0, 0, 0)
    call("clone3", 435, 0, 0)
    call("mount", 165, b"none", b"/tmp", b"tmpfs", 0, 0)
    call("bpf", 321, 0, 0, 0)
    call("keyctl", 250, 0, -3, 1)
    call("io_uring", 425, 1, 0)
    call("perf", 298, 0, 0, 0, 0, 0)
    call("userfaultfd", 323, 0)
    call("open_by_handle_at", 304, -100, 0, 0)
    call("x32 getpid", 0x40000000 + 39)
    call("TIOCSTI", 16, 0, 0x5412, b"x")
print("TRIED")
END
python3 /tmp/try.py "$(<~/port)" "$(<~/data)" > ~/partial 2>&1
env | grep -c OPENCLAW_ENROLMENT > ~/nonces
mv ~/partial ~/got
while :; do sleep 1000 & wait $!; done
"#;

#[tokio::test]
async fn nothing_but_its_own_is_in_reach() {
    let mut room = Room::new(&format!("until [ -e ~/port ]; do sleep 0.01; done; {INTRUDER}")).await;
    let console = TcpListener::bind("127.0.0.1:0").unwrap();
    let way_out = room.data.path().join("run/egress.sock");
    let socket = tokio::net::UnixListener::bind(&way_out).unwrap();
    fs::set_permissions(way_out, fs::Permissions::from_mode(0o666)).unwrap();
    // The port is open, so that it is the address that is refused.
    let ports = [80, 443, console.local_addr().unwrap().port()].into();
    tokio::spawn(Proxy::new(Policy { ports, ..Policy::default() }).serve(socket));
    fs::create_dir_all(room.data.path().join("snapshots/x")).unwrap();
    fs::write(room.data.path().join("repository.key"), "secret").unwrap();
    let named = ["-c", "exec -a CANARY-HOST sleep 1000"];
    let _hosts = tokio::process::Command::new("bash").args(named).kill_on_drop(true).spawn().unwrap();
    let (own, other) = (instance(1, 1), instance(2, 1));
    room.launch(other).await;
    room.launch(own).await;
    let home = room.folder(own).join("home");
    fs::write(home.join("data"), room.data.path().to_str().unwrap()).unwrap();
    fs::write(home.join("port.new"), console.local_addr().unwrap().port().to_string()).unwrap();
    fs::rename(home.join("port.new"), home.join("port")).unwrap();
    assert_eq!(room.told(own, "got").await, "TRIED\n");
    console.set_nonblocking(true).unwrap();
    assert!(console.accept().is_err(), "the console's port was reached");
    room.provider.stop(&own).await.unwrap();
    assert_eq!(room.exit().await.1.code, Some(0));
    room.close().await;
}

#[tokio::test]
async fn the_nonce_stands_in_the_agents_environment_and_nowhere_else() {
    let room = Room::new("trap 'exit 0' TERM; echo $OPENCLAW_ENROLMENT > ~/nonce.new; mv ~/nonce.new ~/nonce; sleep 1000 & wait").await;
    room.launch(instance(1, 1)).await;
    assert_eq!(room.told(instance(1, 1), "nonce").await.trim(), "canary-nonce");
    assert_eq!(processes("canary-nonce"), Vec::<String>::new());
    for file in ["spec.json", "status.json", "process.json", "output.log"] {
        assert!(
            !fs::read_to_string(room.folder(instance(1, 1)).join(file)).unwrap().contains("canary"),
            "{file}"
        );
    }
    room.close().await;
}

#[tokio::test]
async fn each_instance_of_a_root_server_is_another_user_of_the_host() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    use std::os::unix::fs::MetadataExt;
    let room = Room::new(WAITER).await;
    let uid = |id| fs::metadata(room.folder(id).join("home/ready")).unwrap().uid();
    let (one, other) = (instance(1, 1), instance(2, 1));
    for id in [one, other] {
        room.launch(id).await;
        room.told(id, "ready").await;
    }
    assert!(uid(one) != 0 && uid(other) != 0 && uid(one) != uid(other));
    room.close().await;
}

/// The work that agents are for.
#[tokio::test]
async fn everyday_tools_work() {
    let script = r#"
trap 'exit 0' TERM
set -e
exec > ~/partial 2>&1
echo "$USER@$(hostname) $HOME $PWD $(id -un) $(umask)"
python3 -c 'import pty, sys; sys.exit(pty.spawn(["/bin/sh", "-c", "tty"]))' | grep -q /dev/pts/
python3 -c 'import threading, multiprocessing as m; t=threading.Thread(target=print); t.start(); t.join(); p=m.Process(target=print); p.start(); p.join(); m.Lock()' > /dev/null
python3 -c 'import socket, threading; s=socket.create_server(("127.0.0.1", 0)); socket.create_connection(s.getsockname())'
echo hello > /tmp/a; cp /tmp/a /dev/shm/b; cp /tmp/a /var/tmp/c
if command -v git > /dev/null; then git init -q ~/r; cd ~/r; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x; git log --oneline | grep -q x; fi
if command -v node > /dev/null; then node -e 'require("fs").promises.readFile("/etc/passwd").then(() => new Worker) .catch(() => 0); require("child_process").execSync("true")'; fi
if command -v strace > /dev/null; then strace -o /dev/null true; fi
date > /dev/null; locale > /dev/null 2>&1
echo done
mv ~/partial ~/told
while :; do sleep 1000 & wait $!; done
"#;
    let room = Room::new(script).await;
    room.launch(instance(1, 1)).await;
    assert_eq!(
        room.told(instance(1, 1), "told").await,
        "agent@openclaw /home/agent /home/agent agent 0022\ndone\n"
    );
    room.close().await;
}

//! From the server to bubblewrap: what happens between `fork` and `exec`. The
//! child takes the instance's limits and user upon itself and lets go of all
//! that is the server's.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags};
use rustix::process::{Gid, Resource, Rlimit, Uid, getrlimit, setrlimit};
use rustix::thread::UnshareFlags;
use tokio::process::{Child, Command};

use super::sandbox::{Arguments, FIRST_LISTENER, Sources, above_listeners};

/// Of all processes of the machine those of instances go first when memory is short.
const OOM_SCORE: &[u8] = b"500";

/// All that one start of bubblewrap takes.
pub struct Start<'a> {
    pub bwrap: &'a Path,
    pub arguments: Arguments,
    /// The program in the sandbox and its arguments.
    pub command: Vec<std::ffi::OsString>,
    /// Become descriptors 3, 4, …
    pub listeners: Vec<OwnedFd>,
    /// The doors of the instance's cgroup.
    pub doors: Vec<File>,
    pub limits: Vec<(Resource, u64)>,
    /// An ordinary user to become, for a server that is root.
    pub user: Option<Staged>,
    /// Where its standard output goes, and its standard error.
    pub journal: File,
    pub output: File,
}

/// A user of the host to become, and the sources set out where it can reach them.
pub struct Staged {
    pub uid: u32,
    places: [(std::ffi::CString, &'static CStr, Kind); 3],
}

#[derive(Clone, Copy)]
enum Kind {
    File,
    Folder,
}

/// Where sources are set out, in a mount namespace of the child's own.
const STAGE: &CStr = c"/tmp";

impl Staged {
    /// The sources as `uid` finds them after the staging, with what brings them
    /// there. Root's data usually lies where no other user may go.
    pub fn new(uid: u32, sources: &Sources) -> io::Result<(Self, Sources)> {
        use std::os::unix::ffi::OsStrExt;
        let text = |path: &Path| std::ffi::CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from);
        let places = [
            (text(&sources.program)?, c"/tmp/program", Kind::File),
            (text(&sources.home)?, c"/tmp/home", Kind::Folder),
            (text(&sources.run)?, c"/tmp/run", Kind::Folder),
        ];
        let staged = |name: &str| PathBuf::from("/tmp").join(name);
        Ok((
            Self { uid, places },
            Sources { program: staged("program"), home: staged("home"), run: staged("run") },
        ))
    }

    /// Between fork and exec.
    fn enter(&self) -> io::Result<()> {
        // SAFETY: the one thread of a forked child shares no table with others.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS)? };
        rustix::mount::mount_change(c"/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
        // All are taken first: the stage may hide them.
        let take = |path: &CStr| {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            rustix::mount::open_tree(CWD, path, flags)
        };
        let [(a, ..), (b, ..), (c, ..)] = &self.places;
        let trees = [take(a)?, take(b)?, take(c)?];
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        rustix::mount::mount(c"openclaw", STAGE, c"tmpfs", flags, c"mode=0755,size=64k")?;
        for (tree, (_, place, kind)) in trees.iter().zip(&self.places) {
            match kind {
                Kind::Folder => rustix::fs::mkdir(*place, Mode::from_raw_mode(0o755))?,
                Kind::File => drop(rustix::fs::open(*place, OFlags::CREATE | OFlags::CLOEXEC, Mode::RUSR)?),
            }
            rustix::mount::move_mount(
                tree.as_fd(),
                c"",
                CWD,
                *place,
                MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
            )?;
        }
        rustix::thread::set_thread_groups(&[])?;
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.uid));
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    }
}

/// Starts bubblewrap. Returns once it is executed, or with what failed before.
pub fn start(start: Start<'_>) -> io::Result<Child> {
    let Start { bwrap, arguments, command, listeners, doors, limits, user, journal, output } = start;
    let listeners = listeners.into_iter().map(above_listeners).collect::<io::Result<Vec<_>>>()?;
    let limits: Vec<_> =
        limits.into_iter().map(|(resource, most)| (resource, within_hard(resource, most))).collect();
    let mut bwrap = Command::new(bwrap);
    bwrap.arg("--args").arg(arguments.file.as_raw_fd().to_string()).arg("--").args(command);
    bwrap.env_clear().current_dir("/");
    bwrap.stdin(Stdio::null()).stdout(journal).stderr(output);
    let prepare = move || {
        step(b"enter the cgroup", || {
            doors.iter().try_for_each(|door| rustix::io::write(door, b"0").map(drop)).map_err(Into::into)
        })?;
        step(b"offer itself to the out-of-memory killer", be_killed_first)?;
        step(b"take the limits", || {
            limits.iter().try_for_each(|(resource, limit)| setrlimit(*resource, *limit)).map_err(Into::into)
        })?;
        // Off the server's terminal, whose Ctrl-C is not for instances.
        step(b"leave the session", || Ok(rustix::process::setsid().map(drop)?))?;
        rustix::process::umask(Mode::from_raw_mode(0o022));
        step(b"become the instance's user", || user.as_ref().map_or(Ok(()), Staged::enter))?;
        step(b"let go of the server's files", || keep_only(&arguments, &listeners))
    };
    // SAFETY: `prepare` makes system calls only; it allocates nothing, takes no lock and drops no buffer.
    unsafe { bwrap.pre_exec(prepare) };
    bwrap.spawn()
}

/// Says which step failed where the instance's output goes: only a number
/// comes back from a child that is not executed.
fn step(name: &[u8], take: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    take().inspect_err(|_| {
        // SAFETY: the child's standard error is open from here to `exec`.
        let stderr = unsafe { BorrowedFd::borrow_raw(libc::STDERR_FILENO) };
        for part in [b"failed to ", name, b"\n"] {
            let _ = rustix::io::write(stderr, part);
        }
    })
}

fn be_killed_first() -> io::Result<()> {
    let score =
        rustix::fs::open(c"/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&score, OOM_SCORE)?;
    Ok(())
}

/// Marks every descriptor to be closed by `exec`, but those that are meant.
fn keep_only(arguments: &Arguments, listeners: &[OwnedFd]) -> io::Result<()> {
    // SAFETY: no pointer is passed; flag 4 is CLOSE_RANGE_CLOEXEC.
    if unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 4) } != 0 {
        return Err(io::Error::last_os_error());
    }
    for fd in arguments.inherited.iter().chain([&arguments.file]) {
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
    }
    for (number, listener) in (FIRST_LISTENER..).zip(listeners) {
        // SAFETY: plain numbers; whatever has `number`, `exec` would close it anyway. Should that be
        // the pipe on which `spawn` waits, a failing `exec` shows as an exit code instead.
        if unsafe { libc::dup2(listener.as_raw_fd(), number) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// A limit that an ordinary user may set: never above the hard one it has.
fn within_hard(resource: Resource, most: u64) -> Rlimit {
    let most = getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
    Rlimit { current: Some(most), maximum: Some(most) }
}

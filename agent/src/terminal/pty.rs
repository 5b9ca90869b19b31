//! A pseudo-terminal and the shell on it.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use domain::wire::Grid;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::tenant::{Supervised, Tenant};

/// The end of a pseudo-terminal that the agent holds.
#[derive(Debug)]
pub struct Pty(AsyncFd<OwnedFd>);

/// A pseudo-terminal's two ends: ours, and the program's.
pub fn open(grid: Grid) -> io::Result<(Pty, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags)?;
    unlockpt(&ours)?;
    let theirs = ioctl_tiocgptpeer(&ours, flags)?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    // SAFETY: the descriptor is owned by the registration and closed after it.
    let pty = Pty(unsafe { AsyncFd::register(ours) }?);
    pty.resize(grid)?;
    Ok((pty, theirs))
}

impl Pty {
    pub fn resize(&self, grid: Grid) -> io::Result<()> {
        let size = Winsize { ws_col: grid.cols, ws_row: grid.rows, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(tcsetwinsize(&self.0, size)?)
    }

    /// Waits until there is output, or the last program has closed its end.
    pub async fn readable(&self) -> io::Result<()> {
        self.0.readable().await.map(|mut guard| guard.retain_ready())
    }

    /// Reads what is there now.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is; any other error, of them EIO, at the end.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.attempt(Interest::READABLE, |fd| Ok(rustix::io::read(fd.as_fd(), &mut *buffer)?))
    }

    /// Gives the program what it takes now.
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(Interest::WRITABLE, |fd| Ok(rustix::io::write(fd.as_fd(), bytes)?))
    }

    /// Waits until the program may take input again.
    pub async fn writable(&self) -> io::Result<()> {
        self.0.writable().await.map(|mut guard| guard.retain_ready())
    }

    /// The process group in the foreground.
    pub fn foreground(&self) -> Option<i32> {
        // A terminal without one answers 0, which the type of rustix refuses.
        // SAFETY: asks by a descriptor that is open.
        let group = unsafe { libc::tcgetpgrp(self.0.as_raw_fd()) };
        (group > 0).then_some(group)
    }

    fn attempt(
        &self,
        interest: Interest,
        mut work: impl FnMut(&OwnedFd) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match self.0.try_io(interest, &mut work) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }
}

/// How shells are started.
#[derive(Debug, Clone)]
pub struct Shell {
    program: PathBuf,
    home: PathBuf,
    /// Whose they are, if not the daemon's own user's.
    tenant: Option<Tenant>,
}

impl Shell {
    /// The user's own, else bash, else the system's.
    pub fn find(home: &Path, tenant: Option<Tenant>) -> Self {
        let wanted = std::env::var_os("SHELL").map(PathBuf::from);
        let known = ["/bin/bash", "/bin/sh"].map(PathBuf::from);
        let there = |path: &PathBuf| path.is_absolute() && path.is_file();
        let program = wanted.into_iter().chain(known).find(there).unwrap_or_else(|| "/bin/sh".into());
        Self { program, home: home.to_owned(), tenant }
    }

    /// Starts a login shell with `terminal` as its controlling terminal.
    pub fn start(&self, terminal: OwnedFd) -> io::Result<Child> {
        let mut login = OsString::from("-");
        login.push(self.program.file_name().unwrap_or(self.program.as_os_str()));
        let mut command = Command::new(&self.program);
        command
            .arg0(login)
            .current_dir(&self.home)
            .env("HOME", &self.home)
            .env("SHELL", &self.program)
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor")
            .stdin(Stdio::from(terminal.try_clone()?))
            .stdout(Stdio::from(terminal.try_clone()?))
            .stderr(Stdio::from(terminal));
        // SAFETY: system calls only, on a process that is nobody else's.
        unsafe { command.pre_exec(prepare) };
        let Some(tenant) = self.tenant else { return command.spawn() };
        let supervised = Supervised::new(tenant)?;
        let submit = supervised.submission();
        // SAFETY: as above.
        unsafe { command.pre_exec(move || tenant.assume().and_then(|()| submit())) };
        let mut child = command.spawn()?;
        // The process is reaped with all others.
        supervised.watch().inspect_err(|_| drop(child.kill()))?;
        Ok(child)
    }
}

/// Between fork and exec: a session with this terminal, and every signal as it
/// is by default. A shell started from a background job would keep ignoring
/// Ctrl-C otherwise.
fn prepare() -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: SIG_DFL is no code of ours; numbers that can't be set are refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: a set on the stack, filled before it is read.
    unsafe {
        let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        if libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

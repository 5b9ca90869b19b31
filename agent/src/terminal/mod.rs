//! Terminals: shells on pseudo-terminals that live on without a viewer.

mod draw;
mod list;
mod pty;
mod ring;
mod screen;
mod state;
mod window;

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use domain::wire::{Grid, Malformed, Resume};
use rustix::process::Pid;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use pty::Pty;
use state::{Life, Room, State};

pub use list::{NoTerminal, Terminals};
pub use pty::Shell;
pub use ring::RING;
pub use state::{Attached, Next, Part, WAITING};

/// The most that is read from one terminal before others have their turn.
const TURN: usize = 32 * 1024;
/// What the kernel gives of a terminal at a time, if there is more.
const WHOLE: usize = 4095;
/// The most that is drained from a terminal whose shell has ended: what the
/// kernel holds of one, and some.
const LAST_WORDS: u64 = 256 * 1024;

/// One terminal.
pub struct Terminal {
    pub number: u16,
    /// Random: offsets of another life of the same number mean nothing here.
    pub epoch: u64,
    pub shell: Pid,
    pty: Pty,
    state: Mutex<State>,
    /// There is room for output, or input to give.
    work: Notify,
}

impl Terminal {
    fn new(number: u16, epoch: u64, shell: Pid, pty: Pty, grid: Grid) -> Self {
        Self { number, epoch, shell, pty, state: Mutex::new(State::new(grid)), work: Notify::new() }
    }

    fn life(&self) -> Life {
        Life { number: self.number, epoch: self.epoch }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    /// Adds a viewer; one of the same name that is still here is shown out.
    pub fn attach(&self, viewer: u64, part: Part, resume: Option<Resume>) -> Attached {
        let resume = resume.filter(|resume| resume.epoch == self.epoch).map(|resume| resume.offset);
        let attached = self.state().attach(self.life(), viewer, part, resume, Instant::now());
        self.work.notify_one();
        attached
    }

    /// The viewer that came in as `slot` is gone.
    pub fn detach(&self, slot: u64) {
        self.state().detach(slot, Instant::now());
        self.work.notify_one();
    }

    /// What that viewer is to be sent now.
    pub fn next(&self, slot: u64) -> Next {
        self.state().next(slot, self.life(), Instant::now())
    }

    /// That viewer has drawn all output before `offset`.
    ///
    /// # Errors
    /// [`Malformed`] for output that it was never sent.
    pub fn ack(&self, slot: u64, offset: u64) -> Result<(), Malformed> {
        self.state().ack(slot, offset, Instant::now())?;
        self.work.notify_one();
        Ok(())
    }

    /// The terminal takes the size of the viewer that set it last.
    pub fn resize(&self, grid: Grid) {
        let mut state = self.state();
        if state.resize(grid) {
            // A terminal that is gone has no size to set.
            let _ = self.pty.resize(grid);
        }
    }

    /// The size it has.
    pub fn grid(&self) -> Grid {
        self.state().grid()
    }

    /// Gives input to the program, or keeps it until the program takes it.
    ///
    /// # Errors
    /// [`Malformed`] when bytes before it are missing.
    pub fn input(&self, viewer: u64, offset: u64, bytes: &[u8]) -> Result<(), Malformed> {
        let mut state = self.state();
        state.queue(viewer, offset, bytes)?;
        state.give(|bytes| self.pty.try_write(bytes));
        if state.waiting() > 0 {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Bytes of input that wait for the program; see [`WAITING`].
    pub fn waiting(&self) -> usize {
        self.state().waiting()
    }

    /// Bytes of that viewer's input that the program has taken.
    pub fn given(&self, viewer: u64) -> u64 {
        self.state().given(viewer)
    }

    /// Writes text into the output, as if a program had.
    pub fn say(&self, text: &[u8]) {
        self.state().push(text, Instant::now());
    }

    /// The process group in the foreground, if it is not the shell's own.
    pub fn foreground_job(&self) -> Option<i32> {
        self.pty.foreground().filter(|group| *group != self.shell.as_raw_nonzero().get())
    }

    /// When it last put something out.
    pub fn last_output(&self) -> Option<Instant> {
        self.state().last_output
    }

    pub fn viewers(&self) -> usize {
        self.state().viewers()
    }

    /// Reads and writes the terminal until its shell has ended.
    async fn run(&self, mut exit: oneshot::Receiver<i32>) {
        let mut open = true;
        let code = loop {
            let (room, waiting) = {
                let state = self.state();
                (state.room(Instant::now()), state.waiting() > 0)
            };
            let until = match room {
                Room::None { until } => until,
                Room::For(_) => None,
            };
            tokio::select! {
                biased;
                code = &mut exit => break code.unwrap_or(-1),
                writable = self.pty.writable(), if waiting && open => {
                    open = writable.is_ok();
                    self.state().give(|bytes| self.pty.try_write(bytes));
                }
                () = self.work.notified() => {}
                readable = self.pty.readable(), if open && matches!(room, Room::For(_)) => {
                    open = readable.is_ok();
                    if let Room::For(most) = room {
                        open &= self.read(most.min(TURN));
                    }
                    tokio::task::yield_now().await;
                }
                () = sleep_until(until.unwrap_or_else(far)), if until.is_some() => {}
            }
        };
        self.hear_out();
        self.state().end(code);
    }

    /// Reads what the shell left behind; jobs that outlive it are not waited for.
    fn hear_out(&self) {
        let until = self.state().end_of_output() + LAST_WORDS;
        loop {
            let before = self.state().end_of_output();
            if before >= until || !self.read(TURN) || self.state().end_of_output() == before {
                return;
            }
        }
    }

    /// Reads up to `most` bytes of what is there; says whether more can come.
    fn read(&self, most: usize) -> bool {
        thread_local! {
            /// Shared by all terminals: a thread reads one at a time.
            static BUFFER: std::cell::RefCell<Box<[u8]>> = std::cell::RefCell::new(vec![0; TURN].into());
        }
        BUFFER.with_borrow_mut(|buffer| {
            let (mut left, mut open, mut more) = (most, true, true);
            while more && left > 0 {
                let (mut filled, room) = (0, left.min(TURN));
                while more && filled < room {
                    match self.pty.try_read(&mut buffer[filled..room]) {
                        Ok(count) => {
                            filled += count;
                            // A part of a page was all there was: nobody waits
                            // for us to be told so once more.
                            (open, more) = (count > 0, count >= WHOLE);
                        }
                        Err(error) => {
                            (open, more) = (error.kind() == std::io::ErrorKind::WouldBlock, false);
                        }
                    }
                }
                if filled > 0 {
                    self.state().push(&buffer[..filled], Instant::now());
                }
                left -= filled;
            }
            open
        })
    }
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

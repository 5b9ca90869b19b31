//! An agent's terminals, by number.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use domain::wire::Grid;

use super::Terminal;
use super::pty::{self, Shell};
use crate::gate::random;
use crate::reaper::Reaper;

/// Terminals that one agent may have at a time.
const MOST: usize = 16;

/// The terminals.
pub struct Terminals {
    shell: Shell,
    reaper: Arc<Reaper>,
    all: Arc<Mutex<HashMap<u16, Arc<Terminal>>>>,
    /// What the very first one says before its shell does.
    greeting: Mutex<Option<Vec<u8>>>,
}

/// Why there is no such terminal.
#[derive(Debug, thiserror::Error)]
pub enum NoTerminal {
    #[error("there are {MOST} terminals already")]
    TooMany,
    #[error("no terminal could be made: {0}")]
    Failed(#[from] io::Error),
}

impl Terminals {
    pub fn new(shell: Shell, reaper: Arc<Reaper>, greeting: Option<Vec<u8>>) -> Self {
        Self { shell, reaper, all: Arc::default(), greeting: Mutex::new(greeting) }
    }

    /// The terminal of that number, made if it is not there.
    pub fn open(&self, number: u16, grid: Grid) -> Result<Arc<Terminal>, NoTerminal> {
        let mut all = self.all.lock().expect("no holder panics");
        if let Some(terminal) = all.get(&number) {
            return Ok(Arc::clone(terminal));
        }
        if all.len() >= MOST {
            return Err(NoTerminal::TooMany);
        }
        let (pty, theirs) = pty::open(grid)?;
        let (shell, exit) = self.reaper.start(|| self.shell.start(theirs))?;
        let terminal = Arc::new(Terminal::new(number, u64::from_le_bytes(random()), shell, pty, grid));
        if let Some(greeting) = self.greeting.lock().expect("no holder panics").take() {
            terminal.say(&greeting);
        }
        all.insert(number, Arc::clone(&terminal));
        drop(all);
        let (running, list) = (Arc::clone(&terminal), Arc::clone(&self.all));
        tokio::spawn(async move {
            running.run(exit).await;
            list.lock().expect("no holder panics").remove(&number);
        });
        Ok(terminal)
    }

    /// The terminal of that number, if it is there.
    pub fn get(&self, number: u16) -> Option<Arc<Terminal>> {
        self.all.lock().expect("no holder panics").get(&number).cloned()
    }

    /// All of them now.
    pub fn all(&self) -> Vec<Arc<Terminal>> {
        self.all.lock().expect("no holder panics").values().cloned().collect()
    }
}

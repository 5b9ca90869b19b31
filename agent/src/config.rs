//! What an instance is started with.

use std::env::VarError;
use std::path::PathBuf;

use domain::id::InstanceId;
use domain::protocol::{Secret, env};

/// Read from the environment; see [`domain::protocol::env`] for each variable.
#[derive(Debug)]
pub struct Config {
    pub instance: InstanceId,
    /// The control plane's Unix socket.
    pub control: PathBuf,
    pub nonce: Secret,
    /// Listening sockets that were inherited: 1 or 2.
    pub listeners: Listeners,
    pub home: PathBuf,
    /// The Landlock ABI that must be held to.
    pub landlock: Option<u8>,
}

/// What was inherited, from descriptor 3 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listeners {
    /// A Unix socket.
    Unix,
    /// A Unix socket and a loopback TCP one.
    UnixAndTcp,
}

/// A variable that is missing or makes no sense. Never shows a value.
#[derive(Debug, thiserror::Error)]
#[error("{name} {problem}")]
pub struct BadVariable {
    name: &'static str,
    problem: &'static str,
}

impl Config {
    /// Reads the environment and takes what the tenant must not see out of it.
    ///
    /// # Safety
    /// No other thread may run yet.
    pub unsafe fn take_from_environment() -> Result<Self, BadVariable> {
        let config = Self::read();
        for name in [env::ENROLMENT, env::CONTROL, env::LISTEN_FDS, env::LANDLOCK] {
            // SAFETY: the caller promises that no other thread runs.
            unsafe { std::env::remove_var(name) };
        }
        config
    }

    fn read() -> Result<Self, BadVariable> {
        let bad = |name, problem| BadVariable { name, problem };
        let instance = text(env::INSTANCE)?.parse();
        let control = text(env::CONTROL)?;
        let control = control.strip_prefix("unix:").filter(|path| path.starts_with('/'));
        let listeners = match text(env::LISTEN_FDS)?.as_str() {
            "1" => Listeners::Unix,
            "2" => Listeners::UnixAndTcp,
            _ => return Err(bad(env::LISTEN_FDS, "is neither 1 nor 2")),
        };
        let home = PathBuf::from(text(env::HOME)?);
        if !home.is_dir() {
            return Err(bad(env::HOME, "names no folder"));
        }
        let landlock = match std::env::var_os(env::LANDLOCK) {
            None => None,
            Some(_) => {
                let abi = text(env::LANDLOCK)?.parse().map_err(|_| bad(env::LANDLOCK, "is no number"))?;
                Some(abi)
            }
        };
        Ok(Self {
            instance: instance.map_err(|_| bad(env::INSTANCE, "names no instance"))?,
            control: control.ok_or(bad(env::CONTROL, "is no unix:/path"))?.into(),
            nonce: Secret::new(text(env::ENROLMENT)?),
            listeners,
            home,
            landlock,
        })
    }
}

fn text(name: &'static str) -> Result<String, BadVariable> {
    std::env::var(name).map_err(|error| match error {
        VarError::NotPresent => BadVariable { name, problem: "is not set" },
        VarError::NotUnicode(_) => BadVariable { name, problem: "is no text" },
    })
}

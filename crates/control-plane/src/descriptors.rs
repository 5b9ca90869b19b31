//! Files that this process may have open at once, sockets among them.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is taken for no limit at all.
const MANY: u64 = 1 << 20;

/// Allows itself as many as the system lets it have; how many that is.
///
/// # Errors
/// When the system refuses its own limit.
pub fn raise() -> io::Result<u64> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(maximum.unwrap_or(MANY).min(MANY))
}

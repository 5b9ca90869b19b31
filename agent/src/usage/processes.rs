//! The processes of the instance, read from `/proc`.

use std::collections::HashSet;
use std::fs;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    pub group: i32,
    /// Its name, at most 15 bytes; never its arguments, in which secrets stand.
    pub name: String,
    /// One letter, as in proc(5).
    pub state: char,
    /// Clock ticks of CPU, its reaped children's with them.
    pub ticks: u64,
    /// Clock ticks after boot.
    pub started: u64,
}

impl Process {
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 't')
    }

    /// Ended, waiting to be reaped.
    pub fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// All processes of the instance but the agent itself. As the first of its
/// namespace it has no others around; elsewhere they are its descendants, to
/// whom orphans belong by `PR_SET_CHILD_SUBREAPER`.
pub fn all() -> Vec<Process> {
    let own = std::process::id().cast_signed();
    let mut found: Vec<Process> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != own)
        .filter_map(|pid: i32| parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?))
        .collect();
    if own != 1 {
        let mut ours = HashSet::from([own]);
        // A parent may come after its child in the list.
        while found.iter().any(|process| ours.contains(&process.parent) && ours.insert(process.pid)) {}
        found.retain(|process| ours.contains(&process.pid));
    }
    found
}

/// Clock ticks in a second; the same on every Linux that is in use.
pub const TICKS: u64 = 100;

/// Clock ticks since boot.
pub fn uptime() -> Option<u64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some((seconds * TICKS as f64) as u64)
}

fn parse(pid: i32, stat: &str) -> Option<Process> {
    // The name stands in parentheses and may itself hold any character.
    let (head, rest) = stat.rsplit_once(") ")?;
    let name = head.split_once('(')?.1;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        name: name.chars().map(|c| if c.is_control() { '?' } else { c }).collect(),
        state: fields.first()?.chars().next()?,
        ticks: (11..=14).filter_map(number).sum(),
        started: number(19)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_confuses_nothing() {
        let stat = "7 (a) R 1 (b c) S 4 7 7 34816 7 0 1 2 3 4 10 20 3 4 20 0 1 0 555 9 9";
        let process = parse(7, stat).unwrap();
        assert_eq!((process.name.as_str(), process.state, process.parent), ("a) R 1 (b c", 'S', 4));
        assert_eq!((process.group, process.ticks, process.started), (7, 37, 555));
        assert_eq!(parse(7, "7 (short) S 1"), None);
    }

    #[test]
    fn only_descendants_are_ours() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let id = child.id().cast_signed();
        let found = all();
        assert!(found.iter().any(|process| process.pid == id && process.name == "sleep"));
        assert!(!found.iter().any(|process| process.pid == 1));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

//! Whatever moment the program dies at, the ledger is whole and has all that
//! was acknowledged.
//!
//! SIGKILL leaves the kernel's cache alone, so the first test shows that
//! nothing is acknowledged too early, not that it is on the disk. The second
//! cuts the log where a power cut could: what is left must be whole.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use domain::agent::Agent;
use domain::id::AgentId;
use domain::lifecycle::Observation;
use rusqlite::Connection;

use crate::store::conformance::fixture::*;
use crate::store::sqlite::Sqlite;
use crate::store::{Shard, Store};

use super::place;

const PLACE: &str = "OPENCLAW_CRASH_TEST_LEDGER";
const AGENTS: u16 = 6;

/// The child: several writers commit as fast as they can, and each tells what
/// was acknowledged. It is no test of its own; it ends by being killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as a child of the test below"]
async fn child() {
    let Ok(path) = std::env::var(PLACE) else { return };
    let store: Ledger = std::sync::Arc::new(Sqlite::open(Path::new(&path)).unwrap());
    let write = |n: u16| {
        let store = store.clone();
        async move {
            let mut agent = create(&store, id(Shard(0), n), owner(1)).await;
            for round in 0u64.. {
                acknowledged(&agent);
                let now = at(round);
                agent = launch(&store, &agent, now).await;
                acknowledged(&agent);
                agent = stop(&store, &agent, now).await;
                acknowledged(&agent);
                agent = observe(&store, &agent, Observation::WakeAsked, now).await;
            }
        }
    };
    together((0..AGENTS).map(write)).await;
}

fn acknowledged(agent: &Agent) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {} {}", agent.id, agent.version).unwrap();
    out.flush().unwrap();
}

/// One life of the child, killed after so many words: what it acknowledged.
fn live_and_die(path: &Path, lines: usize) -> BTreeMap<AgentId, u64> {
    let this = format!("{}::child", module_path!().split_once("::").unwrap().1);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([this.as_str(), "--exact", "--ignored", "--nocapture"])
        .env(PLACE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut known = BTreeMap::new();
    let mut note = |line: &str| {
        let mut words = line.split_whitespace();
        // A word cut short by the kill counts for nothing.
        if words.next() == Some("ack")
            && line.ends_with('\n')
            && let (Some(id), Some(version)) = (words.next(), words.next())
        {
            let (id, version): (AgentId, u64) = (id.parse().unwrap(), version.parse().unwrap());
            known.insert(id, version);
            return true;
        }
        false
    };
    let (mut line, mut noted) = (String::new(), 0);
    while noted < lines {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "the child ended by itself");
        noted += usize::from(note(&line));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    loop {
        line.clear();
        if output.read_line(&mut line).unwrap() == 0 {
            return known;
        }
        note(&line);
    }
}

/// The books of an agent agree with each other.
async fn whole(store: &Sqlite, agent: &Agent) {
    let mut seqs = Vec::new();
    loop {
        let page = store.events(agent.id, seqs.last().copied().unwrap_or(0), 500).await.unwrap();
        if page.is_empty() {
            break;
        }
        seqs.extend(page.iter().map(|event| event.seq));
    }
    assert!(seqs.iter().copied().eq(1..=agent.last_event), "{}: events have a gap", agent.id);
    let mut before = None;
    let mut total = domain::money::NanoDollars::ZERO;
    loop {
        let page = store.segments(agent.id, before, 500).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.generation);
        for segment in page {
            match segment.ended_at {
                None => assert_eq!(Some(segment), agent.open_segment()),
                Some(at) => total += segment.cost(at),
            }
        }
    }
    assert_eq!(total, agent.settled.total);
}

fn sound(path: &Path) {
    let db = Connection::open(path).unwrap();
    let verdict: String = db.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    for life in 0..6 {
        let (_folder, path) = place();
        // Deaths in the middle of it, some right after the start.
        let known = live_and_die(&path, 3 + life * 61);
        let store = Sqlite::open(&path).unwrap();
        assert!(!known.is_empty());
        for (id, version) in known {
            let agent = store.agent(id).await.unwrap().expect("an acknowledged agent is gone");
            assert!(agent.version >= version, "{id}: version {version} was acknowledged");
            // Two commits lie between two words.
            assert!(agent.version <= version + 2, "{id}: more than was under way");
            whole(&store, &agent).await;
        }
        sound(&path);
    }
}

/// Commits are prefixes of the log: cut anywhere, the ledger is as it was
/// after one of them.
#[tokio::test]
async fn a_log_that_is_cut_anywhere_leaves_a_whole_ledger() {
    let (folder, path) = place();
    let store: Ledger = std::sync::Arc::new(Sqlite::open(&path).unwrap());
    let mut agent = create(&store, id(Shard(0), 1), owner(1)).await;
    for round in 0..10 {
        agent = launch(&store, &agent, at(round * 1000)).await;
        agent = stop(&store, &agent, at(round * 1000 + 500)).await;
        agent = observe(&store, &agent, Observation::WakeAsked, at(round * 1000 + 900)).await;
    }
    let log = std::fs::read(folder.path().join("console.db-wal")).unwrap();
    let mut versions = std::collections::BTreeSet::new();
    for cut in 0..40 {
        let (other, copy) = place();
        std::fs::copy(&path, &copy).unwrap();
        let keep = log.len() * cut / 40 + cut * 7 % 11;
        std::fs::write(other.path().join("console.db-wal"), &log[..keep.min(log.len())]).unwrap();
        let left = Sqlite::open(&copy).unwrap();
        if let Some(agent) = left.agent(agent.id).await.unwrap() {
            whole(&left, &agent).await;
            versions.insert(agent.version);
        }
        drop(left);
        sound(&copy);
    }
    assert!(versions.len() > 10, "the cuts fell into too few commits: {versions:?}");
}

//! An older file becomes today's; a newer one is left alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use domain::agent::Phase;
use domain::id::{AgentId, UserId};
use domain::role::Role;
use rusqlite::Connection;

use crate::store::Store;
use crate::store::conformance::audit::entry;
use crate::store::conformance::fixture::START;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::schema::{self, MIGRATIONS, OpenError};

use super::place;

/// A ledger as the first schema left it: two agents, one of them running.
const SCHEMA_1: &str = include_str!("schema_1.sql");

/// Each table and index in SQLite's own words.
fn shape(db: &Connection) -> Vec<String> {
    let mut statement =
        db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn version(db: &Connection) -> usize {
    db.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0)).unwrap() as usize
}

#[tokio::test]
async fn a_ledger_of_schema_1_keeps_its_agents_and_is_todays_in_form() {
    let (_folder, path) = place();
    Connection::open(&path).unwrap().execute_batch(SCHEMA_1).unwrap();
    let store = Sqlite::open(&path).unwrap();

    let owner: UserId = "0000000000000001".parse().unwrap();
    let agents = store.agents_of(owner, None, 10).await.unwrap();
    let names: Vec<_> = agents.iter().map(|agent| agent.name.as_str()).collect();
    assert_eq!(names, ["dormilón", "running"]);
    let running: AgentId = "4000000000000002".parse().unwrap();
    let agent = store.agent(running).await.unwrap().unwrap();
    assert_eq!(agent.phase, Phase::Running);
    assert_eq!(store.events(running, 0, 100).await.unwrap().len() as u64, agent.last_event);
    assert_eq!(store.segments(running, None, 10).await.unwrap(), [agent.open_segment().unwrap()]);
    assert_eq!(store.awake(crate::store::Shard::of(running), None, 10).await.unwrap(), [agent]);
    assert_eq!(store.tokens_of(owner).await.unwrap(), []);
    drop(store);

    let (_other, fresh) = place();
    let (old, new) = (Connection::open(&path).unwrap(), schema::open(&fresh).unwrap());
    assert_eq!(version(&old), MIGRATIONS.len());
    assert_eq!(shape(&old), shape(&new));
}

/// Whoever changes a migration that was released is told so here.
#[test]
fn the_fixture_is_what_the_first_migration_makes() {
    let old = Connection::open_in_memory().unwrap();
    old.execute_batch(SCHEMA_1).unwrap();
    let mut new = Connection::open_in_memory().unwrap();
    schema::migrate(&mut new, &MIGRATIONS[..1]).unwrap();
    assert_eq!((version(&old), shape(&old)), (1, shape(&new)));
}

#[tokio::test]
async fn whom_an_older_server_made_is_admin_and_all_others_are_users() {
    let (_folder, path) = place();
    let mut old = Connection::open(&path).unwrap();
    schema::migrate(&mut old, &MIGRATIONS[..2]).unwrap();
    let people = "INSERT INTO users VALUES ('0000000000000001', 'owner', 1), ('0000000000000002', 'Ana', 2)";
    old.execute_batch(people).unwrap();
    drop(old);
    let store = Sqlite::open(&path).unwrap();
    for (name, role) in [("owner", Role::Admin), ("Ana", Role::User)] {
        assert_eq!(store.user_named(name).await.unwrap().unwrap().role, role);
    }
}

#[tokio::test]
async fn not_even_sql_changes_what_the_audit_log_says() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    store.tell(&entry(START, 1)).await.unwrap();
    let db = Connection::open(&path).unwrap();
    for statement in ["UPDATE audit SET at = 1", "DELETE FROM audit"] {
        let refused = db.execute_batch(statement).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    assert_eq!(store.told(START.month(), None, 10).await.unwrap(), [entry(START, 1)]);
}

#[test]
fn a_newer_ledger_is_refused_and_left_as_it_is() {
    let (_folder, path) = place();
    drop(schema::open(&path).unwrap());
    let newer = MIGRATIONS.len() + 1;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", newer as u32).unwrap();
    match Sqlite::open(&path) {
        Err(OpenError::Newer { found, known }) => assert_eq!((found, known), (newer, newer - 1)),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was opened"),
    }
    assert_eq!(version(&Connection::open(&path).unwrap()), newer);
}

#[test]
fn a_migration_that_fails_halfway_leaves_nothing() {
    let mut db = Connection::open_in_memory().unwrap();
    schema::migrate(&mut db, &["CREATE TABLE a (x)"]).unwrap();
    let broken = ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"];
    assert!(schema::migrate(&mut db, &broken).is_err());
    assert_eq!((version(&db), shape(&db)), (1, vec!["CREATE TABLE a (x)".to_owned()]));
}

#[test]
fn what_is_no_ledger_is_refused() {
    let (folder, path) = place();
    std::fs::write(&path, "some text that somebody keeps here, long enough to be looked at").unwrap();
    assert!(matches!(Sqlite::open(&path), Err(OpenError::Database(_))));
    assert!(matches!(Sqlite::open(&folder.path().join("no/such/console.db")), Err(OpenError::File(_))));
}

/// Many times, for they must meet where SQLite does not wait by itself.
#[test]
fn of_openers_at_once_all_get_the_same_ledger() {
    const OPENERS: usize = 4;
    for _ in 0..60 {
        let (_folder, path) = place();
        let together = std::sync::Barrier::new(OPENERS);
        let open = || {
            together.wait();
            schema::open(&path).map(|db| version(&db))
        };
        std::thread::scope(|scope| {
            for opener in [(); OPENERS].map(|()| scope.spawn(open)) {
                assert_eq!(opener.join().unwrap().unwrap(), MIGRATIONS.len());
            }
        });
    }
}

#[tokio::test]
async fn only_its_owner_can_read_the_ledger() {
    let (folder, path) = place();
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = Sqlite::open(&path).unwrap();
    store.sweep(domain::time::Timestamp(0)).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut seen = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 3, "the ledger, its log and the log's index");
}

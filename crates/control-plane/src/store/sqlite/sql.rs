//! Every statement the store runs. A [`Sql`] can be made here only, and a test
//! looks at the plan of each: none may walk over a table or sort.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row};

/// A statement of this file.
#[derive(Clone, Copy)]
pub(super) struct Sql(&'static str);

macro_rules! statements {
    ($($name:ident = $text:literal;)*) => {
        $(pub(super) const $name: Sql = Sql($text);)*

        #[cfg(test)]
        pub(super) const ALL: &[(&str, Sql)] = &[$((stringify!($name), $name)),*];
    };
}

statements! {
    INSERT_AGENT = "INSERT INTO agents (id, owner, shard, version, due_at, awake, deleted, agent)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    UPDATE_AGENT = "UPDATE agents SET version = ?2, due_at = ?3, awake = ?4, deleted = ?5, agent = ?6
        WHERE id = ?1 AND version = ?7";
    INSERT_EVENT = "INSERT INTO events (agent, seq, generation, at, what) VALUES (?1, ?2, ?3, ?4, ?5)";
    OPEN_SEGMENT = "INSERT INTO segments (agent, generation, started_at, segment) VALUES (?1, ?2, ?3, ?4)";
    CLOSE_SEGMENT = "UPDATE segments SET ended_at = ?3, segment = ?4, to_fold = ?5
        WHERE agent = ?1 AND generation = ?2 AND ended_at IS NULL";
    AGENT = "SELECT agent FROM agents WHERE id = ?1";
    AGENTS_OF = "SELECT agent FROM agents WHERE owner = ?1 AND deleted = 0 AND id > ?2 ORDER BY id LIMIT ?3";
    COUNT_AGENTS_OF = "SELECT count(*) FROM agents WHERE owner = ?1 AND deleted = 0";
    EVENTS = "SELECT seq, generation, at, what FROM events
        WHERE agent = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    SEGMENTS = "SELECT segment FROM segments
        WHERE agent = ?1 AND generation < ?2 ORDER BY generation DESC LIMIT ?3";

    DUE = "SELECT id, agent FROM agents WHERE shard = ?1 AND due_at <= ?2 ORDER BY due_at, id LIMIT ?3";
    CLAIM = "UPDATE agents SET due_at = ?2 WHERE id = ?1";
    NEXT_DUE = "SELECT due_at FROM agents WHERE shard = ?1 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1";
    AWAKE = "SELECT id, agent FROM agents
        WHERE shard = ?1 AND awake = 1 AND id > ?2 ORDER BY id LIMIT ?3";

    DRAINED = "SELECT since FROM drains WHERE provider = ?1";
    DRAIN = "INSERT INTO drains (provider, since) VALUES (?1, ?2)
        ON CONFLICT (provider) DO UPDATE SET since = excluded.since";
    UNDRAIN = "DELETE FROM drains WHERE provider = ?1";

    ACCOUNT = "SELECT version, account FROM accounts WHERE subject = ?1";
    ACCOUNTS = "SELECT version, account FROM accounts WHERE subject > ?1 ORDER BY subject LIMIT ?2";
    ADD_ACCOUNT = "INSERT INTO accounts (subject, version, account) VALUES (?1, ?2 + 1, ?3)
        ON CONFLICT DO NOTHING";
    PUT_ACCOUNT = "UPDATE accounts SET version = ?2 + 1, account = ?3 WHERE subject = ?1 AND version = ?2";

    UNFOLDED = "SELECT segment, folded_until FROM segments
        WHERE to_fold = ?1 ORDER BY agent, generation LIMIT ?2";
    MARK_FOLDED = "UPDATE segments SET folded_until = ?4, to_fold = ?5
        WHERE agent = ?1 AND generation = ?2 AND folded_until IS ?3 AND to_fold IS NOT NULL";
    ADD_USAGE = "INSERT INTO usage (book, month, line, cost, awake_ms) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (book, month, line)
        DO UPDATE SET cost = cost + excluded.cost, awake_ms = awake_ms + excluded.awake_ms";
    PUT_USAGE_SEGMENT = "INSERT INTO usage_segments (month, shard, agent, generation)
        VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    USAGE = "SELECT line, cost, awake_ms FROM usage
        WHERE book = ?1 AND month = ?2 AND line BETWEEN ?3 AND ?4 ORDER BY line LIMIT ?5";
    USAGE_SEGMENTS = "SELECT agent, generation FROM usage_segments
        WHERE month = ?1 AND shard = ?2 AND (agent, generation) > (?3, ?4)
        ORDER BY agent, generation LIMIT ?5";
    SEGMENT = "SELECT segment FROM segments WHERE agent = ?1 AND generation = ?2";

    KEY = "SELECT request, agent FROM idempotency_keys WHERE owner = ?1 AND key = ?2 AND expires_at > ?3";
    PUT_KEY = "INSERT OR REPLACE INTO idempotency_keys (owner, key, request, agent, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    SWEEP_KEYS = "DELETE FROM idempotency_keys WHERE expires_at <= ?1";

    PUT_ENROLMENT = "INSERT INTO enrolments (nonce, instance, expires_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (nonce) DO NOTHING";
    SPEND_ENROLMENT = "UPDATE enrolments SET binding = ?2
        WHERE nonce = ?1 AND expires_at > ?3 AND (binding IS NULL OR binding = ?2) RETURNING instance";
    SWEEP_ENROLMENTS = "DELETE FROM enrolments WHERE expires_at <= ?1";

    ADD_USER = "INSERT INTO users (id, name, created_at, role, team, closed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (name) DO NOTHING";
    USER = "SELECT id, name, created_at, role, team, closed_at FROM users WHERE id = ?1";
    USER_NAMED = "SELECT id, name, created_at, role, team, closed_at FROM users WHERE name = ?1";
    PEOPLE = "SELECT id, name, created_at, role, team, closed_at, seen_at FROM users
        WHERE name > ?1 ORDER BY name LIMIT ?2";
    SET_ROLE = "UPDATE users SET role = ?2 WHERE id = ?1";
    SET_TEAM = "UPDATE users SET team = ?2 WHERE id = ?1";
    SET_CLOSED = "UPDATE users SET closed_at = ?2 WHERE id = ?1";
    SEE_USER = "UPDATE users SET seen_at = ?2 WHERE id = ?1";

    PASSWORD = "SELECT hash FROM passwords WHERE owner = ?1";
    PUT_PASSWORD = "INSERT INTO passwords (owner, hash) VALUES (?1, ?2)
        ON CONFLICT (owner) DO UPDATE SET hash = excluded.hash";

    PUT_INVITATION = "INSERT INTO invitations (token, created_at, expires_at, invitation)
        VALUES (?1, ?2, ?3, ?4)";
    INVITATIONS = "SELECT token, created_at, expires_at, invitation FROM invitations
        WHERE expires_at > ?1 ORDER BY expires_at DESC";
    INVITATION = "SELECT token, created_at, expires_at, invitation FROM invitations
        WHERE token = ?1 AND expires_at > ?2";
    WITHDRAW_INVITATION = "DELETE FROM invitations WHERE token = ?1";
    TAKE_INVITATION = "DELETE FROM invitations WHERE token = ?1 AND expires_at > ?2";
    SWEEP_INVITATIONS = "DELETE FROM invitations WHERE expires_at <= ?1";

    PUT_SIGN_IN_LINK = "INSERT INTO sign_in_links (token, owner, expires_at) VALUES (?1, ?2, ?3)";
    VOID_SIGN_IN_LINKS = "DELETE FROM sign_in_links WHERE owner = ?1";
    TAKE_SIGN_IN_LINK = "DELETE FROM sign_in_links WHERE token = ?1 AND expires_at > ?2 RETURNING owner";
    SWEEP_SIGN_IN_LINKS = "DELETE FROM sign_in_links WHERE expires_at <= ?1";

    PUT_SESSION = "INSERT INTO sessions (token, owner, created_at, expires_at, how, browser, seen_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    SESSION = "SELECT token, owner, created_at, expires_at, how, browser, seen_at FROM sessions
        WHERE token = ?1 AND expires_at > ?2";
    SESSIONS_OF = "SELECT token, owner, created_at, expires_at, how, browser, seen_at FROM sessions
        WHERE owner = ?1 AND expires_at > ?2 ORDER BY created_at DESC, token DESC LIMIT 200";
    SEE_SESSION = "UPDATE sessions SET seen_at = ?2 WHERE token = ?1";
    END_SESSION = "DELETE FROM sessions WHERE token = ?1";
    SWEEP_SESSIONS = "DELETE FROM sessions WHERE expires_at <= ?1";

    PUT_TOKEN = "INSERT INTO tokens (token, id, owner, name, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    TOKEN = "SELECT token, id, owner, name, created_at FROM tokens WHERE token = ?1";
    TOKENS_OF = "SELECT token, id, owner, name, created_at FROM tokens
        WHERE owner = ?1 ORDER BY created_at DESC, id DESC LIMIT 100";
    REVOKE_TOKEN = "DELETE FROM tokens WHERE id = ?1 AND owner = ?2";

    FLEET = "SELECT id, agent FROM agents WHERE shard = ?1 AND deleted = 0 AND id > ?2 ORDER BY id LIMIT ?3";

    TELL = "INSERT INTO audit (at, id, entry) VALUES (?1, ?2, ?3)";
    TOLD = "SELECT entry FROM audit
        WHERE (at, id) > (?1, ?2) AND at < ?3 ORDER BY at, id LIMIT ?4";
    TOLD_LAST = "SELECT entry FROM audit
        WHERE (at, id) < (?1, ?2) AND at >= ?3 ORDER BY at DESC, id DESC LIMIT ?4";

    TAKEN_BACK = "SELECT count FROM taken_back WHERE one = 1";

    LOOK = "SELECT version, look FROM looks WHERE agent = ?1";
    ADD_LOOK = "INSERT INTO looks (agent, version, look) VALUES (?1, ?2 + 1, ?3) ON CONFLICT DO NOTHING";
    PUT_LOOK = "UPDATE looks SET version = ?2 + 1, look = ?3 WHERE agent = ?1 AND version = ?2";

    READY = "SELECT agent FROM agents WHERE id = ''";
}

impl Sql {
    /// Compiled once a connection.
    fn prepare(self, db: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
        db.prepare_cached(self.0)
    }

    /// How many rows it changed.
    pub fn run(self, db: &Connection, params: impl Params) -> rusqlite::Result<usize> {
        self.prepare(db)?.execute(params)
    }

    /// The one row it gives, or none.
    pub fn one<T>(
        self,
        db: &Connection,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.prepare(db)?.query_row(params, read).optional()
    }

    /// All the rows it gives.
    pub fn all<T>(
        self,
        db: &Connection,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.prepare(db)?.query_map(params, read)?.collect()
    }

    /// SQLite's own words for how it would run it.
    #[cfg(test)]
    pub fn plan(self, db: &Connection) -> Vec<String> {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {}", self.0)).unwrap();
        let mut rows = statement.raw_query();
        let mut plan = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push(row.get(3).unwrap());
        }
        plan
    }
}

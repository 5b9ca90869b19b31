-- Who may do more than see to their own agents, and what they did by that right.

ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'user'
    CHECK (role IN ('user', 'viewer', 'operator', 'admin'));

-- Whom the server itself made, at its first start.
UPDATE users SET role = 'admin' WHERE name = 'owner';

-- The fleet's list.
CREATE INDEX agents_by_shard ON agents (shard, id) WHERE deleted = 0;

CREATE TABLE audit (
    at INTEGER NOT NULL,
    id TEXT NOT NULL,
    entry TEXT NOT NULL CHECK (json_valid(entry)),
    PRIMARY KEY (at, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

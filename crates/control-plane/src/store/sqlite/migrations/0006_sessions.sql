-- Passwords, invitations, teams, what people know their sessions by, and looks
-- into terminals.

ALTER TABLE users ADD COLUMN team TEXT;
ALTER TABLE users ADD COLUMN seen_at INTEGER;

ALTER TABLE sessions ADD COLUMN how TEXT NOT NULL DEFAULT 'link';
ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET seen_at = created_at;
CREATE INDEX sessions_by_owner ON sessions (owner, created_at, token);

CREATE TABLE passwords (
    owner TEXT NOT NULL PRIMARY KEY,
    -- Argon2id, in the PHC form.
    hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
    token BLOB NOT NULL PRIMARY KEY CHECK (length(token) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    invitation TEXT NOT NULL CHECK (json_valid(invitation))
) STRICT, WITHOUT ROWID;

CREATE INDEX invitations_by_end ON invitations (expires_at);

CREATE TABLE looks (
    agent TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    look TEXT NOT NULL CHECK (json_valid(look))
) STRICT, WITHOUT ROWID;

-- Counts what was taken from people: by it every server knows, from one row,
-- when to ask again what it has open. By triggers, so that no way of taking
-- can leave it out.
CREATE TABLE taken_back (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO taken_back VALUES (1, 0);

CREATE TRIGGER sessions_are_taken_back AFTER DELETE ON sessions
BEGIN UPDATE taken_back SET count = count + 1 WHERE one = 1; END;

CREATE TRIGGER tokens_are_taken_back AFTER DELETE ON tokens
BEGIN UPDATE taken_back SET count = count + 1 WHERE one = 1; END;

CREATE TRIGGER roles_are_taken_back AFTER UPDATE OF role ON users
BEGIN UPDATE taken_back SET count = count + 1 WHERE one = 1; END;

-- One that is asked for is no less news to its owner's page.
CREATE TRIGGER looks_are_asked_for AFTER INSERT ON looks
BEGIN UPDATE taken_back SET count = count + 1 WHERE one = 1; END;

CREATE TRIGGER looks_are_taken_back AFTER UPDATE ON looks
BEGIN UPDATE taken_back SET count = count + 1 WHERE one = 1; END;

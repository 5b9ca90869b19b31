-- Who may do what. Secrets are kept as SHA-256 digests only.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_in_links (
    token BLOB NOT NULL PRIMARY KEY CHECK (length(token) = 32),
    owner TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_in_links_by_end ON sign_in_links (expires_at);

CREATE TABLE sessions (
    token BLOB NOT NULL PRIMARY KEY CHECK (length(token) = 32),
    owner TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE tokens (
    token BLOB NOT NULL PRIMARY KEY CHECK (length(token) = 32),
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_by_owner ON tokens (owner, created_at, id);

CREATE TABLE enrolments (
    nonce BLOB NOT NULL PRIMARY KEY CHECK (length(nonce) = 32),
    instance TEXT NOT NULL,
    -- Of whoever spent it.
    binding BLOB CHECK (length(binding) = 32),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX enrolments_by_end ON enrolments (expires_at);

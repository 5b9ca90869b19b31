-- Agents and what happened to them.
--
-- Ids are texts that sort like their bytes; instants are milliseconds since
-- 1970 in UTC; rows that belong to the domain are JSON, beside the columns
-- that are searched by. No foreign keys: all that belongs together is written
-- in one transaction, and other stores have none either.

CREATE TABLE agents (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    shard INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- When somebody must look at it. A claim moves it to its end.
    due_at INTEGER,
    metered INTEGER NOT NULL CHECK (metered IN (0, 1)),
    deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    agent TEXT NOT NULL CHECK (json_valid(agent))
) STRICT;

CREATE INDEX agents_by_owner ON agents (owner, id) WHERE deleted = 0;
CREATE INDEX agents_by_deadline ON agents (shard, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX agents_by_meter ON agents (shard, id) WHERE metered = 1;

CREATE TABLE events (
    agent TEXT NOT NULL,
    seq INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL CHECK (json_valid(what)),
    PRIMARY KEY (agent, seq)
) STRICT, WITHOUT ROWID;

-- One a generation: a run is metered once.
CREATE TABLE segments (
    agent TEXT NOT NULL,
    generation INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    segment TEXT NOT NULL CHECK (json_valid(segment)),
    PRIMARY KEY (agent, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL CHECK (length(request) = 32),
    agent TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);

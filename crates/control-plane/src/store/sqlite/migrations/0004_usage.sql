-- What closed segments came to, by hour, day and month. A segment is folded
-- into the lines day by day; `folded_until` says how far, in days since 1970.

ALTER TABLE segments ADD COLUMN folded_until INTEGER;
-- Of the agent; while a closed segment is not wholly folded.
ALTER TABLE segments ADD COLUMN to_fold INTEGER;

CREATE INDEX segments_to_fold ON segments (to_fold, agent, generation) WHERE to_fold IS NOT NULL;

UPDATE segments SET to_fold = (SELECT shard FROM agents WHERE id = segments.agent) WHERE ended_at IS NOT NULL;

CREATE TABLE usage (
    -- `owner#…`, or one of the fleet's parts.
    book TEXT NOT NULL,
    month TEXT NOT NULL,
    line TEXT NOT NULL,
    -- Nano-dollars.
    cost INTEGER NOT NULL,
    awake_ms INTEGER NOT NULL,
    PRIMARY KEY (book, month, line)
) STRICT, WITHOUT ROWID;

-- Which segments a month's lines were made from.
CREATE TABLE usage_segments (
    month TEXT NOT NULL,
    shard INTEGER NOT NULL,
    agent TEXT NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (month, shard, agent, generation)
) STRICT, WITHOUT ROWID;

-- Who is awake, where it was whose meter runs: those that are on their way count
-- against budgets, too.
DROP INDEX agents_by_meter;
ALTER TABLE agents RENAME COLUMN metered TO awake;
UPDATE agents SET awake = 1
    WHERE deleted = 0
        AND json_extract(agent, '$.phase.phase') NOT IN ('asleep', 'failed', 'deleting', 'deleted');
CREATE INDEX agents_awake ON agents (shard, id) WHERE awake = 1;

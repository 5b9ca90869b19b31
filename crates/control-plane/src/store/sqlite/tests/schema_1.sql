-- A ledger as schema 1 left it (written by the code of that time): one agent
-- that sleeps on a snapshot, and one that runs.
BEGIN TRANSACTION;
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
INSERT INTO "agents" VALUES('3000000000000001','0000000000000001',8,8,NULL,0,0,'{"id":"3000000000000001","owner":"0000000000000001","name":"dormilón","size":"small","provider":"local","idle_timeout":null,"created_at":1790000000000,"version":8,"last_event":9,"intent":"asleep","phase":{"phase":"asleep"},"phase_since":1790000602000,"generation":1,"metered":1,"boot":[{"phase":"queued","at":1790000000000},{"phase":"placing","at":1790000000300},{"phase":"enrolling","at":1790000000300},{"phase":"hydrating","at":1790000000700},{"phase":"ready","at":1790000001500}],"instance":null,"snapshot":{"id":"abababababababababababababababababababababababababababababababab","generation":1,"at":1790000601000,"files":12,"bytes":34567,"added_bytes":890},"save_failure":null,"last_use":1790000001500,"busy":null,"sleeps_at":null,"settled":{"total":1295326,"last":1295326,"month":[{"year":2026,"month":9},1295326],"day":[20717,1295326]},"due_at":null}');
INSERT INTO "agents" VALUES('4000000000000002','0000000000000001',0,5,1790000781500,1,0,'{"id":"4000000000000002","owner":"0000000000000001","name":"running","size":"small","provider":"local","idle_timeout":null,"created_at":1790000000000,"version":5,"last_event":6,"intent":"awake","phase":{"phase":"running"},"phase_since":1790000001500,"generation":1,"metered":1,"boot":[{"phase":"queued","at":1790000000000},{"phase":"placing","at":1790000000300},{"phase":"enrolling","at":1790000000300},{"phase":"hydrating","at":1790000000700},{"phase":"ready","at":1790000001500}],"instance":{"started_at":1790000000300,"tier":{"namespaces":true,"landlock":6,"seccomp":true,"limits":"cgroup2"},"price":{"rate":7750000,"basis":"estimate","book":"fargate-spot-us-east-1-2026-01-31"},"save":"notasked","silent_since":null},"snapshot":null,"save_failure":null,"last_use":1790000001500,"busy":null,"sleeps_at":null,"settled":{"total":0,"last":0,"month":[{"year":2026,"month":9},0],"day":[20717,0]},"due_at":1790000781500}');
CREATE TABLE events (
    agent TEXT NOT NULL,
    seq INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL CHECK (json_valid(what)),
    PRIMARY KEY (agent, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "events" VALUES('3000000000000001',1,0,1790000000000,'{"event":"created"}');
INSERT INTO "events" VALUES('3000000000000001',2,1,1790000000000,'{"event":"boot","phase":"queued"}');
INSERT INTO "events" VALUES('3000000000000001',3,1,1790000000300,'{"event":"boot","phase":"placing"}');
INSERT INTO "events" VALUES('3000000000000001',4,1,1790000000300,'{"event":"boot","phase":"enrolling"}');
INSERT INTO "events" VALUES('3000000000000001',5,1,1790000000700,'{"event":"boot","phase":"hydrating"}');
INSERT INTO "events" VALUES('3000000000000001',6,1,1790000001500,'{"event":"boot","phase":"ready"}');
INSERT INTO "events" VALUES('3000000000000001',7,1,1790000600000,'{"event":"saving","why":"asked"}');
INSERT INTO "events" VALUES('3000000000000001',8,1,1790000601000,'{"event":"saved","snapshot":{"id":"abababababababababababababababababababababababababababababababab","generation":1,"at":1790000601000,"files":12,"bytes":34567,"added_bytes":890}}');
INSERT INTO "events" VALUES('3000000000000001',9,1,1790000602000,'{"event":"asleep"}');
INSERT INTO "events" VALUES('4000000000000002',1,0,1790000000000,'{"event":"created"}');
INSERT INTO "events" VALUES('4000000000000002',2,1,1790000000000,'{"event":"boot","phase":"queued"}');
INSERT INTO "events" VALUES('4000000000000002',3,1,1790000000300,'{"event":"boot","phase":"placing"}');
INSERT INTO "events" VALUES('4000000000000002',4,1,1790000000300,'{"event":"boot","phase":"enrolling"}');
INSERT INTO "events" VALUES('4000000000000002',5,1,1790000000700,'{"event":"boot","phase":"hydrating"}');
INSERT INTO "events" VALUES('4000000000000002',6,1,1790000001500,'{"event":"boot","phase":"ready"}');
CREATE TABLE idempotency_keys (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL CHECK (length(request) = 32),
    agent TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "idempotency_keys" VALUES('0000000000000001','3000000000000001',X'2D711642B726B04401627CA9FBAC32F5C8530FB1903CC4DB02258717921A4881','3000000000000001',1790086400000);
INSERT INTO "idempotency_keys" VALUES('0000000000000001','4000000000000002',X'2D711642B726B04401627CA9FBAC32F5C8530FB1903CC4DB02258717921A4881','4000000000000002',1790086400000);
CREATE TABLE segments (
    agent TEXT NOT NULL,
    generation INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    segment TEXT NOT NULL CHECK (json_valid(segment)),
    PRIMARY KEY (agent, generation)
) STRICT, WITHOUT ROWID;
INSERT INTO "segments" VALUES('3000000000000001',1,1790000000300,1790000602000,'{"agent":"3000000000000001","owner":"0000000000000001","generation":1,"size":"small","price":{"rate":7750000,"basis":"estimate","book":"fargate-spot-us-east-1-2026-01-31"},"started_at":1790000000300,"ended_at":1790000602000}');
INSERT INTO "segments" VALUES('4000000000000002',1,1790000000300,NULL,'{"agent":"4000000000000002","owner":"0000000000000001","generation":1,"size":"small","price":{"rate":7750000,"basis":"estimate","book":"fargate-spot-us-east-1-2026-01-31"},"started_at":1790000000300,"ended_at":null}');
CREATE INDEX agents_by_owner ON agents (owner, id) WHERE deleted = 0;
CREATE INDEX agents_by_deadline ON agents (shard, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX agents_by_meter ON agents (shard, id) WHERE metered = 1;
CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
PRAGMA user_version = 1;
COMMIT;

-- Providers at which nothing new is launched, and since when.

CREATE TABLE drains (
    provider TEXT NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

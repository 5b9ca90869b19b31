-- Budgets. Who wakes an agent raises its owner's `version` in the same transaction.

CREATE TABLE accounts (
    owner TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    account TEXT NOT NULL CHECK (json_valid(account))
) STRICT, WITHOUT ROWID;

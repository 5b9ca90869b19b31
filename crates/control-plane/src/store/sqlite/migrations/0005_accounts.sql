-- Budgets. What is admitted under one raises its `version` in the same transaction.

CREATE TABLE accounts (
    subject TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    account TEXT NOT NULL CHECK (json_valid(account))
) STRICT, WITHOUT ROWID;

-- A journal as the first release writes it; never edited, so that every later release is known to read it.
CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    account TEXT NOT NULL,
    family TEXT NOT NULL,
    payload TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    key TEXT,
    webhook_token TEXT,
    state TEXT NOT NULL,
    job_id TEXT,
    planned_at REAL NOT NULL,
    sent_at REAL,
    accepted_at REAL,
    settled_at REAL,
    downloaded_at REAL,
    expires_at REAL,
    error TEXT,
    path TEXT,
    lease INTEGER
);
CREATE UNIQUE INDEX entries_by_key ON entries (service, account, key) WHERE key IS NOT NULL;
CREATE INDEX entries_by_job ON entries (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX entries_by_token ON entries (webhook_token) WHERE webhook_token IS NOT NULL;
CREATE INDEX entries_open ON entries (number) WHERE settled_at IS NULL;
CREATE INDEX entries_finished ON entries (ifnull(expires_at, 9e999), number) WHERE state = 'finished';
CREATE TABLE leases (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    holder TEXT NOT NULL UNIQUE,
    until REAL NOT NULL
);
CREATE TABLE turns (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE known_ids (
    product TEXT NOT NULL,
    account TEXT NOT NULL,
    job_id TEXT NOT NULL,
    PRIMARY KEY (product, account, job_id)
) WITHOUT ROWID;
CREATE TABLE durations (
    product TEXT NOT NULL,
    position INTEGER NOT NULL,
    seconds REAL NOT NULL,
    noted REAL NOT NULL,
    PRIMARY KEY (product, position)
) WITHOUT ROWID;
PRAGMA application_id = 1413568074;
PRAGMA user_version = 1;
INSERT INTO leases VALUES (4, 'watcher-1', 2000.0);
INSERT INTO entries (number, service, account, family, payload, fingerprint, key, state, job_id, planned_at, sent_at,
    accepted_at, settled_at, expires_at, error, lease)
VALUES
    (1, 'surreal', 'default', 'v2v', '{}', 'f-1', 'order-1', 'accepted', 'j-1', 1000.0, 1001.0, 1002.0, NULL, NULL, NULL, 4),
    (2, 'akool', 'default', 'talking_avatar', '{}', 'f-2', NULL, 'unknown', NULL, 1000.0, 1001.0, NULL, NULL, NULL, 'reset', 3),
    (3, 'surreal', 'default', 'v2v', '{}', 'f-3', NULL, 'finished', 'j-3', 1000.0, 1001.0, 1002.0, 1100.0, 9000.0, NULL, 4);
INSERT INTO known_ids VALUES ('surreal.v2v', 'default', 'j-0');
INSERT INTO durations VALUES ('surreal.v2v', 0, 61.5, 1000.0);

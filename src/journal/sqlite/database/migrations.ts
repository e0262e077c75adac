import type { DatabaseSync } from 'node:sqlite'

/**
 * The shape of the database, version by version: `PRAGMA user_version` counts the entries that were applied.
 * An entry that was released is never edited; a change is a new entry.
 *
 * - `runs.n` stands for a run inside the database. A call's row id is `runs.n * callsPerRun + call`, so that all calls
 *   of a run lie side by side and are found without an index.
 * - Digests are blobs of 32 bytes; wires and texts are as in the records.
 * - Outcomes have a table of their own: rows of `calls` never change, so no page is written twice.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    file TEXT,
    environment TEXT NOT NULL,
    state TEXT NOT NULL,
    input TEXT NOT NULL,
    options TEXT NOT NULL,
    code BLOB,
    git_commit TEXT,
    name TEXT,
    tags TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    output TEXT,
    error TEXT,
    uncaught TEXT NOT NULL,
    host TEXT,
    pid INTEGER,
    boot_id TEXT
  );
  CREATE INDEX runs_by_state ON runs (id, state);
  CREATE INDEX runs_by_workflow ON runs (workflow, id, state);
  CREATE INDEX runs_by_file ON runs (file, id, state);

  CREATE TABLE tallies (
    run INTEGER PRIMARY KEY,
    waiting INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    succeeded INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    undone INTEGER NOT NULL DEFAULT 0,
    executed INTEGER NOT NULL DEFAULT 0,
    reused INTEGER NOT NULL DEFAULT 0
  );

  CREATE TABLE names (n INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, UNIQUE (name, kind));

  CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    name INTEGER NOT NULL,
    key BLOB NOT NULL,
    caller TEXT NOT NULL,
    args TEXT NOT NULL,
    at INTEGER NOT NULL
  );
  CREATE INDEX calls_by_name ON calls (name);

  CREATE TABLE outcomes (
    id INTEGER PRIMARY KEY,
    "order" INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    fingerprint BLOB,
    value TEXT,
    digest BLOB,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    more TEXT
  );
  CREATE INDEX outcomes_by_state ON outcomes (state, id) WHERE state <> 'succeeded';

  CREATE TABLE attempts (
    seq INTEGER PRIMARY KEY,
    call INTEGER NOT NULL,
    record TEXT NOT NULL,
    forgotten INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX attempts_by_call ON attempts (call);

  CREATE TABLE parts (id INTEGER PRIMARY KEY, fingerprint BLOB NOT NULL, parts TEXT NOT NULL, verdict TEXT NOT NULL);

  CREATE TABLE notes (
    seq INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    call INTEGER,
    attempt INTEGER,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL
  );
  CREATE INDEX notes_by_run ON notes (run);
  CREATE INDEX notes_by_type ON notes (run, type);
  CREATE INDEX notes_by_call ON notes (run, call) WHERE call IS NOT NULL;

  CREATE TABLE asks (
    id INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    answer TEXT,
    answered_by TEXT,
    answered_at INTEGER,
    taken INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX asks_open ON asks (id) WHERE ended = 0;

  CREATE TABLE requests (
    seq INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    request TEXT NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX requests_by_run ON requests (run);

  CREATE TABLE cache (
    seq INTEGER PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    name TEXT NOT NULL,
    run TEXT NOT NULL,
    call INTEGER NOT NULL,
    value TEXT NOT NULL,
    digest BLOB NOT NULL,
    blobs TEXT NOT NULL,
    cost INTEGER NOT NULL,
    at INTEGER NOT NULL,
    parts TEXT NOT NULL
  );
  CREATE INDEX cache_by_fingerprint ON cache (fingerprint);
  CREATE INDEX cache_by_name ON cache (name);

  CREATE TABLE bases (
    base BLOB NOT NULL,
    environment TEXT NOT NULL,
    run TEXT NOT NULL,
    call INTEGER NOT NULL,
    input BLOB NOT NULL,
    value TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (base, environment)
  );

  -- runs that are gone, and whose rows elsewhere are not yet
  CREATE TABLE removed (run INTEGER PRIMARY KEY);
  `,
  // the run cache for people, and who executes what
  `
  ALTER TABLE cache ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE tallies ADD COLUMN saved INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE parts ADD COLUMN before TEXT;
  ALTER TABLE bases ADD COLUMN name TEXT;
  ALTER TABLE bases ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;

  -- how often entries were used: apart from them, as their rows are large and never change
  CREATE TABLE uses (entry INTEGER PRIMARY KEY, hits INTEGER NOT NULL, at INTEGER NOT NULL);

  -- what was saved by name: by entries that are gone, and by maps, whose carried entries nobody looks up
  CREATE TABLE savings (name TEXT PRIMARY KEY, hits INTEGER NOT NULL, ms INTEGER NOT NULL, bytes INTEGER NOT NULL)
    WITHOUT ROWID;

  CREATE TABLE variations (
    seq INTEGER PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    other BLOB NOT NULL,
    run TEXT NOT NULL,
    call INTEGER NOT NULL,
    at INTEGER NOT NULL
  );
  CREATE INDEX variations_by_name ON variations (name, fingerprint);
  CREATE INDEX variations_by_run ON variations (run);

  -- only what is executed at the moment; the holder is the name of a lock
  CREATE TABLE work (
    fingerprint BLOB PRIMARY KEY,
    holder TEXT NOT NULL,
    run TEXT NOT NULL,
    call INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  // datasets and their versions
  `
  -- live: is there a source or a version? What was removed takes no name
  CREATE TABLE datasets (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    source TEXT,
    live INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    UNIQUE (environment, name)
  );
  CREATE INDEX datasets_by_folded ON datasets (environment, folded);

  CREATE TABLE versions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset INTEGER NOT NULL,
    part TEXT NOT NULL,
    version INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    digest BLOB NOT NULL,
    entries INTEGER NOT NULL,
    size INTEGER NOT NULL,
    path TEXT,
    kept INTEGER NOT NULL,
    run TEXT,
    call INTEGER,
    maker TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    removed_at INTEGER,
    UNIQUE (dataset, part, version)
  );
  CREATE INDEX versions_by_run ON versions (run, call) WHERE run IS NOT NULL;
  `,
  // what runs did by task
  `
  -- one row for each name of a call, in order of the first calls
  CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    name INTEGER NOT NULL,
    waiting INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    succeeded INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    undone INTEGER NOT NULL DEFAULT 0,
    executed INTEGER NOT NULL DEFAULT 0,
    reused INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    UNIQUE (run, name)
  );

  -- calls of the name take results of calls of the input
  CREATE TABLE task_inputs (run INTEGER NOT NULL, name INTEGER NOT NULL, input INTEGER NOT NULL,
    PRIMARY KEY (run, name, input)) WITHOUT ROWID;

  -- of which runs task_inputs tells
  ALTER TABLE runs ADD COLUMN linked INTEGER NOT NULL DEFAULT 0;

  INSERT INTO tasks (run, name, waiting, succeeded, failed, skipped, cancelled, undone, executed, reused, cost)
    SELECT run, name, sum(NOT is_map AND state IS NULL), sum(carried + (NOT is_map AND state IS 'succeeded')),
      sum(NOT is_map AND state IS 'failed'), sum(NOT is_map AND state IS 'skipped'),
      sum(NOT is_map AND state IS 'cancelled'), sum(NOT is_map AND state IS 'undone'),
      sum(is_work AND reason IS 'executed'), sum(carried + (is_work AND reason IS NOT 'executed')),
      sum(CASE WHEN is_work AND reason IS 'executed' THEN cost ELSE 0 END)
    FROM (
      SELECT calls.id AS id, calls.id / 268435456 AS run, calls.name AS name, state, reason, cost, kind = 'map' AS is_map,
        kind IN ('task', 'entry') AND state IS 'succeeded' AS is_work,
        CASE WHEN kind = 'map' AND json_valid(more) THEN ifnull(json_extract(more, '$.map.carried'), 0) ELSE 0 END AS carried
      FROM calls JOIN names ON names.n = calls.name LEFT JOIN outcomes ON outcomes.id = calls.id
      WHERE kind IN ('task', 'entry', 'ask', 'sleep', 'map', 'child')
    )
    GROUP BY run, name ORDER BY min(id);
  `,
  // documents of runs, workflows and projects
  `
  CREATE TABLE documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    environment TEXT NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    json TEXT NOT NULL,
    run TEXT,
    call INTEGER,
    fingerprint BLOB,
    maker TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    UNIQUE (environment, scope, name, version)
  );
  CREATE INDEX documents_by_call ON documents (run, call) WHERE run IS NOT NULL;
  CREATE INDEX documents_by_scope ON documents (scope);
  `,
  // limits that runs share
  `
  -- as the last one who used it declared it; empty_at: when its bucket of a rate is, or was, empty
  CREATE TABLE limits (name TEXT PRIMARY KEY, rule TEXT NOT NULL, empty_at REAL NOT NULL) WITHOUT ROWID;

  -- what runs hold and wait for at the moment; the holder is the name of a lock
  CREATE TABLE admissions (
    holder TEXT NOT NULL,
    run TEXT NOT NULL,
    key TEXT NOT NULL,
    needs TEXT NOT NULL,
    held INTEGER NOT NULL,
    wanted INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    since INTEGER NOT NULL,
    blocked_by TEXT,
    PRIMARY KEY (holder, run, key)
  ) WITHOUT ROWID;
  `,
  // calls of runs that have ended, in blocks
  `
  -- id and last: row ids of the first and the last call; names and blobs: JSON arrays of what is in it
  CREATE TABLE frozen (
    id INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    names TEXT NOT NULL,
    blobs TEXT NOT NULL,
    digests BLOB,
    body BLOB NOT NULL
  );

  -- all of it is in blocks that can be
  ALTER TABLE runs ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;
  `,
  // which calls are known by more than their arguments
  `
  -- calls that the author gave keys, by row id; entries of maps are not in it
  CREATE TABLE keyed (id INTEGER PRIMARY KEY);

  -- of which runs it tells
  ALTER TABLE runs ADD COLUMN keys_told INTEGER NOT NULL DEFAULT 0;
  `,
  // what is shown again with a result that is taken
  `
  ALTER TABLE cache ADD COLUMN shown TEXT;
  ALTER TABLE bases ADD COLUMN shown TEXT;
  `,
  // messages to runs and from them
  `
  -- sent: 1 of what the run sent; call: who sent or received it; peer: the other run; error: why it was set aside
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT,
    id TEXT,
    call INTEGER,
    peer TEXT,
    error TEXT
  );
  CREATE INDEX messages_by_run ON messages (run, seq);
  CREATE UNIQUE INDEX messages_by_id ON messages (run, sent, id) WHERE id IS NOT NULL;
  CREATE INDEX messages_open ON messages (run, name, seq) WHERE sent = 0 AND call IS NULL AND error IS NULL;

  -- SHA-256 of the token of a callback
  ALTER TABLE asks ADD COLUMN token BLOB;
  CREATE INDEX asks_by_token ON asks (token) WHERE token IS NOT NULL;
  `,
  // runs that workflows started
  `
  -- the call that started it, and how many runs are above it; all are null where a person did
  ALTER TABLE runs ADD COLUMN trigger_run TEXT;
  ALTER TABLE runs ADD COLUMN trigger_call INTEGER;
  ALTER TABLE runs ADD COLUMN trigger_depth INTEGER;
  CREATE INDEX runs_by_trigger ON runs (trigger_run) WHERE trigger_run IS NOT NULL;
  `,
]

/** `ALMJ`: tells an Almanac journal from any other database. */
export const applicationId = 0x414c4d4a

/** More than a run can make in practice, and small enough that every row id is exact as a double. */
export const callsPerRun = 2 ** 28

/**
 * Brings the database to this version, within one transaction that the caller has begun.
 * Returns the version found; a newer one is left alone.
 */
export function migrate(db: DatabaseSync): number {
  const row = db.prepare('PRAGMA user_version').get() as { user_version: number }
  const found = row.user_version
  for (const step of migrations.slice(found)) db.exec(step)
  if (found < migrations.length) {
    db.exec(`PRAGMA user_version = ${migrations.length}; PRAGMA application_id = ${applicationId}`)
  }
  return found
}

/** Tables of a run's ledger. Texts live here and in what is exported, nowhere else. */

/** Of the tables; a ledger of another version is refused. */
export const LEDGER_VERSION = 1;

/**
 * `calls` and `failures` are what happened and only grow. `instructions`, `pairs` and `labels` follow from them and the
 * recipe: rows of the current set have a place in its order, those of earlier settings stay with `position` null.
 */
export const LEDGER_TABLES = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE calls (
  key TEXT PRIMARY KEY,              -- hash of what was asked
  stage TEXT NOT NULL,               -- generate, respond, label, probe
  model TEXT NOT NULL,
  text TEXT,                         -- what a writer wrote after its prefix
  finish TEXT,                       -- stop, length, filter, other, too-long
  score REAL, log_odds REAL, category TEXT, reason TEXT, -- what a teacher said, or why it said nothing
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  cost REAL,                         -- by the recipe's prices when it was made; null: no price
  attempts INTEGER NOT NULL,         -- tries of this run folder, those that failed for good before included
  ms REAL NOT NULL,
  at INTEGER NOT NULL                -- milliseconds since 1970
) STRICT;

CREATE TABLE failures (              -- calls that have no answer yet
  key TEXT PRIMARY KEY,
  stage TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  problem TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE instructions (
  id TEXT PRIMARY KEY,               -- key of its call, or hash of what was imported
  position INTEGER,
  origin TEXT NOT NULL,              -- generate, import
  kind TEXT NOT NULL,                -- harmful, benign, imported
  category TEXT,
  text TEXT NOT NULL,
  state TEXT NOT NULL,               -- kept, rejected, spare
  reason TEXT, duplicate_of TEXT,    -- of what was rejected
  model TEXT,
  about TEXT NOT NULL                -- JSON: number within its cell, template, exemplars, prefix; or file and line
) STRICT;
CREATE INDEX instructions_in_order ON instructions (position) WHERE position IS NOT NULL;

CREATE TABLE pairs (
  id TEXT PRIMARY KEY,               -- hash of the instruction, the kind of response and its call
  position INTEGER,
  instruction TEXT NOT NULL,
  response_kind TEXT NOT NULL,       -- prompt (alone), refusal, compliant, imported
  response TEXT,
  state TEXT NOT NULL,               -- kept, rejected
  reason TEXT,
  model TEXT,
  call TEXT,
  is_refusal INTEGER,                -- whether it reads like one, whatever was asked for
  is_cut INTEGER,                    -- ended by the limit of tokens
  soft_label REAL, label INTEGER     -- imported ones
) STRICT;
CREATE INDEX pairs_in_order ON pairs (position) WHERE position IS NOT NULL;

CREATE TABLE labels (
  pair TEXT PRIMARY KEY,
  position INTEGER,
  soft_label REAL, log_odds REAL, category TEXT,
  spread REAL,                       -- highest less lowest probability of several teachers
  is_boundary INTEGER, is_disputed INTEGER,
  reason TEXT,                       -- why there is no label
  teacher TEXT NOT NULL
) STRICT;

CREATE TABLE vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL) STRICT;

CREATE TABLE sets (                  -- what a stage has last given
  stage TEXT PRIMARY KEY,
  settings TEXT NOT NULL,            -- hash of those that its rows depend on
  input TEXT NOT NULL,               -- hash of the rows it was made from
  is_complete INTEGER NOT NULL,
  facts TEXT NOT NULL,               -- JSON, for the next stage's messages and the dataset card
  at INTEGER NOT NULL
) STRICT;
`;

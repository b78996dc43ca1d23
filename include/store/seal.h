/* Rows that say whether they are as they were written: a bit that a disk has flipped must not become
 * an alert. SQLite looks after its pages' order, not after the bytes in them. Private to
 * adapter/store.
 *
 * Two functions of SQL, of our connections alone:
 *   seal_of(a, b, ...)            a number for these values
 *   sealed(seal, value, a, b, ...)  value; SQLITE_CORRUPT unless seal is seal_of(a, b, ...) or NULL
 *
 * A row that somebody changes by hand loses its seal by a trigger and is believed (schema.c). */
#pragma once

#include <stdbool.h>

/* What is sealed of each table, in the order of its columns. */
#define SEAL_RESOURCE "patient, type, id, version, updated_ms, json"
#define SEAL_PATIENT  "id, in_cohort, complete, due_ms"
#define SEAL_ALERT    "key, patient, identity, episode, rule, state, content, opened_ms, ended_ms"
#define SEAL_OUTBOX   "key, patient, rule, body"
#define SEAL_PAYLOAD  "payload.seq, body"
#define SEAL_SETTING  "name, value"

struct sqlite3;

/* Make the functions known. Returns a code of SQLite. */
int seal_init(struct sqlite3 *sqlite);

/* Look at every sealed row. SQLITE_CORRUPT when one is not as it was written. Blocking. */
int seal_check(struct sqlite3 *sqlite);

/* Tables, as they were made: a version that has been released is never edited, a change is a new
 * row of versions[].
 *
 * No foreign keys: a patient's row is written by the same transaction as its chart, a delivery may
 * be of something that is no alert, and nothing is ever deleted from under a reference. The keys
 * say it instead: resource by (patient, type, id), alert and outbox by the alert's key, payload by
 * the event's seq. Payloads stand apart from the events, so that the accounting rows that stay for
 * ever lie close together and the room of a dropped payload is used again.
 *
 * The claims, and what is in flight, live in tables in memory: they take part in transactions and
 * savepoints like the others and end with the process, which is what a claim has to do. */
#include "store/schema.h"

#include <sqlite3.h>

#include "base/attr.h"
#include "store/definition.h"
#include "store/unopened.h"

#define APPLICATION_ID 0x4d796c41 /* "MylA": another program's database is not touched */

static const char version_1[] =
    "CREATE TABLE event ("
    " seq INTEGER PRIMARY KEY,"
    " accepted_ms INTEGER NOT NULL,"
    " via INTEGER NOT NULL,"
    " change INTEGER NOT NULL,"
    " type TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " version TEXT NOT NULL,"
    " patient TEXT NOT NULL,"
    " updated_ms INTEGER NOT NULL,"
    " alone INTEGER NOT NULL," /* 1: work of its own */
    " keyed INTEGER NOT NULL," /* 1: another one like it is a duplicate */
    " state INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT NOT NULL DEFAULT '',"
    " ended_ms INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE UNIQUE INDEX event_once ON event (id, type, version, change) WHERE keyed = 1;"
    "CREATE INDEX event_waiting ON event (alone, patient, seq) WHERE state = 0;"
    "CREATE TABLE payload (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;"
    "CREATE TABLE patient ("
    " id TEXT PRIMARY KEY,"
    " in_cohort INTEGER NOT NULL,"
    " complete INTEGER NOT NULL,"
    " due_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX patient_cohort ON patient (id) WHERE in_cohort = 1;"
    "CREATE TABLE resource ("
    " patient TEXT NOT NULL,"
    " type TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " version TEXT NOT NULL,"
    " updated_ms INTEGER NOT NULL,"
    " json TEXT NOT NULL,"
    " UNIQUE (patient, type, id)) STRICT;"
    "CREATE TABLE alert ("
    " key TEXT PRIMARY KEY,"
    " patient TEXT NOT NULL,"
    " identity TEXT NOT NULL,"
    " episode INTEGER NOT NULL,"
    " rule TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " content TEXT NOT NULL,"
    " opened_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX alert_history ON alert (patient, identity, episode);"
    "CREATE INDEX alert_open ON alert (rule) WHERE state = 'open';"
    "CREATE TABLE outbox ("
    " key TEXT PRIMARY KEY,"
    " patient TEXT NOT NULL,"
    " rule TEXT NOT NULL,"
    " body TEXT," /* NULL: delivered */
    " revision INTEGER NOT NULL DEFAULT 1,"
    " state INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " next_ms INTEGER NOT NULL DEFAULT 0,"
    " owed_ms INTEGER NOT NULL,"
    " code TEXT NOT NULL DEFAULT '',"   /* of the last attempt */
    " reason TEXT NOT NULL DEFAULT ''," /* why it is parked */
    " server_id TEXT NOT NULL DEFAULT '',"
    " server_version TEXT NOT NULL DEFAULT '',"
    " CHECK (state = 2 OR body IS NOT NULL)) STRICT;"
    "CREATE INDEX outbox_owed ON outbox (next_ms, owed_ms) WHERE state = 0;"
    "CREATE INDEX outbox_parked ON outbox (owed_ms) WHERE state = 1;"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    /* Kept by triggers, because counting events by walking over them gets slower for ever. */
    "CREATE TABLE tally ("
    " kind TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " n INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (kind, state)) STRICT, WITHOUT ROWID;"
    "INSERT INTO tally (kind, state) VALUES"
    " ('event', 0), ('event', 1), ('event', 2), ('event', 3), ('patient', 0), ('patient', 1);"
    "CREATE TRIGGER event_added AFTER INSERT ON event BEGIN"
    " UPDATE tally SET n = n + 1 WHERE kind = 'event' AND state = new.state; END;"
    "CREATE TRIGGER event_ended AFTER UPDATE OF state ON event BEGIN"
    " UPDATE tally SET n = n - 1 WHERE kind = 'event' AND state = old.state;"
    " UPDATE tally SET n = n + 1 WHERE kind = 'event' AND state = new.state; END;"
    "CREATE TRIGGER patient_added AFTER INSERT ON patient BEGIN"
    " UPDATE tally SET n = n + 1 WHERE kind = 'patient' AND state = new.in_cohort; END;"
    "CREATE TRIGGER patient_moved AFTER UPDATE OF in_cohort ON patient"
    " WHEN new.in_cohort <> old.in_cohort BEGIN"
    " UPDATE tally SET n = n - 1 WHERE kind = 'patient' AND state = old.in_cohort;"
    " UPDATE tally SET n = n + 1 WHERE kind = 'patient' AND state = new.in_cohort; END;";

/* The ledger counts every event that was ever received, by the way it came (via) and what has become
 * of it (fate: event.state, and 5 for all that was received); it stays when a finished event is
 * removed. received is counted by itself, so that the sum of the others can be held against it. The
 * stock is the same for the outbox, by outbox.state. bytes are those of the payload, also after it
 * is gone. An operator's commands come in by a table, because the claims of the process that runs
 * are in its memory: it takes them up between two batches. */
static const char version_2[] =
    "ALTER TABLE event ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "UPDATE event SET bytes = (SELECT length(CAST(body AS BLOB)) FROM payload"
    " WHERE payload.seq = event.seq) WHERE seq IN (SELECT seq FROM payload);"
    "CREATE INDEX event_aside ON event (reason) WHERE state = 3;"
    "CREATE INDEX event_dropped ON event (reason) WHERE state = 4;"
    "CREATE INDEX event_changed ON event (type, updated_ms, id) WHERE change = 0;"
    "CREATE INDEX outbox_patient ON outbox (patient, state);"
    "DROP TRIGGER event_added;"
    "DROP TRIGGER event_ended;"
    "DELETE FROM tally WHERE kind = 'event';"
    "CREATE TABLE ledger ("
    " via INTEGER NOT NULL,"
    " fate INTEGER NOT NULL,"
    " n INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " PRIMARY KEY (via, fate)) STRICT, WITHOUT ROWID;"
    "INSERT INTO ledger SELECT v.column1, f.column1, 0, 0"
    " FROM (VALUES (0), (1), (2), (3), (4), (5)) AS v,"
    " (VALUES (0), (1), (2), (3), (4), (5)) AS f;"
    "UPDATE ledger SET n = s.n, bytes = s.b FROM"
    " (SELECT via, state, count(*) AS n, sum(bytes) AS b FROM event GROUP BY via, state) AS s"
    " WHERE ledger.via = s.via AND ledger.fate = s.state;"
    "UPDATE ledger SET n = s.n, bytes = s.b FROM"
    " (SELECT via, sum(n) AS n, sum(bytes) AS b FROM ledger GROUP BY via) AS s"
    " WHERE ledger.via = s.via AND ledger.fate = 5;"
    "CREATE TRIGGER event_added AFTER INSERT ON event BEGIN"
    " UPDATE ledger SET n = n + 1, bytes = bytes + new.bytes"
    " WHERE via = new.via AND fate IN (new.state, 5); END;"
    "CREATE TRIGGER event_moved AFTER UPDATE OF state ON event BEGIN"
    " UPDATE ledger SET n = n - 1, bytes = bytes - old.bytes"
    " WHERE via = old.via AND fate = old.state;"
    " UPDATE ledger SET n = n + 1, bytes = bytes + old.bytes"
    " WHERE via = old.via AND fate = new.state; END;"
    "CREATE TRIGGER event_grown AFTER UPDATE OF bytes ON event WHEN new.bytes <> old.bytes BEGIN"
    " UPDATE ledger SET bytes = bytes + new.bytes - old.bytes"
    " WHERE via = new.via AND fate IN (new.state, 5); END;"
    "CREATE TABLE stock ("
    " state INTEGER PRIMARY KEY,"
    " n INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL) STRICT;"
    "INSERT INTO stock VALUES (0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0);"
    "UPDATE stock SET n = s.n, bytes = s.b FROM"
    " (SELECT state, count(*) AS n, ifnull(sum(length(CAST(body AS BLOB))), 0) AS b"
    " FROM outbox GROUP BY state) AS s WHERE stock.state = s.state;"
    "CREATE TRIGGER outbox_added AFTER INSERT ON outbox BEGIN"
    " UPDATE stock SET n = n + 1, bytes = bytes + ifnull(length(CAST(new.body AS BLOB)), 0)"
    " WHERE state = new.state; END;"
    "CREATE TRIGGER outbox_moved AFTER UPDATE OF state, body ON outbox BEGIN"
    " UPDATE stock SET n = n - 1, bytes = bytes - ifnull(length(CAST(old.body AS BLOB)), 0)"
    " WHERE state = old.state;"
    " UPDATE stock SET n = n + 1, bytes = bytes + ifnull(length(CAST(new.body AS BLOB)), 0)"
    " WHERE state = new.state; END;"
    "CREATE TABLE command ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " asked_ms INTEGER NOT NULL,"
    " verb INTEGER NOT NULL,"
    " event INTEGER NOT NULL,"  /* seq; 0: see the next */
    " alert TEXT NOT NULL,"     /* key; '': every one that the next two name */
    " states INTEGER NOT NULL," /* bits of enum queue_state */
    " reason TEXT NOT NULL,"
    " because TEXT NOT NULL,"
    " done_ms INTEGER NOT NULL DEFAULT 0,"
    " items INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX command_waiting ON command (id) WHERE done_ms = 0;"
    /* When something that ought to come was seen last: rules that could be evaluated, results that
     * had a concept. */
    "CREATE TABLE pulse ("
    " kind TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " first_ms INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL,"
    " longest_ms INTEGER NOT NULL," /* pause between two beats */
    " missed_ms INTEGER NOT NULL,"  /* asked for in vain, last */
    " warned INTEGER NOT NULL,"
    " PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID;";

/* The seals of seal.h. What is changed without its seal (an operator's UPDATE) has none from then on,
 * and so has a delivery whose body is gone. */
static const char version_3[] =
    "ALTER TABLE resource ADD COLUMN seal INTEGER;"
    "ALTER TABLE patient ADD COLUMN seal INTEGER;"
    "ALTER TABLE alert ADD COLUMN seal INTEGER;"
    "ALTER TABLE outbox ADD COLUMN seal INTEGER;"
    "ALTER TABLE payload ADD COLUMN seal INTEGER;"
    "ALTER TABLE setting ADD COLUMN seal INTEGER;"
    "CREATE TRIGGER resource_by_hand AFTER UPDATE ON resource WHEN new.seal ="
    " old.seal AND (new.patient, new.type, new.id, new.version, new.updated_ms,"
    " new.json) IS NOT (old.patient, old.type, old.id, old.version, old.updated_ms,"
    " old.json) BEGIN UPDATE resource SET seal = NULL WHERE rowid = new.rowid; END;"
    "CREATE TRIGGER patient_by_hand AFTER UPDATE ON patient WHEN new.seal ="
    " old.seal AND (new.id, new.in_cohort, new.complete, new.due_ms) IS NOT"
    " (old.id, old.in_cohort, old.complete, old.due_ms) BEGIN UPDATE patient SET"
    " seal = NULL WHERE id = new.id; END;"
    "CREATE TRIGGER alert_by_hand AFTER UPDATE ON alert WHEN new.seal = old.seal"
    " AND (new.key, new.patient, new.identity, new.episode, new.rule, new.state,"
    " new.content, new.opened_ms, new.ended_ms) IS NOT (old.key, old.patient,"
    " old.identity, old.episode, old.rule, old.state, old.content, old.opened_ms,"
    " old.ended_ms) BEGIN UPDATE alert SET seal = NULL WHERE rowid = new.rowid;"
    " END;"
    "CREATE TRIGGER outbox_by_hand AFTER UPDATE ON outbox WHEN new.seal = old.seal"
    " AND (new.key, new.patient, new.rule, new.body) IS NOT (old.key, old.patient,"
    " old.rule, old.body) BEGIN UPDATE outbox SET seal = NULL WHERE rowid ="
    " new.rowid; END;"
    "CREATE TRIGGER payload_by_hand AFTER UPDATE ON payload WHEN new.seal ="
    " old.seal AND (new.seq, new.body) IS NOT (old.seq, old.body) BEGIN UPDATE"
    " payload SET seal = NULL WHERE seq = new.seq; END;"
    "CREATE TRIGGER setting_by_hand AFTER UPDATE ON setting WHEN new.seal ="
    " old.seal AND (new.name, new.value) IS NOT (old.name, old.value) BEGIN UPDATE"
    " setting SET seal = NULL WHERE name = new.name; END;";

static const char *const versions[] = { version_1, version_2, version_3 };

/* One row for each piece of work: a patient (event 0), or an event that is work of its own. */
static const char in_memory[] =
    "CREATE TEMP TABLE work ("
    " patient TEXT NOT NULL,"
    " event INTEGER NOT NULL,"
    " first INTEGER," /* oldest waiting event; NULL: none */
    " due_ms INTEGER NOT NULL DEFAULT 9223372036854775807,"
    " state INTEGER NOT NULL DEFAULT 0,"
    " until_ms INTEGER NOT NULL DEFAULT 0,"
    " woken_ms INTEGER NOT NULL DEFAULT 9223372036854775807,"
    " PRIMARY KEY (patient, event)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX temp.work_first ON work (first) WHERE state = 0 AND first IS NOT NULL;"
    "CREATE INDEX temp.work_due ON work (due_ms) WHERE state = 0;"
    "CREATE INDEX temp.work_later ON work (until_ms) WHERE state = 2;"
    "CREATE TEMP TABLE flight (key TEXT PRIMARY KEY, revision INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;";

static bool pragma_number(sqlite3 *sqlite, const char *sql, int *ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == SQLITE_OK &&
              sqlite3_step(stmt) == SQLITE_ROW;

    if (ok)
        *ret = sqlite3_column_int(stmt, 0);
    else
        unopened_last(sqlite, err);
    sqlite3_finalize(stmt);
    return ok;
}

static bool schema_run(sqlite3 *sqlite, const char *sql, struct err *err)
{
    return sqlite3_exec(sqlite, sql, NULL, NULL, NULL) == SQLITE_OK || unopened_last(sqlite, err);
}

/* One step up, whole or not at all. */
static bool schema_step(sqlite3 *sqlite, int version, struct err *err)
{
    char mark[96];

    sqlite3_snprintf((int)sizeof mark, mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                     APPLICATION_ID, version);
    if (schema_run(sqlite, "BEGIN IMMEDIATE", err) &&
        schema_run(sqlite, versions[version - 1], err) && schema_run(sqlite, mark, err) &&
        schema_run(sqlite, "COMMIT", err))
        return true;
    sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool schema_is_ours(sqlite3 *sqlite, int version, struct err *err)
{
    int application, tables;

    if (!pragma_number(sqlite, "PRAGMA application_id", &application, err)) return false;
    if (!pragma_number(sqlite, "SELECT count(*) FROM sqlite_schema", &tables, err)) return false;
    if (application == APPLICATION_ID || (!application && !tables && !version)) return true;
    err_set(err, ERR_STORE, "store.schema", "this is the database of another program");
    return err_fix(err, "choose another path");
}

static bool schema_version(sqlite3 *sqlite, int *ret, struct err *err)
{
    int latest = (int)ARRAY_SIZE(versions);

    if (!pragma_number(sqlite, "PRAGMA user_version", ret, err)) return false;
    if (!schema_is_ours(sqlite, *ret, err)) return false;
    if (*ret <= latest) return true;
    err_set(err, ERR_STORE, "store.schema", "the file has schema %d, this program knows %d", *ret,
            latest);
    return err_fix(err, "install the program that wrote it, or a newer one");
}

static bool schema_is_whole(sqlite3 *sqlite, struct err *err)
{
    return definition_check(sqlite, versions, ARRAY_SIZE(versions), err);
}

bool schema_check(sqlite3 *sqlite, struct err *err)
{
    int version, latest = (int)ARRAY_SIZE(versions);

    if (!schema_version(sqlite, &version, err)) return false;
    if (version == latest) return schema_is_whole(sqlite, err);
    err_set(err, ERR_STORE, "store.schema", "the file has schema %d, this program wants %d",
            version, latest);
    return err_fix(err, "restart the service, which brings it up to date");
}

bool schema_update(sqlite3 *sqlite, struct err *err)
{
    int version, latest = (int)ARRAY_SIZE(versions);

    if (!schema_version(sqlite, &version, err)) return false;
    while (version < latest)
        if (!schema_step(sqlite, ++version, err)) return false;
    return schema_is_whole(sqlite, err) && schema_run(sqlite, in_memory, err);
}

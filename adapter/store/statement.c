/* The SQL of the store in one place: what an operator sees in the file, a test asks SQLite to
 * explain, and a second database would have to say in its own words. Tables are in schema.c.
 *
 * event.state   0 waiting, 1 done, 2 outside, 3 aside, 4 dropped
 * event.alone   1: work of its own (no patient, or a hint)
 * work.state    0 open, 1 claimed, 2 released until until_ms
 * outbox.state  0 owed, 1 parked, 2 delivered, 3 dropped */
#include "store/statement.h"

#include "store/seal.h"

/* The largest integer stands for "never", INSTANT_NEVER. */
#define NEVER "9223372036854775807"

/* The smallest one for "not known", INSTANT_UNSET; SQL cannot write it in one word. */
#define UNSET "(-9223372036854775807 - 1)"

#define EVENT_COLUMNS                                                                              \
    "event.seq, accepted_ms, via, change, type, id, version, patient, updated_ms, "                \
    "sealed(seal, body, " SEAL_PAYLOAD ")"

/* What `queue` shows of an event. ?1: the reason or the code before its colon, "" for any; ?2: at
 * most so many. */
#define QUEUE_EVENT                                                                                \
    "SELECT seq, state, reason, type, id, version, patient, via, change, accepted_ms, ended_ms,"   \
    " bytes, alone FROM event"
#define QUEUE_REASON(text)                                                                         \
    " AND (?1 = '' OR " text " = ?1 OR substr(" text ", 1, length(?1) + 1) = ?1 || ':')"
#define QUEUE_EVENTS(state)                                                                        \
    QUEUE_EVENT " WHERE state = " state QUEUE_REASON("reason") " ORDER BY seq LIMIT ?2"

/* ... and of a delivery. Its reason is why it is parked or dropped, or the code of the last try. */
#define QUEUE_ALERT                                                                                \
    "SELECT outbox.key, outbox.state, iif(outbox.reason = '', outbox.code, outbox.reason),"        \
    " outbox.rule, outbox.patient, outbox.attempts, outbox.next_ms, outbox.owed_ms,"               \
    " outbox.server_id, outbox.server_version, alert.state, alert.episode, alert.opened_ms,"       \
    " alert.ended_ms FROM outbox LEFT JOIN alert ON alert.key = outbox.key"

static const struct row {
    const char *sql;
    bool bulk;
} rows[STATEMENT_LAST] = {
    [STATEMENT_BEGIN] = { "BEGIN", false },
    [STATEMENT_BEGIN_WRITE] = { "BEGIN IMMEDIATE", false },
    [STATEMENT_COMMIT] = { "COMMIT", false },
    [STATEMENT_ROLLBACK] = { "ROLLBACK", false },
    [STATEMENT_SAVE] = { "SAVEPOINT task", false },
    [STATEMENT_KEEP] = { "RELEASE task", false },
    [STATEMENT_UNDO] = { "ROLLBACK TO task", false },

    [STATEMENT_EVENT_PUT] = { "INSERT INTO event (accepted_ms, via, change, type, id, version,"
                              " patient, updated_ms, alone, keyed, bytes)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?6 <> '', ?10)"
                              " ON CONFLICT DO NOTHING",
                              false },
    [STATEMENT_PAYLOAD_PUT] = { "INSERT OR REPLACE INTO payload (seq, body, seal)"
                                " VALUES (?1, ?2, seal_of(?1, ?2))",
                                false },
    [STATEMENT_PAYLOAD_DROP] = { "DELETE FROM payload WHERE seq = ?1", false },
    [STATEMENT_EVENT_END] = { "UPDATE event SET state = ?2, reason = ?3, ended_ms = ?4"
                              " WHERE seq = ?1 AND state = 0 RETURNING alone, patient",
                              false },
    [STATEMENT_EVENT_LEARN] = { "UPDATE OR IGNORE event SET change = ?2, version = ?3,"
                                " patient = ?4, updated_ms = ?5, alone = ?6, keyed = ?3 <> '',"
                                " bytes = ifnull(?7, bytes)"
                                " WHERE seq = ?1 AND state = 0 AND alone = 1",
                                false },
    [STATEMENT_EVENT_LEARN_TWIN] = { "UPDATE event SET change = ?2, version = ?3, patient = ?4,"
                                     " updated_ms = ?5, alone = ?6, keyed = 0,"
                                     " bytes = ifnull(?7, bytes)"
                                     " WHERE seq = ?1 AND state = 0 AND alone = 1",
                                     false },
    /* A repeat knows when the resource was written, the first notice did not. */
    [STATEMENT_EVENT_DATE] = { "UPDATE event SET updated_ms = ?5 WHERE keyed = 1 AND id = ?1"
                               " AND type = ?2 AND version = ?3 AND change = ?4"
                               " AND updated_ms = " UNSET,
                               false },
    [STATEMENT_EVENTS_OF_PATIENT] = { "SELECT " EVENT_COLUMNS
                                      " FROM event LEFT JOIN payload ON payload.seq = event.seq"
                                      " WHERE state = 0 AND alone = 0 AND patient = ?1"
                                      " ORDER BY event.seq",
                                      false },
    [STATEMENT_EVENTS_AFTER] = { "SELECT seq, accepted_ms FROM event WHERE seq > ?1"
                                 " ORDER BY seq LIMIT ?2",
                                 false },
    /* Finished, old, and of no patient whose alerts are not delivered. The last row stays: its number
     * is not given again. */
    [STATEMENT_EVENTS_SWEEP] = { "DELETE FROM event WHERE seq > ?1 AND seq <= ?2"
                                 " AND state IN (1, 2, 4) AND accepted_ms < ?3 AND ended_ms < ?3"
                                 " AND seq < (SELECT max(seq) FROM event)"
                                 " AND NOT EXISTS (SELECT 1 FROM outbox"
                                 " WHERE outbox.patient = event.patient"
                                 " AND outbox.state IN (0, 1))",
                                 false },
    /* Resources whose newest version that we know is of that time, and was not deleted since. Once a
     * day, for an hour of it at a time. */
    [STATEMENT_EVENTS_CHANGED] = { "SELECT count(DISTINCT id) FROM event AS e WHERE change = 0"
                                   " AND type = ?1 AND updated_ms >= ?2 AND updated_ms < ?3"
                                   " AND id <> '' AND NOT EXISTS (SELECT 1 FROM event AS later"
                                   " WHERE later.keyed = 1 AND later.id = e.id"
                                   " AND later.type = e.type AND iif(later.change = 0,"
                                   " later.updated_ms >= ?3, later.seq > e.seq))",
                                   true },
    [STATEMENT_EVENT_GET] = { "SELECT " EVENT_COLUMNS
                              " FROM event LEFT JOIN payload ON payload.seq = event.seq"
                              " WHERE event.seq = ?1",
                              false },

    [STATEMENT_PATIENT_GET] = { "SELECT sealed(seal, in_cohort, " SEAL_PATIENT "), complete"
                                " FROM patient WHERE id = ?1",
                                false },
    [STATEMENT_PATIENT_PUT] = { "INSERT INTO patient (id, in_cohort, complete, due_ms, seal)"
                                " VALUES (?1, ?2, ?3, ?4, seal_of(?1, ?2, ?3, ?4))"
                                " ON CONFLICT (id) DO UPDATE SET in_cohort = ?2, complete = ?3,"
                                " due_ms = ?4, seal = excluded.seal",
                                false },
    [STATEMENT_PATIENTS_WAKE] = { "UPDATE patient SET due_ms = ?1, seal ="
                                  " seal_of(sealed(seal, id, " SEAL_PATIENT "), in_cohort,"
                                  " complete, ?1)"
                                  " WHERE in_cohort = 1 AND due_ms > ?1",
                                  true },
    [STATEMENT_RESOURCES_OF_PATIENT] = { "SELECT type, id, version, updated_ms,"
                                         " sealed(seal, json, " SEAL_RESOURCE ") FROM resource"
                                         " WHERE patient = ?1 ORDER BY type, id",
                                         false },
    [STATEMENT_RESOURCE_PUT] = { "INSERT INTO resource (patient, type, id, version, updated_ms,"
                                 " json, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
                                 " seal_of(?1, ?2, ?3, ?4, ?5, ?6))"
                                 " ON CONFLICT (patient, type, id) DO UPDATE"
                                 " SET version = ?4, updated_ms = ?5, json = ?6,"
                                 " seal = excluded.seal",
                                 false },
    [STATEMENT_RESOURCE_DROP] = { "DELETE FROM resource"
                                  " WHERE patient = ?1 AND type = ?2 AND id = ?3",
                                  false },
    [STATEMENT_ALERTS_OF_PATIENT] = { "SELECT key, identity, episode, rule, state,"
                                      " sealed(seal, content, " SEAL_ALERT "),"
                                      " opened_ms, ended_ms FROM alert AS a WHERE patient = ?1"
                                      " AND (state = 'open' OR NOT EXISTS"
                                      " (SELECT 1 FROM alert AS b WHERE b.patient = a.patient"
                                      " AND b.identity = a.identity AND b.episode > a.episode"
                                      " AND b.state <> 'open')) ORDER BY identity, episode",
                                      false },
    [STATEMENT_ALERT_PUT] = { "INSERT INTO alert (key, patient, identity, episode, rule, state,"
                              " content, opened_ms, ended_ms, seal)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                              " seal_of(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))"
                              " ON CONFLICT (key) DO UPDATE SET patient = ?2, identity = ?3,"
                              " episode = ?4, rule = ?5, state = ?6, content = ?7, opened_ms = ?8,"
                              " ended_ms = ?9, seal = excluded.seal",
                              false },

    [STATEMENT_WORK_FILL_EVENTS] = { "INSERT INTO work (patient, event, first)"
                                     " SELECT patient, 0, min(seq) FROM event"
                                     " WHERE state = 0 AND alone = 0 GROUP BY patient",
                                     true },
    [STATEMENT_WORK_FILL_ALONE] = { "INSERT INTO work (patient, event, first)"
                                    " SELECT '', seq, seq FROM event"
                                    " WHERE state = 0 AND alone = 1",
                                    true },
    [STATEMENT_WORK_FILL_DUE] = { "INSERT INTO work (patient, event, due_ms)"
                                  " SELECT id, 0, due_ms FROM patient"
                                  " WHERE in_cohort = 1 AND due_ms < " NEVER
                                  " ON CONFLICT DO UPDATE SET due_ms = excluded.due_ms",
                                  true },
    [STATEMENT_WORK_ADD] = { "INSERT INTO work (patient, event, first) VALUES (?1, ?2, ?3)"
                             " ON CONFLICT DO UPDATE"
                             " SET first = min(ifnull(first, ?3), ?3)",
                             false },
    [STATEMENT_WORK_RIPEN] = { "UPDATE work SET state = 0, until_ms = 0"
                               " WHERE state = 2 AND until_ms <= ?1",
                               false },
    [STATEMENT_WORK_WAITING] = { "SELECT patient, event, " NEVER " FROM work"
                                 " WHERE state = 0 AND first IS NOT NULL ORDER BY first LIMIT 1",
                                 false },
    [STATEMENT_WORK_DUE] = { "SELECT patient, event, due_ms FROM work"
                             " WHERE state = 0 AND due_ms <= ?1 ORDER BY due_ms LIMIT 1",
                             false },
    [STATEMENT_WORK_CLAIM] = { "UPDATE work SET state = 1, woken_ms = " NEVER
                               " WHERE patient = ?1 AND event = ?2",
                               false },
    [STATEMENT_WORK_RELEASE] = { "UPDATE work SET state = 2, until_ms = ?3"
                                 " WHERE patient = ?1 AND event = ?2 AND state = 1",
                                 false },
    [STATEMENT_WORK_WOKEN] = { "SELECT woken_ms FROM work"
                               " WHERE patient = ?1 AND event = 0 AND state = 1",
                               false },
    [STATEMENT_WORK_END] = { "INSERT INTO work (patient, event, due_ms) VALUES (?1, 0, ?2)"
                             " ON CONFLICT DO UPDATE SET state = 0, until_ms = 0, due_ms = ?2",
                             false },
    [STATEMENT_WORK_FIRST] = { "UPDATE work SET first = (SELECT seq FROM event WHERE state = 0"
                               " AND alone = 0 AND event.patient = ?1 ORDER BY seq LIMIT 1)"
                               " WHERE patient = ?1 AND event = 0",
                               false },
    [STATEMENT_WORK_DROP_IDLE] = { "DELETE FROM work WHERE patient = ?1 AND event = 0"
                                   " AND state = 0 AND first IS NULL AND due_ms = " NEVER,
                                   false },
    [STATEMENT_WORK_DROP] = { "DELETE FROM work WHERE patient = ?1 AND event = ?2", false },
    [STATEMENT_WORK_WAKE] = { "INSERT INTO work (patient, event, due_ms)"
                              " SELECT id, 0, due_ms FROM patient WHERE in_cohort = 1"
                              " ON CONFLICT DO UPDATE SET due_ms = excluded.due_ms",
                              true },
    [STATEMENT_WORK_WAKE_CLAIMED] = { "UPDATE work SET woken_ms = ?1 WHERE state = 1", true },
    [STATEMENT_WORK_NEXT_DUE] = { "SELECT due_ms FROM work WHERE state = 0 AND due_ms < " NEVER
                                  " ORDER BY due_ms LIMIT 1",
                                  false },
    [STATEMENT_WORK_NEXT_RETRY] = { "SELECT until_ms FROM work WHERE state = 2"
                                    " ORDER BY until_ms LIMIT 1",
                                    false },

    [STATEMENT_OUTBOX_PUT] = { "INSERT INTO outbox (key, patient, rule, body, owed_ms, seal)"
                               " VALUES (?1, ?2, ?3, ?4, ?5, seal_of(?1, ?2, ?3, ?4))"
                               " ON CONFLICT (key) DO UPDATE"
                               " SET patient = ?2, rule = ?3, body = ?4, seal = excluded.seal,"
                               " owed_ms = iif(state = 0, owed_ms, ?5), revision = revision + 1,"
                               " state = 0, attempts = 0, next_ms = 0, code = '', reason = ''",
                               false },
    [STATEMENT_OUTBOX_OWED] = { "SELECT key, patient, rule, sealed(seal, body, " SEAL_OUTBOX "),"
                                " revision, attempts, owed_ms,"
                                " server_id, server_version FROM outbox"
                                " WHERE state = 0 AND next_ms <= ?1 AND NOT EXISTS"
                                " (SELECT 1 FROM flight WHERE flight.key = outbox.key)"
                                " ORDER BY next_ms, owed_ms LIMIT ?2",
                                false },
    [STATEMENT_OUTBOX_CREATED] = { "UPDATE outbox SET server_id = ?2, server_version = ''"
                                   " WHERE key = ?1",
                                   false },
    [STATEMENT_OUTBOX_DELIVERED] = { "UPDATE outbox SET server_id = ?3, server_version = ?4,"
                                     " body = iif(revision > ?2, body, NULL),"
                                     " code = iif(revision > ?2, code, ''),"
                                     " reason = iif(revision > ?2, reason, ''),"
                                     " state = iif(revision > ?2, state, 2) WHERE key = ?1",
                                     false },
    [STATEMENT_OUTBOX_RETRY] = { "UPDATE outbox SET next_ms = ?3, code = ?4,"
                                 " attempts = attempts + (revision = ?2 AND ?4 <> 'server.circuit')"
                                 " WHERE key = ?1 AND state = 0",
                                 false },
    [STATEMENT_OUTBOX_PARK] = { "UPDATE outbox SET state = 1, reason = ?3,"
                                " attempts = attempts + 1"
                                " WHERE key = ?1 AND revision = ?2 AND state = 0",
                                false },
    [STATEMENT_OUTBOX_UNPARK] = { "UPDATE outbox SET state = 0, next_ms = 0, attempts = 0"
                                  " WHERE state IN (0, 1)",
                                  true },
    [STATEMENT_OUTBOX_NEXT_RETRY] = { "SELECT next_ms FROM outbox WHERE state = 0 AND NOT EXISTS"
                                      " (SELECT 1 FROM flight WHERE flight.key = outbox.key)"
                                      " ORDER BY next_ms LIMIT 1",
                                      false },
    [STATEMENT_FLIGHT_PUT] = { "INSERT INTO flight (key, revision) VALUES (?1, ?2)", false },
    [STATEMENT_FLIGHT_GET] = { "SELECT revision FROM flight WHERE key = ?1 UNION ALL"
                               " SELECT revision FROM outbox WHERE key = ?1 LIMIT 1",
                               false },
    [STATEMENT_FLIGHT_END] = { "DELETE FROM flight WHERE key = ?1", false },

    [STATEMENT_QUEUE_EVENTS_WAITING] = { QUEUE_EVENTS("0"), true },
    [STATEMENT_QUEUE_EVENTS_ASIDE] = { QUEUE_EVENTS("3"), true },
    [STATEMENT_QUEUE_EVENTS_DROPPED] = { QUEUE_EVENTS("4"), true },
    [STATEMENT_QUEUE_ALERTS] = { QUEUE_ALERT " WHERE outbox.state = ?3" QUEUE_REASON(
                                     "iif(outbox.reason = '', outbox.code, outbox.reason)") " ORDER"
                                                                                            " BY "
                                                                                            "outbox"
                                                                                            ".owed_"
                                                                                            "ms, "
                                                                                            "outbox"
                                                                                            ".key "
                                                                                            "LIMIT "
                                                                                            "?2",
                                 true },
    [STATEMENT_QUEUE_EVENT] = { QUEUE_EVENT " WHERE seq = ?1", false },
    [STATEMENT_QUEUE_ALERT] = { QUEUE_ALERT " WHERE outbox.key = ?1", false },
    [STATEMENT_QUEUE_EVENTS_OF] = { "SELECT count(*) FROM event"
                                    " WHERE state = 0 AND alone = 0 AND patient = ?1",
                                    false },
    [STATEMENT_QUEUE_ALERTS_OF] = { "SELECT count(*) FROM outbox WHERE patient = ?1 AND state = ?2",
                                    false },
    /* ended_ms of one that waits again is when it was put back: it does not wait since it came. */
    [STATEMENT_EVENT_AGAIN] = { "UPDATE event SET state = 0, reason = '', ended_ms = ?2"
                                " WHERE seq = ?1 AND (state = 3 OR (state = 4 AND id <> ''))",
                                false },
    [STATEMENT_EVENT_DROP] = { "UPDATE event SET state = 4, reason = ?2, ended_ms = ?3"
                               " WHERE seq = ?1 AND state IN (0, 3)",
                               false },
    [STATEMENT_WORK_NOW] = { "UPDATE work SET state = 0, until_ms = 0"
                             " WHERE patient = ?1 AND event = ?2 AND state = 2",
                             false },
    [STATEMENT_OUTBOX_AGAIN] = { "UPDATE outbox SET state = 0, next_ms = 0, attempts = 0,"
                                 " reason = '' WHERE key = ?1 AND state IN (0, 1, 3)",
                                 false },
    [STATEMENT_OUTBOX_DROP] = { "UPDATE outbox SET state = 3, reason = ?2"
                                " WHERE key = ?1 AND state IN (0, 1)",
                                false },
    [STATEMENT_COMMAND_PUT] = { "INSERT INTO command (asked_ms, verb, event, alert, states, reason,"
                                " because) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                                false },
    [STATEMENT_COMMAND_NEXT] = { "SELECT id, verb, event, alert, states, reason, because"
                                 " FROM command WHERE done_ms = 0 ORDER BY id LIMIT 1",
                                 false },
    [STATEMENT_COMMAND_END] = { "UPDATE command SET done_ms = ?2, items = ?3 WHERE id = ?1",
                                false },
    [STATEMENT_COMMAND_GET] = { "SELECT items FROM command WHERE id = ?1 AND done_ms > 0", false },

    [STATEMENT_SETTING_GET] = { "SELECT sealed(seal, value, " SEAL_SETTING ")"
                                " FROM setting WHERE name = ?1",
                                false },
    [STATEMENT_SETTING_PUT] = { "INSERT OR REPLACE INTO setting (name, value, seal)"
                                " VALUES (?1, ?2, seal_of(?1, ?2))",
                                false },
    [STATEMENT_SETTING_DROP] = { "DELETE FROM setting WHERE name = ?1", false },
    [STATEMENT_PULSES] = { "SELECT kind, name, first_ms, last_ms, longest_ms, missed_ms, warned"
                           " FROM pulse",
                           true },
    [STATEMENT_PULSE_PUT] = { "INSERT OR REPLACE INTO pulse (kind, name, first_ms, last_ms,"
                              " longest_ms, missed_ms, warned) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                              false },
    [STATEMENT_TALLY] = { "SELECT n FROM tally WHERE kind = ?1 AND state = ?2", false },
    /* Two tables of a few rows. */
    [STATEMENT_LEDGER] = { "SELECT via, fate, n, bytes FROM ledger", true },
    [STATEMENT_STOCK] = { "SELECT state, n, bytes FROM stock", true },
    /* These three walk over a partial index: as long as what they count, which is few. */
    [STATEMENT_COUNT_ALERTS] = { "SELECT count(*) FROM alert WHERE state = 'open'", true },
    [STATEMENT_COUNT_ASIDE_BY] = { "SELECT reason, count(*) FROM event WHERE state = 3"
                                   " GROUP BY reason ORDER BY reason",
                                   true },
    [STATEMENT_COUNT_PARKED_BY] = { "SELECT reason, count(*) FROM outbox WHERE state = 1"
                                    " GROUP BY reason ORDER BY reason",
                                    true },
    /* Of the oldest event that waits for its turn: not one that is being tried again and again. */
    [STATEMENT_OLDEST] = { "SELECT max(accepted_ms, ended_ms) FROM event WHERE seq = (SELECT first "
                           "FROM work"
                           " WHERE state = 0 AND first IS NOT NULL ORDER BY first LIMIT 1)",
                           false },
};

const char *statement_sql(enum statement id)
{
    return rows[id].sql;
}

bool statement_is_bulk(enum statement id)
{
    return rows[id].bulk;
}

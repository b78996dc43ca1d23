/* The accounting of the store: received = done + outside + aside + dropped + waiting, for every
 * source, whatever happens; and the step from a file of schema 1. */
#include "test.h"

#include <fcntl.h>
#include <sys/file.h>

#include "ledger_fixture.h"
#include "store/fault.h"
#include "store/queue.h"
#include "stride.h"

/* ---- a history by seed, beside a model of what must be counted */

#define HISTORY_STEPS 250
#define HISTORY_MAX   1000

struct history {
    struct books *books;
    uint64_t random;
    struct {
        enum event_via via;
        int fate;          /* STORE_WAITING ... */
    } events[HISTORY_MAX]; /* by seq */
    size_t count;
};

/* splitmix64 */
static uint64_t next(struct history *h, uint64_t below)
{
    uint64_t z = (h->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static void step_accept(struct history *h)
{
    char id[8], version[8], patient[8];
    struct store_event event = {
        .accepted_ms = 1,
        .via = (enum event_via)next(h, VIA_COUNT),
        .change = next(h, 8) ? CHANGE_WRITTEN : CHANGE_DELETED,
        .type = "Observation",
        .id = id,
        .version = version,
        .patient = patient,
        .updated_ms = INSTANT_UNSET,
        .payload = next(h, 2) ? "{}" : NULL,
        .payload_len = 2,
    };

    snprintf(id, sizeof id, "o%" PRIu64, next(h, 12));
    snprintf(version, sizeof version, "%" PRIu64, next(h, 4));
    snprintf(patient, sizeof patient, "p%" PRIu64, next(h, 3));
    if (!next(h, 4)) patient[0] = '\0';
    if (!next(h, 10)) version[0] = '\0';
    if (!books_accept(h->books, &event)) return;
    assert_true(++h->count < HISTORY_MAX);
    h->events[h->count].via = event.via;
    h->events[h->count].fate = STORE_WAITING;
}

static void step_finish(struct history *h)
{
    struct books *b = h->books;
    struct store_fate fates[ARRAY_SIZE(b->seqs)];
    struct store_result result = { .patient = b->patient, .due_ms = INSTANT_NEVER, .fates = fates };

    if (!books_claim(b, 0)) return;
    for (size_t i = 0; i < b->seq_count; i++) {
        enum event_fate fate = (enum event_fate)next(h, 3);
        if (!next(h, 5)) continue; /* it stays */
        fates[result.fate_count++] =
            (struct store_fate){ b->seqs[i], fate, fate == FATE_ASIDE ? "test.reason" : "" };
        h->events[b->seqs[i]].fate = (int)fate + STORE_DONE;
    }
    if (!b->patient[0] && !result.fate_count)
        store_release(b->store, "", b->seqs[0], 0);
    else
        books_finish(b, &result);
}

static void step_give_up(struct history *h)
{
    if (books_claim(h->books, 0))
        store_release(h->books->store, h->books->patient, h->books->seqs[0], 0);
}

static void step_resolve(struct history *h)
{
    struct books *b = h->books;

    if (!books_claim(b, 0)) return;
    if (b->patient[0]) {
        store_release(b->store, b->patient, 0, 0);
        return;
    }
    struct store_event event = { .seq = b->seqs[0],
                                 .change = CHANGE_WRITTEN,
                                 .version = next(h, 2) ? "3" : "",
                                 .patient = "p1",
                                 .updated_ms = 7,
                                 .payload = "{\"more\":1}",
                                 .payload_len = 10 };
    b->waiting = true;
    store_resolve(b->store, &event, books_on_done, b);
    books_wait(b);
}

/* An operator, while no process has the store. */
static void step_operator(struct history *h)
{
    struct books *b = h->books;
    struct queue_which which = { .seq = 1 + (int64_t)next(h, h->count + 2),
                                 .key = "",
                                 .reason = "" };
    bool drops = next(h, 2);
    int64_t items, want = 0;

    if ((size_t)which.seq <= h->count) {
        int *fate = &h->events[which.seq].fate;
        if (drops && (*fate == STORE_WAITING || *fate == STORE_ASIDE)) {
            *fate = STORE_DROPPED;
            want = 1;
        } else if (!drops && (*fate == STORE_ASIDE || *fate == STORE_DROPPED)) {
            *fate = STORE_WAITING;
            want = 1;
        }
    }
    books_close(b);
    assert_true(queue_do(b->path, drops ? QUEUE_DROP : QUEUE_RETRY, &which, drops ? "x" : NULL, 0,
                         &items, &b->err));
    assert_int_equal(items, want);
    assert_true(books_open(b));
}

/* The ledger is the model's, and its sums hold. */
static void check_ledger(struct history *h)
{
    int64_t want[VIA_COUNT][STORE_FATES] = { 0 };
    const struct store_counts *counts = books_count(h->books);

    for (size_t seq = 1; seq <= h->count; seq++) {
        want[h->events[seq].via][h->events[seq].fate]++;
        want[h->events[seq].via][STORE_RECEIVED]++;
    }
    for (size_t via = 0; via < VIA_COUNT; via++) {
        int64_t sum = 0;
        for (size_t fate = 0; fate < STORE_RECEIVED; fate++) sum += counts->ledger[via][fate];
        assert_int_equal(sum, counts->ledger[via][STORE_RECEIVED]);
        for (size_t fate = 0; fate < STORE_FATES; fate++)
            assert_int_equal(counts->ledger[via][fate], want[via][fate]);
    }
    assert_int_equal(counts->events_total, h->count);
    assert_int_equal(counts->waiting_bytes,
                     books_ask(h->books, "SELECT ifnull(sum(length(body)), 0) FROM payload"
                                         " WHERE seq IN (SELECT seq FROM event WHERE state = 0)"));
    assert_int_equal(counts->aside_bytes,
                     books_ask(h->books, "SELECT ifnull(sum(length(body)), 0) FROM payload"
                                         " WHERE seq IN (SELECT seq FROM event WHERE state = 3)"));
}

static void step(struct history *h)
{
    uint64_t which = next(h, 100);

    if (which < 55)
        step_accept(h);
    else if (which < 80)
        step_finish(h);
    else if (which < 86)
        step_give_up(h);
    else if (which < 94)
        step_resolve(h);
    else if (which < 96)
        step_operator(h);
    else if (which < 98)
        books_reopen(h->books);
    else
        books_cut(h->books);
}

static void the_ledger_holds_after_every_step_of_a_history(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed += stride()) {
        struct history h = { .books = books_start(), .random = seed };
        for (int i = 0; i < HISTORY_STEPS; i++) {
            step(&h);
            check_ledger(&h);
        }
        assert_true(h.count > 50);
        books_free(h.books);
    }
}

/* ---- what counts for the bounds */

static struct store_event event_of(const char *patient, const char *id, int64_t accepted_ms)
{
    return (struct store_event){ .accepted_ms = accepted_ms,
                                 .via = VIA_HOOK,
                                 .change = CHANGE_WRITTEN,
                                 .type = "Observation",
                                 .id = id,
                                 .version = "1",
                                 .patient = patient,
                                 .updated_ms = INSTANT_UNSET,
                                 .payload = "{\"a\":1}",
                                 .payload_len = 7 };
}

static void the_oldest_event_is_the_one_that_waits_for_its_turn(void **state)
{
    struct books *b = books_start();
    struct store_event first = event_of("p1", "a", 100), second = event_of("p2", "b", 200);

    (void)state;
    assert_int_equal(books_count(b)->oldest_ms, INSTANT_UNSET);
    books_accept(b, &first);
    books_accept(b, &second);
    assert_int_equal(books_count(b)->oldest_ms, 100);
    assert_true(books_claim(b, 0));
    assert_int_equal(books_count(b)->oldest_ms, 200); /* the first is in hand */
    store_release(b->store, "p1", 0, INSTANT_NEVER);
    assert_int_equal(books_count(b)->oldest_ms, 200); /* ... and waits for its retry */
    assert_int_equal(books_count(b)->waiting_bytes, 14);
    books_free(b);
}

/* ---- an operator beside us */

static struct queue_which event_named(int64_t seq)
{
    return (struct queue_which){ .seq = seq, .key = "", .reason = "" };
}

static void on_commanded(void *arg)
{
    (*(unsigned *)arg)++;
}

static void an_event_in_hand_that_is_dropped_stays_dropped(void **state)
{
    struct books *b = books_start();
    struct store_event event = event_of("p1", "a", 1);
    struct queue_which which = event_named(1);
    unsigned told = 0;
    int64_t items;

    (void)state;
    store_on_command(b->store, on_commanded, &told);
    books_accept(b, &event);
    assert_true(books_claim(b, 0));
    assert_true(queue_do(b->path, QUEUE_DROP, &which, "test", LEDGER_PATIENCE_MS, &items, &b->err));
    assert_int_equal(items, 1);
    books_finish(b, &(struct store_result){ .patient = "p1",
                                            .due_ms = INSTANT_NEVER,
                                            .fates = &(struct store_fate){ 1, FATE_DONE, "" },
                                            .fate_count = 1 });
    assert_int_equal(books_count(b)->events_dropped, 1);
    assert_int_equal(b->counts.events_done, 0);
    assert_int_equal(told, 1);
    assert_false(books_claim(b, 0));
    store_on_command(b->store, NULL, NULL);
    books_free(b);
}

static void what_was_given_up_or_released_is_offered_again_at_once(void **state)
{
    struct books *b = books_start();
    struct store_event event = event_of("p1", "a", 1);
    struct queue_which which = event_named(1);
    int64_t items;

    (void)state;
    books_accept(b, &event);
    assert_true(books_claim(b, 0));
    store_release(b->store, "p1", 0, 1000);
    assert_false(books_claim(b, 999));
    assert_true(queue_do(b->path, QUEUE_RETRY, &which, NULL, LEDGER_PATIENCE_MS, &items, &b->err));
    assert_true(books_claim(b, 0));
    books_free(b);
}

static void run_sql(const struct books *b, const char *sql)
{
    sqlite3 *sqlite;
    char *why = NULL;

    assert_int_equal(sqlite3_open(b->path, &sqlite), SQLITE_OK);
    sqlite3_busy_timeout(sqlite, LEDGER_PATIENCE_MS); /* the store may be writing */
    if (sqlite3_exec(sqlite, sql, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s", why);
    sqlite3_close(sqlite);
}

/* Asked of the file alone: a call of the store would be a step as well. */
static void wait_for(const struct books *b, const char *sql, int64_t want)
{
    for (int i = 0; books_ask(b, sql) != want; i++) {
        assert_true(i < LEDGER_PATIENCE_MS / 10);
        usleep(10000);
    }
}

static const char drop_1[] = "INSERT INTO command (asked_ms, verb, event, alert, states, reason,"
                             " because) VALUES (1, 1, 1, '', 0, '', 'test')";

static void a_command_that_finds_no_room_is_done_when_there_is_some(void **state)
{
    struct books *b = books_start();
    struct store_event event = event_of("p1", "a", 1);

    (void)state;
    books_accept(b, &event);
    store_fail_at(b->store, 1, SQLITE_FULL);
    run_sql(b, drop_1);
    wait_for(b, "SELECT items FROM command WHERE done_ms > 0", 1);
    assert_int_equal(store_fail_left(b->store), 0);
    assert_int_equal(books_count(b)->events_dropped, 1);
    books_free(b);
}

static void a_command_that_nobody_took_up_is_done_by_the_next_process(void **state)
{
    struct books *b = books_start();
    struct store_event event = event_of("p1", "a", 1);

    (void)state;
    books_accept(b, &event);
    books_close(b);
    run_sql(b, drop_1);
    assert_true(books_open(b));
    wait_for(b, "SELECT items FROM command WHERE done_ms > 0", 1);
    assert_int_equal(books_count(b)->events_dropped, 1);
    books_free(b);
}

/* Somebody has the store and does not turn. */
static void a_command_that_is_late_is_told_and_done_later(void **state)
{
    const struct queue_which which = event_named(1);
    struct books *b = books_start();
    struct store_event event = event_of("p1", "a", 1);
    int64_t items = 0;

    (void)state;
    books_accept(b, &event);
    books_close(b);
    int fd = open(b->path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_false(queue_do(b->path, QUEUE_DROP, &which, "test", 1, &items, &b->err));
    assert_string_equal(b->err.code, "queue.late");
    assert_int_equal(b->err.kind, ERR_STORE);
    assert_non_null(strstr(b->err.fix, "queue list"));
    close(fd);
    assert_true(books_open(b));
    wait_for(b, "SELECT items FROM command WHERE done_ms > 0", 1);
    assert_int_equal(books_count(b)->events_dropped, 1);
    books_free(b);
}

/* ---- alerts that are owed */

static void owe(struct books *b, const char *key, const char *body)
{
    const struct store_outbox item = {
        .key = key, .patient = "p1", .rule = "r", .body = body, .body_len = strlen(body)
    };

    books_finish(b, &(struct store_result){ .patient = "p1",
                                            .in_cohort = true,
                                            .due_ms = INSTANT_NEVER,
                                            .outbox = &item,
                                            .outbox_count = 1 });
}

static void on_owed(const struct store_owed *owed, void *arg)
{
    ((struct books *)arg)->waiting = owed->err != NULL;
}

static void depart(struct books *b)
{
    b->waiting = true;
    store_owed(b->store, 1, 10, on_owed, b);
    books_wait(b);
}

static void what_is_owed_is_counted_in_items_and_bytes(void **state)
{
    struct books *b = books_start();

    (void)state;
    owe(b, "k1", "12345");
    owe(b, "k2", "123");
    assert_int_equal(books_count(b)->outbox_waiting, 2);
    assert_int_equal(b->counts.outbox_bytes, 8);
    owe(b, "k1", "1"); /* a newer one takes its place */
    assert_int_equal(books_count(b)->outbox_bytes, 4);
    depart(b);
    b->waiting = true;
    store_delivered(b->store, "k1", 2, "mm-k1", "1", books_on_done, b);
    books_wait(b);
    store_park(b->store, "k2", "server.refused: invalid");
    assert_int_equal(books_count(b)->outbox_waiting, 0);
    assert_int_equal(b->counts.outbox_bytes, 0);
    assert_int_equal(b->counts.outbox_parked, 1);
    books_free(b);
}

static void parked_deliveries_are_counted_by_the_code_of_their_reason(void **state)
{
    static const char *const keys[] = { "k1", "k2", "k3" };
    struct books *b = books_start();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) owe(b, keys[i], "{}");
    depart(b);
    store_park(b->store, "k1", "server.refused: invalid");
    store_park(b->store, "k2", "server.forbidden");
    store_park(b->store, "k3", "server.refused: structure");
    books_count(b);
    assert_int_equal(b->counts.parked_reasons, 2);
    assert_string_equal(b->counts.parked_by[0].code, "server.forbidden");
    assert_int_equal(b->counts.parked_by[0].count, 1);
    assert_string_equal(b->counts.parked_by[1].code, "server.refused");
    assert_int_equal(b->counts.parked_by[1].count, 2);
    books_free(b);
}

static void set_aside(struct books *b, const char *id, const char *reason)
{
    struct store_event event = event_of("p1", id, 1);

    books_accept(b, &event);
    assert_true(books_claim(b, 0));
    books_finish(
        b, &(struct store_result){ .patient = "p1",
                                   .due_ms = INSTANT_NEVER,
                                   .fates = &(struct store_fate){ b->seqs[0], FATE_ASIDE, reason },
                                   .fate_count = 1 });
}

static void reasons_beyond_a_dozen_are_others(void **state)
{
    struct books *b = books_start();
    char id[16], reason[24];

    (void)state;
    for (int i = 0; i < 15; i++) {
        snprintf(id, sizeof id, "o%d", i);
        snprintf(reason, sizeof reason, "reason.%02d", i);
        set_aside(b, id, reason);
    }
    books_count(b);
    assert_int_equal(b->counts.aside_reasons, STORE_REASONS_MAX);
    assert_string_equal(b->counts.aside_by[0].code, "reason.00");
    assert_string_equal(b->counts.aside_by[STORE_REASONS_MAX - 1].code, "other");
    assert_int_equal(b->counts.aside_by[STORE_REASONS_MAX - 1].count, 15 - STORE_REASONS_MAX + 1);
    books_free(b);
}

/* ---- retention */

static void on_swept(const struct store_swept *swept, void *arg)
{
    struct books *b = arg;

    assert_null(swept->err);
    b->removed = swept->removed;
    b->next_seq = swept->next_seq;
    b->waiting = false;
}

static void sweep(struct books *b, int64_t after_seq, int64_t before_ms, size_t limit)
{
    b->waiting = true;
    store_sweep(b->store, after_seq, before_ms, limit, on_swept, b);
    books_wait(b);
}

/* An event of that patient that is finished; their times are then set from beside. */
static void finish_one(struct books *b, const char *patient, const char *id, enum event_fate fate)
{
    struct store_event event = event_of(patient, id, 1);

    books_accept(b, &event);
    assert_true(books_claim(b, 0));
    books_finish(b, &(struct store_result){ .patient = patient,
                                            .due_ms = INSTANT_NEVER,
                                            .fates = &(struct store_fate){ b->seqs[0], fate, "" },
                                            .fate_count = 1 });
}

#define OLD   INT64_C(1000)
#define YOUNG INT64_C(5000)

static void only_what_is_finished_old_and_of_no_open_delivery_is_removed(void **state)
{
    struct books *b = books_start();
    struct store_event waits = event_of("p1", "waits", 1), more = event_of("p1", "more", 1);

    (void)state;
    finish_one(b, "p2", "done", FATE_DONE);       /* 1 */
    finish_one(b, "p2", "outside", FATE_OUTSIDE); /* 2 */
    finish_one(b, "p2", "aside", FATE_ASIDE);     /* 3 */
    owe(b, "k1", "{}");                           /* of p1 */
    finish_one(b, "p1", "owed", FATE_DONE);       /* 4 */
    finish_one(b, "p2", "young", FATE_DONE);      /* 5 */
    books_accept(b, &waits);                      /* 6 */
    books_accept(b, &more);                       /* 7 */
    run_sql(b, "UPDATE event SET accepted_ms = 1000, ended_ms = 1000 WHERE seq <> 5");
    run_sql(b, "UPDATE event SET accepted_ms = 1000, ended_ms = 5000 WHERE seq = 5");
    struct store_counts before = *books_count(b);
    sweep(b, 0, OLD, 100);
    assert_int_equal(b->removed, 0); /* exactly as old is not older */
    sweep(b, 0, OLD + 1, 100);
    assert_int_equal(b->removed, 2);
    assert_int_equal(books_ask(b, "SELECT sum(seq) FROM event"), 3 + 4 + 5 + 6 + 7);
    assert_memory_equal(books_count(b)->ledger, before.ledger, sizeof before.ledger);
    sweep(b, 0, YOUNG + 1, 100);
    assert_int_equal(books_ask(b, "SELECT sum(seq) FROM event"), 3 + 4 + 6 + 7);
    depart(b);
    b->waiting = true;
    store_delivered(b->store, "k1", 1, "mm-k1", "1", books_on_done, b);
    books_wait(b);
    sweep(b, 0, YOUNG + 1, 100);
    assert_int_equal(books_ask(b, "SELECT sum(seq) FROM event"), 3 + 6 + 7);
    books_reopen(b);
    assert_memory_equal(books_count(b)->ledger, before.ledger, sizeof before.ledger);
    books_free(b);
}

static void a_round_goes_over_the_journal_a_few_at_a_time(void **state)
{
    struct books *b = books_start();
    char id[16];

    (void)state;
    for (int i = 0; i < 7; i++) {
        snprintf(id, sizeof id, "o%d", i);
        finish_one(b, "p1", id, FATE_DONE);
    }
    run_sql(b, "UPDATE event SET accepted_ms = 1000, ended_ms = 1000");
    sweep(b, 0, OLD + 1, 3);
    assert_int_equal(b->removed, 3);
    assert_int_equal(b->next_seq, 3);
    sweep(b, 3, OLD + 1, 3);
    assert_int_equal(b->removed, 3);
    assert_int_equal(b->next_seq, 6);
    sweep(b, 6, OLD + 1, 3);
    assert_int_equal(b->removed, 0); /* the last one stays */
    assert_int_equal(b->next_seq, 0);
    books_free(b);
}

static void a_round_ends_where_the_young_ones_begin(void **state)
{
    struct books *b = books_start();

    (void)state;
    finish_one(b, "p1", "a", FATE_DONE);
    finish_one(b, "p1", "b", FATE_DONE);
    finish_one(b, "p1", "c", FATE_DONE);
    run_sql(b, "UPDATE event SET accepted_ms = 1000, ended_ms = 1000 WHERE seq = 1");
    run_sql(b, "UPDATE event SET accepted_ms = 5000, ended_ms = 5000 WHERE seq > 1");
    sweep(b, 0, OLD + 1, 1);
    assert_int_equal(b->next_seq, 1);
    sweep(b, 1, OLD + 1, 1);
    assert_int_equal(b->next_seq, 0);
    books_free(b);
}

/* ---- the counts of a day */

static void on_number(int64_t number, void *arg)
{
    struct books *b = arg;

    b->number = number;
    b->waiting = false;
}

static int64_t changed(struct books *b, int64_t from_ms, int64_t until_ms)
{
    b->waiting = true;
    store_changed(b->store, "Observation", from_ms, until_ms, on_number, b);
    books_wait(b);
    return b->number;
}

static void put(struct books *b, const char *id, const char *version, int64_t updated_ms,
                enum event_change change)
{
    struct store_event event = event_of("p1", id, 1);

    event.version = version;
    event.updated_ms = updated_ms;
    event.change = change;
    books_accept(b, &event);
}

static void a_resource_is_counted_at_its_newest_version_until_it_is_deleted(void **state)
{
    struct books *b = books_start();

    (void)state;
    put(b, "a", "1", 100, CHANGE_WRITTEN);
    put(b, "a", "2", 150, CHANGE_WRITTEN); /* twice in the span: once */
    put(b, "b", "1", 199, CHANGE_WRITTEN);
    put(b, "c", "1", 200, CHANGE_WRITTEN); /* the end is outside */
    put(b, "d", "1", 99, CHANGE_WRITTEN);
    assert_int_equal(changed(b, 100, 200), 2);
    put(b, "b", "2", 300, CHANGE_WRITTEN);
    assert_int_equal(changed(b, 100, 200), 1);
    assert_int_equal(changed(b, 300, 400), 1);
    put(b, "a", "3", INSTANT_UNSET, CHANGE_DELETED);
    assert_int_equal(changed(b, 100, 200), 0);
    put(b, "a", "4", 160, CHANGE_WRITTEN); /* and is there again */
    assert_int_equal(changed(b, 100, 200), 1);
    books_free(b);
}

static void a_repeat_tells_when_the_first_notice_did_not(void **state)
{
    struct books *b = books_start();

    (void)state;
    put(b, "a", "1", INSTANT_UNSET, CHANGE_WRITTEN);
    assert_int_equal(changed(b, 100, 200), 0);
    put(b, "a", "1", 150, CHANGE_WRITTEN);
    assert_int_equal(b->fresh, 0);
    assert_int_equal(changed(b, 100, 200), 1);
    put(b, "a", "1", 999, CHANGE_WRITTEN); /* what is known stays */
    assert_int_equal(changed(b, 100, 200), 1);
    books_free(b);
}

/* ---- the step from schema 1 */

/* The file holds five events: one done (hook), one waiting with 8 bytes (poll), one outside (hook),
 * one set aside with 6 bytes (poll), one hint (hook); an alert owed, one parked, one delivered. */
static void a_file_of_schema_1_is_brought_up_to_date_with_all_that_is_in_it(void **state)
{
    struct books *b = books_new();
    char *sql = file_text("tests/golden/store/version-1.sql");

    (void)state;
    run_sql(b, sql);
    free(sql);
    if (!books_open(b)) fail_msg("%s: %s", b->err.code, b->err.what);
    const struct store_counts *c = books_count(b);
    static const int64_t hook[STORE_FATES] = { 1, 1, 1, 0, 0, 3 }, poll[] = { 1, 0, 0, 1, 0, 2 };
    assert_memory_equal(c->ledger[VIA_HOOK], hook, sizeof hook);
    assert_memory_equal(c->ledger[VIA_POLL], poll, sizeof poll);
    assert_int_equal(c->events_total, 5);
    assert_int_equal(c->waiting_bytes, 7 + 1); /* the a umlaut has two */
    assert_int_equal(c->aside_bytes, 6);
    assert_int_equal(c->outbox_waiting, 1);
    assert_int_equal(c->outbox_bytes, 4);
    assert_int_equal(c->outbox_parked, 1);
    assert_int_equal(c->cohort, 1);
    assert_int_equal(c->alerts_open, 1);
    assert_true(books_claim(b, 0));
    assert_string_equal(b->patient, "p1");
    assert_int_equal(b->seqs[0], 2);
    assert_int_equal(books_ask(b, "PRAGMA user_version"), 3);
    assert_int_equal(books_ask(b, "SELECT count(*) FROM setting WHERE value = 's'"), 1);
    books_reopen(b);
    assert_int_equal(books_count(b)->events_total, 5);
    books_free(b);
}

static void a_step_that_cannot_be_made_leaves_the_old_file(void **state)
{
    struct books *b = books_new();
    char *sql = file_text("tests/golden/store/version-1.sql");

    (void)state;
    run_sql(b, sql);
    run_sql(b, "CREATE TABLE pulse (x)"); /* in the way of the last word of the step */
    free(sql);
    assert_false(books_open(b));
    assert_int_equal(b->err.kind, ERR_STORE);
    assert_int_equal(books_ask(b, "PRAGMA user_version"), 1);
    assert_int_equal(books_ask(b, "SELECT n FROM tally WHERE kind = 'event' AND state = 1"), 1);
    books_free(b);
}

static void a_file_of_a_newer_schema_is_refused(void **state)
{
    struct books *b = books_start();

    (void)state;
    books_close(b);
    run_sql(b, "PRAGMA user_version = 4");
    assert_false(books_open(b));
    assert_string_equal(b->err.code, "store.schema");
    assert_string_equal(b->err.what, "the file has schema 4, this program knows 3");
    books_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ledger_holds_after_every_step_of_a_history),
        cmocka_unit_test(the_oldest_event_is_the_one_that_waits_for_its_turn),
        cmocka_unit_test(an_event_in_hand_that_is_dropped_stays_dropped),
        cmocka_unit_test(what_was_given_up_or_released_is_offered_again_at_once),
        cmocka_unit_test(a_command_that_finds_no_room_is_done_when_there_is_some),
        cmocka_unit_test(a_command_that_nobody_took_up_is_done_by_the_next_process),
        cmocka_unit_test(a_command_that_is_late_is_told_and_done_later),
        cmocka_unit_test(what_is_owed_is_counted_in_items_and_bytes),
        cmocka_unit_test(parked_deliveries_are_counted_by_the_code_of_their_reason),
        cmocka_unit_test(reasons_beyond_a_dozen_are_others),
        cmocka_unit_test(only_what_is_finished_old_and_of_no_open_delivery_is_removed),
        cmocka_unit_test(a_round_goes_over_the_journal_a_few_at_a_time),
        cmocka_unit_test(a_round_ends_where_the_young_ones_begin),
        cmocka_unit_test(a_resource_is_counted_at_its_newest_version_until_it_is_deleted),
        cmocka_unit_test(a_repeat_tells_when_the_first_notice_did_not),
        cmocka_unit_test(a_file_of_schema_1_is_brought_up_to_date_with_all_that_is_in_it),
        cmocka_unit_test(a_step_that_cannot_be_made_leaves_the_old_file),
        cmocka_unit_test(a_file_of_a_newer_schema_is_refused),
    };

    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}

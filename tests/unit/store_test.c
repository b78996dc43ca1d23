#include "test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "folder.h"
#include "store/fault.h"
#include "store/store.h"
#include "stride.h"

#define DEADLINE_MS 30000
#define TICK_MS     10

/* ---- a store in a directory of its own, and what its callbacks said */

struct fixture {
    uv_loop_t loop;
    uv_timer_t deadline;
    struct store *store;
    char dir[FOLDER_MAX], path[FOLDER_MAX + 20];
    unsigned waiting; /* callbacks still to come */
    unsigned ticks;
    bool late, closed;
    struct buf said;
    struct err err;          /* of the last store_open() that failed */
    const char *closed_code; /* of the last end; NULL: a good one */
};

static void silent(enum log_level level, const char *line)
{
    (void)level;
    (void)line;
}

static void on_deadline(uv_timer_t *timer)
{
    struct fixture *f = timer->data;

    f->late = true;
}

static bool fixture_open(struct fixture *f)
{
    f->closed = false;
    return store_open(&f->loop, f->path, &f->store, &f->err);
}

static struct fixture *fixture_new(void)
{
    struct fixture *f = mem_new(struct fixture);

    assert_true(folder_make(f->dir));
    snprintf(f->path, sizeof f->path, "%s/store.db", f->dir);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(uv_timer_init(&f->loop, &f->deadline), 0);
    f->deadline.data = f;
    return f;
}

static void on_closed(struct err *err, void *arg)
{
    struct fixture *f = arg;

    f->closed_code = err ? err->code : NULL;
    f->closed = true;
    f->store = NULL;
    uv_timer_stop(&f->deadline);
}

/* Run the loop until what was asked has been answered. The timer repeats, because one that is over
 * when uv_run() begins would leave it without any. */
static void wait_all(struct fixture *f)
{
    uv_timer_start(&f->deadline, on_deadline, DEADLINE_MS, TICK_MS);
    while (f->waiting && !f->late) uv_run(&f->loop, UV_RUN_ONCE);
    assert_false(f->late);
    uv_timer_stop(&f->deadline);
}

static void on_tick(uv_timer_t *timer)
{
    struct fixture *f = timer->data;

    f->late = ++f->ticks > DEADLINE_MS / TICK_MS;
}

/* Run the loop for a moment: for what no callback tells. */
static void wait_tick(struct fixture *f)
{
    uv_timer_start(&f->deadline, on_tick, TICK_MS, TICK_MS);
    uv_run(&f->loop, UV_RUN_ONCE);
    assert_false(f->late);
    uv_timer_stop(&f->deadline);
}

static void fixture_close(struct fixture *f)
{
    if (!f->store) return;
    uv_timer_start(&f->deadline, on_deadline, DEADLINE_MS, TICK_MS);
    store_close(f->store, on_closed, f);
    while (!f->closed && !f->late) uv_run(&f->loop, UV_RUN_ONCE);
    assert_false(f->late);
}

static void fixture_free(struct fixture *f)
{
    fixture_close(f);
    uv_close((uv_handle_t *)&f->deadline, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    folder_forget_store(f->path);
    folder_remove(f->dir);
    buf_done(&f->said);
    free(f);
}

static struct fixture *fixture_start(void)
{
    struct fixture *f = fixture_new();

    if (!fixture_open(f)) fail_msg("%s: %s", f->err.code, f->err.what);
    return f;
}

/* One number that SQL gives over the file, from beside the store. */
static int64_t ask(const struct fixture *f, const char *sql)
{
    sqlite3 *sqlite;
    sqlite3_stmt *stmt;
    int64_t n;

    assert_int_equal(sqlite3_open_v2(f->path, &sqlite, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(sqlite, DEADLINE_MS); /* the store looks for commands after a batch */
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    int code = sqlite3_step(stmt);
    assert_true(code == SQLITE_ROW || code == SQLITE_DONE);
    n = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    sqlite3_close(sqlite);
    return n;
}

/* ---- callbacks that write down what they get */

static void say_err(struct fixture *f, const struct err *err)
{
    assert_int_equal(err->kind, ERR_STORE);
    buf_printf(&f->said, "%s; ", err->code);
}

static void on_accepted(const struct store_accepted *accepted, void *arg)
{
    struct fixture *f = arg;

    f->waiting--;
    if (accepted->err) {
        say_err(f, accepted->err);
        return;
    }
    if (accepted->duplicates) buf_printf(&f->said, "%zu old; ", accepted->duplicates);
}

static void on_done(struct err *err, void *arg)
{
    struct fixture *f = arg;

    f->waiting--;
    if (err) say_err(f, err);
}

static void on_work(const struct store_work *work, void *arg)
{
    struct fixture *f = arg;

    f->waiting--;
    if (!work) {
        buf_text(&f->said, "nothing; ");
        return;
    }
    if (work->err) {
        say_err(f, work->err);
        return;
    }
    buf_printf(&f->said, "%s", work->patient[0] ? work->patient : "-");
    for (size_t i = 0; i < work->event_count; i++)
        buf_printf(&f->said, " %" PRId64, work->events[i].seq);
    if (work->in_cohort) buf_text(&f->said, " in");
    if (work->complete) buf_text(&f->said, " complete");
    if (work->due_ms != INSTANT_UNSET) buf_printf(&f->said, " due %" PRId64, work->due_ms);
    for (size_t i = 0; i < work->resource_count; i++)
        buf_printf(&f->said, " %s/%s=%.*s", work->resources[i].type, work->resources[i].id,
                   (int)work->resources[i].json_len, work->resources[i].json);
    for (size_t i = 0; i < work->alert_count; i++)
        buf_printf(&f->said, " %s:%s", work->alerts[i].key, work->alerts[i].state);
    buf_text(&f->said, "; ");
}

static void on_owed(const struct store_owed *owed, void *arg)
{
    struct fixture *f = arg;

    f->waiting--;
    if (owed->err) {
        say_err(f, owed->err);
        return;
    }
    if (!owed->count) buf_text(&f->said, "nothing");
    for (size_t i = 0; i < owed->count; i++) {
        const struct store_outbox *o = &owed->items[i];
        buf_printf(&f->said, "%s%s#%" PRId64 "=%.*s", i ? " " : "", o->key, o->revision,
                   (int)o->body_len, o->body);
        if (o->attempts) buf_printf(&f->said, " tried %" PRId64, o->attempts);
        if (o->server_id[0]) buf_printf(&f->said, " on %s/%s", o->server_id, o->server_version);
    }
    buf_text(&f->said, "; ");
}

static void on_setting(const char *value, void *arg)
{
    struct fixture *f = arg;

    f->waiting--;
    buf_printf(&f->said, "%s; ", value ? value : "unset");
}

static const char *time_text(int64_t ms, char *buf, size_t size)
{
    snprintf(buf, size, "%" PRId64, ms);
    return ms == INSTANT_NEVER ? "never" : buf;
}

static void on_counts(const struct store_counts *c, void *arg)
{
    struct fixture *f = arg;
    char due[32], retry[32];

    f->waiting--;
    if (!c) {
        buf_text(&f->said, "no counts; ");
        return;
    }
    buf_printf(&f->said,
               "%" PRId64 " events %" PRId64 " waiting %" PRId64 " done %" PRId64
               " outside %" PRId64 " aside, %" PRId64 " patients %" PRId64 " cohort, %" PRId64
               " alerts, %" PRId64 " owed %" PRId64 " parked, due %s retry %s; ",
               c->events_total, c->events_waiting, c->events_done, c->events_outside,
               c->events_aside, c->patients, c->cohort, c->alerts_open, c->outbox_waiting,
               c->outbox_parked, time_text(c->next_due_ms, due, sizeof due),
               time_text(c->next_retry_ms, retry, sizeof retry));
}

/* ---- stories: one line of steps, one line of what the store said
 *
 *   event PATIENT ID VERSION     - stands for ""; accepts an Observation, payload {ID}
 *   deleted PATIENT ID VERSION   the same, as a deletion
 *   hint                         something of that type changed
 *   claim NOW    release PATIENT SEQ RETRY    resolve SEQ PATIENT VERSION    wake NOW
 *   finish PATIENT SEQ...        done; also SEQo outside, SEQa aside; in, due=MS
 *   chart PATIENT ID=JSON        finish nothing, write a resource; ID alone: remove it
 *   alert PATIENT KEY IDENTITY EPISODE STATE
 *   owe KEY BODY    owed NOW LIMIT    delivered KEY REVISION ID VERSION
 *   retry KEY MS    park KEY    unpark    set NAME VALUE    get NAME    count    reopen */

#define WORDS_MAX 8

struct step {
    char *word[WORDS_MAX];
    size_t count;
};

static const char *text_at(const struct step *step, size_t i)
{
    return i < step->count && strcmp(step->word[i], "-") != 0 ? step->word[i] : "";
}

static int64_t number_at(const struct step *step, size_t i)
{
    return i < step->count ? strtoll(step->word[i], NULL, 10) : 0;
}

static struct store_event event_of(const char *patient, const char *id, const char *version)
{
    return (struct store_event){
        .accepted_ms = 1,
        .via = VIA_HOOK,
        .change = CHANGE_WRITTEN,
        .type = "Observation",
        .id = id,
        .version = version,
        .patient = patient,
        .updated_ms = INSTANT_UNSET,
        .payload = id,
        .payload_len = strlen(id),
    };
}

static void accept_one(struct fixture *f, const struct store_event *event)
{
    f->waiting++;
    store_accept(f->store, event, 1, on_accepted, f);
}

static void step_event(struct fixture *f, const struct step *s)
{
    struct store_event event = event_of(text_at(s, 1), text_at(s, 2), text_at(s, 3));

    accept_one(f, &event);
}

static void step_deleted(struct fixture *f, const struct step *s)
{
    struct store_event event = event_of(text_at(s, 1), text_at(s, 2), text_at(s, 3));

    event.change = CHANGE_DELETED;
    event.payload = NULL;
    accept_one(f, &event);
}

static void step_hint(struct fixture *f, const struct step *s)
{
    struct store_event event = event_of(text_at(s, 1), "", "");

    event.change = CHANGE_HINT;
    event.payload = NULL;
    accept_one(f, &event);
}

static void step_claim(struct fixture *f, const struct step *s)
{
    f->waiting++;
    store_claim(f->store, number_at(s, 1), on_work, f);
}

static void step_release(struct fixture *f, const struct step *s)
{
    store_release(f->store, text_at(s, 1), number_at(s, 2), number_at(s, 3));
}

static void step_resolve(struct fixture *f, const struct step *s)
{
    struct store_event event = event_of(text_at(s, 2), "learned", text_at(s, 3));

    event.seq = number_at(s, 1);
    f->waiting++;
    store_resolve(f->store, &event, on_done, f);
}

static void step_wake(struct fixture *f, const struct step *s)
{
    f->waiting++;
    store_wake_all(f->store, number_at(s, 1), on_done, f);
}

static void finish(struct fixture *f, const struct store_result *result)
{
    f->waiting++;
    store_finish(f->store, result, on_done, f);
}

static struct store_fate fate_of(const char *word)
{
    char *end;
    struct store_fate fate = { .seq = strtoll(word, &end, 10), .fate = FATE_DONE, .reason = "" };

    if (*end == 'o') fate.fate = FATE_OUTSIDE;
    if (*end == 'a') fate = (struct store_fate){ fate.seq, FATE_ASIDE, "unreadable" };
    return fate;
}

static void step_finish(struct fixture *f, const struct step *s)
{
    struct store_fate fates[WORDS_MAX];
    struct store_result result = { .patient = text_at(s, 1), .due_ms = INSTANT_NEVER };

    result.fates = fates;
    for (size_t i = 2; i < s->count; i++) {
        if (strcmp(s->word[i], "in") == 0)
            result.in_cohort = result.complete = true;
        else if (strncmp(s->word[i], "due=", 4) == 0)
            result.due_ms = strtoll(s->word[i] + 4, NULL, 10);
        else
            fates[result.fate_count++] = fate_of(s->word[i]);
    }
    finish(f, &result);
}

static void step_chart(struct fixture *f, const struct step *s)
{
    char *json = strchr(s->word[2], '=');
    struct store_resource resource = { .type = "Observation", .id = s->word[2], .version = "1" };
    struct store_result result = { .patient = text_at(s, 1), .due_ms = INSTANT_NEVER };

    if (json) {
        *json = '\0';
        resource.json = json + 1;
        resource.json_len = strlen(json + 1);
        result.written = &resource;
        result.written_count = 1;
    } else {
        result.removed = &resource;
        result.removed_count = 1;
    }
    finish(f, &result);
}

static void step_alert(struct fixture *f, const struct step *s)
{
    struct store_alert alert = { .key = text_at(s, 2),
                                 .identity = text_at(s, 3),
                                 .episode = number_at(s, 4),
                                 .rule = "r",
                                 .state = text_at(s, 5),
                                 .content = "{}",
                                 .ended_ms = INSTANT_UNSET };
    struct store_result result = {
        .patient = text_at(s, 1), .due_ms = INSTANT_NEVER, .alerts = &alert, .alert_count = 1
    };

    finish(f, &result);
}

static void step_owe(struct fixture *f, const struct step *s)
{
    struct store_outbox item = { .key = text_at(s, 1),
                                 .patient = "p",
                                 .rule = "r",
                                 .body = text_at(s, 2),
                                 .body_len = strlen(text_at(s, 2)) };
    struct store_result result = {
        .patient = "p", .due_ms = INSTANT_NEVER, .outbox = &item, .outbox_count = 1
    };

    finish(f, &result);
}

static void step_owed(struct fixture *f, const struct step *s)
{
    f->waiting++;
    store_owed(f->store, number_at(s, 1), (size_t)number_at(s, 2), on_owed, f);
}

static void step_delivered(struct fixture *f, const struct step *s)
{
    f->waiting++;
    store_delivered(f->store, text_at(s, 1), number_at(s, 2), text_at(s, 3), text_at(s, 4), on_done,
                    f);
}

static void step_retry(struct fixture *f, const struct step *s)
{
    store_retry(f->store, text_at(s, 1), number_at(s, 2), "http.busy");
}

static void step_park(struct fixture *f, const struct step *s)
{
    store_park(f->store, text_at(s, 1), "refused");
}

static void step_unpark(struct fixture *f, const struct step *s)
{
    (void)s;
    store_unpark(f->store);
}

static void step_set(struct fixture *f, const struct step *s)
{
    f->waiting++;
    store_set(f->store, text_at(s, 1), s->count > 2 ? text_at(s, 2) : NULL, on_done, f);
}

static void step_get(struct fixture *f, const struct step *s)
{
    f->waiting++;
    store_get(f->store, text_at(s, 1), on_setting, f);
}

static void step_count(struct fixture *f, const struct step *s)
{
    (void)s;
    f->waiting++;
    store_count(f->store, on_counts, f);
}

static void step_reopen(struct fixture *f, const struct step *s)
{
    (void)s;
    fixture_close(f);
    assert_true(fixture_open(f));
}

static const struct {
    const char *name;
    void (*run)(struct fixture *f, const struct step *step);
} steps[] = {
    { "event", step_event },         { "deleted", step_deleted }, { "hint", step_hint },
    { "claim", step_claim },         { "release", step_release }, { "resolve", step_resolve },
    { "wake", step_wake },           { "finish", step_finish },   { "chart", step_chart },
    { "alert", step_alert },         { "owe", step_owe },         { "owed", step_owed },
    { "delivered", step_delivered }, { "retry", step_retry },     { "park", step_park },
    { "unpark", step_unpark },       { "set", step_set },         { "get", step_get },
    { "count", step_count },         { "reopen", step_reopen },
};

static void run_step(struct fixture *f, char *text)
{
    struct step step = { .count = 0 };
    char *at = NULL;

    for (char *w = strtok_r(text, " ", &at); w; w = strtok_r(NULL, " ", &at)) {
        assert_true(step.count < WORDS_MAX);
        step.word[step.count++] = w;
    }
    if (!step.count) return;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (strcmp(steps[i].name, step.word[0]) == 0) {
            steps[i].run(f, &step);
            return;
        }
    fail_msg("no step \"%s\"", step.word[0]);
}

static void run_story(struct fixture *f, const char *story, bool together)
{
    char *text = mem_strdup(story), *at = NULL;

    for (char *s = strtok_r(text, ";", &at); s; s = strtok_r(NULL, ";", &at)) {
        run_step(f, s);
        if (!together) wait_all(f);
    }
    wait_all(f);
    free(text);
}

static const struct story {
    const char *name, *steps, *said;
} stories[] = {
    /* duplicates */
    { "an event that is there already is a duplicate", "event p a 1; event p a 1", "1 old; " },
    { "another version is another event", "event p a 1; event p a 2", "" },
    { "another id is another event", "event p a 1; event p b 1", "" },
    { "a deletion of the same version is another event", "event p a 1; deleted p a 1", "" },
    { "an event without version is always fresh", "event p a -; event p a -; claim 0", "p 1 2; " },
    { "a finished event still makes a duplicate",
      "event p a 1; claim 0; finish p 1; event p a 1; claim 0", "p 1; 1 old; nothing; " },
    { "a duplicate is one for another patient too", "event p a 1; event q a 1", "1 old; " },
    { "a duplicate is known after the next start", "event p a 1; reopen; event p a 1", "1 old; " },

    /* order and coalescing */
    { "an empty journal has no work", "claim 0", "nothing; " },
    { "two waiting events of one patient are one piece of work",
      "event p a 1; event p b 1; claim 0; claim 0", "p 1 2; nothing; " },
    { "the patient who waits longest comes first",
      "event q a 1; event p b 1; event q c 1; claim 0; claim 0", "q 1 3; p 2; " },
    { "events without patient are work of their own",
      "event - a 1; event - b 1; claim 0; claim 0; claim 0", "- 1; - 2; nothing; " },
    { "hints are work of their own",
      "hint; hint p; event p a 1; claim 0; claim 0; claim 0; claim 0", "- 1; - 2; p 3; nothing; " },
    { "a hint ends like other events", "hint; claim 0; finish - 1; claim 0; reopen; claim 0",
      "- 1; nothing; nothing; " },
    { "several hints may end together", "hint; hint; claim 0; claim 0; finish - 1 2; count",
      "- 1; - 2; 2 events 0 waiting 2 done 0 outside 0 aside, 0 patients 0 cohort, 0 alerts, "
      "0 owed 0 parked, due never retry never; " },

    /* claims */
    { "a claimed patient is not given out again", "event p a 1; claim 0; claim 0",
      "p 1; nothing; " },
    { "an event of a claimed patient waits for the end of the claim",
      "event p a 1; claim 0; event p b 1; claim 0; finish p 1; claim 0", "p 1; nothing; p 2; " },
    { "an event that a finish leaves out stays waiting",
      "event p a 1; event p b 1; claim 0; finish p 1; claim 0", "p 1 2; p 2; " },
    { "claims end with the process",
      "event p a 1; event - b 1; claim 0; claim 0; reopen; claim 0; "
      "claim 0; claim 0",
      "p 1; - 2; p 1; - 2; nothing; " },
    { "what is finished is not offered after the next start",
      "event p a 1; claim 0; finish p 1; reopen; claim 0", "p 1; nothing; " },
    { "a released claim waits until its time",
      "event p a 1; claim 0; release p 0 50; claim 49; claim 50", "p 1; nothing; p 1; " },
    { "a released event without patient waits until its time",
      "event - a 1; claim 0; release - 1 50; claim 49; claim 50", "- 1; nothing; - 1; " },
    { "a released claim takes the place of its age",
      "event p a 1; event q b 1; claim 0; release p 0 5; claim 9; claim 9", "p 1; p 1; q 2; " },
    { "a new event does not end the wait of a released claim",
      "event p a 1; claim 0; release p 0 50; event p b 1; claim 49; claim 50",
      "p 1; nothing; p 1 2; " },
    { "a release ends with the process", "event p a 1; claim 0; release p 0 50; reopen; claim 0",
      "p 1; p 1; " },
    { "a release of what is not claimed changes nothing",
      "event p a 1; release p 0 50; release q 0 50; claim 0", "p 1; " },
    { "a result may end events of another patient",
      "event p a 1; event q b 1; claim 0; "
      "finish p 1 2; claim 0",
      "p 1; nothing; " },

    /* wake-ups */
    { "a due cohort patient is work", "finish p in due=10; claim 9; claim 10; claim 10",
      "nothing; p in complete due 10; nothing; " },
    { "nobody outside the cohort is due", "finish p due=10; claim 99", "nothing; " },
    { "waiting events come before wake-ups", "finish p in due=10; event q a 1; claim 99; claim 99",
      "q 1; p in complete due 10; " },
    { "the earliest wake-up comes first",
      "finish p in due=20; finish q in due=10; claim 99; claim 99",
      "q in complete due 10; p in complete due 20; " },
    { "events and a wake-up of one patient are one piece of work",
      "finish p in due=10; event p a 1; claim 99; claim 99", "p 1 in complete; nothing; " },
    { "a wake-up outlives the process", "finish p in due=10; reopen; claim 10",
      "p in complete due 10; " },
    { "a released wake-up waits until its time",
      "finish p in due=10; claim 10; release p 0 50; claim 49; claim 50",
      "p in complete due 10; nothing; p in complete due 10; " },
    { "the next evaluation moves the wake-up",
      "finish p in due=10; claim 10; finish p in due=20; claim 19; claim 20",
      "p in complete due 10; nothing; p in complete due 20; " },
    { "leaving the cohort ends the wake-up",
      "finish p in due=10; claim 10; finish p due=20; claim 99; reopen; claim 99",
      "p in complete due 10; nothing; nothing; " },
    { "all of the cohort can be woken",
      "finish p in; finish q in due=90; finish r; wake 5; claim 4; claim 5; claim 5; claim 5",
      "nothing; p in complete due 5; q in complete due 5; nothing; " },
    { "waking does not put off who is due already", "finish p in due=3; wake 5; claim 4",
      "p in complete due 3; " },
    { "who is claimed while all are woken is due after it",
      "finish p in; event p a 1; claim 0; wake 5; finish p in 1; claim 4; claim 5",
      "p 1 in complete; nothing; p in complete due 5; " },
    { "who enters the cohort while all are woken is due after it",
      "event p a 1; claim 0; wake 5; finish p in 1; claim 5; finish p in; claim 99",
      "p 1; p in complete due 5; nothing; " },
    { "waking outlives the process", "finish p in; wake 5; reopen; claim 5",
      "p in complete due 5; " },

    /* resolving */
    { "a resolved event becomes work of its patient",
      "event - a -; claim 0; resolve 1 p 7; claim 0; claim 0", "- 1; p 1; nothing; " },
    { "a resolved event joins the others of its patient",
      "event - a -; event p b 1; claim 0; resolve 1 p 7; claim 0", "- 1; p 1 2; " },
    { "an event resolved for a claimed patient waits for the end of the claim",
      "event p a 1; event - b -; claim 0; claim 0; resolve 2 p 7; claim 0; finish p 1; claim 0",
      "p 1; - 2; nothing; p 2; " },
    { "the version that was learned makes a duplicate of the next one",
      "event - a -; claim 0; resolve 1 p 7; event p a 7", "- 1; 1 old; " },
    { "a version that is there already may be learned again",
      "event p a 7; event - a -; claim 0; claim 0; resolve 2 p 7; finish p 1; claim 0",
      "p 1; - 2; p 2; " },
    { "what was learned outlives the process",
      "event - a -; claim 0; resolve 1 p 7; reopen; claim 0", "- 1; p 1; " },
    { "resolving what has its patient changes nothing",
      "event q a 1; resolve 1 p 7; claim 0; claim 0", "q 1; nothing; " },
    { "resolving what is finished changes nothing",
      "event - a -; claim 0; finish - 1; resolve 1 p 7; claim 0", "- 1; nothing; " },

    /* charts and alerts */
    { "the chart comes with the work, in order of its keys",
      "chart p b={2}; chart p a={1}; chart q c={3}; event p e 1; claim 0",
      "p 1 Observation/a={1} Observation/b={2}; " },
    { "a written resource replaces the older one",
      "chart p a={1}; chart p a={2}; event p e 1; "
      "claim 0",
      "p 1 Observation/a={2}; " },
    { "a removed resource is gone", "chart p a={1}; chart p a; event p e 1; claim 0", "p 1; " },
    { "a chart outlives the process", "chart p a={1}; reopen; event p e 1; claim 0",
      "p 1 Observation/a={1}; " },
    { "open alerts come with the work",
      "alert p k1 i 1 open; alert q k2 j 1 open; event p e 1; "
      "claim 0",
      "p 1 k1:open; " },
    { "of the ended alerts only the newest of each identity comes",
      "alert p k1 i 1 cleared; alert p k2 i 2 retracted; alert p k3 j 1 cleared; event p e 1; "
      "claim 0",
      "p 1 k2:retracted k3:cleared; " },
    { "the newest ended alert comes beside the open one",
      "alert p k1 i 1 cleared; alert p k2 i 2 cleared; alert p k3 i 3 open; event p e 1; claim 0",
      "p 1 k2:cleared k3:open; " },
    { "an open alert comes even where a later one has ended",
      "alert p k1 i 1 open; alert p k2 i 2 cleared; event p e 1; claim 0",
      "p 1 k1:open k2:cleared; " },
    { "an alert is replaced by its key",
      "alert p k1 i 1 open; alert p k1 i 1 cleared; "
      "event p e 1; claim 0",
      "p 1 k1:cleared; " },

    /* outbox */
    { "what is owed is given out once", "owe k {1}; owed 0 9; owed 0 9", "k#1={1}; nothing; " },
    { "what is owed is given out in order", "owe k {1}; owe l {2}; owe a {3}; owed 0 2; owed 0 2",
      "k#1={1} l#1={2}; a#1={3}; " },
    { "what is in flight is owed again after the next start",
      "owe k {1}; owed 0 9; reopen; owed 0 9", "k#1={1}; k#1={1}; " },
    { "what is delivered is not owed",
      "owe k {1}; owed 0 9; delivered k 1 s 1; owed 0 9; reopen; "
      "owed 0 9",
      "k#1={1}; nothing; nothing; " },
    { "a newer revision replaces what waits", "owe k {1}; owe l {2}; owe k {3}; owed 0 9",
      "k#2={3} l#1={2}; " },
    { "the next revision knows where the first one went",
      "owe k {1}; owed 0 9; delivered k 1 s 4; owe k {2}; owed 0 9", "k#1={1}; k#2={2} on s/4; " },
    { "a newer revision waits until the older one is back",
      "owe k {1}; owed 0 9; owe k {2}; owed 0 9; delivered k 1 s 4; owed 0 9; delivered k 2 s 5; "
      "owed 0 9",
      "k#1={1}; nothing; k#2={2} on s/4; nothing; " },
    { "a retry waits until its time", "owe k {1}; owed 0 9; retry k 50; owed 49 9; owed 50 9",
      "k#1={1}; nothing; k#1={1} tried 1; " },
    { "a retry outlives the process",
      "owe k {1}; owed 0 9; retry k 50; reopen; owed 49 9; "
      "owed 50 9",
      "k#1={1}; nothing; k#1={1} tried 1; " },
    { "a retry of an older revision counts no attempt of the newer one",
      "owe k {1}; owed 0 9; owe k {2}; retry k 50; owed 49 9; owed 50 9",
      "k#1={1}; nothing; k#2={2}; " },
    { "a newer revision does not wait for the retry of the older one",
      "owe k {1}; owed 0 9; retry k 50; owe k {2}; owed 0 9", "k#1={1}; k#2={2}; " },
    { "a parked delivery is not owed", "owe k {1}; owed 0 9; park k; owed 99 9; reopen; owed 99 9",
      "k#1={1}; nothing; nothing; " },
    { "a newer revision replaces a parked one", "owe k {1}; owed 0 9; park k; owe k {2}; owed 0 9",
      "k#1={1}; k#2={2}; " },
    { "parking an older revision leaves the newer one owed",
      "owe k {1}; owed 0 9; owe k {2}; park k; owed 0 9", "k#1={1}; k#2={2}; " },
    { "unparking makes everything due that waits",
      "owe k {1}; owe l {2}; owe m {3}; owed 0 9; park k; retry l 50; delivered m 1 s 1; unpark; "
      "owed 0 9",
      "k#1={1} l#1={2} m#1={3}; k#1={1} l#1={2}; " },
    { "unparking does not call back what is in flight", "owe k {1}; owed 0 9; unpark; owed 0 9",
      "k#1={1}; nothing; " },

    /* settings, counts */
    { "a setting is not set at first", "get a", "unset; " },
    { "a setting outlives the process", "set a 1; set a 2; set b 3; reopen; get a; get b",
      "2; 3; " },
    { "a setting can be forgotten", "set a 1; set a; get a", "unset; " },
    { "an empty store counts nothing", "count",
      "0 events 0 waiting 0 done 0 outside 0 aside, 0 patients 0 cohort, 0 alerts, "
      "0 owed 0 parked, due never retry never; " },
    { "counts follow the events to their end",
      "event p a 1; event p a 1; event p b 1; event p c 1; event q d 1; "
      "finish p 1 2o 3a in due=70; count; reopen; count",
      "1 old; 4 events 1 waiting 1 done 1 outside 1 aside, 1 patients 1 cohort, 0 alerts, "
      "0 owed 0 parked, due 70 retry never; "
      "4 events 1 waiting 1 done 1 outside 1 aside, 1 patients 1 cohort, 0 alerts, "
      "0 owed 0 parked, due 70 retry never; " },
    { "an event ends once", "event p a 1; finish p 1a; finish p 1; finish p 77; count",
      "1 events 0 waiting 0 done 0 outside 1 aside, 1 patients 0 cohort, 0 alerts, "
      "0 owed 0 parked, due never retry never; " },
    { "counts follow the cohort", "finish p in; finish q in; finish p; count",
      "0 events 0 waiting 0 done 0 outside 0 aside, 2 patients 1 cohort, 0 alerts, "
      "0 owed 0 parked, due never retry never; " },
    { "counts follow alerts and deliveries",
      "alert p k i 1 open; alert p l j 1 cleared; owe k {1}; owe l {2}; owe m {3}; owed 0 9; "
      "park k; retry l 50; count",
      "k#1={1} l#1={2} m#1={3}; "
      "0 events 0 waiting 0 done 0 outside 0 aside, 1 patients 0 cohort, 1 alerts, "
      "2 owed 1 parked, due never retry 50; " },
    { "the next retry may be a released claim",
      "event p a 1; claim 0; release p 0 40; finish q in due=30; claim 30; count",
      "p 1; q in complete due 30; "
      "1 events 1 waiting 0 done 0 outside 0 aside, 1 patients 1 cohort, 0 alerts, "
      "0 owed 0 parked, due never retry 40; " },
};

/* Each story twice: one step at a time, and all between two restarts in as few commits as may be:
 * the store must say the same. */
static void check_story(void **state)
{
    const struct story *story = *state;

    for (int together = 0; together < 2; together++) {
        struct fixture *f = fixture_start();
        run_story(f, story->steps, together);
        assert_string_equal(buf_string(&f->said), story->said);
        fixture_free(f);
    }
}

/* ---- contents */

struct seen {
    struct fixture *f;
    int64_t accepted_ms, updated_ms, opened_ms, ended_ms, episode;
    enum event_via via;
    enum event_change change;
    char text[256];
    size_t payload_len;
};

static void on_event_seen(const struct store_work *work, void *arg)
{
    struct seen *seen = arg;
    const struct store_event *e = &work->events[0];

    seen->f->waiting--;
    assert_int_equal(work->event_count, 1);
    seen->accepted_ms = e->accepted_ms;
    seen->updated_ms = e->updated_ms;
    seen->via = e->via;
    seen->change = e->change;
    seen->payload_len = e->payload_len;
    snprintf(seen->text, sizeof seen->text, "%s/%s/%s of %s: %s", e->type, e->id, e->version,
             e->patient, e->payload ? e->payload : "nothing");
}

static void an_event_comes_back_as_it_went_in(void **state)
{
    struct fixture *f = fixture_start();
    struct seen seen = { .f = f };
    char payload[] = "{\"a\":1} and more";
    struct store_event event = { .accepted_ms = 12,
                                 .via = VIA_REPLAY,
                                 .change = CHANGE_WRITTEN,
                                 .type = "MedicationRequest",
                                 .id = "m\"'1",
                                 .version = "W/7",
                                 .patient = "p",
                                 .updated_ms = -5,
                                 .payload = payload,
                                 .payload_len = 7 };

    (void)state;
    accept_one(f, &event);
    payload[0] = '!'; /* the store has its copy */
    f->waiting++;
    store_claim(f->store, 0, on_event_seen, &seen);
    wait_all(f);
    assert_string_equal(seen.text, "MedicationRequest/m\"'1/W/7 of p: {\"a\":1}");
    assert_int_equal(seen.payload_len, 7);
    assert_int_equal(seen.accepted_ms, 12);
    assert_int_equal(seen.updated_ms, -5);
    assert_int_equal(seen.via, VIA_REPLAY);
    assert_int_equal(seen.change, CHANGE_WRITTEN);
    fixture_free(f);
}

static void an_event_without_payload_has_none(void **state)
{
    struct fixture *f = fixture_start();
    struct seen seen = { .f = f };
    struct store_event event = event_of("p", "a", "1");

    (void)state;
    event.payload = NULL;
    event.payload_len = 0;
    event.change = CHANGE_DELETED;
    event.updated_ms = INSTANT_UNSET;
    accept_one(f, &event);
    f->waiting++;
    store_claim(f->store, 0, on_event_seen, &seen);
    wait_all(f);
    assert_string_equal(seen.text, "Observation/a/1 of p: nothing");
    assert_int_equal(seen.change, CHANGE_DELETED);
    assert_true(seen.updated_ms == INSTANT_UNSET);
    fixture_free(f);
}

static void a_resolved_event_has_what_was_learned(void **state)
{
    struct fixture *f = fixture_start();
    struct seen seen = { .f = f };

    (void)state;
    run_story(f, "event - a -; claim 0; resolve 1 p 7", false);
    f->waiting++;
    store_claim(f->store, 0, on_event_seen, &seen);
    wait_all(f);
    assert_string_equal(seen.text, "Observation/a/7 of p: learned");
    fixture_free(f);
}

static void on_alert_seen(const struct store_work *work, void *arg)
{
    struct seen *seen = arg;
    const struct store_alert *a = &work->alerts[0];

    seen->f->waiting--;
    assert_int_equal(work->alert_count, 1);
    seen->episode = a->episode;
    seen->opened_ms = a->opened_ms;
    seen->ended_ms = a->ended_ms;
    snprintf(seen->text, sizeof seen->text, "%s %s %s %s %s", a->key, a->identity, a->rule,
             a->state, a->content);
}

static void an_alert_comes_back_as_it_went_in(void **state)
{
    struct fixture *f = fixture_start();
    struct seen seen = { .f = f };
    struct store_alert alert = { "k", "i", 3, "r", "open", "{\"x\":[]}", 100, INSTANT_UNSET };
    struct store_result result = {
        .patient = "p", .in_cohort = true, .due_ms = 1, .alerts = &alert, .alert_count = 1
    };

    (void)state;
    finish(f, &result);
    f->waiting++;
    store_claim(f->store, 1, on_alert_seen, &seen);
    wait_all(f);
    assert_string_equal(seen.text, "k i r open {\"x\":[]}");
    assert_int_equal(seen.episode, 3);
    assert_int_equal(seen.opened_ms, 100);
    assert_true(seen.ended_ms == INSTANT_UNSET);
    fixture_free(f);
}

static void only_what_waits_or_is_set_aside_keeps_its_payload(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_story(f, "event p a 1; event p b 1; event p c 1; event p d 1; finish p 1 2o 3a", false);
    assert_int_equal(ask(f, "SELECT count(*) FROM event"), 4);
    assert_int_equal(ask(f, "SELECT count(*) FROM payload"), 2);
    assert_int_equal(ask(f, "SELECT min(seq) FROM payload"), 3);
    assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE reason = 'unreadable'"), 1);
    fixture_free(f);
}

static void a_batch_of_events_is_counted_event_by_event(void **state)
{
    struct fixture *f = fixture_start();
    struct store_event events[] = { event_of("p", "a", "1"), event_of("p", "b", "1"),
                                    event_of("p", "a", "1") };

    (void)state;
    f->waiting = 2;
    store_accept(f->store, events, 3, on_accepted, f);
    store_accept(f->store, NULL, 0, on_accepted, f);
    run_story(f, "claim 0", false);
    assert_string_equal(buf_string(&f->said), "1 old; p 1 2; ");
    fixture_free(f);
}

static void the_owed_time_is_the_wall_clock_of_the_first_unmet_revision(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_story(f, "owe k {1}", false);
    int64_t owed_ms = ask(f, "SELECT owed_ms FROM outbox");
    assert_true(owed_ms > INT64_C(1600000000000));
    ask(f, "UPDATE outbox SET owed_ms = 5");
    run_story(f, "owe k {2}", false);
    assert_int_equal(ask(f, "SELECT owed_ms FROM outbox"), 5);
    run_story(f, "owed 0 1; delivered k 2 s 1; owe k {3}", false);
    assert_true(ask(f, "SELECT owed_ms FROM outbox") >= owed_ms);
    fixture_free(f);
}

/* ---- callbacks */

static void callbacks_never_run_inside_a_call(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_step(f, (char[]){ "event p a 1" });
    run_step(f, (char[]){ "event p a 1" });
    run_step(f, (char[]){ "claim 0" });
    run_step(f, (char[]){ "owed 0 1" });
    run_step(f, (char[]){ "get a" });
    assert_int_equal(f->waiting, 5);
    assert_string_equal(buf_string(&f->said), "");
    wait_all(f);
    assert_string_equal(buf_string(&f->said), "1 old; p 1; nothing; unset; ");
    fixture_free(f);
}

struct numbered {
    struct fixture *f;
    unsigned number, *next;
};

static void on_numbered(const struct store_accepted *accepted, void *arg)
{
    struct numbered *n = arg;

    assert_null(accepted->err);
    assert_int_equal(n->number, *n->next);
    ++*n->next;
    n->f->waiting--;
}

#define MANY 5000

/* More than one batch holds, so that the order holds over batches too. */
static void many_accepts_are_answered_in_order(void **state)
{
    struct fixture *f = fixture_start();
    struct numbered *numbered = mem_zero(MANY, sizeof *numbered);
    unsigned next = 0;

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%u", i);
        struct store_event event = event_of("p", id, "1");
        numbered[i] = (struct numbered){ f, i, &next };
        f->waiting++;
        store_accept(f->store, &event, 1, on_numbered, &numbered[i]);
    }
    wait_all(f);
    assert_int_equal(next, MANY);
    assert_int_equal(ask(f, "SELECT count(*) FROM event"), MANY);
    free(numbered);
    fixture_free(f);
}

static void closing_runs_what_was_submitted(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_story(f, "event p a 1", false);
    run_step(f, (char[]){ "event p a 1" });
    run_step(f, (char[]){ "set name value" });
    run_step(f, (char[]){ "claim 0" });
    fixture_close(f);
    assert_int_equal(f->waiting, 0);
    assert_string_equal(buf_string(&f->said), "1 old; p 1; ");
    assert_true(fixture_open(f));
    run_story(f, "get name", false);
    assert_string_equal(buf_string(&f->said), "1 old; p 1; value; ");
    fixture_free(f);
}

static void a_call_after_closing_is_refused_in_its_turn(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_step(f, (char[]){ "get a" });
    store_close(f->store, on_closed, f);
    run_step(f, (char[]){ "event p a 1" });
    assert_int_equal(f->waiting, 2);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(f->closed);
    assert_int_equal(f->waiting, 0);
    assert_string_equal(buf_string(&f->said), "unset; store.closed; ");
    assert_true(fixture_open(f));
    assert_int_equal(ask(f, "SELECT count(*) FROM event"), 0);
    fixture_free(f);
}

static void on_get_then_claim(const char *value, void *arg)
{
    struct fixture *f = arg;

    assert_null(value);
    store_claim(f->store, 0, on_work, f); /* one answered, one asked: waiting stays 1 */
}

static void a_callback_may_call_while_the_store_closes(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    f->waiting = 1;
    store_get(f->store, "a", on_get_then_claim, f);
    fixture_close(f);
    assert_int_equal(f->waiting, 0);
    assert_string_equal(buf_string(&f->said), "store.closed; ");
    fixture_free(f);
}

static void an_idle_store_turns(void **state)
{
    struct fixture *f = fixture_start();
    uint64_t before = store_turns(f->store);

    (void)state;
    while (store_turns(f->store) < before + 2) wait_tick(f);
    fixture_free(f);
}

/* ---- the file */

static int mode_of(const char *path, const char *suffix)
{
    char name[256];
    struct stat st;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    assert_int_equal(stat(name, &st), 0);
    return (int)(st.st_mode & 07777);
}

static void the_file_and_its_log_are_private(void **state)
{
    mode_t before = umask(0);
    struct fixture *f = fixture_start();

    (void)state;
    run_story(f, "event p a 1", false);
    assert_int_equal(mode_of(f->path, ""), 0600);
    assert_int_equal(mode_of(f->path, "-wal"), 0600);
    assert_int_equal(mode_of(f->path, "-shm"), 0600);
    fixture_close(f);
    assert_int_equal(chmod(f->path, 0644), 0);
    assert_true(fixture_open(f));
    run_story(f, "event p b 1", false);
    assert_int_equal(mode_of(f->path, ""), 0600);
    assert_int_equal(mode_of(f->path, "-wal"), 0600);
    umask(before);
    fixture_free(f);
}

static void the_file_is_written_through(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_story(f, "event p a 1", false);
    assert_int_equal(ask(f, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"),
                     1);
    assert_int_equal(ask(f, "PRAGMA user_version"), 3);
    assert_int_equal(ask(f, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
                            " AND type = 'table' AND name NOT LIKE 'sqlite%' AND strict = 0"),
                     0);
    fixture_free(f);
}

static int64_t size_of(const struct fixture *f, const char *suffix)
{
    char name[256];
    struct stat st;

    snprintf(name, sizeof name, "%s%s", f->path, suffix);
    assert_int_equal(stat(name, &st), 0);
    return st.st_size;
}

static void accept_big(struct fixture *f, const char *id, size_t size)
{
    struct store_event event = event_of("p", id, "1");
    char *payload = mem_zero(size, 1);

    memset(payload, 'x', size);
    event.payload = payload;
    event.payload_len = size;
    accept_one(f, &event);
    wait_all(f);
    free(payload);
}

static void an_idle_store_moves_its_log_into_the_file(void **state)
{
    struct fixture *f = fixture_start();
    int64_t before = size_of(f, "");

    (void)state;
    accept_big(f, "a", 200000);
    while (size_of(f, "") < before + 100000) wait_tick(f);
    fixture_free(f);
}

static void a_busy_store_keeps_its_log_short(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    for (int i = 0; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        accept_big(f, id, 200000);
    }
    assert_true(size_of(f, "-wal") < 10000000); /* 20 MB went through it */
    fixture_free(f);
}

static void a_store_in_memory_works(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    assert_true(store_open(&f->loop, ":memory:", &f->store, &f->err));
    run_story(f, "event p a 1; event p a 1; claim 0; finish p 1; claim 0", false);
    assert_string_equal(buf_string(&f->said), "1 old; p 1; nothing; ");
    fixture_free(f);
}

static void make_newer(struct fixture *f)
{
    ask(f, "PRAGMA user_version = 99");
}

static void make_foreign(struct fixture *f)
{
    ask(f, "PRAGMA application_id = 7");
}

static void make_garbage(struct fixture *f)
{
    FILE *file = fopen(f->path, "w");

    assert_non_null(file);
    for (int i = 0; i < 1000; i++) fputs("no database ", file);
    fclose(file);
}

static void make_short(struct fixture *f)
{
    assert_int_equal(truncate(f->path, 8192), 0);
}

static void make_damaged(struct fixture *f)
{
    char junk[4096];
    int fd = open(f->path, O_WRONLY);

    memset(junk, 0x5a, sizeof junk);
    assert_true(fd >= 0);
    for (off_t page = 2; page < 6; page++)
        assert_int_equal(pwrite(fd, junk, sizeof junk, page * 4096), sizeof junk);
    close(fd);
}

static void make_directory(struct fixture *f)
{
    char mark[256];

    snprintf(mark, sizeof mark, "%s-mark", f->path);
    unlink(mark);
    unlink(f->path);
    snprintf(f->path, sizeof f->path, "%s/no/store.db", f->dir);
}

static const struct bad_file {
    const char *name;
    void (*make)(struct fixture *f);
    const char *code;
} bad_files[] = {
    { "a file with a newer schema is refused", make_newer, "store.schema" },
    { "the database of another program is refused", make_foreign, "store.schema" },
    { "a file that is no database is refused", make_garbage, "store.corrupt" },
    { "a file that was cut off is refused", make_short, "store.corrupt" },
    { "a file with damaged pages is refused", make_damaged, "store.corrupt" },
    { "a directory that is not there is an error", make_directory, "store.open" },
};

static void check_bad_file(void **state)
{
    const struct bad_file *bad = *state;
    struct fixture *f = fixture_start();

    run_story(f, "event p a 1; event p b 1; finish p 1 in", false);
    fixture_close(f);
    bad->make(f);
    assert_false(fixture_open(f));
    assert_int_equal(f->err.kind, ERR_STORE);
    assert_string_equal(f->err.code, bad->code);
    assert_non_null(strstr(f->err.where, "store.db"));
    fixture_free(f);
}

static void a_second_store_on_the_same_file_is_refused(void **state)
{
    struct fixture *f = fixture_start();
    struct store *second;

    (void)state;
    assert_false(store_open(&f->loop, f->path, &second, &f->err));
    assert_string_equal(f->err.code, "store.held");
    run_story(f, "event p a 1; claim 0", false);
    fixture_free(f);
}

/* ---- failures */

static void the_failure_of_one_call_spares_its_neighbours(void **state)
{
    struct fixture *f = fixture_start();
    struct store_outbox item = { .key = "k", .patient = "p", .rule = "r" }; /* no body */
    struct store_fate fate = { .seq = 1, .fate = FATE_DONE, .reason = "" };
    struct store_result bad = { .patient = "p",
                                .in_cohort = true,
                                .due_ms = INSTANT_NEVER,
                                .fates = &fate,
                                .fate_count = 1,
                                .outbox = &item,
                                .outbox_count = 1 };

    (void)state;
    run_story(f, "event p a 1; claim 0", false);
    run_step(f, (char[]){ "event q b 1" });
    finish(f, &bad);
    run_step(f, (char[]){ "event r c 1" });
    run_story(f, "claim 0; claim 0; claim 0; release p 0 0; claim 0", false);
    assert_string_equal(buf_string(&f->said), "p 1; store.refused; q 2; r 3; nothing; p 1; ");
    assert_int_equal(ask(f, "SELECT count(*) FROM payload"), 3);
    fixture_free(f);
}

static void a_failed_commit_is_final(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_story(f, "event p a 1", false);
    store_fail_at(f->store, 7, SQLITE_IOERR_FSYNC); /* begin, save, 3 inserts, keep, commit */
    run_story(f, "event p b 1", false);
    assert_int_equal(store_fail_left(f->store), 0);
    assert_string_equal(buf_string(&f->said), "store.failed; ");
    run_story(f,
              "event p c 1; claim 0; owed 0 1; get a; set a 1; finish p 1; resolve 1 p 1; wake 1;"
              " count; release p 0 1; retry k 1; park k; unpark; delivered k 1 s 1",
              true);
    assert_string_equal(buf_string(&f->said),
                        "store.failed; store.failed; store.failed; store.failed; unset; "
                        "store.failed; store.failed; store.failed; store.failed; no counts; "
                        "store.failed; ");
    run_story(f, "reopen; claim 0", false);
    assert_non_null(strstr(buf_string(&f->said), "; p 1; "));
    fixture_free(f);
}

static void a_full_disk_refuses_what_comes_until_there_is_room(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_story(f, "event p a 1", false);
    store_fail_at(f->store, 7, SQLITE_FULL);
    run_story(f, "event p b 1; event p c 1; claim 0", false);
    assert_string_equal(buf_string(&f->said), "store.full; p 1 2; ");
    run_story(f, "reopen; event p b 1; event p c 1", false);
    assert_string_equal(buf_string(&f->said), "store.full; p 1 2; 1 old; ");
    fixture_free(f);
}

static void a_writer_beside_us_makes_calls_fail_for_a_while(void **state)
{
    struct fixture *f = fixture_start();
    sqlite3 *other;

    (void)state;
    assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
    sqlite3_busy_timeout(other, DEADLINE_MS);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    run_story(f, "event p a 1; claim 0", false);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    run_story(f, "event p a 1; claim 0", false);
    assert_string_equal(buf_string(&f->said), "store.busy; nothing; p 1; ");
    fixture_free(f);
}

static void a_look_does_not_fail_with_the_write_beside_it(void **state)
{
    bool more = true;

    (void)state;
    for (unsigned nth = 1; more; nth++) {
        struct fixture *f = fixture_start();
        run_story(f, "set mark 1", false);
        store_fail_at(f->store, nth, SQLITE_FULL);
        run_story(f, "event p a 1; get mark; event p b 1", true);
        more = !store_fail_left(f->store);
        if (strstr(buf_string(&f->said), "store.full"))
            assert_null(strstr(buf_string(&f->said), "unset"));
        fixture_free(f);
    }
}

/* What one run of the fault loop was told. */
struct told {
    struct fixture *f;
    bool ok;
};

static void told_accepted(const struct store_accepted *accepted, void *arg)
{
    struct told *told = arg;

    told->f->waiting--;
    told->ok = !accepted->err;
}

static void told_done(struct err *err, void *arg)
{
    struct told *told = arg;

    told->f->waiting--;
    told->ok = !err;
}

enum { TOLD_A, TOLD_B, TOLD_C, TOLD_FINISH, TOLD_RESOLVE, TOLD_SET, TOLD_DELIVERED, TOLD_LAST };

static void told_event(struct told *told, const char *patient, const char *id)
{
    struct store_event event = event_of(patient, id, *patient ? "1" : "");

    told->f->waiting++;
    store_accept(told->f->store, &event, 1, told_accepted, told);
}

static void told_finish(struct told *told)
{
    struct store_fate fate = { .seq = 1, .fate = FATE_DONE, .reason = "" };
    struct store_resource resource = { "Observation", "a", "1", 0, "{}", 2 };
    struct store_alert alert = { "k", "i", 1, "r", "open", "{}", 0, INSTANT_UNSET };
    struct store_outbox item = {
        .key = "k", .patient = "p", .rule = "r", .body = "{}", .body_len = 2
    };
    struct store_result result = { "p", true, true, 9,      &fate, 1,     &resource,
                                   1,   NULL, 0,    &alert, 1,     &item, 1 };

    told->f->waiting++;
    store_finish(told->f->store, &result, told_done, told);
}

/* Everything that writes, several of them in one commit. The events have the numbers 1 to 3 only
 * when the ones before them were taken; what follows a failure is judged by what it was told. */
static void fault_run(struct fixture *f, struct told *told)
{
    for (size_t i = 0; i < TOLD_LAST; i++) told[i] = (struct told){ f, false };
    told_event(&told[TOLD_A], "p", "a");
    told_event(&told[TOLD_B], "", "b");
    wait_all(f);
    run_story(f, "claim 0; claim 0", true);
    told_finish(&told[TOLD_FINISH]);
    told_event(&told[TOLD_C], "q", "c");
    struct store_event learned = event_of("p", "b", "5");
    learned.seq = 2;
    f->waiting += 2;
    store_resolve(f->store, &learned, told_done, &told[TOLD_RESOLVE]);
    store_set(f->store, "name", "value", told_done, &told[TOLD_SET]);
    wait_all(f);
    run_story(f, "owed 0 9", false);
    f->waiting++;
    store_delivered(f->store, "k", 1, "s", "1", told_done, &told[TOLD_DELIVERED]);
    store_release(f->store, "", 2, 1);
    wait_all(f);
}

/* Nothing half done, whatever was told. */
static void check_whole(const struct fixture *f)
{
    int64_t done = ask(f, "SELECT count(*) FROM event WHERE seq = 1 AND state = 1");

    assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE state = 0"),
                     ask(f, "SELECT count(*) FROM payload"));
    assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE state = 0"),
                     ask(f, "SELECT sum(n) FROM ledger WHERE fate = 0"));
    int64_t finished = ask(f, "SELECT count(*) FROM patient");
    assert_true(done <= finished);
    assert_int_equal(ask(f, "SELECT count(*) FROM resource"), finished);
    assert_int_equal(ask(f, "SELECT count(*) FROM alert"), finished);
    assert_int_equal(ask(f, "SELECT count(*) FROM outbox"), finished);
}

/* What was told to be done is there. */
static void check_kept(const struct fixture *f, const struct told *told)
{
    if (told[TOLD_A].ok) assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE id = 'a'"), 1);
    if (told[TOLD_B].ok) assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE id = 'b'"), 1);
    if (told[TOLD_C].ok) assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE id = 'c'"), 1);
    if (told[TOLD_FINISH].ok) assert_int_equal(ask(f, "SELECT count(*) FROM alert"), 1);
    if (told[TOLD_FINISH].ok && told[TOLD_A].ok)
        assert_int_equal(ask(f, "SELECT state FROM event WHERE seq = 1"), 1);
    if (told[TOLD_RESOLVE].ok && told[TOLD_B].ok && told[TOLD_A].ok)
        assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE seq = 2 AND version = '5'"), 1);
    if (told[TOLD_SET].ok) assert_int_equal(ask(f, "SELECT count(*) FROM setting"), 1);
    if (told[TOLD_DELIVERED].ok && told[TOLD_FINISH].ok)
        assert_int_equal(ask(f, "SELECT state FROM outbox"), 2);
}

/* What is there and waits is offered after the next start, and nothing else. */
static void check_offered(struct fixture *f)
{
    int64_t waiting = ask(f, "SELECT count(DISTINCT iif(alone, seq, patient)) FROM event"
                             " WHERE state = 0");

    buf_clear(&f->said);
    for (int64_t i = 0; i < waiting; i++) run_story(f, "claim 1", false);
    if (strstr(buf_string(&f->said), "nothing")) fail_msg("%s", buf_string(&f->said));
    run_story(f, "claim 1", false);
    if (!strstr(buf_string(&f->said), "nothing; ")) fail_msg("%s", buf_string(&f->said));
}

/* The same without a restart, where the store goes on: its list of work is in memory. */
static void check_goes_on(struct fixture *f)
{
    store_fail_at(f->store, 0, SQLITE_OK);
    buf_clear(&f->said);
    run_story(f, "release p 0 0; release q 0 0; release - 1 0; release - 2 0; release - 3 0; count",
              false);
    if (strcmp(buf_string(&f->said), "no counts; ") != 0) check_offered(f);
}

static void fault_check(struct fixture *f, const struct told *told)
{
    fixture_close(f);
    if (!fixture_open(f)) fail_msg("%s: %s", f->err.code, f->err.what);
    check_whole(f);
    check_kept(f, told);
    check_offered(f);
}

static const struct fault {
    const char *name;
    int code;
} step_faults[] = {
    { "a step that is refused loses nothing and leaves nothing half done", SQLITE_CONSTRAINT },
    { "a step without room loses nothing and leaves nothing half done", SQLITE_FULL },
    { "a step that fails for good loses nothing and leaves nothing half done", SQLITE_IOERR_FSYNC },
};

/* Where not every step fails, each fault begins at another one. */
static void check_step_fault(void **state)
{
    const struct fault *fault = *state;
    bool more = true;
    unsigned nth;

    for (nth = 1 + (unsigned)(fault - step_faults) % stride(); more; nth += stride()) {
        struct fixture *f = fixture_start();
        struct told told[TOLD_LAST];
        store_fail_at(f->store, nth, fault->code);
        fault_run(f, told);
        more = store_fail_left(f->store) == 0;
        check_goes_on(f);
        fault_check(f, told);
        fixture_free(f);
    }
    assert_true(nth > 40); /* the loop did meet the steps */
}

/* ---- a disk that fails: the file methods of SQLite's own layer with two of them replaced */

static struct disk {
    sqlite3_vfs vfs, *base;
    const sqlite3_io_methods *real; /* the calls replaced are the same in both: */
    sqlite3_io_methods methods[2];  /* of files without locks, and of databases */
    atomic_int left;                /* calls until the failing one; 0: none fails */
    int write_code, sync_code;      /* SQLITE_OK: that kind does not count */
} disk;

static int disk_fails(int code)
{
    if (code == SQLITE_OK || !atomic_load(&disk.left)) return SQLITE_OK;
    return atomic_fetch_sub(&disk.left, 1) == 1 ? code : SQLITE_OK;
}

static int disk_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    int code = disk_fails(disk.write_code);

    return code == SQLITE_OK ? disk.real->xWrite(file, data, len, at) : code;
}

static int disk_sync(sqlite3_file *file, int flags)
{
    int code = disk_fails(disk.sync_code);

    return code == SQLITE_OK ? disk.real->xSync(file, flags) : code;
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret)
{
    int code = disk.base->xOpen(disk.base, name, file, flags, ret);

    (void)vfs;
    if (file->pMethods) file->pMethods = &disk.methods[(flags & SQLITE_OPEN_MAIN_DB) != 0];
    return code;
}

/* Open one file to see its methods. */
static void disk_learn(size_t which, const char *name, int kind)
{
    int flags = kind | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE |
                SQLITE_OPEN_DELETEONCLOSE;
    sqlite3_file *probe = mem_zero(1, (size_t)disk.base->szOsFile);

    if (disk.base->xOpen(disk.base, name, probe, flags, NULL) != SQLITE_OK) abort();
    disk.real = probe->pMethods;
    disk.methods[which] = *disk.real;
    disk.methods[which].xWrite = disk_write;
    disk.methods[which].xSync = disk_sync;
    disk.real->xClose(probe);
    free(probe);
}

static void disk_install(void)
{
    char dir[FOLDER_MAX],
        name[FOLDER_MAX + 20] = { 0 }; /* SQLite wants more than one NUL behind it */

    sqlite3_initialize();
    disk.base = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.base;
    disk.vfs.zName = "disk";
    disk.vfs.xOpen = disk_open;
    if (!folder_make(dir)) abort();
    snprintf(name, sizeof name, "%s/probe", dir);
    disk_learn(0, NULL, SQLITE_OPEN_TEMP_DB);
    disk_learn(1, name, SQLITE_OPEN_MAIN_DB);
    unlink(name);
    rmdir(dir);
    sqlite3_vfs_register(&disk.vfs, 1);
}

static const struct disk_fault {
    const char *name;
    int write_code, sync_code;
} disk_faults[] = {
    { "a failed fsync loses nothing that was acknowledged", SQLITE_OK, SQLITE_IOERR_FSYNC },
    { "a failed write loses nothing that was acknowledged", SQLITE_IOERR_WRITE, SQLITE_OK },
    { "a full disk loses nothing that was acknowledged", SQLITE_FULL, SQLITE_OK },
};

static void check_disk_fault(void **state)
{
    const struct disk_fault *fault = *state;
    bool more = true;
    unsigned nth;

    disk.write_code = fault->write_code;
    disk.sync_code = fault->sync_code;
    for (nth = 1 + (unsigned)(fault - disk_faults) % stride(); more; nth += stride()) {
        struct fixture *f = fixture_start();
        struct told told[TOLD_LAST];
        atomic_store(&disk.left, (int)nth);
        fault_run(f, told);
        fixture_close(f); /* the checkpoint of closing may fail too */
        more = atomic_exchange(&disk.left, 0) == 0;
        if (!fixture_open(f)) fail_msg("%s: %s", f->err.code, f->err.what);
        fault_check(f, told);
        fixture_free(f);
    }
    assert_true(nth > 4);
}

static void a_failed_fsync_stops_the_store(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_story(f, "event p a 1", false);
    disk.write_code = SQLITE_OK;
    disk.sync_code = SQLITE_IOERR_FSYNC;
    atomic_store(&disk.left, 1);
    run_story(f, "event p b 1; event p c 1; claim 0", false);
    assert_string_equal(buf_string(&f->said), "store.failed; store.failed; store.failed; ");
    run_story(f, "reopen; event p c 1", false);
    fixture_free(f);
}

/* Also where every call was answered: the last syncs are of the log that is moved into the file. */
static void an_end_whose_sync_fails_is_told_and_loses_nothing(void **state)
{
    unsigned late = 0;
    bool more = true;

    (void)state;
    disk.write_code = SQLITE_OK;
    disk.sync_code = SQLITE_IOERR_FSYNC;
    for (int nth = 1; more; nth++) {
        struct fixture *f = fixture_start();
        atomic_store(&disk.left, nth);
        run_story(f, "event p a 1", false);
        bool acknowledged = !buf_string(&f->said)[0];
        fixture_close(f);
        more = atomic_exchange(&disk.left, 0) == 0;
        assert_int_equal(f->closed_code != NULL, more);
        if (more) assert_string_equal(f->closed_code, "store.failed");
        late += more && acknowledged;
        if (!fixture_open(f)) fail_msg("%s: %s", f->err.code, f->err.what);
        run_story(f, "claim 0", false);
        if (acknowledged) assert_string_equal(buf_string(&f->said), "p 1; ");
        fixture_free(f);
    }
    assert_true(late > 0);
}

static void a_full_disk_is_met_again_when_there_is_room(void **state)
{
    struct fixture *f = fixture_start();

    (void)state;
    run_story(f, "event p a 1", false);
    disk.write_code = SQLITE_FULL;
    disk.sync_code = SQLITE_OK;
    atomic_store(&disk.left, 1);
    run_story(f, "event p b 1; event p c 1; claim 0; count", false);
    assert_int_equal(strncmp(buf_string(&f->said), "store.full; p 1 2; 2 events", 27), 0);
    fixture_free(f);
}

/* ---- the end of a process */

static void on_accepted_die(const struct store_accepted *accepted, void *arg)
{
    (void)arg;
    if (!accepted->err) kill(getpid(), SIGKILL);
    _exit(1);
}

/* The child has a loop and a store of its own; it ends when its event is acknowledged. */
static void child_accept_and_die(const char *path)
{
    uv_loop_t loop;
    struct store *store;
    struct err err;
    struct store_event event = event_of("p", "a", "1");

    if (uv_loop_init(&loop) != 0 || !store_open(&loop, path, &store, &err)) _exit(2);
    store_accept(store, &event, 1, on_accepted_die, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(3);
}

static void an_acknowledged_event_survives_the_kill_of_the_process(void **state)
{
    struct fixture *f = fixture_new();
    int status;

    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) child_accept_and_die(f->path);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(fixture_open(f));
    run_story(f, "event p a 1; claim 0", false);
    assert_string_equal(buf_string(&f->said), "1 old; p 1; ");
    fixture_free(f);
}

/* ---- speed by structure */

/* May a line of a plan be one of every day? A whole index only to take the first of it. */
static bool plan_is_fine(const char *line, const char *sql)
{
    if (strstr(line, "TEMP B-TREE")) return false;
    if (!strstr(line, "SCAN ") || strstr(line, "SCAN CONSTANT ROW")) return true;
    return strstr(line, "USING") && strstr(sql, "LIMIT");
}

static void check_plan(const char *sql, char *plan)
{
    char *at = NULL;

    for (char *line = strtok_r(plan, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
        if (!plan_is_fine(line, sql)) fail_msg("%s\n%s", sql, line);
}

static void no_statement_of_every_day_walks_over_a_table(void **state)
{
    struct fixture *f = fixture_start();
    struct err err;

    (void)state;
    for (int id = STATEMENT_UNDO + 1; id < STATEMENT_LAST; id++) {
        struct buf plan = { 0 };
        if (!store_explain(f->store, (enum statement)id, &plan, &err))
            fail_msg("%s: %s", statement_sql((enum statement)id), err.what);
        if (plan.data && !statement_is_bulk((enum statement)id))
            check_plan(statement_sql((enum statement)id), plan.data);
        buf_done(&plan);
    }
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_acknowledged_event_survives_the_kill_of_the_process),
        cmocka_unit_test(an_event_comes_back_as_it_went_in),
        cmocka_unit_test(an_event_without_payload_has_none),
        cmocka_unit_test(a_resolved_event_has_what_was_learned),
        cmocka_unit_test(an_alert_comes_back_as_it_went_in),
        cmocka_unit_test(only_what_waits_or_is_set_aside_keeps_its_payload),
        cmocka_unit_test(a_batch_of_events_is_counted_event_by_event),
        cmocka_unit_test(the_owed_time_is_the_wall_clock_of_the_first_unmet_revision),
        cmocka_unit_test(callbacks_never_run_inside_a_call),
        cmocka_unit_test(many_accepts_are_answered_in_order),
        cmocka_unit_test(closing_runs_what_was_submitted),
        cmocka_unit_test(a_call_after_closing_is_refused_in_its_turn),
        cmocka_unit_test(a_callback_may_call_while_the_store_closes),
        cmocka_unit_test(an_idle_store_turns),
        cmocka_unit_test(the_file_and_its_log_are_private),
        cmocka_unit_test(the_file_is_written_through),
        cmocka_unit_test(an_idle_store_moves_its_log_into_the_file),
        cmocka_unit_test(a_busy_store_keeps_its_log_short),
        cmocka_unit_test(a_store_in_memory_works),
        cmocka_unit_test(a_second_store_on_the_same_file_is_refused),
        cmocka_unit_test(the_failure_of_one_call_spares_its_neighbours),
        cmocka_unit_test(a_failed_commit_is_final),
        cmocka_unit_test(a_full_disk_refuses_what_comes_until_there_is_room),
        cmocka_unit_test(a_writer_beside_us_makes_calls_fail_for_a_while),
        cmocka_unit_test(a_look_does_not_fail_with_the_write_beside_it),
        cmocka_unit_test(a_failed_fsync_stops_the_store),
        cmocka_unit_test(an_end_whose_sync_fails_is_told_and_loses_nothing),
        cmocka_unit_test(a_full_disk_is_met_again_when_there_is_room),
        cmocka_unit_test(no_statement_of_every_day_walks_over_a_table),
    };
    int failed = 0;

    log_set_sink(silent);
    disk_install();
    failed += RUN_TABLE("store: stories", stories, check_story);
    failed += RUN_TABLE("store: bad files", bad_files, check_bad_file);
    failed += RUN_TABLE("store: failing steps", step_faults, check_step_fault);
    failed += RUN_TABLE("store: failing disk", disk_faults, check_disk_fault);
    failed += cmocka_run_group_tests_name("store", tests, NULL, NULL);
    return failed;
}

/* A year of a patient in seconds: the wall clock stands until the test moves it, mostly to the next
 * instant at which something is due. What is expected was worked out by hand from the rules below
 * and the days on which the patient gets orders and counts. */
#include "test.h"

#include "flow/flow_impl.h"
#include "flow_fixture.h"
#include "stride.h"

/* ---- two rules */

#define RULE(id, kind, title, when, cases)                                                         \
    "{'id':'" id "','kind':'" kind "','title':'" title "','severity':'high',"                      \
    "'severityBasis':'test','display':'interruptive','code':'LAB','context':'test','when':" when   \
    ",'window':'test','mechanism':'test','recommendation':'Look.',"                                \
    "'sources':[{'document':'test','section':'1'}],'verification':{'grade':'verified',"            \
    "'strength':'direct','note':'test'},'cases':[" cases "]}"
#define ORDERS "'orders':['lenalidomide 25 mg daily, since 40 d ago']"

static const char year_rules[] = "{'theme':'Test','owner':'test','reviewBy':'2030-01-01','rules':["
    /* holds while a count below 1.0 is not older than 14 days */
    RULE("hold", "dose-hold", "Neutrophils below 1.0",
         "{'all':[{'order':'lenalidomide'},"
         "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}]}",
         "{'name':'low fires'," ORDERS ",'results':['neutrophils 0.5 10*9/L, 1 d ago'],"
         "'then':'fires'},"
         "{'name':'exactly 1.0 is silent'," ORDERS ",'results':['neutrophils 1.0 10*9/L, 1 d ago'],"
         "'then':'silent'},"
         "{'name':'none cannot tell'," ORDERS ",'then':'cannot tell'}") ","
    /* holds when the last count, or the start of treatment, is longer ago than 28 days */
    RULE("gap", "monitoring-gap", "No neutrophils for four weeks",
         "{'all':[{'order':'lenalidomide'},{'noResult':'neutrophils','within':'28 d'}]}",
         "{'name':'none fires'," ORDERS ",'then':'fires'},"
         "{'name':'28 days are silent'," ORDERS ",'results':['neutrophils 2 10*9/L, 28 d ago'],"
         "'then':'silent'}") "]}";

static struct knowledge *year_knowledge(void)
{
    struct knowledge_file files[ARRAY_SIZE(fixture_files) + 1];
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    char *rules = mem_strdup(year_rules), text[800];

    for (char *c = rules; *c; c++)
        if (*c == '\'') *c = '"';
    memcpy(files, fixture_files, sizeof fixture_files);
    files[ARRAY_SIZE(fixture_files)] =
        (struct knowledge_file){ FIXTURE_RULES, rules, strlen(rules) };
    if (!knowledge_load(files, ARRAY_SIZE(files), &knowledge, &problems))
        for (size_t i = 0; i < problems.count; i++)
            puts(err_text(&problems.items[i], text, sizeof text));
    err_list_done(&problems);
    free(rules);
    assert_non_null(knowledge);
    return knowledge;
}

/* ---- what happens to the patient */

static int64_t at(const char *text)
{
    struct span span;

    if (!instant_parse(text, &span)) fail_msg("%s", text);
    return span.start;
}

static void year_order(struct world *w, const char *id, const char *start, const char *end)
{
    peer_put(w, "MedicationRequest", id,
             "{'status':'active','intent':'order','subject':{'reference':'Patient/p'},"
             "'authoredOn':'2025-12-31','medicationCodeableConcept':{'coding':[{" RXNORM
             ",'code':'342369'}]},'dosageInstruction':[{'timing':{'repeat':{'boundsPeriod':"
             "{'start':'%s','end':'%s'}}}}]}",
             start, end);
}

static void year_count(struct world *w, const char *id, const char *when, const char *value)
{
    peer_put(w, "Observation", id,
             "{'status':'final','code':{'coding':[{" LOINC
             ",'code':'751-8'}]},'subject':{'reference':'Patient/p'},'effectiveDateTime':'%s',"
             "'valueQuantity':{'value':%s," UCUM ",'code':'10*9/L'}}",
             when, value);
}

static void good_count(struct world *w)
{
    year_count(w, "c2", "2026-02-10T08:00:00Z", "2.0");
    notify(w, "Observation", "c2");
}

static void second_order(struct world *w)
{
    year_order(w, "o2", "2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z");
    notify(w, "MedicationRequest", "o2");
}

static void low_count(struct world *w)
{
    year_count(w, "c3", "2026-08-10T07:00:00Z", "0.4");
    notify(w, "Observation", "c3");
}

static const struct happening {
    const char *when;
    void (*happens)(struct world *w);
} happenings[] = {
    { "2026-02-10T08:30:00Z", good_count },
    { "2026-05-01T12:00:00Z", second_order },
    { "2026-08-10T07:30:00Z", low_count },
};

#define BEGIN "2026-01-01T10:00:00Z"

/* The first order lasts a hundred days; a low count an hour before the adapter starts. */
static struct world *year_new(void)
{
    struct world *w = world_new();

    wall_fixed_ms = at(BEGIN);
    knowledge_free(w->knowledge);
    w->knowledge = year_knowledge();
    peer_put(w, "Patient", "p", "{'gender':'male'}");
    year_order(w, "o1", "2026-01-01T00:00:00Z", "2026-04-11T10:00:00Z");
    year_count(w, "c1", "2026-01-01T09:00:00Z", "0.5");
    return w;
}

/* ---- the diary: what was said, and at what time of the wall clock */

struct year {
    struct world *w;
    struct buf diary;
    size_t read; /* of the log */
    size_t happened;
    bool asked;
    struct store_counts counts;
};

static void year_write(struct year *year, const char *line)
{
    char when[32], rule[16] = "";
    const char *name = strstr(line, " rule="), *said = strchr(line, '-');

    if (strncmp(line, "event=alert-", 12) != 0 || !name || !said) return;
    sscanf(name, " rule=%15[^ ]", rule);
    instant_text(wall_fixed_ms, when, sizeof when);
    buf_printf(&year->diary, "%.11s%.5s %.*s %s\n", when, when + 11, (int)strcspn(said + 1, " "),
               said + 1, rule);
}

static void year_read(struct year *year)
{
    const char *log = buf_string(&fixture_log);

    for (const char *line = log + year->read, *end; (end = strchr(line, '\n')); line = end + 1) {
        year_write(year, line);
        year->read = (size_t)(end + 1 - log);
    }
}

static void year_on_counts(const struct store_counts *counts, void *arg)
{
    struct year *year = arg;

    if (counts) year->counts = *counts;
    year->asked = false;
}

static void year_ask(struct year *year)
{
    year->asked = true;
    store_count(year->w->store, year_on_counts, year);
    world_until(year->w, !year->asked);
}

#define ROUNDS_MAX 1000 /* then a test has failed */

/* Let the clock look, until nothing is left to do at this time. */
static void year_settle(struct year *year)
{
    struct world *w = year->w;
    unsigned rounds = 0;

    do {
        if (++rounds > ROUNDS_MAX) fail_msg("it never settles\n%s", buf_string(&fixture_log));
        uint64_t turns = w->flow->turns;
        clock_poke(w->flow, 0);
        world_until(w, w->ready && w->flow->turns > turns && w->flow->held == 0);
        year_ask(year);
    } while (year->counts.events_waiting || year->counts.outbox_waiting ||
             year->counts.next_due_ms <= wall_fixed_ms || w->flow->held);
    year_read(year);
}

static void year_restart(struct year *year)
{
    world_stop(year->w);
    world_start(year->w);
}

/* The next instant at which anything happens or is due. */
static int64_t year_next(const struct year *year)
{
    int64_t due = year->counts.next_due_ms, happening = INSTANT_NEVER;

    if (year->happened < ARRAY_SIZE(happenings)) happening = at(happenings[year->happened].when);
    return due < happening ? due : happening;
}

static void year_happen(struct year *year)
{
    if (year->happened == ARRAY_SIZE(happenings)) return;
    const struct happening *next = &happenings[year->happened];
    if (at(next->when) > wall_fixed_ms) return;
    year->happened++;
    next->happens(year->w);
}

/* What is done to the adapter at every so many instants, before or after it has done its work. */
struct trouble {
    void (*before)(struct year *year);
    void (*after)(struct year *year);
    unsigned every;
};

static void year_live(struct year *year, const char *until, const struct trouble *trouble)
{
    int64_t end = at(until), next;
    unsigned n = 0;

    year_settle(year);
    while ((next = year_next(year)) <= end) {
        bool now = trouble && n++ % (trouble->every * stride()) == 0;
        assert_true(next > wall_fixed_ms);
        wall_fixed_ms = next;
        if (now && trouble->before) trouble->before(year);
        year_happen(year);
        year_settle(year);
        if (now && trouble->after) trouble->after(year);
    }
    wall_fixed_ms = end;
    year_settle(year);
}

static void year_begin(struct year *year)
{
    *year = (struct year){ .w = year_new() };
    world_start(year->w);
}

static void year_end(struct year *year, const char *diary, const char *issues_wanted)
{
    assert_string_equal(buf_string(&year->diary), diary);
    assert_string_equal(issues(year->w, "p"), issues_wanted);
    buf_done(&year->diary);
    world_free(year->w);
}

/* The count of 1 January is too old on the 15th, and overdue on the 29th; the good one of 10 February
 * ends that until 10 March; the order ends on 11 April. The second course begins on 1 July and is
 * without a count on the 29th, until the low one of 10 August, which is too old on the 24th; the next
 * one would be due on 7 September, when the order has ended. */
static const char whole_year[] = "2026-01-01T10:00 raised hold\n"
                                 "2026-01-15T09:00 ended hold\n"
                                 "2026-01-29T09:00 raised gap\n"
                                 "2026-02-10T08:30 ended gap\n"
                                 "2026-03-10T08:00 raised gap\n"
                                 "2026-04-11T10:00 ended gap\n"
                                 "2026-07-29T00:00 raised gap\n"
                                 "2026-08-10T07:30 ended gap\n"
                                 "2026-08-10T07:30 raised hold\n"
                                 "2026-08-24T07:00 ended hold\n";

#define NEW_YEAR "2027-01-01T00:00:00Z"

static void test_a_year_passes_and_everything_comes_on_its_day(void **state)
{
    struct year year;

    (void)state;
    year_begin(&year);
    year_live(&year, NEW_YEAR, NULL);
    year_end(&year, whole_year, "0 open, 5 ended, 0 retracted");
}

/* Of whole_year, up to 15 March. */
static const char ten_weeks[] = "2026-01-01T10:00 raised hold\n"
                                "2026-01-15T09:00 ended hold\n"
                                "2026-01-29T09:00 raised gap\n"
                                "2026-02-10T08:30 ended gap\n"
                                "2026-03-10T08:00 raised gap\n";

#define MARCH "2026-03-15T00:00:00Z"

/* A restart waits for the disk: the whole year is for make torture. */
static void with_trouble(const struct trouble *trouble)
{
    bool whole = getenv("MM_TORTURE") != NULL;
    struct year year;

    year_begin(&year);
    year_live(&year, whole ? NEW_YEAR : MARCH, trouble);
    year_end(&year, whole ? whole_year : ten_weeks,
             whole ? "0 open, 5 ended, 0 retracted" : "1 open, 2 ended, 0 retracted");
}

/* The process is down when the instant comes. */
static void test_time_is_the_same_with_a_restart_at_every_instant(void **state)
{
    static const struct trouble trouble = { year_restart, NULL, 1 };

    (void)state;
    with_trouble(&trouble);
}

/* ---- the clock steps */

/* An hour back, right after something was done; the time that it takes to catch up is not awaited,
 * the clock is set right by the next instant. */
static void an_hour_back(struct year *year)
{
    wall_fixed_ms -= INSTANT_HOUR;
    year_settle(year);
    wall_fixed_ms += INSTANT_HOUR;
}

static void down_and_an_hour_back(struct year *year)
{
    wall_fixed_ms -= INSTANT_HOUR;
    year_restart(year);
    year_settle(year);
    wall_fixed_ms += INSTANT_HOUR;
}

static void test_an_hour_back_at_every_instant_undoes_nothing_and_raises_nothing_twice(void **state)
{
    static const struct trouble trouble = { NULL, an_hour_back, 1 };

    (void)state;
    with_trouble(&trouble);
}

static void test_an_hour_back_while_the_process_is_down_is_the_same(void **state)
{
    static const struct trouble trouble = { NULL, down_and_an_hour_back, 2 };

    (void)state;
    with_trouble(&trouble);
}

/* The machine sleeps: it is awake for a moment on 10 January, 20 January and 1 February. */
static void test_a_clock_that_jumps_forward_catches_up_at_once(void **state)
{
    static const char *const awake[] = { "2026-01-10T06:00:00Z", "2026-01-20T06:00:00Z",
                                         "2026-02-01T06:00:00Z" };
    struct year year;

    (void)state;
    year_begin(&year);
    year_settle(&year);
    for (size_t i = 0; i < ARRAY_SIZE(awake); i++) {
        wall_fixed_ms = at(awake[i]);
        year_settle(&year);
    }
    year_end(&year,
             "2026-01-01T10:00 raised hold\n"
             "2026-01-20T06:00 ended hold\n"
             "2026-02-01T06:00 raised gap\n",
             "1 open, 1 ended, 0 retracted");
}

/* A clock that is a month ahead makes things come and go on the wrong days. When it is set right,
 * what was said wrongly is ended, what is true now is said at once, and the rest comes on its day. */
static void live_a_month_ahead(struct year *year, void (*set_right)(struct year *year))
{
    year_begin(year);
    wall_fixed_ms = at("2026-02-01T06:00:00Z");
    year_settle(year);
    wall_fixed_ms = at("2026-01-02T06:00:00Z");
    set_right(year);
    year_live(year, "2026-02-01T06:00:00Z", NULL);
    year_end(year,
             "2026-02-01T06:00 raised gap\n"
             "2026-01-02T06:00 ended gap\n"
             "2026-01-02T06:00 raised hold\n"
             "2026-01-15T09:00 ended hold\n"
             "2026-01-29T09:00 raised gap\n",
             "1 open, 2 ended, 0 retracted");
}

static void test_a_clock_that_was_a_month_ahead_is_set_right(void **state)
{
    struct year year;

    (void)state;
    live_a_month_ahead(&year, year_settle);
}

static void test_a_clock_that_was_a_month_ahead_is_set_right_while_the_process_is_down(void **state)
{
    struct year year;

    (void)state;
    live_a_month_ahead(&year, year_restart);
}

/* A request fails, and its retry is set by a clock that is five hours ahead; nothing else is new when
 * it is set right. */
static void set_right_after(const char *method, const char *path)
{
    struct year year;
    struct world *w;

    year_begin(&year);
    w = year.w;
    wall_fixed_ms = at("2026-01-01T15:00:00Z");
    peer_fail(w, method, path, 500, 1, false);
    world_until(w, w->ready && !w->faults[0].times && w->flow->held == 0);
    assert_string_equal(issues(w, "p"), "0 open, 0 ended, 0 retracted");
    wall_fixed_ms = at("2026-01-01T10:00:00Z");
    year_settle(&year);
    assert_string_equal(issues(w, "p"), "1 open, 0 ended, 0 retracted");
    buf_done(&year.diary);
    world_free(w);
}

static void test_a_delivery_that_a_wrong_clock_put_off_is_made_when_it_is_set_right(void **state)
{
    (void)state;
    set_right_after("GET", "DetectedIssue");
}

static void test_a_chart_that_a_wrong_clock_put_off_is_read_when_it_is_set_right(void **state)
{
    (void)state;
    set_right_after("GET", "Patient/p");
}

/* What ends before it began would be no Period. */
static void test_an_alert_that_was_raised_in_the_future_does_not_end_before_it_began(void **state)
{
    struct year year;
    const json_t *period;

    (void)state;
    year_begin(&year);
    wall_fixed_ms = at("2026-02-01T06:00:00Z");
    year_settle(&year);
    wall_fixed_ms = at("2026-01-02T06:00:00Z");
    year_settle(&year);
    assert_string_equal(issues(year.w, "p"), "1 open, 1 ended, 0 retracted");
    period = json_object_get(issue_of(year.w)->resource, "identifiedPeriod");
    assert_string_equal(json_string_value(json_object_get(period, "start")),
                        "2026-02-01T06:00:00Z");
    assert_string_equal(json_string_value(json_object_get(period, "end")), "2026-02-01T06:00:00Z");
    buf_done(&year.diary);
    world_free(year.w);
}

#define TEST(name) cmocka_unit_test(test_##name)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_year_passes_and_everything_comes_on_its_day),
        TEST(time_is_the_same_with_a_restart_at_every_instant),
        TEST(an_hour_back_at_every_instant_undoes_nothing_and_raises_nothing_twice),
        TEST(an_hour_back_while_the_process_is_down_is_the_same),
        TEST(a_clock_that_jumps_forward_catches_up_at_once),
        TEST(a_clock_that_was_a_month_ahead_is_set_right),
        TEST(a_clock_that_was_a_month_ahead_is_set_right_while_the_process_is_down),
        TEST(a_delivery_that_a_wrong_clock_put_off_is_made_when_it_is_set_right),
        TEST(a_chart_that_a_wrong_clock_put_off_is_read_when_it_is_set_right),
        TEST(an_alert_that_was_raised_in_the_future_does_not_end_before_it_began),
    };

    return cmocka_run_group_tests_name("year", tests, NULL, NULL);
}

#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "base/metric.h"

static void a_metric_has_help_type_and_value(void **state)
{
    AUTO(buf_done) struct buf out = { 0 };
    struct metrics metrics = { 0 };

    (void)state;
    metric_add(&metrics, METRIC_NOTIFICATIONS, 40);
    metric_add(&metrics, METRIC_NOTIFICATIONS, 2);
    metric_write(&metrics, &out);
    const char *want = "# HELP myeloma_adapter_notifications_total notifications received\n"
                       "# TYPE myeloma_adapter_notifications_total counter\n"
                       "myeloma_adapter_notifications_total 42\n";
    assert_int_equal(strncmp(buf_string(&out), want, strlen(want)), 0);
}

static void a_gauge_is_set(void **state)
{
    AUTO(buf_done) struct buf out = { 0 };
    struct metrics metrics = { 0 };

    (void)state;
    metric_set(&metrics, METRIC_EVENTS_WAITING, 7);
    metric_set(&metrics, METRIC_EVENTS_WAITING, 3);
    metric_write(&metrics, &out);
    assert_non_null(strstr(buf_string(&out), "# TYPE myeloma_adapter_events_waiting gauge\n"
                                             "myeloma_adapter_events_waiting 3\n"));
}

static void values_have_64_bits(void **state)
{
    AUTO(buf_done) struct buf out = { 0 };
    struct metrics metrics = { 0 };

    (void)state;
    metric_set(&metrics, METRIC_RELOADS, INT64_MAX);
    metric_write(&metrics, &out);
    assert_non_null(strstr(buf_string(&out), "reloads_total 9223372036854775807\n"));
}

static void every_metric_is_written_once(void **state)
{
    AUTO(buf_done) struct buf out = { 0 };
    struct metrics metrics = { 0 };
    size_t lines = 0;

    (void)state;
    metric_write(&metrics, &out);
    for (const char *c = buf_string(&out); *c; c++) lines += *c == '\n';
    assert_int_equal(lines, 3 * METRIC_COUNT);
#define METRIC_SEEN(id, name, type, help)                                                          \
    assert_non_null(strstr(buf_string(&out), "\nmyeloma_adapter_" name " 0\n"));
    METRIC_TABLE(METRIC_SEEN)
#undef METRIC_SEEN
}

static bool ends_in_total(const char *name)
{
    size_t len = strlen(name), total = strlen("_total");

    return len > total && strcmp(name + len - total, "_total") == 0;
}

static void counters_end_in_total(void **state)
{
    (void)state;
#define METRIC_NAMED(id, name, type, help)                                                         \
    assert_int_equal(ends_in_total(name), strcmp(type, "counter") == 0);
    METRIC_TABLE(METRIC_NAMED)
#undef METRIC_NAMED
}

static void what_is_written_is_appended(void **state)
{
    AUTO(buf_done) struct buf out = { 0 };
    struct metrics metrics = { 0 };

    (void)state;
    buf_text(&out, "before\n");
    metric_write(&metrics, &out);
    assert_int_equal(strncmp(buf_string(&out), "before\n# HELP ", 14), 0);
}

static void labels_stand_in_braces_and_are_escaped(void **state)
{
    AUTO(buf_done) struct buf out = { 0 };

    (void)state;
    metric_family(&out, "events", "gauge", "how many");
    metric_sample(&out, "events", METRIC_LABELS({ "source", "hook" }, { "fate", "done" }), 3);
    metric_sample(&out, "events", METRIC_LABELS({ "reason", "a\"b\\c\nd" }), -1);
    metric_sample(&out, "events", NULL, 0, 0);
    assert_string_equal(buf_string(&out),
                        "# HELP myeloma_adapter_events how many\n"
                        "# TYPE myeloma_adapter_events gauge\n"
                        "myeloma_adapter_events{source=\"hook\",fate=\"done\"} 3\n"
                        "myeloma_adapter_events{reason=\"a\\\"b\\\\c\\nd\"} -1\n"
                        "myeloma_adapter_events 0\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_has_help_type_and_value),
        cmocka_unit_test(a_gauge_is_set),
        cmocka_unit_test(values_have_64_bits),
        cmocka_unit_test(every_metric_is_written_once),
        cmocka_unit_test(counters_end_in_total),
        cmocka_unit_test(what_is_written_is_appended),
        cmocka_unit_test(labels_stand_in_braces_and_are_escaped),
    };

    return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static char last[9000]; /* the last record, with its level in front */
static int records;

static void keep(enum log_level level, const char *line)
{
    snprintf(last, sizeof last, "%d %s", (int)level, line);
    records++;
}

static int start(void **state)
{
    (void)state;
    log_set_sink(keep);
    log_set_level(LOG_LEVEL_INFO);
    last[0] = '\0';
    records = 0;
    return 0;
}

/* ---- values */

static const struct value_case {
    const char *name;
    const char *value;
    const char *want; /* of the field name= */
} value_cases[] = {
    { "a word", "qt-prolongation", "qt-prolongation" },
    { "a place", "rules/qt.json:14:17", "rules/qt.json:14:17" },
    { "spaces need quotes", "two words", "\"two words\"" },
    { "an equals sign needs quotes", "a=b", "\"a=b\"" },
    { "a quote is escaped", "a\"b", "\"a\\\"b\"" },
    { "a backslash is escaped", "a\\b", "\"a\\\\b\"" },
    { "nothing is quoted", "", "\"\"" },
    { "a line end cannot forge a record", "a\nevent=posted", "\"a?event=posted\"" },
    { "control characters",
      "a\t\r\x1B[2J\x7F"
      "b",
      "a???[2J?b" },
    { "control characters beyond ASCII",
      "a\xC2\x9B"
      "b\xC2\xA0"
      "c",
      "a?b\xC2\xA0"
      "c" },
    { "UTF-8 stays", "\xC3\xA4\xE2\x82\xAC", "\xC3\xA4\xE2\x82\xAC" },
    { "bytes that are no UTF-8", "a\xFF\xC3", "a??" },
};

static void check_value(void **state)
{
    const struct value_case *c = *state;
    char want[100];

    start(NULL);
    log_event(LOG_LEVEL_INFO, "e", LOG_NAME, c->value, LOG_END);
    snprintf(want, sizeof want, "2 event=e name=%s", c->want);
    assert_string_equal(last, want);
}

static void values_are_cut_at_200_bytes(void **state)
{
    char value[300];

    (void)state;
    for (size_t len = 199; len < 202; len++) {
        memset(value, 'x', len);
        value[len] = '\0';
        log_event(LOG_LEVEL_INFO, "e", LOG_NAME, value, LOG_END);
        assert_int_equal(strlen(last) - strlen("2 event=e name="), len < 200 ? len : 200);
    }
}

static void no_character_is_cut_in_half(void **state)
{
    char value[300];

    (void)state;
    memset(value, 'x', 199);
    strcpy(value + 199, "\xC3\xA4xxx"); /* bytes 199 and 200 */
    log_event(LOG_LEVEL_INFO, "e", LOG_NAME, value, LOG_END);
    assert_int_equal(strlen(last) - strlen("2 event=e name="), 199);
}

/* ---- records */

static void every_key_has_its_name(void **state)
{
    (void)state;
    log_event(LOG_LEVEL_INFO, "posted", LOG_ALERT, "a", LOG_RULE, "r", LOG_TYPE, "t", LOG_ID, "i",
              LOG_CODE, "c", LOG_STATUS, "s", LOG_WHAT, "w", LOG_FIX, "f", LOG_WHERE, "p",
              LOG_COUNT, (int64_t)-1, LOG_MS, INT64_MAX, LOG_NAME, "n", LOG_VERSION, "v", LOG_END);
    assert_string_equal(last, "2 event=posted alert=a rule=r type=t id=i code=c status=s what=w "
                              "fix=f where=p count=-1 ms=9223372036854775807 name=n version=v");
}

static void a_record_may_have_no_fields(void **state)
{
    (void)state;
    log_event(LOG_LEVEL_WARN, "stopping", LOG_END);
    assert_string_equal(last, "1 event=stopping");
}

static void a_field_without_value_is_left_out(void **state)
{
    (void)state;
    log_event(LOG_LEVEL_INFO, "e", LOG_ID, NULL, LOG_COUNT, (int64_t)3, LOG_END);
    assert_string_equal(last, "2 event=e count=3");
}

static void a_record_of_many_long_fields_is_bounded(void **state)
{
    char value[301];

    (void)state;
    memset(value, '"', 300);
    value[300] = '\0';
    log_event(LOG_LEVEL_INFO, "e", LOG_ALERT, value, LOG_RULE, value, LOG_TYPE, value, LOG_ID,
              value, LOG_CODE, value, LOG_STATUS, value, LOG_WHAT, value, LOG_FIX, value, LOG_WHERE,
              value, LOG_NAME, value, LOG_VERSION, value, LOG_ALERT, value, LOG_RULE, value,
              LOG_TYPE, value, LOG_ID, value, LOG_CODE, value, LOG_STATUS, value, LOG_WHAT, value,
              LOG_FIX, value, LOG_WHERE, value, LOG_NAME, value, LOG_VERSION, value, LOG_END);
    assert_int_equal(records, 1);
    assert_true(strlen(last) < 8192 + 2);
}

static void records_above_the_level_are_dropped(void **state)
{
    (void)state;
    log_event(LOG_LEVEL_DEBUG, "e", LOG_END);
    assert_int_equal(records, 0);
    log_set_level(LOG_LEVEL_DEBUG);
    log_event(LOG_LEVEL_DEBUG, "e", LOG_END);
    assert_string_equal(last, "3 event=e");
    log_set_level(LOG_LEVEL_ERROR);
    log_event(LOG_LEVEL_WARN, "e", LOG_END);
    assert_int_equal(records, 1);
    log_event(LOG_LEVEL_ERROR, "e", LOG_END);
    assert_string_equal(last, "0 event=e");
}

/* Returns what one record of each level is on stderr. */
static char *default_output(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size), *before = stderr;

    log_set_sink(NULL);
    log_set_level(LOG_LEVEL_DEBUG);
    stderr = memory;
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
        log_event((enum log_level)level, "e", LOG_COUNT, (int64_t)level, LOG_END);
    stderr = before;
    fclose(memory);
    return text;
}

static void the_default_is_stderr_with_priorities(void **state)
{
    char *text = default_output();

    (void)state;
    assert_string_equal(text, "<3>event=e count=0\n<4>event=e count=1\n"
                              "<6>event=e count=2\n<7>event=e count=3\n");
    free(text);
}

int main(void)
{
    static const struct CMUnitTest rest[] = {
        cmocka_unit_test_setup(values_are_cut_at_200_bytes, start),
        cmocka_unit_test_setup(no_character_is_cut_in_half, start),
        cmocka_unit_test_setup(every_key_has_its_name, start),
        cmocka_unit_test_setup(a_record_may_have_no_fields, start),
        cmocka_unit_test_setup(a_field_without_value_is_left_out, start),
        cmocka_unit_test_setup(a_record_of_many_long_fields_is_bounded, start),
        cmocka_unit_test_setup(records_above_the_level_are_dropped, start),
        cmocka_unit_test_setup(the_default_is_stderr_with_priorities, start),
    };

    return RUN_TABLE("log values", value_cases, check_value) +
           cmocka_run_group_tests_name("log", rest, NULL, NULL);
}

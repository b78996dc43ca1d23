#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define VALUE_MAX  200 /* bytes of one value */
#define RECORD_MAX 8192

static void to_stderr(enum log_level level, const char *line);

static _Atomic(log_sink_fn *) the_sink = to_stderr;
static atomic_int the_level = LOG_LEVEL_INFO;

static const char *const names[] = {
    [LOG_ALERT] = "alert",     [LOG_RULE] = "rule",     [LOG_TYPE] = "type", [LOG_ID] = "id",
    [LOG_CODE] = "code",       [LOG_STATUS] = "status", [LOG_WHAT] = "what", [LOG_FIX] = "fix",
    [LOG_WHERE] = "where",     [LOG_COUNT] = "count",   [LOG_MS] = "ms",     [LOG_NAME] = "name",
    [LOG_VERSION] = "version",
};

struct line {
    char text[RECORD_MAX];
    size_t len;
};

/* One write for one record, so that those of two threads do not mix. */
static void to_stderr(enum log_level level, const char *line)
{
    static const char priorities[] = { [LOG_LEVEL_ERROR] = '3',
                                       [LOG_LEVEL_WARN] = '4',
                                       [LOG_LEVEL_INFO] = '6',
                                       [LOG_LEVEL_DEBUG] = '7' };
    char record[RECORD_MAX + 8];

    snprintf(record, sizeof record, "<%c>%s\n", priorities[level], line);
    fputs(record, stderr);
}

static void add(struct line *line, const char *text, size_t len)
{
    if (len >= sizeof line->text - line->len) return;
    memcpy(line->text + line->len, text, len);
    line->len += len;
    line->text[line->len] = '\0';
}

/* logfmt: quotes around what a reader could not take apart otherwise. */
static bool needs_quotes(const char *value)
{
    return !*value || value[strcspn(value, " =\"\\")] != '\0';
}

/* Control characters are those of ASCII and those from U+0080 to U+009F. */
static bool is_control(const char *at)
{
    unsigned char c = (unsigned char)at[0];

    return c < 0x20 || c == 0x7F || (c == 0xC2 && (unsigned char)at[1] < 0xA0);
}

/* One character; returns its bytes in the value. Bytes that are no UTF-8 are one '?' each. */
static size_t add_character(struct line *line, const char *at, const char *end)
{
    size_t len = utf8_len(at, end);

    if (len == 0 || is_control(at)) {
        add(line, "?", 1);
        return len ? len : 1;
    }
    if (*at == '"' || *at == '\\') add(line, "\\", 1);
    add(line, at, len);
    return len;
}

static void add_value(struct line *line, const char *value)
{
    const char *end = value + strlen(value), *cut = end;
    bool quoted = needs_quotes(value);

    if (end - value > VALUE_MAX) cut = value + VALUE_MAX;
    if (quoted) add(line, "\"", 1);
    for (size_t len; value < cut; value += len) {
        len = utf8_len(value, end);
        if (len > (size_t)(cut - value)) break; /* no half characters */
        len = add_character(line, value, end);
    }
    if (quoted) add(line, "\"", 1);
}

static void add_name(struct line *line, const char *name)
{
    if (line->len) add(line, " ", 1);
    add(line, name, strlen(name));
    add(line, "=", 1);
}

static void add_number(struct line *line, int64_t number)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64, number);

    add(line, text, (size_t)n);
}

void log_event(enum log_level level, const char *event, ...)
{
    struct line line;
    va_list args;

    if ((int)level > atomic_load(&the_level)) return;
    line.len = 0;
    add_name(&line, "event");
    add_value(&line, event);
    va_start(args, event);
    for (int key; (key = va_arg(args, int)) != LOG_END;) {
        if (key == LOG_COUNT || key == LOG_MS) {
            add_name(&line, names[key]);
            add_number(&line, va_arg(args, int64_t));
            continue;
        }
        const char *value = va_arg(args, const char *);
        if (!value) continue;
        add_name(&line, names[key]);
        add_value(&line, value);
    }
    va_end(args);
    atomic_load (&the_sink)(level, line.text);
}

void log_set_sink(log_sink_fn *sink)
{
    atomic_store(&the_sink, sink ? sink : to_stderr);
}

void log_set_level(enum log_level level)
{
    atomic_store(&the_level, (int)level);
}

/* Log events, not progress: one record for each thing an operator may ask about. A record takes
 * known fields only, so that no text of a resource can slip in: resource ids, rule ids, codes of
 * errors, counts. Values are cut at 200 bytes; control characters become '?'. */
#pragma once

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_key {
    LOG_END,     /* ends the list of fields */
    LOG_ALERT,   /* alert key */
    LOG_RULE,    /* rule id */
    LOG_TYPE,    /* resource type */
    LOG_ID,      /* resource id */
    LOG_CODE,    /* error code, e.g. "http.timeout" */
    LOG_STATUS,  /* HTTP status or state name */
    LOG_WHAT,    /* our own fixed text: never a peer's */
    LOG_FIX,     /* what the operator can do: our own text */
    LOG_WHERE,   /* file:line:column, or METHOD and path of a request without its query */
    LOG_COUNT,   /* a number */
    LOG_MS,      /* milliseconds */
    LOG_NAME,    /* of a file, a subscription, a setting */
    LOG_VERSION, /* of a resource, a program, a generation */
};

/* One line to the sink: event=NAME key=value ... Strings follow LOG_ALERT..LOG_NAME as const char *
 * and LOG_COUNT, LOG_MS as int64_t; the list ends with LOG_END:
 *   log_event(LOG_LEVEL_INFO, "posted", LOG_RULE, rule, LOG_MS, (int64_t)41, LOG_END);
 * A field whose string is NULL is left out. Values with spaces, quotes or = are quoted (logfmt).
 * Thread: any. */
void log_event(enum log_level level, const char *event, ...);

/* Where records go: line ends without newline. The default writes logfmt with a syslog priority
 * prefix (<6>) to stderr, which systemd turns into journal priorities. NULL: the default. */
typedef void log_sink_fn(enum log_level level, const char *line);
void log_set_sink(log_sink_fn *sink);

/* Records above this level are dropped. Default: LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* Points and spans of time as numbers: milliseconds since 1970-01-01T00:00:00Z, proleptic Gregorian
 * calendar, no leap seconds. No clock in here: "now" always comes in as a parameter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define INSTANT_NEVER  INT64_MAX /* later than anything */
#define INSTANT_UNSET  INT64_MIN /* not known */
#define INSTANT_SECOND INT64_C(1000)
#define INSTANT_HOUR   (INT64_C(3600) * INSTANT_SECOND)
#define INSTANT_DAY    (24 * INSTANT_HOUR)

/* [start, end): a FHIR date, dateTime or instant covers the span that its precision leaves open. */
struct span {
    int64_t start, end;
};

/* FHIR date, dateTime or instant: YYYY, YYYY-MM, YYYY-MM-DD, or YYYY-MM-DDThh:mm[:ss[.fff...]]zone
 * (zone Z or +-hh:mm up to 14:00; seconds may be 60, which is the next minute). A date without zone
 * is taken in UTC. What is below a millisecond is dropped. Years 1..9999. False for anything
 * else. */
bool instant_parse(const char *text, struct span *ret) MUST_CHECK;

/* "2026-05-04T10:00:00Z", with ".123" only where there are milliseconds; buf needs 32 bytes.
 * INSTANT_UNSET and INSTANT_NEVER give "". Returns buf. */
const char *instant_text(int64_t ms, char *buf, size_t size);

/* "2026-05-04" in UTC, "" like instant_text(); buf needs 16 bytes. Returns buf. */
const char *instant_date(int64_t ms, char *buf, size_t size);

/* A length of time as people write it: "14 d", "36 mo", "90 min". Calendar months are not
 * milliseconds, so both are kept. */
struct duration {
    int32_t months;
    int64_t ms;
};

/* "N unit", unit one of s min h d wk mo a (UCUM); N a whole number from 0 to 100000. */
bool duration_parse(const char *text, struct duration *ret) MUST_CHECK;

/* ms + sign * duration; sign is 1 or -1. The day is clipped to the month's end. INSTANT_UNSET and
 * INSTANT_NEVER stay what they are; results saturate at INSTANT_NEVER and INSTANT_UNSET + 1. */
int64_t instant_add(int64_t ms, struct duration duration, int sign);

/* "14 days", "36 months", "2 hours", "1 day"; buf needs 32 bytes. Returns buf. */
const char *duration_text(struct duration duration, char *buf, size_t size);

/* Completed years from the start of a birth date to an instant (for age), by the calendar in UTC:
 * who was born on a leap day has a birthday on 1 March in other years. Negative before birth. */
int instant_years(int64_t from, int64_t to);

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

static void check_span(struct span span)
{
    struct span again;
    char buf[32];

    require(span.start < span.end && span.end - span.start <= 366 * INSTANT_DAY);
    instant_text(span.start, buf, sizeof buf);
    if (instant_parse(buf, &again))
        require(again.start == span.start);
    else
        require(strncmp(buf, "0000-", 5) == 0 || strlen(buf) > 24); /* zones pass the limits */
    instant_date(span.start, buf, 16);
}

static void check_duration(struct duration duration, int64_t from)
{
    int64_t later = instant_add(from, duration, 1), earlier = instant_add(from, duration, -1);
    char buf[32];

    require(earlier <= from && from <= later);
    require(duration.months || later - from == duration.ms);
    require(instant_years(from, later) >= duration.months / 12 - 1);
    require(strlen(duration_text(duration, buf, sizeof buf)) > 4);
}

/* Eight bytes of a number, then a text: a point in time or a duration. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct duration duration;
    struct span span;
    int64_t ms;
    char buf[32];

    if (size < sizeof ms) return 0;
    memcpy(&ms, data, sizeof ms);
    char *text = malloc(size - sizeof ms + 1);
    require(text);
    memcpy(text, data + sizeof ms, size - sizeof ms);
    text[size - sizeof ms] = '\0';
    instant_text(ms, buf, sizeof buf);
    instant_date(ms, buf, sizeof buf);
    instant_years(ms, 0);
    if (instant_parse(text, &span)) check_span(span);
    if (duration_parse(text, &duration)) {
        check_duration(duration, ms % (INT64_C(1) << 50));
        instant_add(ms, duration, 1);
        instant_add(ms, duration, -1);
    }
    free(text);
    return 0;
}

/* What a pass of the catch-up poll asks for, and where the next one begins. */
#include "base/instant.h"
#include "flow/catchup_impl.h"

#define COUNT_MAX 10000

/* Deletions from before our time are of no chart: every chart is read whole. */
static int64_t first_ms(const struct catchup *at)
{
    const struct flow_options *options = &at->flow->options;

    if (at->manner == POLL_DELETIONS) return options->wall_ms() - options->overlap_ms;
    return options->wall_ms() - options->first_poll_days * INSTANT_DAY;
}

static int64_t since_ms(const struct catchup *at)
{
    int64_t since = at->watermark_ms == INSTANT_UNSET
                        ? first_ms(at)
                        : at->watermark_ms - at->flow->options.overlap_ms;

    return since < at->reach_ms ? since : at->reach_ms;
}

void catchup_path(const struct catchup *at, struct buf *ret)
{
    unsigned count = at->count ? at->count : at->flow->options.page_count;
    char since[32];

    instant_text(since_ms(at), since, sizeof since);
    if (at->manner == POLL_UPDATED)
        buf_printf(ret, "%s?_lastUpdated=ge%s&_sort=_lastUpdated&_count=%u", at->type, since,
                   count);
    else
        buf_printf(ret, "%s/_history?_since=%s&_count=%u", at->type, since, count);
}

/* A history with _count sometimes ends after its first page without a next link (hapi-fhir#2114). A
 * page that is exactly full and alone is doubted; if it was all, a larger page tells the same. */
bool catchup_is_cut(struct catchup *at)
{
    unsigned count = at->count ? at->count : at->flow->options.page_count;

    if (at->manner == POLL_UPDATED || at->pages_told != 1 || at->entries_told != count)
        return false;
    if (count >= COUNT_MAX) return false;
    at->count = count < COUNT_MAX / 10 ? count * 10 : COUNT_MAX;
    return true;
}

/* The newest change seen, or the server's own time, if it says which; with its Date header alone we
 * stay an overlap behind, since that may be the clock of a proxy. */
int64_t catchup_watermark(const struct catchup *at)
{
    int64_t next = at->watermark_ms > at->seen_ms ? at->watermark_ms : at->seen_ms;
    bool sure;
    int64_t now = pages_server_now(at->pages, &sure);

    if (now != INSTANT_UNSET && !sure) now -= at->flow->options.overlap_ms;
    return now > next ? now : next;
}

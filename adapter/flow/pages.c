#include "flow/pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/mem.h"
#include "base/node.h"
#include "fhir/bundle.h"
#include "fhir/bundle_head.h"
#include "flow/flow_impl.h"

#define PAGES_MAX       20000 /* of one search */
#define PAGES_EMPTY_MAX 10    /* empty ones in a row; then a next link is taken for a mistake */

enum pages_state { PAGES_ASKING, PAGES_PAUSED, PAGES_ENDED };

struct pages {
    struct flow *flow;
    const struct pages_reader *reader;
    pages_gone_fn *gone; /* NULL: nobody */
    void *arg;
    bool paced;
    enum pages_state state; /* written by pages_enter() alone */
    struct server_call *call;
    struct pace_wait wait;
    char *next;     /* owned: URL of the page to ask for; NULL: none */
    uint64_t *seen; /* owned: hashes of the URLs asked for */
    size_t seen_count, entries;
    unsigned empty; /* pages in a row */
    unsigned busy;  /* answers in a row that ask for a pause */
    int64_t server_now_ms;
    bool server_sure;
    bool cancelled, telling; /* telling: a callback of the reader is running */
    struct err err;          /* of the end; code NULL: none */
    long status;
};

static void pages_enter(struct pages *pages, enum pages_state next);

static void pages_free(struct pages *pages)
{
    free(pages->next);
    free(pages->seen);
    free(pages);
}

static void pages_fail(struct pages *pages, const struct err *err, long status)
{
    pages->err = *err;
    pages->status = status;
    pages_enter(pages, PAGES_ENDED);
}

/* ---- loops */

static uint64_t hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++) h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return h;
}

/* Remember the URL; false when it has been asked for before, or when there are too many. */
static bool seen_add(struct pages *pages, const char *url, struct err *err)
{
    uint64_t h = hash(url);

    for (size_t i = 0; i < pages->seen_count; i++)
        if (pages->seen[i] == h)
            return err_set(err, ERR_TRANSIENT, "pages.loop", "a next link leads back");
    if (pages->seen_count == PAGES_MAX)
        return err_set(err, ERR_TRANSIENT, "pages.endless", "more than %d pages", PAGES_MAX);
    pages->seen = mem_resize(pages->seen, (pages->seen_count + 1) * sizeof *pages->seen);
    pages->seen[pages->seen_count++] = h;
    return true;
}

/* ---- one page */

static bool head_read(const struct server_answer *answer, struct doc **ret, struct err *err)
{
    if (bundle_head_read(answer->reply->body, answer->reply->body_len, ret)) return true;
    err_set(err, ERR_TRANSIENT, "server.garbage", "the answer to a search is no Bundle");
    return err_fix(err, "look whether the base URL is that of the FHIR server, not of a proxy");
}

/* A next link is opaque; it may be relative. */
static char *resolve(const struct flow *flow, const char *url)
{
    struct buf whole = { 0 };

    if (url[0] == '/' && url[1] != '/')
        buf_text(&whole, flow->options.origin);
    else if (url[0] == '?')
        buf_text(&whole, flow->options.base);
    buf_text(&whole, url);
    return buf_take(&whole);
}

static char *next_link(const struct flow *flow, const struct doc *head)
{
    const char *url = bundle_head_next(head);

    return url ? resolve(flow, url) : NULL;
}

static void server_clock(struct pages *pages, const struct doc *head,
                         const struct server_answer *answer)
{
    struct node root = node_root(head), meta = node_get(&root, "meta");
    const char *text = node_text(&meta, "lastUpdated");
    struct span span;

    pages->server_sure = text && instant_parse(text, &span);
    pages->server_now_ms = pages->server_sure ? span.start : answer->reply->date_ms;
}

static bool on_entry(const struct bundle_entry *entry, void *arg)
{
    struct pages *pages = arg;

    if (strcmp(entry->type, "OperationOutcome") == 0) return true;
    pages->entries++;
    if (entry->text)
        pages->reader->entry(entry, pages->arg);
    else if (pages->gone)
        pages->gone(entry, pages->arg);
    return !pages->cancelled;
}

static bool on_bad(size_t index, const struct err *err, void *arg)
{
    struct pages *pages = arg;

    (void)index;
    pages->entries++;
    if (pages->reader->bad) pages->reader->bad(err, pages->arg);
    return !pages->cancelled;
}

/* Tell the reader of a page. It may cancel from inside. */
static void page_tell(struct pages *pages, const struct http_reply *reply)
{
    static const struct bundle_visitor visitor = { on_entry, on_bad, NULL };
    struct bundle_visitor mine = visitor;

    mine.arg = pages;
    pages->entries = 0;
    pages->telling = true;
    bundle_walk(reply->body, reply->body_len, &mine);
    pages->telling = false;
    pages->empty = pages->entries ? 0 : pages->empty + 1;
    if (pages->empty >= PAGES_EMPTY_MAX) free(TAKE(pages->next));
    if (pages->cancelled)
        pages_free(pages);
    else
        pages_enter(pages, PAGES_PAUSED);
}

/* What is refused behind the first page (410: the result has expired) is not refused for good: the
 * search may be made again. */
static void pages_broken(struct pages *pages, const struct err *err, long status)
{
    struct err mine = *err;

    if (pages->seen_count > 1 && mine.kind == ERR_PERMANENT) mine.kind = ERR_TRANSIENT;
    pages_fail(pages, &mine, status);
}

static void pages_request_paced(struct pages *pages);

static void pages_on_answer(const struct server_answer *answer, void *arg)
{
    struct pages *pages = arg;
    AUTO(doc_free) struct doc *head = NULL;
    struct err err;

    pages->call = NULL;
    if (pages->paced && pace_again(pages->flow, answer, &pages->busy)) {
        pages_request_paced(pages);
        return;
    }
    if (answer->err.code) {
        pages_broken(pages, &answer->err, answer->status);
        return;
    }
    if (!head_read(answer, &head, &err)) {
        pages_fail(pages, &err, answer->status);
        return;
    }
    if (pages->seen_count == 1) server_clock(pages, head, answer);
    free(TAKE(pages->next));
    pages->next = next_link(pages->flow, head);
    page_tell(pages, answer->reply);
}

/* ---- the life of a search */

static void pages_request(void *arg)
{
    struct pages *pages = arg;

    pages->call =
        server_start(pages->flow,
                     &(struct server_request){
                         .method = "GET", .path = pages->next, .background = pages->paced },
                     pages_on_answer, pages);
}

static void pages_request_paced(struct pages *pages)
{
    if (pace_may(pages->flow, &pages->wait, pages_request, pages)) pages_request(pages);
}

static void pages_ask(struct pages *pages)
{
    struct err err;

    if (!seen_add(pages, pages->next, &err))
        pages_fail(pages, &err, 0);
    else if (pages->paced)
        pages_request_paced(pages);
    else
        pages_request(pages);
}

/* The only writer of pages->state. */
static void pages_enter(struct pages *pages, enum pages_state next)
{
    pages->state = next;
    switch (next) {
    case PAGES_ASKING:
        pages_ask(pages);
        break;
    case PAGES_PAUSED:
        pages->reader->page(pages->arg);
        break;
    case PAGES_ENDED:
        pages->reader->done(pages->err.code ? &pages->err : NULL, pages->status, pages->arg);
        pages_free(pages);
        break;
    }
}

static struct pages *pages_new(struct flow *flow, const char *path,
                               const struct pages_reader *reader, void *arg)
{
    struct pages *pages = mem_new(struct pages);

    pages->flow = flow;
    pages->reader = reader;
    pages->arg = arg;
    pages->next = mem_strdup(path);
    pages->server_now_ms = INSTANT_UNSET;
    return pages;
}

struct pages *pages_start(struct flow *flow, const char *path, const struct pages_reader *reader,
                          void *arg)
{
    struct pages *pages = pages_new(flow, path, reader, arg);

    pages_enter(pages, PAGES_ASKING);
    return pages;
}

struct pages *pages_start_paced(struct flow *flow, const char *path,
                                const struct pages_reader *reader, pages_gone_fn *gone, void *arg)
{
    struct pages *pages = pages_new(flow, path, reader, arg);

    pages->gone = gone;
    pages->paced = true;
    pages_enter(pages, PAGES_ASKING);
    return pages;
}

void pages_next(struct pages *pages)
{
    pages_enter(pages, pages->next ? PAGES_ASKING : PAGES_ENDED);
}

void pages_cancel(struct pages *pages)
{
    if (!pages) return;
    server_cancel(TAKE(pages->call));
    pace_leave(pages->flow, &pages->wait);
    if (pages->telling)
        pages->cancelled = true;
    else
        pages_free(pages);
}

int64_t pages_server_now(const struct pages *pages, bool *ret_sure)
{
    *ret_sure = pages->server_sure;
    return pages->server_now_ms;
}

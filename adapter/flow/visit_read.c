/* Reading from the server: the chart first, where it is wanted, then single resources one after
 * another. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/visit_impl.h"

/* ---- wants */

bool visit_want_has(const struct visit *visit, const char *type, const char *id)
{
    for (size_t i = 0; i < visit->want_count; i++)
        if (strcmp(visit->wants[i].id, id) == 0 && strcmp(visit->wants[i].type, type) == 0)
            return true;
    return false;
}

bool visit_want_add(struct visit *visit, const char *type, const char *id)
{
    if (visit_want_has(visit, type, id)) return false;
    visit->wants = mem_resize(visit->wants, (visit->want_count + 1) * sizeof *visit->wants);
    visit->wants[visit->want_count++] =
        (struct visit_want){ visit_keep(visit, type), visit_keep(visit, id) };
    return true;
}

/* ---- one resource */

/* It cannot be read, and trying again will not help: its events go aside, the chart stays. */
static void want_refused(struct visit *visit, const struct visit_want *want, const char *code)
{
    log_event(LOG_LEVEL_WARN, "read-refused", LOG_TYPE, want->type, LOG_ID, want->id, LOG_CODE,
              code, LOG_FIX, "let the adapter's account read this type", LOG_END);
    visit_decide_all(visit, want->type, want->id, FATE_ASIDE, code);
}

static void want_got(struct visit *visit, const struct visit_want *want, const struct node *root,
                     const struct http_reply *reply)
{
    struct resource_head head;
    struct err err;

    if (!resource_head_read(root, &visit->arena, &head, &err)) {
        want_refused(visit, want, err.code);
    } else if (strcmp(head.type, want->type) != 0 || strcmp(head.id, want->id) != 0) {
        want_refused(visit, want, "read.other");
    } else if (strcmp(head.type, "Medication") != 0 &&
               strcmp(head.patient, visit->work.patient) != 0) {
        shelf_remove(&visit->shelf, want->type, want->id); /* it is somebody else's now */
    } else {
        shelf_put(&visit->shelf, &head, reply->body, reply->body_len);
    }
}

static void want_ask(struct visit *visit);

static void want_on_answer(const struct server_answer *answer, void *arg)
{
    struct visit *visit = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    visit->call = NULL;
    if (visit->look && pace_again(visit->flow, answer, &visit->busy)) {
        want_ask(visit);
        return;
    }
    const struct visit_want *want = &visit->wants[visit->want_next++];
    if (answer->status == 404 || answer->status == 410) {
        shelf_gone(&visit->shelf, want->type, want->id);
    } else if (answer->err.code && answer->err.kind == ERR_PERMANENT) {
        want_refused(visit, want, answer->err.code);
    } else if (answer->err.code || !server_document(answer, &doc, &err)) {
        visit_release(visit);
        return;
    } else {
        struct node root = node_root(doc);
        want_got(visit, want, &root, answer->reply);
    }
    visit_read(visit);
}

static void want_read(void *arg)
{
    struct visit *visit = arg;
    const struct visit_want *want = &visit->wants[visit->want_next];
    AUTO(buf_done) struct buf path = { 0 };

    buf_printf(&path, "%s/%s", want->type, want->id);
    visit->call = server_start(
        visit->flow, &(struct server_request){ .method = "GET", .path = buf_string(&path) },
        want_on_answer, visit);
}

/* A look can wait. */
static void want_ask(struct visit *visit)
{
    if (!visit->look || pace_may(visit->flow, &visit->wait, want_read, visit)) want_read(visit);
}

/* ---- */

void visit_read(struct visit *visit)
{
    if (visit->whole_wanted || visit->look_wanted)
        visit_chart_read(visit);
    else if (visit->want_next < visit->want_count)
        want_ask(visit);
    else
        visit_enter(visit, VISIT_SORTING);
}

void visit_read_cancel(struct visit *visit)
{
    server_cancel(TAKE(visit->call));
    pace_leave(visit->flow, &visit->wait);
    visit_chart_cancel(visit);
}

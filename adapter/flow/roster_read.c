#include "flow/roster_read.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/flow_impl.h"

#define ROSTER_LONGEST_MS INT64_C(60000) /* between attempts after a failure */

static void roster_enter(struct roster_read *at, enum roster_state next);

/* ---- the end of a reading */

static void read_failed(struct roster_read *at, const struct err *err)
{
    at->failures++;
    if (!at->complained || strcmp(at->complained, err->code) != 0)
        log_event(LOG_LEVEL_ERROR, "cohort-list-failed", LOG_NAME, at->flow->options.cohort,
                  LOG_CODE, err->code, LOG_WHERE, err->where[0] ? err->where : NULL, LOG_FIX,
                  err->fix[0] ? err->fix
                              : "see to poll.cohort; until then the list of before counts",
                  LOG_END);
    at->complained = err->code;
    roster_enter(at, ROSTER_RESTING);
}

static void read_succeeded(struct roster_read *at, struct roster *roster)
{
    at->failures = 0;
    at->complained = NULL;
    look_on_roster(at->flow, roster);
    roster_done(roster);
    roster_enter(at, ROSTER_RESTING);
}

/* ---- a resource */

static bool roster_of_answer(const struct server_answer *answer, struct roster *ret,
                             struct err *err)
{
    AUTO(doc_free) struct doc *doc = NULL;

    if (!server_document(answer, &doc, err)) return false;
    struct node root = node_root(doc);
    return roster_of_resource(&root, ret, err);
}

static void on_answer(const struct server_answer *answer, void *arg)
{
    struct roster_read *at = arg;
    struct roster roster;
    struct err err = answer->err;

    at->call = NULL;
    if (err.code || !roster_of_answer(answer, &roster, &err))
        read_failed(at, &err);
    else
        read_succeeded(at, &roster);
}

static void resource_read(struct roster_read *at)
{
    at->call = server_start(
        at->flow, &(struct server_request){ .method = "GET", .path = at->flow->options.cohort },
        on_answer, at);
}

/* ---- a file: read by a thread, since it may lie on a slow share */

struct file_read {
    uv_work_t work;
    struct roster_read *at;
    char *path; /* owned */
    bool good;
    struct roster roster;
    struct err err;
};

static bool text_read(int fd, char **ret, size_t *ret_len)
{
    AUTO(buf_done) struct buf text = { 0 };
    char piece[65536];
    ssize_t n;

    while ((n = read(fd, piece, sizeof piece)) > 0 && text.len + (size_t)n <= ROSTER_TEXT_MAX)
        buf_add(&text, piece, (size_t)n);
    if (n) return false;
    *ret_len = text.len;
    *ret = buf_take(&text);
    return true;
}

static bool file_roster(struct file_read *file)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = NULL;
    size_t len;
    bool good = fd >= 0 && text_read(fd, &text, &len);

    if (fd >= 0) close(fd);
    if (!good) {
        err_set(&file->err, ERR_CONFIG, "roster.file", "the file cannot be read, or is too long");
        return err_fix(&file->err, "let the adapter read the file; 16 MiB at most");
    }
    good = roster_of_text(text, len, &file->roster, &file->err);
    if (!good) doc_place(file->path, text, len, &file->err);
    free(text);
    return good;
}

static void file_on_work(uv_work_t *work)
{
    struct file_read *file = work->data;

    file->good = file_roster(file);
}

static void file_on_done(uv_work_t *work, int status)
{
    struct file_read *file = work->data;
    struct roster_read *at = file->at;
    struct flow *flow = at->flow;

    (void)status;
    if (at->state == ROSTER_READING) {
        if (file->good)
            read_succeeded(at, &file->roster);
        else
            read_failed(at, &file->err);
    }
    if (file->good) roster_done(&file->roster);
    free(file->path);
    free(file);
    flow_release(flow);
}

static void file_read(struct roster_read *at)
{
    struct file_read *file = mem_new(struct file_read);

    file->at = at;
    file->path = mem_strdup(at->flow->options.cohort);
    file->work.data = file;
    flow_hold(at->flow);
    if (uv_queue_work(at->flow->loop, &file->work, file_on_work, file_on_done)) abort();
}

/* ---- the life of it */

static void on_turn(void *arg)
{
    roster_enter(arg, ROSTER_READING);
}

static void wait_for_turn(struct roster_read *at)
{
    if (!roster_is_resource(at->flow->options.cohort) || pace_may(at->flow, &at->wait, on_turn, at))
        roster_enter(at, ROSTER_READING);
}

static void on_timer(uv_timer_t *timer)
{
    struct roster_read *at = timer->data;

    if (at->state == ROSTER_RESTING) roster_enter(at, ROSTER_WAITING);
}

static uint64_t rest_ms(struct roster_read *at)
{
    int64_t usual = at->flow->options.poll_ms, wait;

    if (at->again) return 0;
    if (!at->failures) return (uint64_t)usual;
    wait = flow_backoff(at->flow, at->failures, ROSTER_LONGEST_MS, 0);
    return (uint64_t)(wait < usual ? wait : usual);
}

/* The only writer of at->state. */
static void roster_enter(struct roster_read *at, enum roster_state next)
{
    if (at->state == ROSTER_ENDED) return;
    at->state = next;
    switch (next) {
    case ROSTER_IDLE:
        break;
    case ROSTER_RESTING:
        uv_timer_start(&at->timer, on_timer, rest_ms(at), 0);
        break;
    case ROSTER_WAITING:
        at->again = false;
        uv_timer_stop(&at->timer);
        wait_for_turn(at);
        break;
    case ROSTER_READING:
        if (roster_is_resource(at->flow->options.cohort))
            resource_read(at);
        else
            file_read(at);
        break;
    case ROSTER_ENDED:
        uv_timer_stop(&at->timer);
        pace_leave(at->flow, &at->wait);
        server_cancel(TAKE(at->call));
        break;
    }
}

void roster_read_init(struct flow *flow)
{
    flow->look.roster.flow = flow;
    flow_add_timer(flow, &flow->look.roster.timer, &flow->look.roster);
}

void roster_read_start(struct flow *flow)
{
    roster_enter(&flow->look.roster, ROSTER_WAITING);
}

void roster_read_now(struct flow *flow)
{
    struct roster_read *at = &flow->look.roster;

    if (at->state == ROSTER_RESTING)
        roster_enter(at, ROSTER_WAITING);
    else if (at->state == ROSTER_READING)
        at->again = true;
}

void roster_read_stop(struct flow *flow)
{
    roster_enter(&flow->look.roster, ROSTER_ENDED);
}

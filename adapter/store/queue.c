#include "store/queue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "store/database_open.h"
#include "store/errand.h"
#include "store/queue_read.h"

#define LOOK_MS 50 /* between looks whether a command is done */

static const struct {
    enum queue_state state;
    const char *name;
    bool listed;
} names[] = {
    { QUEUE_WAITING, "waiting", true },
    { QUEUE_ASIDE, "aside", true },
    { QUEUE_OWED, "owed", true },
    { QUEUE_PARKED, "parked", true },
    { QUEUE_DROPPED, "dropped", true },
    { QUEUE_DONE, "done", false },
    { QUEUE_DELIVERED, "delivered", false },
};

const char *queue_state_name(enum queue_state state)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].state == state) return names[i].name;
    return "";
}

bool queue_state_parse(const char *text, enum queue_state *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].listed && strcmp(names[i].name, text) == 0) {
            *ret = names[i].state;
            return true;
        }
    return false;
}

/* ---- looking */

struct queue {
    struct database *db; /* owned */
};

bool queue_open(const char *path, struct queue **ret, struct err *err)
{
    struct database *db;

    if (!database_beside(path, &db, err)) return false;
    *ret = mem_new(struct queue);
    (*ret)->db = db;
    return true;
}

void queue_close(struct queue *queue)
{
    if (!queue) return;
    database_close(queue->db);
    free(queue);
}

/* One transaction: what is told belongs together. */
static bool look_end(struct queue *queue, bool good, struct err *err)
{
    if (good) return database_commit(queue->db, err);
    database_rollback(queue->db);
    return false;
}

bool queue_list(struct queue *queue, const struct queue_which *which, int64_t limit,
                queue_item_fn *fn, void *arg, struct err *err)
{
    return database_begin(queue->db, false, err) &&
           look_end(queue, queue_read(queue->db, which, limit, fn, arg, err), err);
}

bool queue_show(struct queue *queue, const struct queue_which *which, queue_item_fn *fn, void *arg,
                bool *ret_found, struct err *err)
{
    return database_begin(queue->db, false, err) &&
           look_end(queue, queue_read_one(queue->db, which, fn, arg, ret_found, err), err);
}

/* ---- commands */

/* Nobody has the store. Takes db. */
static bool do_here(struct database *db, const struct errand *errand, int64_t *ret_items,
                    struct err *err)
{
    struct err ignored;
    bool good = database_begin(db, true, err) && errand_run(db, errand, ret_items, err) &&
                database_commit(db, err);

    if (!good) database_rollback(db);
    return database_end(db, good ? err : &ignored) && good;
}

static bool leave(struct database *db, const struct errand *errand, int64_t *ret_id,
                  struct err *err)
{
    bool good = database_begin(db, true, err) && errand_put(db, errand, err);

    *ret_id = database_inserted(db);
    good = good && database_commit(db, err);
    if (!good) database_rollback(db);
    return good;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static bool await(struct database *db, int64_t id, int64_t wait_ms, int64_t *ret_items,
                  struct err *err)
{
    for (int64_t waited = 0; waited <= wait_ms; waited += LOOK_MS) {
        if (!database_number(db, STATEMENT_COMMAND_GET, VALUES(value_int(id)), -1, ret_items, err))
            return false;
        if (*ret_items >= 0) return true;
        pause_ms(LOOK_MS);
    }
    err_set(err, ERR_STORE, "queue.late", "the process that has the store has not done it yet");
    return err_fix(err, "it does it when it can: look again with queue list");
}

static bool do_there(const char *path, const struct errand *errand, int64_t wait_ms,
                     int64_t *ret_items, struct err *err)
{
    struct database *db;
    int64_t id;
    bool good;

    if (!database_beside(path, &db, err)) return false;
    good = leave(db, errand, &id, err) && await(db, id, wait_ms, ret_items, err);
    database_close(db);
    return good;
}

/* Asked first: opening to write would make a file that is not there. */
static bool is_there(const char *path, struct err *err)
{
    struct database *db;

    if (database_beside(path, &db, err))
        database_close(db);
    else if (strcmp(err->code, "store.schema") != 0)
        return false;
    return true;
}

bool queue_do(const char *path, enum queue_verb verb, const struct queue_which *which,
              const char *because, int64_t wait_ms, int64_t *ret_items, struct err *err)
{
    const struct errand errand = { verb, *which, because ? because : "" };
    struct database *db;

    if (!is_there(path, err)) return false;
    if (!database_open(path, &db, err))
        return strcmp(err->code, "store.held") == 0 &&
               do_there(path, &errand, wait_ms, ret_items, err);
    return do_here(db, &errand, ret_items, err);
}

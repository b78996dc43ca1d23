/* What a commit costs, seen at the disk: how many share one sync, and what nobody waits for. */
#include "test.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "folder.h"
#include "store/store.h"

#define PATIENCE_MS 30000

/* ---- SQLite's own files, with their syncs counted */

enum { FILE_LOG, FILE_MAIN, FILES };

static struct disk {
    sqlite3_vfs vfs, *base;
    const sqlite3_io_methods *real[FILES];
    sqlite3_io_methods methods[FILES];
    atomic_int syncs[FILES];
    atomic_bool holding; /* syncs of the file itself wait until it is false */
    atomic_bool waited_in_vain;
} disk;

static int log_sync(sqlite3_file *file, int flags)
{
    atomic_fetch_add(&disk.syncs[FILE_LOG], 1);
    return disk.real[FILE_LOG]->xSync(file, flags);
}

static int main_sync(sqlite3_file *file, int flags)
{
    uint64_t end = uv_hrtime() + PATIENCE_MS / 3 * UINT64_C(1000000);

    while (atomic_load(&disk.holding) && uv_hrtime() < end) usleep(1000);
    if (atomic_load(&disk.holding)) atomic_store(&disk.waited_in_vain, true);
    atomic_fetch_add(&disk.syncs[FILE_MAIN], 1);
    return disk.real[FILE_MAIN]->xSync(file, flags);
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret)
{
    int code = disk.base->xOpen(disk.base, name, file, flags, ret);
    size_t kind = flags & SQLITE_OPEN_WAL ? FILE_LOG : FILE_MAIN;

    (void)vfs;
    if (!file->pMethods || !(flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_DB))) return code;
    disk.real[kind] = file->pMethods;
    disk.methods[kind] = *file->pMethods;
    disk.methods[kind].xSync = kind == FILE_LOG ? log_sync : main_sync;
    file->pMethods = &disk.methods[kind];
    return code;
}

static void disk_install(void)
{
    sqlite3_initialize();
    disk.base = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.base;
    disk.vfs.zName = "counted";
    disk.vfs.xOpen = disk_open;
    sqlite3_vfs_register(&disk.vfs, 1);
}

/* ---- a store of its own */

struct world {
    uv_loop_t loop;
    uv_timer_t timer; /* wakes the loop, so that waiting has an end */
    struct store *store;
    char dir[FOLDER_MAX], path[FOLDER_MAX + 20];
    unsigned accepted, number;
};

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

static struct world *world_new(void)
{
    struct world *w = mem_new(struct world);
    struct err err;

    assert_true(folder_make(w->dir));
    snprintf(w->path, sizeof w->path, "%s/store.db", w->dir);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    uv_timer_init(&w->loop, &w->timer);
    uv_timer_start(&w->timer, on_timer, 10, 10);
    assert_true(store_open(&w->loop, w->path, &w->store, &err));
    return w;
}

static void on_closed(struct err *err, void *arg)
{
    struct world *w = arg;

    (void)err;
    w->store = NULL;
    uv_close((uv_handle_t *)&w->timer, NULL);
}

static void world_free(struct world *w)
{
    store_close(w->store, on_closed, w);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    folder_forget_store(w->path);
    folder_remove(w->dir);
    free(w);
}

#define UNTIL(w, condition)                                                                        \
    do {                                                                                           \
        uint64_t end_ = uv_hrtime() + PATIENCE_MS * UINT64_C(1000000);                             \
        while (!(condition)) {                                                                     \
            assert_true(uv_hrtime() < end_);                                                       \
            uv_run(&(w)->loop, UV_RUN_ONCE);                                                       \
        }                                                                                          \
    } while (0)

static void accept_next(struct world *w, size_t payload_len, store_accept_fn *done)
{
    char id[16], *payload = mem_zero(payload_len + 1, 1);
    struct store_event event = { .accepted_ms = 1,
                                 .via = VIA_HOOK,
                                 .change = CHANGE_WRITTEN,
                                 .type = "Observation",
                                 .id = id,
                                 .version = "1",
                                 .patient = "p",
                                 .updated_ms = INSTANT_UNSET,
                                 .payload = payload,
                                 .payload_len = payload_len };

    snprintf(id, sizeof id, "o%u", w->number++);
    memset(payload, 'x', payload_len);
    store_accept(w->store, &event, 1, done, w);
    free(payload);
}

static void on_accepted(const struct store_accepted *accepted, void *arg)
{
    struct world *w = arg;

    assert_null(accepted->err);
    w->accepted++;
    atomic_store(&disk.holding, false);
}

/* ---- */

#define MANY 5000

/* A batch holds a thousand; the first may have begun before the others were there. */
static void many_at_once_share_a_few_syncs(void **state)
{
    struct world *w = world_new();
    int before = atomic_load(&disk.syncs[FILE_LOG]);

    (void)state;
    for (unsigned i = 0; i < MANY; i++) accept_next(w, 100, on_accepted);
    UNTIL(w, w->accepted == MANY);
    assert_in_range(atomic_load(&disk.syncs[FILE_LOG]) - before, 1, 8);
    world_free(w);
}

#define PEERS  64
#define ROUNDS 50

static void on_answered(const struct store_accepted *accepted, void *arg)
{
    struct world *w = arg;

    assert_null(accepted->err);
    w->accepted++;
    if (w->number < PEERS * ROUNDS) accept_next(w, 100, on_answered);
}

/* Each sends its next when the last is answered, as connections do: were the next commit begun with
 * the first of them, it would hold one, and the one behind it the rest. */
static void what_answers_ask_for_goes_into_one_commit(void **state)
{
    struct world *w = world_new();
    int before = atomic_load(&disk.syncs[FILE_LOG]);

    (void)state;
    for (unsigned i = 0; i < PEERS; i++) accept_next(w, 100, on_answered);
    UNTIL(w, w->accepted == PEERS * ROUNDS);
    assert_in_range(atomic_load(&disk.syncs[FILE_LOG]) - before, ROUNDS - 1, ROUNDS + 3);
    world_free(w);
}

/* The sync of the file waits for the answer: if the answer waited for it, it would be in vain. */
static void nobody_waits_for_the_log_to_be_moved_into_the_file(void **state)
{
    struct world *w = world_new();
    int before = atomic_load(&disk.syncs[FILE_MAIN]);

    (void)state;
    accept_next(w, 100, on_accepted);
    UNTIL(w, w->accepted == 1 && atomic_load(&disk.syncs[FILE_MAIN]) > before);
    before = atomic_load(&disk.syncs[FILE_MAIN]);
    atomic_store(&disk.holding, true);
    accept_next(w, 12 << 20, on_accepted); /* 3,000 pages */
    UNTIL(w, w->accepted == 2 && atomic_load(&disk.syncs[FILE_MAIN]) > before);
    assert_false(atomic_load(&disk.waited_in_vain));
    world_free(w);
}

static void silent(enum log_level level, const char *line)
{
    (void)level;
    (void)line;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_at_once_share_a_few_syncs),
        cmocka_unit_test(what_answers_ask_for_goes_into_one_commit),
        cmocka_unit_test(nobody_waits_for_the_log_to_be_moved_into_the_file),
    };

    log_set_sink(silent);
    disk_install();
    return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}

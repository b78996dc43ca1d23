/* A store in a directory of its own, asked one thing at a time: every call here waits for its
 * answer. The store can be cut off as a kill would: what it has on disk at that moment is all that
 * the next one finds. */
#pragma once

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "folder.h"
#include "golden.h"
#include "store/store.h"

#define LEDGER_PATIENCE_MS 30000

struct books {
    uv_loop_t loop;
    uv_timer_t patience;
    struct store *store; /* NULL: closed */
    char dir[FOLDER_MAX], path[FOLDER_MAX + 20];
    unsigned life; /* each has a file of its own after a cut */
    bool waiting, late;
    struct err err;
    /* the last answers */
    size_t fresh;
    bool found;
    char patient[40];
    int64_t seqs[64];
    size_t seq_count;
    struct store_counts counts;
    int64_t removed, next_seq, number;
};

static inline void books_silent(enum log_level level, const char *line)
{
    (void)level;
    (void)line;
}

static inline void books_on_patience(uv_timer_t *timer)
{
    ((struct books *)timer->data)->late = true;
}

static inline void books_wait(struct books *b)
{
    uv_timer_start(&b->patience, books_on_patience, LEDGER_PATIENCE_MS, LEDGER_PATIENCE_MS);
    while (b->waiting && !b->late) uv_run(&b->loop, UV_RUN_ONCE);
    uv_timer_stop(&b->patience);
    assert_false(b->late);
}

static inline void books_path(struct books *b)
{
    snprintf(b->path, sizeof b->path, "%s/%u.db", b->dir, b->life);
}

static inline bool books_open(struct books *b)
{
    return store_open(&b->loop, b->path, &b->store, &b->err);
}

static inline void books_on_closed(struct err *err, void *arg)
{
    struct books *b = arg;

    (void)err;
    b->waiting = false;
    b->store = NULL;
}

static inline void books_close(struct books *b)
{
    if (!b->store) return;
    b->waiting = true;
    store_close(b->store, books_on_closed, b);
    books_wait(b);
}

static inline struct books *books_new(void)
{
    struct books *b = mem_new(struct books);

    log_set_sink(books_silent);
    assert_true(folder_make(b->dir));
    assert_int_equal(uv_loop_init(&b->loop), 0);
    uv_timer_init(&b->loop, &b->patience);
    b->patience.data = b;
    books_path(b);
    return b;
}

static inline struct books *books_start(void)
{
    struct books *b = books_new();

    if (!books_open(b)) fail_msg("%s: %s", b->err.code, b->err.what);
    return b;
}

static inline void books_remove(const struct books *b, unsigned life)
{
    char path[FOLDER_MAX + 20];

    snprintf(path, sizeof path, "%s/%u.db", b->dir, life);
    folder_forget_store(path);
}

static inline void books_free(struct books *b)
{
    books_close(b);
    uv_close((uv_handle_t *)&b->patience, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    for (unsigned i = 0; i <= b->life; i++) books_remove(b, i);
    folder_remove(b->dir);
    free(b);
}

static inline void books_copy(const struct books *b, unsigned from, unsigned to, const char *suffix)
{
    AUTO(buf_done) struct buf bytes = { 0 };
    char name[256];

    snprintf(name, sizeof name, "%s/%u.db%s", b->dir, from, suffix);
    if (!file_read(name, &bytes)) return;
    snprintf(name, sizeof name, "%s/%u.db%s", b->dir, to, suffix);
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(buf_string(&bytes), 1, bytes.len, file), bytes.len);
    fclose(file);
}

/* The process is killed here: claims are gone, what was answered is not. */
static inline void books_cut(struct books *b)
{
    books_copy(b, b->life, b->life + 1, "");
    books_copy(b, b->life, b->life + 1, "-wal");
    books_close(b);
    b->life++;
    books_path(b);
    if (!books_open(b)) fail_msg("%s: %s", b->err.code, b->err.what);
}

static inline void books_reopen(struct books *b)
{
    books_close(b);
    if (!books_open(b)) fail_msg("%s: %s", b->err.code, b->err.what);
}

/* One number that SQL gives over the file, from beside the store. */
static inline int64_t books_ask(const struct books *b, const char *sql)
{
    sqlite3 *sqlite;
    sqlite3_stmt *stmt;
    int64_t n = -1;

    assert_int_equal(sqlite3_open_v2(b->path, &sqlite, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(sqlite, LEDGER_PATIENCE_MS); /* the store may be writing */
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW) n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(sqlite);
    return n;
}

/* ---- calls */

static inline void books_on_accepted(const struct store_accepted *accepted, void *arg)
{
    struct books *b = arg;

    assert_null(accepted->err);
    b->fresh = accepted->fresh;
    b->waiting = false;
}

static inline bool books_accept(struct books *b, const struct store_event *event)
{
    b->waiting = true;
    store_accept(b->store, event, 1, books_on_accepted, b);
    books_wait(b);
    return b->fresh;
}

static inline void books_on_done(struct err *err, void *arg)
{
    struct books *b = arg;

    assert_null(err);
    b->waiting = false;
}

static inline void books_on_work(const struct store_work *work, void *arg)
{
    struct books *b = arg;

    b->found = work != NULL;
    b->seq_count = 0;
    for (size_t i = 0; work && i < work->event_count && i < ARRAY_SIZE(b->seqs); i++)
        b->seqs[b->seq_count++] = work->events[i].seq;
    snprintf(b->patient, sizeof b->patient, "%s", work ? work->patient : "");
    b->waiting = false;
}

/* The next piece of work is in patient, seqs. */
static inline bool books_claim(struct books *b, int64_t now_ms)
{
    b->waiting = true;
    store_claim(b->store, now_ms, books_on_work, b);
    books_wait(b);
    return b->found;
}

static inline void books_finish(struct books *b, const struct store_result *result)
{
    b->waiting = true;
    store_finish(b->store, result, books_on_done, b);
    books_wait(b);
}

static inline void books_on_counts(const struct store_counts *counts, void *arg)
{
    struct books *b = arg;

    assert_non_null(counts);
    b->counts = *counts;
    b->waiting = false;
}

static inline const struct store_counts *books_count(struct books *b)
{
    b->waiting = true;
    store_count(b->store, books_on_counts, b);
    books_wait(b);
    return &b->counts;
}

/* Logs that SQLite has written, and what may become of them. The transactions are of 1, 1, 1, 1, 1 and 3
 * frames; each of the first five was synced before the next one began, the last may have been cut. */
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "store/wal.h"

#define PAGE   512
#define FRAME  (24 + PAGE)
#define FRAMES 8
#define LOG    (32 + FRAMES * FRAME)

/* In a frame: its page and the size after a commit, salts, sums, the page itself. */
enum { AT_PAGE = 0, AT_SALTS = 8, AT_SUM = 16, AT_BODY = 24 };

struct damage {
    int frame, at, len; /* frame -1: the head of the log; len 0: none */
};

enum marked { NOT_MARKED, MARKED, MARKED_OTHER };

static unsigned char whole[LOG];

static void sql(sqlite3 *db, const char *text)
{
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
}

static void name_in(const char *dir, const char *name, char ret[260])
{
    snprintf(ret, 260, "%s/%s", dir, name);
}

static void read_log(const char *name)
{
    FILE *file = fopen(name, "rb");

    assert_non_null(file);
    assert_int_equal(fread(whole, 1, LOG, file), LOG);
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
}

static int set_up(void **state)
{
    static char dir[FOLDER_MAX];
    char name[260];
    sqlite3 *db;

    if (!folder_make(dir)) return -1;
    name_in(dir, "a.db", name);
    assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
    sql(db, "PRAGMA page_size = 512; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
            "CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(400)), (zeroblob(400)),"
            " (zeroblob(400)); PRAGMA wal_checkpoint(TRUNCATE)");
    for (int i = 0; i < 5; i++) sql(db, "UPDATE t SET v = randomblob(400) WHERE rowid = 2");
    sql(db, "UPDATE t SET v = randomblob(400)");
    name_in(dir, "a.db-wal", name);
    read_log(name);
    sqlite3_close(db);
    name_in(dir, "a.db", name);
    unlink(name);
    *state = dir;
    return 0;
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

static size_t lost_in(const char *dir, const unsigned char *log, size_t len,
                      const struct mark *mark)
{
    char name[260];
    size_t lost;

    name_in(dir, "b.db-wal", name);
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(log, 1, len, file), len);
    fclose(file);
    lost = wal_lost(name, mark);
    unlink(name);
    return lost;
}

/* Bytes that could be anything: as the number of a page and a size they are not 0. */
static void damage_do(unsigned char *log, const struct damage *damage)
{
    unsigned char *at = log + (damage->frame < 0 ? 0 : 32 + damage->frame * FRAME) + damage->at;

    for (int i = 0; i < damage->len; i++) at[i] ^= 0xa5;
}

static const struct row {
    const char *what;
    struct damage damage[3];
    size_t cut; /* the file ends there; 0: it does not */
    size_t lost;
    enum marked marked;
    uint64_t frames; /* that the mark knows of */
} rows[] = {
    { "a whole log", { { 0 } }, 0, 0, NOT_MARKED, 0 },
    { "a last transaction that was torn", { { 5, AT_BODY, 100 } }, 0, 0, NOT_MARKED, 0 },
    { "one of whose frames has kept its salts, and a size that is none",
      { { 5, AT_BODY, 100 }, { 6, AT_PAGE, 8 } },
      0,
      0,
      NOT_MARKED,
      0 },
    { "two of whose frames have", { { 5, AT_PAGE, 8 }, { 6, AT_PAGE, 8 } }, 0, 0, NOT_MARKED, 0 },
    { "all of whose frames have",
      { { 5, AT_PAGE, 8 }, { 6, AT_PAGE, 8 }, { 7, AT_PAGE, 4 } },
      0,
      0,
      NOT_MARKED,
      0 },
    { "the last but one: it looks like a torn last", { { 4, AT_BODY, 1 } }, 0, 0, NOT_MARKED, 0 },
    { "the last but two", { { 3, AT_BODY, 1 } }, 0, 2, NOT_MARKED, 0 },
    { "the first", { { 0, AT_BODY + PAGE - 1, 1 } }, 0, 5, NOT_MARKED, 0 },
    { "its salts alone", { { 0, AT_SALTS, 8 } }, 0, 5, NOT_MARKED, 0 },
    { "its sum alone: it cannot vouch for the second", { { 0, AT_SUM, 8 } }, 0, 4, NOT_MARKED, 0 },
    { "the first and the third", { { 0, AT_BODY, 1 }, { 2, AT_BODY, 1 } }, 0, 4, NOT_MARKED, 0 },
    { "a head that is written anew", { { -1, 16, 8 } }, 0, 0, NOT_MARKED, 0 },
    { "a file that ends in a frame", { { 0 } }, 32 + 3 * FRAME + 100, 0, NOT_MARKED, 0 },
    { "an empty file", { { 0 } }, 1, 0, NOT_MARKED, 0 },
    { "the last but one, of which the mark knows", { { 4, AT_BODY, 1 } }, 0, 1, MARKED, 5 },
    { "... of another log", { { 4, AT_BODY, 1 } }, 0, 0, MARKED_OTHER, 5 },
    { "... which is behind", { { 4, AT_BODY, 1 } }, 0, 0, MARKED, 4 },
    { "a torn last, and a mark of before", { { 5, AT_BODY, 1 } }, 0, 0, MARKED, 5 },
    { "a last that was synced", { { 7, AT_BODY, 1 } }, 0, 1, MARKED, 8 },
    { "a file that was cut off", { { 0 } }, 32 + 3 * FRAME, 1, MARKED, 8 },
    { "a whole one, and its mark", { { 0 } }, 0, 0, MARKED, 8 },
};

static void what_a_log_has_lost_is_counted_and_what_was_cut_is_not(void **state)
{
    const char *dir = *state;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *row = &rows[i];
        unsigned char log[LOG];
        struct mark mark = { .frames = row->frames };

        memcpy(log, whole, LOG);
        memcpy(mark.salts, whole + 16, sizeof mark.salts);
        if (row->marked == MARKED_OTHER) mark.salts[0] ^= 1;
        for (size_t j = 0; j < ARRAY_SIZE(row->damage); j++) damage_do(log, &row->damage[j]);
        size_t lost =
            lost_in(dir, log, row->cut ? row->cut : LOG, row->marked == NOT_MARKED ? NULL : &mark);
        if (lost != row->lost) fail_msg("%s: %zu instead of %zu", row->what, lost, row->lost);
    }
}

/* What a power cut may do to the last transaction: any part of it may be there, or not. A sector may
 * end behind the eighth byte of a frame, between its size and its salts. */
static void no_torn_last_transaction_is_taken_for_a_loss(void **state)
{
    const size_t begin = 32 + 5 * FRAME, part = 8;
    uint64_t chance = 1;

    for (int round = 0; round < 3000; round++) {
        unsigned char log[LOG];
        memcpy(log, whole, LOG);
        for (size_t at = begin; at < LOG; at++) {
            if (at % part == 0) chance = chance * 6364136223846793005u + 1442695040888963407u;
            if (chance >> 62 == 0) log[at] = 0;
            if (chance >> 62 == 1) log[at] ^= (unsigned char)(chance >> (8 + at % part * 6));
        }
        size_t lost = lost_in(*state, log, LOG, NULL);
        if (lost) fail_msg("round %d: %zu", round, lost);
    }
}

static void no_log_has_lost_nothing(void **state)
{
    (void)state;
    assert_int_equal(wal_lost("/nowhere/at/all/a.db-wal", NULL), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_log_has_lost_is_counted_and_what_was_cut_is_not),
        cmocka_unit_test(no_torn_last_transaction_is_taken_for_a_loss),
        cmocka_unit_test(no_log_has_lost_nothing),
    };

    return cmocka_run_group_tests_name("wal", tests, set_up, tear_down);
}

/* The definitions in the file are read by SQLite at each start: one that a disk has changed may still be
 * good SQL, and mean something else. */
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "folder.h"
#include "store/database_open.h"

#define FILE_MAX 240

static void sql(sqlite3 *db, const char *text)
{
    char *why = NULL;

    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", text, why);
}

static sqlite3 *by_hand(const char *path)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
    return db;
}

/* Is the file taken? Otherwise err. */
static bool opens(const char *path, struct err *err)
{
    struct database *db;

    if (!database_open(path, &db, err)) return false;
    assert_true(database_end(db, err));
    return true;
}

/* Exchange the n-th letter, counted from the end of a definition, for one that is another. */
static bool definition_change(sqlite3 *db, int row, int from_end)
{
    char text[400];

    sqlite3_snprintf(
        sizeof text, text,
        "UPDATE sqlite_schema SET sql = substr(sql, 1, length(sql) - %d) ||"
        " CASE substr(sql, length(sql) - %d + 1, 1) WHEN 'e' THEN 'd' ELSE 'e' END ||"
        " substr(sql, length(sql) - %d + 2) WHERE rowid = %d AND length(sql) > %d + 20",
        from_end, from_end, from_end, row, from_end);
    sql(db, text);
    return sqlite3_changes(db) > 0;
}

static int rows_of_schema(sqlite3 *db)
{
    sqlite3_stmt *stmt;
    int count;

    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT max(rowid) FROM sqlite_schema", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    count = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return count;
}

static void a_definition_that_was_changed_is_told(void **state)
{
    static const int places[] = { 5, 9, 14, 30, 60 };
    char path[FILE_MAX];
    unsigned told = 0;

    snprintf(path, sizeof path, "%s/a.db", (char *)*state);
    for (int row = 1, last = 1; row <= last; row++)
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
            struct err err = { 0 };
            assert_true(opens(path, &err));
            sqlite3 *db = by_hand(path);
            last = rows_of_schema(db);
            if (definition_change(db, row, places[i])) {
                sqlite3_close(db);
                if (opens(path, &err)) fail_msg("row %d, %d from its end", row, places[i]);
                assert_string_equal(err.code, "store.corrupt");
                assert_non_null(strstr(err.fix, "restore the file"));
                told++;
            } else {
                sqlite3_close(db);
            }
            folder_forget_store(path);
        }
    assert_true(told > 80);
}

static void one_that_is_missing_is_told(void **state)
{
    static const char *const gone[] = { "DROP TRIGGER outbox_moved", "DROP INDEX outbox_owed",
                                        "DROP TABLE setting" };
    char path[FILE_MAX];

    snprintf(path, sizeof path, "%s/a.db", (char *)*state);
    for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
        struct err err = { 0 };
        assert_true(opens(path, &err));
        sqlite3 *db = by_hand(path);
        sql(db, gone[i]);
        sqlite3_close(db);
        assert_false(opens(path, &err));
        assert_string_equal(err.code, "store.corrupt");
        folder_forget_store(path);
    }
}

static void what_an_operator_added_is_left_alone(void **state)
{
    char path[FILE_MAX];
    struct err err = { 0 };

    snprintf(path, sizeof path, "%s/a.db", (char *)*state);
    assert_true(opens(path, &err));
    sqlite3 *db = by_hand(path);
    sql(db, "CREATE INDEX of_my_own ON event (version); CREATE VIEW mine AS SELECT 1");
    sqlite3_close(db);
    if (!opens(path, &err)) fail_msg("%s", err.what);
    folder_forget_store(path);
}

static int set_up(void **state)
{
    static char dir[FOLDER_MAX];

    *state = dir;
    return !folder_make(dir);
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_definition_that_was_changed_is_told),
        TEST(one_that_is_missing_is_told),
        TEST(what_an_operator_added_is_left_alone),
    };

    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "store/mark.h"

struct place {
    char dir[FOLDER_MAX], database[FOLDER_MAX + 20], mark[FOLDER_MAX + 40];
    int fd;
};

static const struct mark some = { "salts..", 77 };

static int set_up(void **state)
{
    static struct place place;

    if (!folder_make(place.dir)) return -1;
    snprintf(place.database, sizeof place.database, "%s/a.db", place.dir);
    snprintf(place.mark, sizeof place.mark, "%s" MARK_SUFFIX, place.database);
    place.fd = mark_open(place.database);
    *state = &place;
    return place.fd < 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    close(place->fd);
    folder_forget_store(place->database);
    folder_remove(place->dir);
    return 0;
}

static void a_mark_comes_back_as_it_was_written_last(void **state)
{
    const struct place *place = *state;
    struct mark found, later = some;

    assert_false(mark_read(place->fd, &found));
    mark_write(place->fd, &some);
    later.frames = 78;
    mark_write(place->fd, &later);
    int other = mark_open(place->database);
    assert_true(mark_read(other, &found));
    assert_memory_equal(found.salts, some.salts, sizeof some.salts);
    assert_int_equal(found.frames, 78);
    close(other);
}

static void a_mark_is_for_nobody_else(void **state)
{
    const struct place *place = *state;
    mode_t before = umask(0);
    struct stat st;

    assert_int_equal(unlink(place->mark), 0);
    close(mark_open(place->database));
    umask(before);
    assert_int_equal(stat(place->mark, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_damaged_mark_says_nothing(void **state)
{
    const struct place *place = *state;
    struct mark found;
    struct stat st;

    mark_write(place->fd, &some);
    assert_int_equal(stat(place->mark, &st), 0);
    for (off_t at = 0; at < st.st_size * 8; at++) {
        unsigned char byte, whole;
        assert_int_equal(pread(place->fd, &whole, 1, at / 8), 1);
        byte = (unsigned char)(whole ^ 1u << at % 8);
        assert_int_equal(pwrite(place->fd, &byte, 1, at / 8), 1);
        assert_false(mark_read(place->fd, &found));
        assert_int_equal(pwrite(place->fd, &whole, 1, at / 8), 1);
    }
    assert_true(mark_read(place->fd, &found));
    assert_int_equal(ftruncate(place->fd, st.st_size - 1), 0);
    assert_false(mark_read(place->fd, &found));
}

static void where_no_mark_can_be_nothing_happens(void **state)
{
    struct mark found;

    (void)state;
    assert_int_equal(mark_open("/nowhere/at/all/a.db"), -1);
    mark_write(-1, &some);
    assert_false(mark_read(-1, &found));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_mark_comes_back_as_it_was_written_last),
        TEST(a_mark_is_for_nobody_else),
        TEST(a_damaged_mark_says_nothing),
        TEST(where_no_mark_can_be_nothing_happens),
    };

    return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}

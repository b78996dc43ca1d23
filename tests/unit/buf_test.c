#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

static void an_empty_buffer_reads_as_an_empty_string(void **state)
{
    struct buf buf = { 0 };

    (void)state;
    assert_string_equal(buf_string(&buf), "");
    buf_clear(&buf);
    assert_string_equal(buf_string(&buf), "");
    buf_done(&buf);
}

static void pieces_of_every_kind_are_appended(void **state)
{
    AUTO(buf_done) struct buf buf = { 0 };

    (void)state;
    buf_text(&buf, "ab");
    buf_char(&buf, 'c');
    buf_printf(&buf, "%d-%s", 42, "x");
    buf_add(&buf, "yz!", 2);
    assert_string_equal(buf_string(&buf), "abc42-xyz");
    assert_int_equal(buf.len, 9);
}

static void nothing_may_be_appended(void **state)
{
    AUTO(buf_done) struct buf buf = { 0 };

    (void)state;
    buf_add(&buf, NULL, 0);
    buf_text(&buf, "");
    buf_printf(&buf, "%s", "");
    assert_string_equal(buf_string(&buf), "");
    assert_int_equal(buf.len, 0);
}

static void bytes_may_be_nul(void **state)
{
    AUTO(buf_done) struct buf buf = { 0 };

    (void)state;
    buf_add(&buf, "a\0b", 3);
    buf_char(&buf, '\0');
    assert_int_equal(buf.len, 4);
    assert_memory_equal(buf.data, "a\0b\0", 5); /* the last is the NUL behind the text */
}

static void the_text_ends_in_nul_at_every_length(void **state)
{
    AUTO(buf_done) struct buf buf = { 0 };

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        buf_char(&buf, 'x');
        assert_int_equal(buf.len, i + 1);
        assert_int_equal(strlen(buf.data), i + 1);
    }
}

static void a_formatted_text_of_every_length_fits(void **state)
{
    (void)state;
    for (int width = 1; width < 300; width++)
        for (int before = 0; before < 70; before += 23) {
            AUTO(buf_done) struct buf buf = { 0 };
            for (int i = 0; i < before; i++) buf_char(&buf, '.');
            buf_printf(&buf, "%*d", width, 7);
            assert_int_equal(buf.len, before + width);
            assert_int_equal(strlen(buf.data), before + width);
            assert_int_equal(buf.data[buf.len - 1], '7');
        }
}

static void clearing_keeps_the_memory(void **state)
{
    AUTO(buf_done) struct buf buf = { 0 };

    (void)state;
    buf_text(&buf, "something");
    char *data = buf.data;
    buf_clear(&buf);
    assert_string_equal(buf_string(&buf), "");
    buf_text(&buf, "else");
    assert_ptr_equal(buf.data, data);
    assert_string_equal(buf_string(&buf), "else");
}

static void taking_leaves_an_empty_buffer(void **state)
{
    AUTO(buf_done) struct buf buf = { 0 };

    (void)state;
    buf_text(&buf, "text");
    char *text = buf_take(&buf), *nothing = buf_take(&buf);
    assert_string_equal(text, "text");
    assert_string_equal(nothing, "");
    assert_null(buf.data);
    free(text);
    free(nothing);
}

static void a_released_buffer_may_be_used_again(void **state)
{
    struct buf buf = { 0 };

    (void)state;
    buf_text(&buf, "one");
    buf_done(&buf);
    buf_done(&buf);
    buf_text(&buf, "two");
    assert_string_equal(buf_string(&buf), "two");
    buf_done(&buf);
}

/* ---- the other kind of growing memory */

static void pieces_of_an_arena_are_aligned_and_apart(void **state)
{
    struct arena arena = { 0 };
    unsigned char *pieces[400];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        pieces[i] = arena_alloc(&arena, i * 7);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
        for (size_t k = 0; k < i * 7; k++) assert_int_equal(pieces[i][k], i % 256);
    arena_done(&arena);
}

static void a_piece_may_be_larger_than_a_block(void **state)
{
    struct arena arena = { 0 };

    (void)state;
    char *small = arena_copy(&arena, "small", 5), *large = arena_alloc(&arena, 10u << 20);
    char *next = arena_copy(&arena, "next", 4);
    memset(large, 'x', 10u << 20);
    assert_string_equal(small, "small");
    assert_string_equal(next, "next");
    assert_true(arena.used >= (10u << 20) + 6 + 5);
    arena_done(&arena);
}

static void a_copy_ends_in_nul(void **state)
{
    struct arena arena = { 0 };

    (void)state;
    assert_string_equal(arena_copy(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_copy(&arena, NULL, 0), "");
    arena_done(&arena);
}

static void a_released_arena_is_empty(void **state)
{
    struct arena arena = { 0 };

    (void)state;
    arena_done(&arena);
    arena_copy(&arena, "x", 1);
    arena_done(&arena);
    assert_null(arena.blocks);
    assert_int_equal(arena.used, 0);
    assert_string_equal(arena_copy(&arena, "y", 1), "y");
    arena_done(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_reads_as_an_empty_string),
        cmocka_unit_test(pieces_of_every_kind_are_appended),
        cmocka_unit_test(nothing_may_be_appended),
        cmocka_unit_test(bytes_may_be_nul),
        cmocka_unit_test(the_text_ends_in_nul_at_every_length),
        cmocka_unit_test(a_formatted_text_of_every_length_fits),
        cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(taking_leaves_an_empty_buffer),
        cmocka_unit_test(a_released_buffer_may_be_used_again),
        cmocka_unit_test(pieces_of_an_arena_are_aligned_and_apart),
        cmocka_unit_test(a_piece_may_be_larger_than_a_block),
        cmocka_unit_test(a_copy_ends_in_nul),
        cmocka_unit_test(a_released_arena_is_empty),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

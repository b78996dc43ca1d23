#include "test.h"

#include <string.h>

#include "base/digest.h"

/* The digests were computed with Python's hashlib and base64: SHA-256 over an eight byte big-endian
 * length and the bytes, for each field. */
static const struct digest_case {
    const char *name;
    const char *fields[3]; /* ends in NULL */
    const char *want;
} digest_cases[] = {
    { "no field: SHA-256 of nothing",
      { NULL },
      "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq" },
    { "an empty field is something",
      { "" },
      "v5kxb5nbqefxv54mv5f4octgb4g7khscxl4r2tpfwizi3yhihx6a" },
    { "one field", { "abc" }, "yneuzincz6hoxcqr33jrn62vxa6dxo7nwyytzviecusr4xij4exq" },
    { "two fields", { "ab", "c" }, "maovi5xczt7czb5cxot2gitfs42kav2j2w22u6a7ke7esew3bvpq" },
    { "the same bytes in other fields",
      { "a", "bc" },
      "h6x2dtzpdgt4ceu35mqm6cmd645ergrcd7an2lyw2g7csliisicq" },
};

static void check_digest(void **state)
{
    const struct digest_case *c = *state;
    char text[DIGEST_TEXT_SIZE];
    struct digest digest;

    digest_init(&digest);
    for (size_t i = 0; c->fields[i]; i++) digest_string(&digest, c->fields[i]);
    digest_text(&digest, text);
    assert_string_equal(text, c->want);
}

static void a_long_field(void **state)
{
    char text[DIGEST_TEXT_SIZE], field[1000];
    struct digest digest;

    (void)state;
    memset(field, 'x', sizeof field);
    digest_init(&digest);
    digest_field(&digest, field, sizeof field);
    digest_text(&digest, text);
    assert_string_equal(text, "gzuaocus7frgplb5ffhpvzhunv7qd6yqfbgkpd7ajxwn2jj4lu2a");
}

static const struct secret_case {
    const char *name;
    const char *a, *b;
    bool want;
} secret_cases[] = {
    { "the same secret", "secret", "secret", true },
    { "another last byte", "secret", "secres", false },
    { "another first byte", "secret", "Secret", false },
    { "a shorter one", "secret", "secre", false },
    { "a longer one", "secret", "secrets", false },
    { "nothing and something", "", "secret", false },
    { "nothing twice", "", "", true },
};

static void check_secret(void **state)
{
    const struct secret_case *c = *state;

    assert_int_equal(digest_same_secret(c->a, strlen(c->a), c->b, strlen(c->b)), c->want);
}

static void bytes_behind_a_nul_count(void **state)
{
    (void)state;
    assert_false(digest_same_secret("a\0b", 3, "a\0c", 3));
    assert_true(digest_same_secret("a\0b", 3, "a\0b", 3));
}

/* RFC 4231, test cases 2 and 6. */
static void hmac_is_that_of_the_rfc(void **state)
{
    char sum[DIGEST_HMAC_SIZE], key[132];

    (void)state;
    digest_hmac("Jefe", "what do ya want for nothing?", 28, sum);
    assert_string_equal(sum, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, 131);
    key[131] = '\0';
    digest_hmac(key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, sum);
    assert_string_equal(sum, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
    static const struct CMUnitTest rest[] = {
        cmocka_unit_test(a_long_field),
        cmocka_unit_test(bytes_behind_a_nul_count),
        cmocka_unit_test(hmac_is_that_of_the_rfc),
    };

    return RUN_TABLE("digest", digest_cases, check_digest) +
           RUN_TABLE("secrets", secret_cases, check_secret) +
           cmocka_run_group_tests_name("digest of bytes", rest, NULL, NULL);
}

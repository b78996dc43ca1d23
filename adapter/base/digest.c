#include "base/digest.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct digest), "room for the context");
_Static_assert(SHA256_DIGEST_SIZE == DIGEST_BYTES, "SHA-256");

static struct sha256_ctx *context(struct digest *digest)
{
    return (struct sha256_ctx *)(void *)digest;
}

void digest_init(struct digest *digest)
{
    sha256_init(context(digest));
}

void digest_field(struct digest *digest, const void *bytes, size_t len)
{
    uint8_t prefix[8];

    for (unsigned i = 0; i < 8; i++) prefix[i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
    sha256_update(context(digest), sizeof prefix, prefix);
    sha256_update(context(digest), len, bytes);
}

void digest_string(struct digest *digest, const char *text)
{
    digest_field(digest, text, strlen(text));
}

/* Base32 of RFC 4648 in lower case, without padding. */
void digest_text(struct digest *digest, char ret[DIGEST_TEXT_SIZE])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t bytes[DIGEST_BYTES + 1] = { 0 }; /* one more for the bits of the last character */

    sha256_digest(context(digest), DIGEST_BYTES, bytes);
    for (unsigned i = 0; i < DIGEST_TEXT_SIZE - 1; i++) {
        unsigned bit = 5 * i;
        unsigned two = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        ret[i] = alphabet[two >> (11 - bit % 8) & 31];
    }
    ret[DIGEST_TEXT_SIZE - 1] = '\0';
}

void digest_hmac(const char *secret, const void *bytes, size_t len, char ret[DIGEST_HMAC_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    struct hmac_sha256_ctx hmac;
    uint8_t sum[SHA256_DIGEST_SIZE];

    hmac_sha256_set_key(&hmac, strlen(secret), (const uint8_t *)secret);
    hmac_sha256_update(&hmac, len, bytes);
    hmac_sha256_digest(&hmac, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++) {
        ret[2 * i] = digits[sum[i] >> 4];
        ret[2 * i + 1] = digits[sum[i] & 15];
    }
    ret[DIGEST_HMAC_SIZE - 1] = '\0';
}

bool digest_same_secret(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && memeql_sec(a, b, a_len);
}

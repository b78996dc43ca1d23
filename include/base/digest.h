/* SHA-256, for names that must be the same for the same content: alert ids, knowledge
 * generations. Over Nettle. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES     32
#define DIGEST_TEXT_SIZE 53 /* 52 characters and NUL */

struct digest {
    uint64_t state[32]; /* room for the library's context; private */
};

void digest_init(struct digest *digest);

/* Field by field, each with its length in front: ("ab","c") and ("a","bc") differ. */
void digest_field(struct digest *digest, const void *bytes, size_t len);
void digest_string(struct digest *digest, const char *text);

/* 52 characters of [a-z2-7] (base32): fits a FHIR id with a short prefix. */
void digest_text(struct digest *digest, char ret[DIGEST_TEXT_SIZE]);

/* HMAC-SHA256 in lower case hex. */
#define DIGEST_HMAC_SIZE 65 /* 64 characters and NUL */
void digest_hmac(const char *secret, const void *bytes, size_t len, char ret[DIGEST_HMAC_SIZE]);

/* Are two secrets equal, in a time that depends on their lengths only? */
bool digest_same_secret(const char *a, size_t a_len, const char *b, size_t b_len);

#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "fhir/binding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

/* The bytes as a message on the socket, and as the answer that holds a token: what is accepted of a
 * token is one bounded line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(doc_free) struct doc *doc = NULL;
    char *text = calloc(1, size + 1);
    struct binding_token token;
    struct err err;

    if (!text) return 0;
    memcpy(text, data, size);
    require(binding_read(text, size, "12") <= BINDING_NOTHING);
    if (doc_parse(text, size, 0, &doc, &err)) {
        struct node root = node_root(doc);
        if (binding_token_read(&root, &token, &err)) {
            require(strlen(token.token) <= BINDING_TOKEN_MAX && !strpbrk(token.token, "\r\n "));
            require(!token.url || strlen(token.url) <= BINDING_URL_MAX);
            for (int i = 0; i < BINDING_DIALECTS; i++)
                free(binding_text((enum binding_dialect)i, token.token));
        }
    }
    free(text);
    return 0;
}

#define _GNU_SOURCE /* memmem() */
#include <stdlib.h>
#include <string.h>

#include "net/upgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

struct outcome {
    enum upgrade_state state;
    long status;
    int64_t retry_after_ms;
    const char *code;
    size_t used;
};

/* RFC 6455, 1.3: the seeds hold the proof that belongs to this nonce. */
static struct outcome feed(const char *data, size_t size, size_t piece)
{
    struct outcome outcome = { .state = UPGRADE_MORE };
    struct buf request = { 0 };
    struct origin origin;
    struct upgrade up;
    struct err err = { .code = NULL };

    require(origin_parse("http://127.0.0.1/", &origin));
    upgrade_start(&up, &origin, "/", NULL, NULL, (const uint8_t *)"the sample nonce", &request);
    origin_done(&origin);
    while (outcome.state == UPGRADE_MORE && outcome.used < size) {
        size_t n = size - outcome.used < piece ? size - outcome.used : piece, used = 0;
        outcome.state = upgrade_feed(&up, data + outcome.used, n, &used, &err);
        require(outcome.state == UPGRADE_FAILED || used <= n);
        outcome.used += used;
    }
    outcome.status = up.status;
    outcome.retry_after_ms = up.retry_after_ms;
    outcome.code = outcome.state == UPGRADE_FAILED ? err.code : "";
    require(up.head.len <= UPGRADE_HEAD_MAX);
    upgrade_done(&up);
    buf_done(&request);
    return outcome;
}

/* Whatever answers: the head is bounded, only 101 with a proof opens, and it makes no difference how
 * the bytes are cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = feed((const char *)data, size, size ? size : 1);
    struct outcome bytes = feed((const char *)data, size, 1);

    require(whole.state == bytes.state && whole.status == bytes.status);
    require(whole.retry_after_ms == bytes.retry_after_ms && strcmp(whole.code, bytes.code) == 0);
    if (whole.state != UPGRADE_DONE) return 0;
    require(whole.status == 101 && whole.used == bytes.used);
    require(memmem(data, whole.used, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28) != NULL);
    return 0;
}

#include "core/patience.h"

int64_t patience_wait_ms(const struct patience *patience, int64_t now_ms)
{
    int64_t left = patience->looked_ms + patience->wait_ms - now_ms;

    if (!patience->wait_ms || left < PATIENCE_FIRST_MS) return PATIENCE_FIRST_MS;
    return left > PATIENCE_LAST_MS ? PATIENCE_LAST_MS : left;
}

/* A look long after the one before is nobody's flood. */
void patience_learn(struct patience *patience, bool found, int64_t began_ms, int64_t now_ms)
{
    int64_t before = patience->wait_ms ? patience->wait_ms : PATIENCE_FIRST_MS;

    if (found)
        patience->wait_ms = PATIENCE_FIRST_MS;
    else if (!patience->wait_ms || began_ms - patience->looked_ms > PATIENCE_LAST_MS)
        patience->wait_ms = 2 * PATIENCE_FIRST_MS;
    else
        patience->wait_ms = 2 * before < PATIENCE_LAST_MS ? 2 * before : PATIENCE_LAST_MS;
    patience->looked_ms = now_ms;
}

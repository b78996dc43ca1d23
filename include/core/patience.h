/* How soon to look when somebody says that something has changed: soon at first, later and later
 * while looks find nothing. Whoever can say so without having changed anything must not make us ask
 * the server without end. Pure: the caller brings the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PATIENCE_FIRST_MS 200  /* what is said within is answered by one look */
#define PATIENCE_LAST_MS  5000 /* never later than that */

struct patience {
    int64_t wait_ms;   /* between the last look and the next; 0: as PATIENCE_FIRST_MS */
    int64_t looked_ms; /* end of the last look */
};

/* How long to wait from now on. */
int64_t patience_wait_ms(const struct patience *patience, int64_t now_ms);

/* A look that began then has ended now, and has found something or nothing. */
void patience_learn(struct patience *patience, bool found, int64_t began_ms, int64_t now_ms);

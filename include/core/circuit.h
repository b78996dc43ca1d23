/* Whether a server that fails again and again is asked at all. After so many failures in a row
 * nothing is sent for a while; then one request at a time goes ahead to see how the server is. The
 * first good answer, to whichever request, lets all through again, but not before the end of a wait
 * that the server named. Requests in the background (the poll) do not get every turn: what they ask
 * may fail for its own reasons while alerts could be written. Pure: the caller brings the time and
 * the random number. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CIRCUIT_AFTER      5     /* failures in a row; or one that names a wait */
#define CIRCUIT_FIRST_MS   1000  /* first pause; each further one is twice as long */
#define CIRCUIT_LONGEST_MS 60000 /* ... up to this, unless the server asks for more */
#define CIRCUIT_TURN_MS    1000  /* after one of the background, others may go first for so long */

/* All zero: nothing is known against the server. */
struct circuit {
    unsigned failures; /* in a row */
    unsigned pauses;   /* in a row; 0: all may pass */
    bool probing;      /* the one request has gone ahead */
    bool background;   /* the last one that did was of the background */
    int64_t until_ms;  /* end of the pause */
    int64_t named_ms;  /* end of the wait that the server named; 0: it named none */
};

enum circuit_gate {
    CIRCUIT_PASS,
    CIRCUIT_PROBE, /* goes ahead alone; its end must be told by one of the three calls below */
    CIRCUIT_REFUSE,
};

/* May a request be sent? now_ms: any monotonic clock, the same in all calls. */
enum circuit_gate circuit_ask(struct circuit *circuit, bool background, int64_t now_ms);

/* The server answered as one that works, to any request. True when that is news, and all may pass. */
bool circuit_well(struct circuit *circuit, int64_t now_ms);

/* A request failed. probe: it was the one that went ahead. asked_ms: the wait that the server asked
 * for, 0: none. True when a pause begins that is the first. */
bool circuit_ill(struct circuit *circuit, bool probe, int64_t now_ms, int64_t asked_ms,
                 uint32_t jitter);

/* The probe was given up: the next request is one. */
void circuit_forget(struct circuit *circuit);

/* What is left of the pause, milliseconds; 0: none, or over. */
int64_t circuit_wait_ms(const struct circuit *circuit, int64_t now_ms);

/* Is it open: paused, or waiting for a good answer? */
static inline bool circuit_is_open(const struct circuit *circuit)
{
    return circuit->pauses > 0;
}

#pragma once

#include <stdlib.h>

/* How far a loop over fault points or seeds goes on: to the next natively, under ASan and under TSan.
 * valgrind takes thirty times as long, and there MM_STRIDE takes every so-manieth. */
static inline unsigned stride(void)
{
    const char *text = getenv("MM_STRIDE");
    unsigned long n = text ? strtoul(text, NULL, 10) : 1;

    return n > 0 && n < 1000 ? (unsigned)n : 1;
}

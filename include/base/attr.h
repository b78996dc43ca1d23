/* Compiler attributes and the two ownership macros. */
#pragma once

#include <stddef.h>

#define MUST_CHECK              __attribute__((warn_unused_result))
#define PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define ARRAY_SIZE(a)           (sizeof(a) / sizeof((a)[0]))

/* AUTO(rule_free) struct rule *rule = ...;  released at the end of the scope, on every path out */
#define AUTO(release) __attribute__((__cleanup__(release##_at)))
#define DEFINE_AUTO(type, release)                                                                 \
    static inline void release##_at(type *at)                                                      \
    {                                                                                              \
        if (*at) release(*at);                                                                     \
    }

/* TAKE(p): the value of p, which is NULL from here on. Says in one word that ownership moves. */
#define TAKE(p)                                                                                    \
    __extension__({                                                                                \
        __typeof__(p) took_ = (p);                                                                 \
        (p) = NULL;                                                                                \
        took_;                                                                                     \
    })

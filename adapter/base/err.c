#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool err_set(struct err *err, enum err_kind kind, const char *code, const char *fmt, ...)
{
    va_list args;

    *err = (struct err){ .kind = kind, .code = code };
    va_start(args, fmt);
    vsnprintf(err->what, sizeof err->what, fmt, args);
    va_end(args);
    return false;
}

bool err_at(struct err *err, const char *fmt, ...)
{
    char outer[sizeof err->where], inner[sizeof err->where];
    va_list args;

    va_start(args, fmt);
    vsnprintf(outer, sizeof outer, fmt, args);
    va_end(args);
    memcpy(inner, err->where, sizeof inner);
    int n = snprintf(err->where, sizeof err->where, "%s%s", outer, inner);
    if (n >= (int)sizeof err->where) memcpy(err->where + sizeof err->where - 4, "...", 4);
    return false;
}

bool err_fix(struct err *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(err->fix, sizeof err->fix, fmt, args);
    va_end(args);
    return false;
}

const char *err_text(const struct err *err, char *buf, size_t size)
{
    snprintf(buf, size, "%s%s%s%s%s", err->where, err->where[0] ? ": " : "", err->what,
             err->fix[0] ? "; " : "", err->fix);
    return buf;
}

void err_list_add(struct err_list *list, const struct err *err)
{
    size_t n = list->count++;

    if (n >= ERR_LIST_MAX) return;
    if ((n & (n - 1)) == 0) { /* full at 0, 1, 2, 4, 8, ... */
        list->items = mem_resize(list->items, (n ? 2 * n : 1) * sizeof *list->items);
    }
    list->items[n] = *err;
}

void err_list_done(struct err_list *list)
{
    free(list->items);
    *list = (struct err_list){ 0 };
}

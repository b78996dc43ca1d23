#include "flow/holder.h"

#include "base/buf.h"

static void name_of(const char *type, const char *id, struct buf *ret)
{
    buf_printf(ret, "holder:%s/%s", type, id);
}

void holder_find(struct store *store, const char *type, const char *id, holder_fn *done, void *arg)
{
    AUTO(buf_done) struct buf name = { 0 };

    name_of(type, id, &name);
    store_get(store, buf_string(&name), done, arg);
}

static void on_set(struct err *err, void *arg)
{
    (void)err; /* the store_finish() that follows fails as well, and tells */
    (void)arg;
}

void holder_set(struct store *store, const char *type, const char *id, const char *patient)
{
    AUTO(buf_done) struct buf name = { 0 };

    name_of(type, id, &name);
    store_set(store, buf_string(&name), patient, on_set, NULL);
}

/* Who is at the other end of a URL: scheme, host and port (RFC 6454). */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct origin {
    char *scheme, *host, *port; /* owned; the port is there even where the URL leaves it out */
    char *path;                 /* owned: the rest of the URL without its query */
};

/* False: no URL of http or https, or one with a user name. *ret is to be released either way.
 * Thread: any. */
bool origin_parse(const char *url, struct origin *ret) MUST_CHECK;

/* The same scheme, host (in any case) and port? False too when url is none. Thread: any. */
bool origin_same(const struct origin *origin, const char *url);

/* Is the port the one that goes without saying? */
bool origin_port_is_default(const struct origin *origin);

void origin_done(struct origin *origin);

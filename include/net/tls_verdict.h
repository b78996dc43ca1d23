/* Why there is no TLS with a peer, and what to do about it. Private to net/. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"

/* ca: what the trusted authorities are called. False, and *err untouched: the failure was none of
 * TLS. Otherwise *err is ERR_TRANSIENT "http.tls" with a way out. */
bool tls_verdict(CURL *easy, CURLcode code, const char *ca, const char *host, struct err *err);

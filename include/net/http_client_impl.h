/* What the rest of net/ needs of a client: connections that are made as its calls are. Private to
 * net/. */
#pragma once

#include <curl/curl.h>
#include <uv.h>

#include "net/http_client.h"

uv_loop_t *http_client_loop(const struct http_client *client);

/* Trust those whom the client trusts. */
void http_client_set_tls(const struct http_client *client, CURL *easy);

/* What the authorities are called in error texts. */
const char *http_client_ca_name(const struct http_client *client);

/* NULL: none; both borrowed until the client changes. The value for Authorization is NULL too when
 * url, of http or https, is of another origin than the client's. */
const char *http_client_user_agent(const struct http_client *client);
const char *http_client_authorization(const struct http_client *client, const char *url);

#include "net/origin.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool origin_parse(const char *url, struct origin *ret)
{
    CURLU *parts = curl_url();
    bool ok;

    *ret = (struct origin){ 0 };
    if (!parts) abort();
    ok = curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
         curl_url_get(parts, CURLUPART_SCHEME, &ret->scheme, 0) == CURLUE_OK &&
         curl_url_get(parts, CURLUPART_HOST, &ret->host, 0) == CURLUE_OK &&
         curl_url_get(parts, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
         curl_url_get(parts, CURLUPART_PATH, &ret->path, 0) == CURLUE_OK &&
         (strcasecmp(ret->scheme, "http") == 0 || strcasecmp(ret->scheme, "https") == 0);
    curl_url_cleanup(parts);
    return ok;
}

bool origin_same(const struct origin *origin, const char *url)
{
    struct origin other;
    bool same = origin_parse(url, &other) && strcasecmp(origin->scheme, other.scheme) == 0 &&
                strcasecmp(origin->host, other.host) == 0 && strcmp(origin->port, other.port) == 0;

    origin_done(&other);
    return same;
}

bool origin_port_is_default(const struct origin *origin)
{
    return strcmp(origin->port, strcasecmp(origin->scheme, "https") == 0 ? "443" : "80") == 0;
}

void origin_done(struct origin *origin)
{
    curl_free(origin->scheme);
    curl_free(origin->host);
    curl_free(origin->port);
    curl_free(origin->path);
}

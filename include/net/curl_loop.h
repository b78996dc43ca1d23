/* One curl multi handle on the libuv loop. Private to net/. Loop thread only. */
#pragma once

#include <curl/curl.h>
#include <uv.h>

struct curl_loop;

/* The transfer of that handle is over; the handle is still in the multi. Runs from the loop. May add
 * and remove handles, not free the curl_loop. */
typedef void curl_loop_done_fn(CURL *easy, CURLcode code, void *arg);

/* Owned by the caller: curl_loop_free(). arg is borrowed. */
struct curl_loop *curl_loop_new(uv_loop_t *loop, curl_loop_done_fn *done, void *arg);

/* For curl_multi_add_handle(), curl_multi_remove_handle() and options of connections; borrowed. */
CURLM *curl_loop_multi(const struct curl_loop *at);

uv_loop_t *curl_loop_uv(const struct curl_loop *at);

/* Ends every connection; all handles have been removed. Memory goes when the loop has run its close
 * callbacks. Accepts NULL. */
void curl_loop_free(struct curl_loop *at);

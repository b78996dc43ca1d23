#define _GNU_SOURCE /* memfd_create() */
#include "net/http_client.h"

#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/curl_loop.h"
#include "net/http_client_impl.h"
#include "net/http_head.h"
#include "net/origin.h"
#include "net/tls_verdict.h"

#define CONNECTION_AGE_S 30 /* of an idle connection that is used again */

struct http_client {
    struct curl_loop *curl; /* owned */
    unsigned open;          /* libuv handles of calls not yet closed */
    struct http_call *calls;
    struct http_client_options options; /* strings owned, except ca_pem, which is in ca_fd */
    int ca_fd;                          /* memory file with options.ca_pem; -1: none */
    bool closing;
};

enum call_state {
    CALL_REFUSED, /* will not be sent: done comes with the next turn of the loop */
    CALL_RUNNING,
    CALL_DONE,
    CALL_CLOSED
};

/* One request. Owned by its client's list; freed by call_on_closed() and nowhere else. */
struct http_call {
    struct http_client *client;     /* borrowed: outlives every call */
    struct http_call *next, **link; /* place in client->calls */
    enum call_state state;          /* written by call_enter() alone */
    CURL *easy;                     /* owned; in client->curl while RUNNING */
    struct curl_slist *headers;     /* owned */
    uv_timer_t deadline;            /* the one libuv handle of a call */
    uint64_t timeout_ms;
    char where[160];   /* "POST https://ehr:8443/DetectedIssue" */
    char host[64];     /* for error texts */
    bool repeatable;   /* curl may send it again when a kept connection turns out dead */
    unsigned sendings; /* how often it came to sending */
    struct buf body;   /* the reply so far */
    size_t reply_max;
    bool too_big; /* the reply is longer than reply_max */
    struct http_head head;
    struct http_reply reply;
    char curl_text[CURL_ERROR_SIZE];
    http_done_fn *done;
    void *arg;
};

/* ---- the life of a call ---- */

static void client_maybe_free(struct http_client *client)
{
    if (!client->closing || client->open) return;
    if (client->ca_fd >= 0) close(client->ca_fd);
    free((void *)(uintptr_t)client->options.ca_name);
    free((void *)(uintptr_t)client->options.user_agent);
    free((void *)(uintptr_t)client->options.authorization);
    free((void *)(uintptr_t)client->options.origin);
    free(client);
}

static void call_on_closed(uv_handle_t *handle)
{
    struct http_call *call = handle->data;
    struct http_client *client = call->client;

    curl_slist_free_all(call->headers);
    buf_done(&call->body);
    free(call);
    client->open--;
    client_maybe_free(client);
}

static void call_on_deadline(uv_timer_t *timer);

/* The only writer of call->state: every way ends in one close of one handle. */
static void call_enter(struct http_call *call, enum call_state next)
{
    struct http_client *client = call->client;

    call->state = next;
    switch (next) {
    case CALL_REFUSED:
        uv_timer_start(&call->deadline, call_on_deadline, 0, 0);
        break;
    case CALL_RUNNING:
        uv_timer_start(&call->deadline, call_on_deadline, call->timeout_ms, 0);
        curl_multi_add_handle(curl_loop_multi(client->curl), call->easy);
        break;
    case CALL_DONE:
        call->done(&call->reply, call->arg);
        call_enter(call, CALL_CLOSED);
        break;
    case CALL_CLOSED:
        if (call->easy) {
            curl_multi_remove_handle(curl_loop_multi(client->curl), call->easy);
            curl_easy_cleanup(call->easy);
        }
        if ((*call->link = call->next)) call->next->link = call->link;
        uv_close((uv_handle_t *)&call->deadline, call_on_closed);
        break;
    }
}

/* Did any byte of the request leave? Then the peer may have acted on it. */
static bool call_was_sent(const struct http_call *call)
{
    long sent = 0;

    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent > 0 || call->sendings > 1;
}

static enum err_kind call_doubt(const struct http_call *call)
{
    return call_was_sent(call) ? ERR_AMBIGUOUS : ERR_TRANSIENT;
}

static void call_on_deadline(uv_timer_t *timer)
{
    struct http_call *call = timer->data;

    if (call->state == CALL_RUNNING) {
        call->reply.status = 0;
        err_set(&call->reply.err, call_doubt(call), "http.timeout", "no answer in %llu ms",
                (unsigned long long)call->timeout_ms);
        err_at(&call->reply.err, "%s", call->where);
    }
    call->reply.body = "";
    call->reply.body_len = 0;
    call_enter(call, CALL_DONE);
}

/* ---- what comes back ---- */

static size_t call_on_body(char *data, size_t size, size_t count, void *arg)
{
    struct http_call *call = arg;
    size_t n = size * count;

    if (n > call->reply_max - call->body.len) {
        call->too_big = true;
        return CURL_WRITEFUNC_ERROR;
    }
    buf_add(&call->body, data, n);
    return n;
}

static size_t call_on_header(char *data, size_t size, size_t count, void *arg)
{
    struct http_call *call = arg;

    /* what comes after the first byte of the body is a trailer: it does not count */
    if (!call->body.len) http_head_line(&call->head, &call->reply, data, size * count);
    return size * count;
}

/* curl repeats a request by itself when the kept connection it went out on ends without a byte.
 * The peer may have acted on it all the same (it worked, then fell), so only what is idempotent by
 * RFC 9110, 9.2.2 is repeated down here; the rest is for the caller, who knows better. */
static int call_on_send(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct http_call *call = arg;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    call->sendings++;
    return call->sendings > 1 && !call->repeatable ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ---- the verdict ---- */

/* curl's long text names hosts and addresses, which help to find out why a connection was not had;
 * of what comes later it may quote the peer. */
static const char *call_failure_text(const struct http_call *call, CURLcode code)
{
    if (code == CURLE_ABORTED_BY_CALLBACK) return "the connection ended without an answer";
    return call->curl_text[0] && !call_was_sent(call) ? call->curl_text : curl_easy_strerror(code);
}

static void call_judge_failure(struct http_call *call, CURLcode code)
{
    struct http_reply *reply = &call->reply;

    reply->status = 0;
    if (call->too_big)
        err_set(&reply->err, ERR_PERMANENT, "http.too-big", "the reply is longer than %zu bytes",
                call->reply_max);
    else if (call_was_sent(call) ||
             !tls_verdict(call->easy, code, http_client_ca_name(call->client), call->host,
                          &reply->err))
        err_set(&reply->err, call_doubt(call), "http.failed", "%s", call_failure_text(call, code));
}

static void call_judge_status(struct http_reply *reply)
{
    long status = reply->status;

    if (status >= 200 && status < 300) return;
    if (status == 429 || status == 503)
        err_set(&reply->err, ERR_TRANSIENT, "http.busy", "the server answered %ld", status);
    else
        err_set(&reply->err, status >= 500 || status == 408 ? ERR_AMBIGUOUS : ERR_PERMANENT,
                "http.status", "the server answered %ld", status);
}

static void call_judge(struct http_call *call, CURLcode code)
{
    struct http_reply *reply = &call->reply;

    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    reply->body = buf_string(&call->body);
    reply->body_len = call->body.len;
    http_head_end(&call->head, reply);
    if (code != CURLE_OK)
        call_judge_failure(call, code);
    else
        call_judge_status(reply);
    if (reply->err.code) err_at(&reply->err, "%s", call->where);
}

static void call_on_curl_done(CURL *easy, CURLcode code, void *arg)
{
    struct http_call *call;

    (void)arg;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
    call_judge(call, code);
    call_enter(call, CALL_DONE);
}

/* ---- start of a call ---- */

/* Part of a version or of a token may come from a peer: it must not add a header of its own. */
static bool line_is_clean(const char *line)
{
    for (; *line; line++)
        if (iscntrl((unsigned char)*line) && *line != '\t') return false;
    return true;
}

static bool request_check(const struct http_client *client, const struct http_request *request,
                          const struct origin *origin, struct err *err)
{
    if (client->options.origin && !origin_same(origin, client->options.origin))
        return err_set(err, ERR_PERMANENT, "http.origin", "not the server that is configured");
    for (const char *const *h = request->headers; h && *h; h++)
        if (!line_is_clean(*h))
            return err_set(err, ERR_PERMANENT, "http.header", "a header has control characters");
    return true;
}

/* The place for error texts: without the query, which may tell of a patient. */
static bool call_check(struct http_call *call, const struct http_request *request)
{
    struct err *err = &call->reply.err;
    struct origin origin;
    bool ok = false;

    if (!origin_parse(request->url, &origin)) {
        snprintf(call->where, sizeof call->where, "%s", request->method);
        err_set(err, ERR_PERMANENT, "http.url", "not a URL of http or https without a user name");
    } else {
        bool plain = origin_port_is_default(&origin);
        snprintf(call->where, sizeof call->where, "%s %s://%s%s%s%s", request->method,
                 origin.scheme, origin.host, plain ? "" : ":", plain ? "" : origin.port,
                 origin.path);
        snprintf(call->host, sizeof call->host, "%s", origin.host);
        ok = request_check(call->client, request, &origin, err);
    }
    origin_done(&origin);
    if (!ok) err_at(err, "%s", call->where);
    return ok;
}

static void call_add_header(struct http_call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->headers, line);

    if (!longer) abort();
    call->headers = longer;
}

static void call_set_headers(struct http_call *call, const struct http_request *request)
{
    const struct http_client_options *options = &call->client->options;
    struct buf line = { 0 };

    for (const char *const *h = request->headers; h && *h; h++) call_add_header(call, *h);
    if (options->origin && options->authorization) {
        buf_printf(&line, "Authorization: %s", options->authorization);
        call_add_header(call, buf_string(&line));
        buf_done(&line);
    }
    call_add_header(call, "Expect:"); /* curl waits a second for a 100 that few servers send */
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

static void call_set_method(struct http_call *call, const struct http_request *request)
{
    static const char *const repeatable[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS" };
    const char *method = request->method;
    bool has_body = request->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
                    strcmp(method, "PATCH") == 0;

    for (size_t i = 0; i < ARRAY_SIZE(repeatable); i++)
        if (strcmp(method, repeatable[i]) == 0) call->repeatable = true;
    if (strcmp(method, "HEAD") == 0) curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
    if (has_body) {
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         request->body ? (curl_off_t)request->body_len : (curl_off_t)0);
        curl_easy_setopt(call->easy, CURLOPT_COPYPOSTFIELDS, request->body ? request->body : "");
    }
    curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void call_set_transfer(struct http_call *call)
{
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_text);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, call_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, call_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, call_on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A call that ends while its name is looked up must not wait for the resolver's thread. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""); /* all that curl can decode */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_S);
    if (call->client->options.user_agent)
        curl_easy_setopt(easy, CURLOPT_USERAGENT, call->client->options.user_agent);
}

static struct http_call *call_new(struct http_client *client, const struct http_request *request,
                                  http_done_fn *done, void *arg)
{
    struct http_call *call = mem_new(struct http_call);

    call->client = client;
    call->timeout_ms = request->timeout_ms;
    call->reply_max = request->reply_max;
    call->done = done;
    call->arg = arg;
    call->reply.body = "";
    http_head_start(&call->head, &call->reply);
    if ((call->next = client->calls)) call->next->link = &call->next;
    call->link = &client->calls;
    client->calls = call;
    client->open++;
    uv_timer_init(curl_loop_uv(client->curl), &call->deadline);
    call->deadline.data = call;
    return call;
}

struct http_call *http_start(struct http_client *client, const struct http_request *request,
                             http_done_fn *done, void *arg)
{
    struct http_call *call = call_new(client, request, done, arg);

    if (!call_check(call, request)) {
        call_enter(call, CALL_REFUSED);
        return call;
    }
    call->easy = curl_easy_init();
    if (!call->easy) abort();
    curl_easy_setopt(call->easy, CURLOPT_URL, request->url);
    call_set_headers(call, request);
    call_set_method(call, request);
    http_client_set_tls(client, call->easy);
    call_set_transfer(call);
    call_enter(call, CALL_RUNNING);
    return call;
}

void http_cancel(struct http_call *call)
{
    if (!call || (call->state != CALL_RUNNING && call->state != CALL_REFUSED)) return;
    call_enter(call, CALL_CLOSED);
}

/* ---- client ---- */

/* curl with GnuTLS takes authorities from files alone (CURLOPT_CAINFO_BLOB answers "not built
 * in"), so the text becomes a file without a name. */
static int memory_file(const char *text)
{
    size_t len = strlen(text);
    int fd = memfd_create("ca.pem", MFD_CLOEXEC);

    if (fd < 0) abort();
    while (len) {
        ssize_t n = write(fd, text, len);
        if (n <= 0) abort();
        text += n;
        len -= (size_t)n;
    }
    return fd;
}

static const char *copy_or_null(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

struct http_client *http_client_new(uv_loop_t *loop, const struct http_client_options *options)
{
    struct http_client *client = mem_new(struct http_client);

    client->curl = curl_loop_new(loop, call_on_curl_done, client);
    client->ca_fd = options->ca_pem ? memory_file(options->ca_pem) : -1;
    client->options.ca_name = copy_or_null(options->ca_name);
    client->options.user_agent = copy_or_null(options->user_agent);
    client->options.origin = copy_or_null(options->origin);
    http_client_authorize(client, options->authorization);
    curl_multi_setopt(curl_loop_multi(client->curl), CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      (long)options->connections_max);
    curl_multi_setopt(curl_loop_multi(client->curl), CURLMOPT_MAXCONNECTS,
                      (long)options->connections_max);
    return client;
}

void http_client_authorize(struct http_client *client, const char *authorization)
{
    bool usable = authorization && line_is_clean(authorization);

    free((void *)(uintptr_t)client->options.authorization);
    client->options.authorization = usable ? mem_strdup(authorization) : NULL;
}

void http_client_free(struct http_client *client)
{
    if (!client || client->closing) return;
    while (client->calls) call_enter(client->calls, CALL_CLOSED);
    client->closing = true;
    curl_loop_free(client->curl);
    client_maybe_free(client);
}

/* ---- for the rest of net/ */

uv_loop_t *http_client_loop(const struct http_client *client)
{
    return curl_loop_uv(client->curl);
}

void http_client_set_tls(const struct http_client *client, CURL *easy)
{
    char path[32];

    if (client->ca_fd < 0) return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", client->ca_fd);
    curl_easy_setopt(easy, CURLOPT_CAINFO, path);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's are trusted as well */
}

const char *http_client_ca_name(const struct http_client *client)
{
    if (client->options.ca_name) return client->options.ca_name;
    return client->ca_fd >= 0 ? "the CA file" : "the system's authorities";
}

const char *http_client_user_agent(const struct http_client *client)
{
    return client->options.user_agent;
}

const char *http_client_authorization(const struct http_client *client, const char *url)
{
    struct origin mine;
    bool same = client->options.origin && origin_parse(client->options.origin, &mine);

    if (client->options.origin) {
        same = same && origin_same(&mine, url);
        origin_done(&mine);
    }
    return same ? client->options.authorization : NULL;
}

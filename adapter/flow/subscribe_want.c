/* What our Subscriptions should be. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/mem.h"
#include "flow/flow_impl.h"

#define HEADER_NAME "X-Myeloma-Adapter-Key: "

static char *joined(const char *one, const char *two, const char *three)
{
    struct buf text = { 0 };

    buf_text(&text, one);
    buf_text(&text, two);
    buf_text(&text, three);
    return buf_take(&text);
}

static enum subscription_form form_of(const struct flow *flow)
{
    if (flow->options.subscribe == FLOW_SUBSCRIBE_CRITERIA) return SUBSCRIPTION_CRITERIA;
    if (flow->capability.release == FHIR_R5) return SUBSCRIPTION_R5;
    return flow->options.subscribe == FLOW_SUBSCRIBE_TOPIC ? SUBSCRIPTION_BACKPORT
                                                           : SUBSCRIPTION_CRITERIA;
}

/* Nobody is called there: it tells ours from others'. */
static char *socket_endpoint(const struct subscribe *at)
{
    struct buf text = { 0 };

    buf_text(&text, "urn:x-myeloma-adapter:");
    server_escape(&text, at->flow->options.name);
    buf_printf(&text, "/%s", at->type);
    return buf_take(&text);
}

/* HAPI sends no parameter of an R5 Subscription as a header: there the key is in the URL as well. */
static char *endpoint_of(const struct subscribe *at)
{
    const struct flow *flow = at->flow;
    char key[INTAKE_URL_KEY_SIZE], path[INTAKE_URL_KEY_SIZE + 48];

    if (flow->options.channel == SUBSCRIPTION_WEBSOCKET) return socket_endpoint(at);
    if (at->form != SUBSCRIPTION_R5) return joined(flow->options.hook, "/", at->type);
    intake_url_key(flow->secret, key);
    snprintf(path, sizeof path, "/%s/%s", key, at->type);
    return joined(flow->options.hook, path, "");
}

void subscribe_want_prepare(struct subscribe *at)
{
    const struct flow *flow = at->flow;
    const char *topic = flow->options.topics[at - flow->subscribe];

    free(at->endpoint);
    free(at->criteria);
    free(at->header);
    free(at->topic);
    at->form = form_of(flow);
    at->endpoint = endpoint_of(at);
    at->criteria = joined(at->type, "?", "");
    at->header = joined(HEADER_NAME, flow->secret ? flow->secret : "", "");
    at->topic = topic ? mem_strdup(topic) : NULL;
}

struct subscription_want subscribe_want(const struct subscribe *at)
{
    const struct flow_options *options = &at->flow->options;

    return (struct subscription_want){ .form = at->form,
                                       .channel = options->channel,
                                       .content = options->content,
                                       .type = at->type,
                                       .criteria = at->criteria,
                                       .topic = at->topic,
                                       .endpoint = at->endpoint,
                                       .header = at->header,
                                       .signature = options->signature,
                                       .payload = options->hook_payload,
                                       .start_active = options->start_active,
                                       .heartbeat_s =
                                           (unsigned)(options->heartbeat_ms / INSTANT_SECOND) };
}

char *subscribe_body(const struct subscribe *at, const char *id, const char *status)
{
    struct subscription_want want = subscribe_want(at);
    char *text = subscription_build(&want), *body;
    json_t *resource;

    if (!id) return text;
    resource = json_loads(text, 0, NULL);
    free(text);
    json_object_set_new(resource, "id", json_string(id));
    if (status) json_object_set_new(resource, "status", json_string(status));
    body = json_dumps(resource, JSON_COMPACT);
    json_decref(resource);
    if (!body) abort();
    return body;
}

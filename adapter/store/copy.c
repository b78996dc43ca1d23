#include "store/copy.h"

#include <string.h>

const char *copy_text(struct arena *arena, const char *text)
{
    return arena_copy(arena, text ? text : "", text ? strlen(text) : 0);
}

static const char *copy_bytes(struct arena *arena, const char *bytes, size_t len)
{
    return bytes ? arena_copy(arena, bytes, len) : NULL;
}

/* A copy of an array whose items are then completed one by one. */
static void *copy_array(struct arena *arena, const void *items, size_t count, size_t size)
{
    void *copy = arena_alloc(arena, count * size);

    if (count) memcpy(copy, items, count * size);
    return copy;
}

struct store_event *copy_events(struct arena *arena, const struct store_event *events, size_t count)
{
    struct store_event *copy = copy_array(arena, events, count, sizeof *copy);

    for (size_t i = 0; i < count; i++) {
        copy[i].type = copy_text(arena, events[i].type);
        copy[i].id = copy_text(arena, events[i].id);
        copy[i].version = copy_text(arena, events[i].version);
        copy[i].patient = copy_text(arena, events[i].patient);
        copy[i].payload = copy_bytes(arena, events[i].payload, events[i].payload_len);
    }
    return copy;
}

static const struct store_fate *copy_fates(struct arena *arena, const struct store_fate *fates,
                                           size_t count)
{
    struct store_fate *copy = copy_array(arena, fates, count, sizeof *copy);

    for (size_t i = 0; i < count; i++) copy[i].reason = copy_text(arena, fates[i].reason);
    return copy;
}

static const struct store_resource *copy_resources(struct arena *arena,
                                                   const struct store_resource *resources,
                                                   size_t count)
{
    struct store_resource *copy = copy_array(arena, resources, count, sizeof *copy);

    for (size_t i = 0; i < count; i++) {
        copy[i].type = copy_text(arena, resources[i].type);
        copy[i].id = copy_text(arena, resources[i].id);
        copy[i].version = copy_text(arena, resources[i].version);
        copy[i].json = copy_bytes(arena, resources[i].json, resources[i].json_len);
    }
    return copy;
}

static const struct store_alert *copy_alerts(struct arena *arena, const struct store_alert *alerts,
                                             size_t count)
{
    struct store_alert *copy = copy_array(arena, alerts, count, sizeof *copy);

    for (size_t i = 0; i < count; i++) {
        copy[i].key = copy_text(arena, alerts[i].key);
        copy[i].identity = copy_text(arena, alerts[i].identity);
        copy[i].rule = copy_text(arena, alerts[i].rule);
        copy[i].state = copy_text(arena, alerts[i].state);
        copy[i].content = copy_text(arena, alerts[i].content);
    }
    return copy;
}

static const struct store_outbox *copy_outbox(struct arena *arena,
                                              const struct store_outbox *outbox, size_t count)
{
    struct store_outbox *copy = copy_array(arena, outbox, count, sizeof *copy);

    for (size_t i = 0; i < count; i++) {
        copy[i].key = copy_text(arena, outbox[i].key);
        copy[i].patient = copy_text(arena, outbox[i].patient);
        copy[i].rule = copy_text(arena, outbox[i].rule);
        copy[i].body = copy_bytes(arena, outbox[i].body, outbox[i].body_len);
    }
    return copy;
}

struct store_result *copy_result(struct arena *arena, const struct store_result *result)
{
    struct store_result *copy = copy_array(arena, result, 1, sizeof *copy);

    copy->patient = copy_text(arena, result->patient);
    copy->fates = copy_fates(arena, result->fates, result->fate_count);
    copy->written = copy_resources(arena, result->written, result->written_count);
    copy->removed = copy_resources(arena, result->removed, result->removed_count);
    copy->alerts = copy_alerts(arena, result->alerts, result->alert_count);
    copy->outbox = copy_outbox(arena, result->outbox, result->outbox_count);
    return copy;
}

struct store_pulse *copy_pulses(struct arena *arena, const struct store_pulse *pulses, size_t count)
{
    struct store_pulse *copy = copy_array(arena, pulses, count, sizeof *copy);

    for (size_t i = 0; i < count; i++) {
        copy[i].kind = copy_text(arena, pulses[i].kind);
        copy[i].name = copy_text(arena, pulses[i].name);
    }
    return copy;
}

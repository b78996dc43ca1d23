#include "core/trigger.h"

#include <string.h>

#include "base/buf.h"

/* "Observation/91 0.7 10*9/L" */
static void result_text(const struct chart_result *result, struct buf *ret)
{
    buf_printf(ret, "%s/%s %s", result->source.type, result->source.id,
               result->shown ? result->shown : "");
}

bool is_evidence(const struct alert *alert, const struct source *source)
{
    for (size_t i = 0; i < alert->evidence_count; i++)
        if (source_is(source, alert->evidence[i])) return true;
    return false;
}

void trigger_note(const struct chart *chart, struct arena *arena, struct alert *alert)
{
    AUTO(buf_done) struct buf text = { 0 };

    alert->raised = arena_alloc(arena, (chart->result_count + 1) * sizeof *alert->raised);
    alert->raised_count = 0;
    for (size_t i = 0; i < chart->result_count; i++) {
        const struct chart_result *result = &chart->results[i];
        if (result->state == RESULT_REMOVED || !is_evidence(alert, &result->source)) continue;
        buf_clear(&text);
        result_text(result, &text);
        alert->raised[alert->raised_count++] = arena_copy(arena, text.data, text.len);
    }
}

static bool stands(const struct chart *chart, const char *raised)
{
    AUTO(buf_done) struct buf text = { 0 };

    for (size_t i = 0; i < chart->result_count; i++) {
        if (chart->results[i].state == RESULT_REMOVED) continue;
        buf_clear(&text);
        result_text(&chart->results[i], &text);
        if (strcmp(buf_string(&text), raised) == 0) return true;
    }
    return false;
}

bool trigger_stands(const struct chart *chart, const struct alert *alert)
{
    for (size_t i = 0; i < alert->raised_count; i++)
        if (!stands(chart, alert->raised[i])) return false;
    return true;
}

/* "Observation/91" of "Observation/91 0.7 10*9/L" */
static bool is_noted(const char *raised, const struct source *source)
{
    size_t type = strlen(source->type), id = strlen(source->id);

    return strncmp(raised, source->type, type) == 0 && raised[type] == '/' &&
           strncmp(raised + type + 1, source->id, id) == 0 && raised[type + 1 + id] == ' ';
}

int64_t trigger_ms(const struct chart *chart, const struct alert *alert)
{
    int64_t latest = INSTANT_UNSET;

    for (size_t i = 0; i < alert->raised_count; i++)
        for (size_t k = 0; k < chart->result_count; k++)
            if (is_noted(alert->raised[i], &chart->results[k].source) &&
                chart->results[k].at_ms > latest)
                latest = chart->results[k].at_ms;
    return latest;
}

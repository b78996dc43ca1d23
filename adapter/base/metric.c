#include "base/metric.h"

#include <inttypes.h>

#define PREFIX "myeloma_adapter_"

static const struct row {
    const char *name, *type, *help;
} rows[METRIC_COUNT] = {
#define METRIC_ROW(id, name, type, help) [METRIC_##id] = { PREFIX name, type, help },
    METRIC_TABLE(METRIC_ROW)
#undef METRIC_ROW
};

void metric_write(const struct metrics *metrics, struct buf *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct row *row = &rows[i];
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", row->name, row->help,
                   row->name, row->type, row->name, metrics->value[i]);
    }
}

void metric_family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

/* The text format escapes these three in a value. */
static void add_value(struct buf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '"' || *value == '\\') buf_char(out, '\\');
        if (*value == '\n')
            buf_text(out, "\\n");
        else
            buf_char(out, *value);
    }
}

void metric_sample(struct buf *out, const char *name, const struct metric_label *labels,
                   size_t count, int64_t value)
{
    buf_printf(out, PREFIX "%s", name);
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%c%s=\"", i ? ',' : '{', labels[i].name);
        add_value(out, labels[i].value);
        buf_char(out, '"');
    }
    buf_printf(out, "%s %" PRId64 "\n", count ? "}" : "", value);
}

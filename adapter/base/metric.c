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

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

/* Read all rows; each call goes on in the text. */
static void rows(struct csv *csv)
{
    struct err err;

    for (;;) {
        const char *before = csv->at;
        bool end = false;
        if (csv_next(csv, &end, &err)) {
            if (end) break;
            for (size_t i = 0; i < csv->columns; i++)
                require(strlen(csv->field[i]) <= CSV_FIELD_MAX && csv->column[i] >= 1);
        }
        require(csv->at > before && csv->at <= csv->end && csv->next_line > csv->line);
    }
    require(csv->at == csv->end);
}

/* Any bytes behind a good header; and any bytes for a header. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char header[] = "code,name,unit\n";
    static const char *const names[] = { "code", "name", "unit", NULL };
    size_t head = sizeof header - 1;
    char *text = malloc(head + size);
    struct csv csv;
    struct err err;

    require(text);
    memcpy(text, header, head);
    if (size) memcpy(text + head, data, size);
    require(csv_init(&csv, text, head + size, names, &err));
    rows(&csv);
    csv_done(&csv);
    if (csv_init(&csv, text + head, size, names, &err)) rows(&csv);
    csv_done(&csv);
    free(text);
    return 0;
}

#include "store/seal.h"

#include <sqlite3.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 29;
}

static uint64_t mix_bytes(uint64_t sum, const unsigned char *data, size_t len)
{
    uint64_t word = 0;
    size_t i = 0;

    sum = mix(sum, len);
    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, data + i, sizeof word);
        sum = mix(sum, word);
    }
    word = 0;
    if (i < len) memcpy(&word, data + i, len - i);
    return mix(sum, word);
}

static uint64_t mix_value(uint64_t sum, sqlite3_value *value)
{
    int type = sqlite3_value_type(value);

    sum = mix(sum, (uint64_t)type);
    if (type == SQLITE_INTEGER) return mix(sum, (uint64_t)sqlite3_value_int64(value));
    if (type == SQLITE_NULL) return sum;
    const unsigned char *data = sqlite3_value_text(value); /* before its length is asked for */
    return mix_bytes(sum, data, (size_t)sqlite3_value_bytes(value));
}

static int64_t seal_of(sqlite3_value **values, int count)
{
    uint64_t sum = 0;

    for (int i = 0; i < count; i++) sum = mix_value(sum, values[i]);
    return (int64_t)sum;
}

static void on_seal_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    sqlite3_result_int64(context, seal_of(values, count));
}

static void on_sealed(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (sqlite3_value_type(values[0]) != SQLITE_NULL &&
        sqlite3_value_int64(values[0]) != seal_of(values + 2, count - 2))
        sqlite3_result_error_code(context, SQLITE_CORRUPT);
    else
        sqlite3_result_value(context, values[1]);
}

int seal_init(sqlite3 *sqlite)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    int code = sqlite3_create_function(sqlite, "seal_of", -1, flags, NULL, on_seal_of, NULL, NULL);

    if (code != SQLITE_OK) return code;
    return sqlite3_create_function(sqlite, "sealed", -1, flags, NULL, on_sealed, NULL, NULL);
}

int seal_check(sqlite3 *sqlite)
{
    static const char *const looks[] = {
        "SELECT count(sealed(seal, 1, " SEAL_RESOURCE ")) FROM resource",
        "SELECT count(sealed(seal, 1, " SEAL_PATIENT ")) FROM patient",
        "SELECT count(sealed(seal, 1, " SEAL_ALERT ")) FROM alert",
        "SELECT count(sealed(seal, 1, " SEAL_OUTBOX ")) FROM outbox",
        "SELECT count(sealed(seal, 1, " SEAL_PAYLOAD ")) FROM payload",
        "SELECT count(sealed(seal, 1, " SEAL_SETTING ")) FROM setting",
    };
    int code = SQLITE_OK;

    for (size_t i = 0; i < ARRAY_SIZE(looks) && code == SQLITE_OK; i++)
        code = sqlite3_exec(sqlite, looks[i], NULL, NULL, NULL);
    return code;
}

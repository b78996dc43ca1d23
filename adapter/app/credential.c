#include "app/credential.h"

#include <stdio.h>
#include <string.h>

#include "app/secret.h"
#include "base/buf.h"

/* RFC 4648, for Basic credentials. */
static void base64_add(struct buf *out, const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i += 3) {
        unsigned bits = (unsigned)(unsigned char)text[i] << 16;
        if (i + 1 < n) bits |= (unsigned)(unsigned char)text[i + 1] << 8;
        if (i + 2 < n) bits |= (unsigned)(unsigned char)text[i + 2];
        buf_char(out, letters[bits >> 18]);
        buf_char(out, letters[bits >> 12 & 63]);
        buf_char(out, i + 1 < n ? letters[bits >> 6 & 63] : '=');
        buf_char(out, i + 2 < n ? letters[bits & 63] : '=');
    }
}

bool credential_authorization(const struct credential_source *source, char **ret, struct err *err)
{
    struct buf value = { 0 };
    char *token, *basic;

    *ret = NULL;
    if (!secret_read(source->token_file, source->token_credential, true, &token, err)) return false;
    if (!secret_read(source->basic_file, source->basic_credential, true, &basic, err)) {
        secret_wipe(token);
        return false;
    }
    if (token) buf_printf(&value, "Bearer %s", token);
    if (basic) {
        buf_text(&value, "Basic ");
        base64_add(&value, basic);
    }
    secret_wipe(token);
    secret_wipe(basic);
    if (value.len) *ret = buf_take(&value);
    return true;
}

void credential_origin(const char *url, char *ret, size_t size)
{
    const char *path = strchr(strstr(url, "://") + 3, '/');

    snprintf(ret, size, "%.*s", path ? (int)(path - url) : (int)strlen(url), url);
}

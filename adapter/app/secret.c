#include "app/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/load.h"

void secret_wipe(char *secret)
{
    if (!secret) return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

static bool path_of(const char *file, const char *credential, char *ret, size_t size,
                    struct err *err)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");

    if (!file && !dir) {
        err_set(err, ERR_CONFIG, "secret.read", "there is no credentials directory");
        err_fix(err, "add LoadCredential=%.60s:FILE to the unit", credential);
        return false;
    }
    if (file)
        snprintf(ret, size, "%s", file);
    else
        snprintf(ret, size, "%s/%s", dir, credential);
    return true;
}

static bool is_secret(const char *text, size_t len, bool one_line)
{
    for (size_t i = 0; i < len; i++)
        if (!text[i] || (one_line && ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)))
            return false;
    return len > 0;
}

bool secret_read(const char *file, const char *credential, bool one_line, char **ret,
                 struct err *err)
{
    char path[4096], *text;
    size_t len;

    *ret = NULL;
    if (!file && !credential) return true;
    if (!path_of(file, credential, path, sizeof path, err)) return false;
    if (!load_file(path, 65536, &text, &len, err)) {
        err->kind = ERR_CONFIG;
        err->code = "secret.read";
        return false;
    }
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r')) text[--len] = '\0';
    if (!is_secret(text, len, one_line)) {
        secret_wipe(text);
        err_set(err, ERR_CONFIG, "secret.shape", "the secret is empty or not one line of text");
        return err_at(err, "%s", path);
    }
    *ret = text;
    return true;
}

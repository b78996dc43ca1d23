/* Secrets: from files or systemd credentials, never from the command line. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* The text of a secret: from a file or, by name, from systemd's credentials directory; without the
 * newline at its end. *ret is NULL when neither is given; owned by the caller otherwise (wipe with
 * secret_wipe()). Errors: ERR_CONFIG "secret.read", "secret.shape" (empty, longer than 64 KiB, control
 * characters in a one-line secret). Never repeats the secret. */
bool secret_read(const char *file, const char *credential, bool one_line, char **ret,
                 struct err *err) MUST_CHECK;
void secret_wipe(char *secret); /* overwrite and free; accepts NULL */

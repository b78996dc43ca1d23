/* How the program proves to the FHIR server who it is. */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

/* Where the credentials stand: files, or names of systemd credentials; NULL: none. At most one of
 * the two kinds is given. */
struct credential_source {
    const char *token_file, *token_credential;
    const char *basic_file, *basic_credential; /* "user:password" */
};

/* The value of the Authorization header; NULL when there are no credentials. Owned by the caller: wipe
 * with secret_wipe(). Errors: those of secret_read(). */
bool credential_authorization(const struct credential_source *source, char **ret,
                              struct err *err) MUST_CHECK;

/* "https://ehr.example:8443/fhir" gives "https://ehr.example:8443": the only place that gets the
 * credentials. url is one of http or https. */
void credential_origin(const char *url, char *ret, size_t size);

/* The settings as the parts of the daemon want them: the secrets and certificates that the
 * configuration names are read, and the rest is put in the words of flow/. */
#pragma once

#include "app/config.h"
#include "flow/flow.h"

struct material {
    char *authorization;                               /* owned secret */
    char *ca;                                          /* owned */
    char *certificate, *key, *hook_secret, *signature; /* owned; the last three are secrets */
    char origin[600];
};

/* Errors: those of secret_read() and credential_authorization(), and ERR_CONFIG "secret.shape" for a
 * secret that can be guessed. On success the caller ends it with material_done(). Blocking. */
bool material_read(const struct config *config, struct material *ret, struct err *err) MUST_CHECK;
void material_done(struct material *material); /* secrets are overwritten */

/* The same one by one, for people: what cannot be read, or can be guessed, is added to problems. What only
 * systemd can give is left out where it did not start us. Blocking. */
void material_check(const struct config *config, struct err_list *problems);

/* What the flow is started with, or told at a reload. Texts are borrowed from both. */
struct flow_options material_options(const struct material *material, const struct config *config);

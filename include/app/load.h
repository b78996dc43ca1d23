/* Reading mappings/ from disk. */
#pragma once

#include "base/err.h"
#include "core/knowledge.h"

/* Compile every .csv and .json file below dir (its folders codes, codes/local, labs, rules), for that
 * profile (PROFILE_UNSET: that of policy.json). On
 * success *ret is owned by the caller; otherwise problems has at least one entry, with file, line
 * and column. Blocking. */
bool load_mappings(const char *dir, enum profile profile, struct knowledge **ret,
                   struct err_list *problems) MUST_CHECK;

/* The same, and with it the rule files of a site: those in `site`, or in its folder rules/ if it has
 * one. site NULL: none. */
bool load_mappings_with(const char *dir, const char *site, enum profile profile,
                        struct knowledge **ret, struct err_list *problems) MUST_CHECK;

/* The path of a rule's file below dir or in the folder of the site. buf needs 4096 bytes. Returns
 * buf. */
const char *load_rule_path(const char *dir, const char *file, char *buf, size_t size);

/* Where mappings are when nobody says so: the installed ones, else those of the source tree that the
 * program was built in. buf needs 4096 bytes. Returns buf. */
const char *load_default_dir(char *buf, size_t size);

/* The whole of a file as text with a NUL behind it, at most max bytes. Owned by the caller. Errors:
 * ERR_SYSTEM "file.open", "file.read"; ERR_INPUT "file.size". */
bool load_file(const char *path, size_t max, char **ret, size_t *ret_len,
               struct err *err) MUST_CHECK;

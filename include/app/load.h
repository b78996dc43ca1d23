/* Reading mappings/ and what a site adds from disk. */
#pragma once

#include "base/err.h"
#include "core/knowledge.h"

/* Compile every .csv and .json file below dir (its folders codes, codes/local, labs, rules), for that
 * profile (PROFILE_UNSET: that of policy.json). On
 * success *ret is owned by the caller; otherwise problems has at least one entry, with file, line
 * and column. Blocking. */
bool load_mappings(const char *dir, enum profile profile, struct knowledge **ret,
                   struct err_list *problems) MUST_CHECK;

/* The path of a rule's file below dir or in the folder of the site. buf needs 4096 bytes. Returns
 * buf. */
const char *load_rule_path(const char *dir, const char *file, char *buf, size_t size);

/* Files and folders that a site adds. A zeroed struct is empty. */
struct load_paths {
    char **items; /* owned */
    size_t count;
};

void load_paths_add(struct load_paths *paths, const char *path);
void load_paths_done(struct load_paths *paths);

/* Add a folder of rule files; of one that has them in its folder rules/, that one. */
void load_paths_add_rules(struct load_paths *paths, const char *dir);

struct load_layers {
    const char *mappings;    /* ours; borrowed; NULL: see load_find() */
    struct load_paths codes; /* of the site; borrowed, as are the rules */
    struct load_paths rules;
    enum profile profile; /* PROFILE_UNSET: that of policy.json */
    bool no_drug_names;   /* drugs are not matched by name, whatever policy.json says */
    char found[4096];     /* of load_find() */
};

/* Where nobody has said which mappings: the installed ones, else those of the source tree that the
 * program was built in. The struct must not move afterwards. */
void load_find(struct load_layers *layers);

/* load_mappings(), with the codes and rules of a site laid over. A folder stands for its .csv and
 * .json files. At most 1000 files and 256 MiB of each layer. */
bool load_layers(const struct load_layers *layers, struct knowledge **ret,
                 struct err_list *problems) MUST_CHECK;

/* The whole of a file as text with a NUL behind it, at most max bytes. Owned by the caller. Errors:
 * ERR_SYSTEM "file.open", "file.read"; ERR_INPUT "file.size". */
bool load_file(const char *path, size_t max, char **ret, size_t *ret_len,
               struct err *err) MUST_CHECK;

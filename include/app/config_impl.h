/* What the files of the configuration share. Private to adapter/app/config*.c. */
#pragma once

#include "app/config.h"
#include "base/node.h"

enum setting_type {
    SETTING_TEXT,
    SETTING_URL,
    SETTING_SOCKET_URL,
    SETTING_NUMBER,
    SETTING_DURATION,
    SETTING_DAYS,
    SETTING_SWITCH,
    SETTING_PROFILE,
    SETTING_WORD, /* one of `words`; kept as its place there */
    SETTING_PATHS /* a list of files or folders */
};

/* One row a setting: reader, reload, help and manual come from here. */
struct setting {
    const char *section, *key; /* section "": at the top */
    enum setting_type type;
    size_t at;                /* of its member in struct config */
    const char *initial;      /* NULL: not set */
    int64_t min, max;         /* numbers; durations in milliseconds; days */
    const char *const *words; /* of a SETTING_WORD, in the order of its enum; ends in NULL */
    bool required;
    bool fixed; /* it cannot change while the daemon runs */
    const char *help;
};

#define CONFIG_SETTINGS_MAX 80
#define CONFIG_SECTIONS_MAX 8

extern const struct setting config_settings[];
extern const size_t config_setting_count;   /* at most CONFIG_SETTINGS_MAX */
extern const char *const config_sections[]; /* ends in NULL */

struct config_reader {
    const char *path, *text;
    size_t len;
    struct config *config;
    struct err_list *problems;
    bool good;
};

/* Something is wrong at that place; fix "" where there is nothing to say. */
void config_problem(struct config_reader *reader, const struct node *at, const char *fix,
                    const char *fmt, ...) PRINTF(4, 5);

/* Settings that are right by themselves and do not fit together. */
void config_check(struct config_reader *reader, const struct node *root);

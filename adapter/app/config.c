#include "app/config.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/config_impl.h"
#include "base/buf.h"
#include "base/doc.h"
#include "base/instant.h"
#include "base/mem.h"

/* ---- problems */

void config_problem(struct config_reader *reader, const struct node *at, const char *fix,
                    const char *fmt, ...)
{
    struct err err;
    char what[sizeof err.what];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    err_set(&err, ERR_CONFIG, "config.value", "%s", what);
    err.offset = at->offset;
    doc_place(reader->path, reader->text, reader->len, &err);
    if (fix[0]) err_fix(&err, "%s", fix);
    err_list_add(reader->problems, &err);
    reader->good = false;
}

static void problem_err(struct config_reader *reader, const struct err *err)
{
    struct err placed = *err;

    doc_place(reader->path, reader->text, reader->len, &placed);
    err_list_add(reader->problems, &placed);
    reader->good = false;
}

/* ---- values */

static void text_set(struct config *config, const struct setting *setting, const char *text)
{
    char **slot = (char **)(void *)((char *)config + setting->at);

    free(*slot);
    *slot = text ? mem_strdup(text) : NULL;
}

static void number_set(struct config *config, const struct setting *setting, int64_t number)
{
    memcpy((char *)config + setting->at, &number, sizeof number);
}

static void switch_set(struct config *config, const struct setting *setting, bool on)
{
    memcpy((char *)config + setting->at, &on, sizeof on);
}

static bool duration_ms(const char *text, int64_t *ret)
{
    struct duration duration;

    if (!duration_parse(text, &duration) || duration.months) return false;
    *ret = duration.ms;
    return true;
}

/* scheme: "http"; with an s behind it, it is the same over TLS. */
static bool url_fits(const char *text, const char *scheme)
{
    size_t n = strlen(scheme);
    const char *after = strncmp(text, scheme, n) == 0 ? text + n : "", *host;

    if (*after == 's') after++;
    host = strncmp(after, "://", 3) == 0 ? after + 3 : "";
    return host[0] && host[0] != '/' && host[0] != ':' && !strpbrk(text, "?#@ ") &&
           strlen(text) <= 1000;
}

bool config_url_fits(const char *text)
{
    return url_fits(text, "http");
}

/* The place of the word in the list of its setting. */
static bool word_place(const struct setting *setting, const char *text, int64_t *ret)
{
    for (*ret = 0; setting->words[*ret]; ++*ret)
        if (strcmp(setting->words[*ret], text) == 0) return true;
    return false;
}

static bool text_fits(enum setting_type type, const char *text, const char **ret_fix)
{
    enum profile profile;

    if (type == SETTING_URL) {
        *ret_fix = "write http://HOST[:PORT]/PATH or https://...";
        return url_fits(text, "http");
    }
    if (type == SETTING_SOCKET_URL) {
        *ret_fix = "write ws://HOST[:PORT]/PATH or wss://...";
        return url_fits(text, "ws");
    }
    if (type == SETTING_PROFILE) {
        *ret_fix = "use us or eu";
        return profile_parse(text, &profile);
    }
    *ret_fix = "write a text, or leave the setting out";
    return text[0] != '\0';
}

static bool span_fits(const struct setting *setting, const char *text, int64_t *ret,
                      const char **ret_fix)
{
    bool days = setting->type == SETTING_DAYS;

    *ret_fix =
        days ? "write whole days: \"30 d\"" : "write a number and one of s min h d wk: \"60 s\"";
    if (!duration_ms(text, ret) || (days && *ret % INSTANT_DAY)) return false;
    if (days) *ret /= INSTANT_DAY;
    if (*ret >= setting->min && *ret <= setting->max) return true;
    *ret_fix = "that is too short or too long; see myeloma-adapter check --settings";
    return false;
}

/* A setting from text: the value of the file, or the default. */
static bool value_set(struct config *config, const struct setting *setting, const char *text,
                      const char **ret_fix)
{
    int64_t number;

    *ret_fix = "";
    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_URL:
    case SETTING_SOCKET_URL:
    case SETTING_PROFILE:
        if (!text_fits(setting->type, text, ret_fix)) return false;
        text_set(config, setting, text);
        return true;
    case SETTING_DURATION:
    case SETTING_DAYS:
        if (!span_fits(setting, text, &number, ret_fix)) return false;
        number_set(config, setting, number);
        return true;
    case SETTING_WORD:
        if (!word_place(setting, text, &number)) return false;
        number_set(config, setting, number);
        return true;
    case SETTING_NUMBER:
        number_set(config, setting, strtoll(text, NULL, 10));
        return true;
    case SETTING_SWITCH:
        switch_set(config, setting, strcmp(text, "true") == 0);
        return true;
    case SETTING_PATHS: /* has no default; paths_read() */
        break;
    }
    return false;
}

static void defaults_set(struct config *config)
{
    const char *fix;

    for (size_t i = 0; i < config_setting_count; i++)
        if (config_settings[i].initial &&
            !value_set(config, &config_settings[i], config_settings[i].initial, &fix))
            abort(); /* a default of ours that does not fit its own row */
}

static struct load_paths *paths_of(struct config *config, const struct setting *setting)
{
    return (struct load_paths *)(void *)((char *)config + setting->at);
}

static void paths_read(struct config_reader *reader, const struct node *list,
                       const struct setting *setting)
{
    if (!node_is(list, DOC_ARRAY)) {
        config_problem(reader, list, "write [\"/etc/myeloma-adapter/...\"]",
                       "\"%s\" must be a list", setting->key);
        return;
    }
    for (size_t i = 0; i < node_count(list); i++) {
        struct node item = node_item(list, i);
        if (node_is(&item, DOC_STRING) && item.value->count && item.value->count < PATH_MAX / 2)
            load_paths_add(paths_of(reader->config, setting), item.value->text);
        else
            config_problem(reader, &item, "write the path of a file or folder",
                           "\"%s\" must be a list of texts", setting->key);
    }
}

/* "use error, warn, info or debug" */
static const char *words_of(const struct setting *setting, char *buf, size_t size)
{
    size_t len = (size_t)snprintf(buf, size, "use %s", setting->words[0]);

    for (size_t i = 1; setting->words[i] && len < size; i++)
        len += (size_t)snprintf(buf + len, size - len, "%s%s",
                                setting->words[i + 1] ? ", " : " or ", setting->words[i]);
    return buf;
}

static void setting_read(struct config_reader *reader, const struct node *section,
                         const struct setting *setting)
{
    struct node value = node_get(section, setting->key);
    const char *text, *fix;
    char words[100];
    int64_t number;
    struct err err;

    if (!value.value) return;
    if (setting->type == SETTING_NUMBER) {
        if (node_int(section, setting->key, setting->min, setting->max, &number, &err))
            number_set(reader->config, setting, number);
        else
            problem_err(reader, &err);
    } else if (setting->type == SETTING_PATHS) {
        paths_read(reader, &value, setting);
    } else if (setting->type == SETTING_SWITCH) {
        if (!node_is(&value, DOC_TRUE) && !node_is(&value, DOC_FALSE))
            config_problem(reader, &value, "write true or false", "\"%s\" must be true or false",
                           setting->key);
        else
            switch_set(reader->config, setting, node_is(&value, DOC_TRUE));
    } else if (!node_string(section, setting->key, &text, &err)) {
        problem_err(reader, &err);
    } else if (!value_set(reader->config, setting, text, &fix)) {
        if (setting->words) fix = words_of(setting, words, sizeof words);
        config_problem(reader, &value, fix, "\"%s\" cannot be \"%.80s\"", setting->key, text);
    }
}

enum profile config_profile(const struct config *config)
{
    enum profile profile = PROFILE_UNSET;

    if (config && config->profile && !profile_parse(config->profile, &profile))
        return PROFILE_UNSET;
    return profile;
}

static void section_read(struct config_reader *reader, const struct node *at, const char *name)
{
    const char *keys[CONFIG_SETTINGS_MAX + CONFIG_SECTIONS_MAX + 1];
    size_t count = 0;
    struct err err;

    if (!node_is(at, DOC_OBJECT)) {
        config_problem(reader, at, "write { ... }", "\"%s\" must be an object", name);
        return;
    }
    for (size_t i = 0; i < config_setting_count; i++)
        if (strcmp(config_settings[i].section, name) == 0) keys[count++] = config_settings[i].key;
    for (size_t i = 0; !name[0] && config_sections[i]; i++) keys[count++] = config_sections[i];
    keys[count] = NULL;
    if (!node_only(at, keys, &err)) problem_err(reader, &err);
    for (size_t i = 0; i < config_setting_count; i++)
        if (strcmp(config_settings[i].section, name) == 0)
            setting_read(reader, at, &config_settings[i]);
}

static void trim_slash(char *url)
{
    size_t n = url ? strlen(url) : 0;

    while (n && url[n - 1] == '/') url[--n] = '\0';
}

bool config_read(const char *path, struct config **ret, struct err_list *problems)
{
    AUTO(config_free) struct config *config = mem_new(struct config);
    AUTO(doc_free) struct doc *doc = NULL;
    struct config_reader reader = {
        .path = path, .config = config, .problems = problems, .good = true
    };
    struct err err;
    char *text;

    if (!load_file(path, 1 << 20, &text, &reader.len, &err)) {
        err_fix(&err, "see the examples in config/");
        err_list_add(problems, &err);
        return false;
    }
    reader.text = text;
    config->file = mem_strdup(path);
    defaults_set(config);
    if (!doc_parse(text, reader.len, DOC_COMMENTS | DOC_UNIQUE, &doc, &err)) {
        problem_err(&reader, &err);
    } else {
        struct node root = node_root(doc);
        section_read(&reader, &root, "");
        for (size_t i = 0; config_sections[i]; i++) {
            struct node section = node_get(&root, config_sections[i]);
            if (section.value) section_read(&reader, &section, config_sections[i]);
        }
        config_check(&reader, &root);
    }
    free(text);
    trim_slash(config->server.base);
    trim_slash(config->hook.url);
    if (!reader.good) return false;
    *ret = TAKE(config);
    return true;
}

void config_free(struct config *config)
{
    if (!config) return;
    for (size_t i = 0; i < config_setting_count; i++) {
        enum setting_type type = config_settings[i].type;
        if (type == SETTING_TEXT || type == SETTING_URL || type == SETTING_SOCKET_URL ||
            type == SETTING_PROFILE)
            text_set(config, &config_settings[i], NULL);
        if (type == SETTING_PATHS) load_paths_done(paths_of(config, &config_settings[i]));
    }
    free(config->file);
    free(config);
}

bool config_listen(const char *text, char *ret_address, size_t size, uint16_t *ret_port)
{
    const char *colon = strrchr(text, ':');
    bool bracket = text[0] == '[';
    size_t n = colon ? (size_t)(colon - text) : 0;
    char *end = NULL;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;

    if (bracket && n > 2 && text[n - 1] == ']') {
        text++;
        n -= 2;
    } else if (bracket) {
        n = 0;
    }
    if (!n || n >= size || !end || *end || end == colon + 1 || port > 65535) return false;
    memcpy(ret_address, text, n);
    ret_address[n] = '\0';
    *ret_port = (uint16_t)port;
    return true;
}

static bool text_is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool value_is_same(const struct setting *setting, const struct config *one,
                          const struct config *other)
{
    const char *a = (const char *)one + setting->at, *b = (const char *)other + setting->at;

    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_URL:
    case SETTING_SOCKET_URL:
    case SETTING_PROFILE:
        return text_is_same(*(char *const *)(const void *)a, *(char *const *)(const void *)b);
    case SETTING_NUMBER:
    case SETTING_DURATION:
    case SETTING_DAYS:
    case SETTING_WORD:
        return memcmp(a, b, sizeof(int64_t)) == 0;
    case SETTING_SWITCH:
        return memcmp(a, b, sizeof(bool)) == 0;
    case SETTING_PATHS: /* read anew with the mappings, whatever they were */
        break;
    }
    return true;
}

bool config_fixed(const struct config *one, const struct config *other, char *ret, size_t size)
{
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        if (!setting->fixed || value_is_same(setting, one, other)) continue;
        snprintf(ret, size, "%s%s%s", setting->section, setting->section[0] ? "." : "",
                 setting->key);
        return true;
    }
    return false;
}

void config_help(void)
{
    const char *section = NULL;

    for (size_t i = 0; i < config_setting_count; i++) {
        if (!section || strcmp(section, config_settings[i].section) != 0)
            printf("%s%s\n", i ? "\n" : "",
                   config_settings[i].section[0] ? config_settings[i].section : "(top)");
        section = config_settings[i].section;
        printf("  %-20s %-13s %s\n", config_settings[i].key,
               config_settings[i].initial    ? config_settings[i].initial
               : config_settings[i].required ? "required"
                                             : "-",
               config_settings[i].help);
    }
}

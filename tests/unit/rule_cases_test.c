/* Every case of every rule in mappings/, one test each, under its own name. */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/knowledge.h"
#include "core/rule.h"
#include "core/rule_case.h"
#include "golden.h"

static struct knowledge *knowledge;

struct played {
    const struct rule *rule;
    const struct rule_case *at;
};

static void check(void **state)
{
    const struct played *played = *state;
    struct err err = { .what = "" };
    bool holds = rule_case_holds(played->at, played->rule, knowledge, &err);

    if (!holds) print_error("%s: %s\n", played->at->name, err.what);
    assert_true(holds);
}

static struct knowledge_file mapping_read(const char *folder, const char *name)
{
    char path[512];
    char *text;

    snprintf(path, sizeof path, "mappings/%s%s", folder, name);
    text = file_text(path);
    return (struct knowledge_file){ mem_strdup(path + strlen("mappings/")), text, strlen(text) };
}

static size_t folder_read(const char *folder, struct knowledge_file *files, size_t count)
{
    char path[256];
    struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof path, "mappings/%s", folder);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || (strcmp(dot, ".csv") != 0 && strcmp(dot, ".json") != 0)) continue;
        files[count++] = mapping_read(folder, entry->d_name);
    }
    closedir(dir);
    return count;
}

static bool load(void)
{
    struct knowledge_file files[128];
    struct err_list problems = { 0 };
    size_t count = folder_read("", files, 0);
    bool good;

    count = folder_read("codes/", files, count);
    count = folder_read("labs/", files, count);
    count = folder_read("rules/", files, count);
    good = knowledge_load(files, count, &knowledge, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        char text[800];
        fprintf(stderr, "%s\n", err_text(&problems.items[i], text, sizeof text));
    }
    err_list_done(&problems);
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)files[i].name);
        free((void *)(uintptr_t)files[i].text);
    }
    return good;
}

int main(void)
{
    struct CMUnitTest *tests = NULL;
    struct played *played = NULL;
    size_t count = 0, room = 0;
    int failed;

    if (!load()) return 1;
    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++)
        room += knowledge_rule(knowledge, i)->case_count;
    tests = mem_zero(room, sizeof *tests);
    played = mem_zero(room, sizeof *played);
    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++) {
        const struct rule *rule = knowledge_rule(knowledge, i);
        for (size_t j = 0; j < rule->case_count; j++, count++) {
            char name[256];
            snprintf(name, sizeof name, "%s: %s", rule->id, rule->cases[j].name);
            played[count] = (struct played){ rule, &rule->cases[j] };
            tests[count].name = mem_strdup(name);
            tests[count].test_func = check;
            tests[count].initial_state = &played[count];
        }
    }
    failed = _cmocka_run_group_tests("rule cases", tests, count, NULL, NULL);
    for (size_t i = 0; i < count; i++) free((void *)(uintptr_t)tests[i].name);
    free(tests);
    free(played);
    knowledge_free(knowledge);
    return failed;
}

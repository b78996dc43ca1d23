/* What `test` tells of the cases it has played: as TAP, as JUnit XML, or in brief. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/rule.h"
#include "core/rule_case.h"

struct test_result {
    const struct rule *rule;
    const struct rule_case *at;
    bool holds;
    struct case_said said; /* where it was played */
    char *message;         /* owned; NULL where it holds: "expected ..., the rule says ..." */
    char *trace;           /* owned; NULL or "" where it holds, or could not be played */
};

struct test_run {
    const char *dir; /* of the mappings */
    struct test_result *results;
    size_t count, failed, rules;
    bool colours;
};

/* TAP version 13 with a YAML block for each failure. */
void test_report_tap(const struct test_run *run, FILE *out);

/* JUnit XML: one suite for each rule. */
void test_report_junit(const struct test_run *run, FILE *out);

/* The failures with their traces, and a line that counts. */
void test_report_brief(const struct test_run *run, FILE *out);

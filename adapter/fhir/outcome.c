#include "fhir/outcome.h"

#include <stdio.h>
#include <string.h>

#include "fhir/build.h"
#include "fhir/datatype.h"

char *outcome_build(const char *severity, const char *code, const char *text)
{
    json_t *outcome = json_object(), *issues = json_array(), *issue = json_object();

    build_text(outcome, "resourceType", "OperationOutcome");
    build_text(issue, "severity", severity);
    build_text(issue, "code", code);
    build_text(issue, "diagnostics", text);
    build_append(issues, issue);
    build_set(outcome, "issue", issues);
    return build_dump(outcome);
}

/* Issue types are lower-case words with hyphens; anything else may be a text that strayed in. */
static bool is_issue_type(const char *code)
{
    size_t len = strspn(code, "abcdefghijklmnopqrstuvwxyz-");

    return len > 0 && len <= 40 && code[len] == '\0';
}

const char *outcome_codes(const struct node *at, char *buf, size_t size)
{
    const char *type = node_text(at, "resourceType");
    struct node issues = node_get(at, "issue");
    size_t count = datatype_count(&issues), used = 0;

    buf[0] = '\0';
    if (!type || strcmp(type, "OperationOutcome") != 0) return buf;
    for (size_t i = 0; i < count; i++) {
        struct node issue = datatype_item(&issues, i);
        const char *code = node_text(&issue, "code");
        if (!code || !is_issue_type(code)) continue;
        if (used + strlen(code) + 2 > size) break;
        used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "," : "", code);
    }
    return buf;
}

/* Reading rule files: "rules/NAME.json" and "definitions.json". */
#pragma once

#include "base/attr.h"
#include "core/knowledge.h"

/* Read every rule (and definition) of a file and give it to the knowledge, whose codes, labs and
 * classes are complete by now. site: the file is a site's, whose rules are new ones or say that
 * they override one of ours. Goes on after a problem; false when there was one. problems: where is
 * "FILE:LINE:COLUMN". */
bool rules_read(const struct knowledge_file *file, bool site, struct knowledge *knowledge,
                struct err_list *problems);

/* What rules say of each other, when all files are read: does every rule that one yields to exist?
 * (rule_check.c) */
void rules_check(const struct knowledge *knowledge, struct err_list *problems);

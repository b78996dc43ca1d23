/* What a DetectedIssue says in words. Private to fhir/. Pure. */
#pragma once

#include "base/buf.h"
#include "core/alert.h"

/* Append the detail of the alert, and how it ended if it has. */
void issue_text_detail(const struct alert *alert, struct buf *out);

/* Append the same as markdown that shows exactly these characters: what is markup is escaped. */
void issue_text_markdown(const struct alert *alert, struct buf *out);

/* Append the same as XHTML in paragraphs, everything escaped: <div xmlns=...>...</div>. */
void issue_text_narrative(const struct alert *alert, struct buf *out);

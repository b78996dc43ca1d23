/* A value of a document as JSON text again, numbers as they were sent (jansson would round them).
 * Private to fhir/. Pure. */
#pragma once

#include "base/buf.h"
#include "base/doc.h"

void raw_write(const struct doc_value *value, struct buf *out);

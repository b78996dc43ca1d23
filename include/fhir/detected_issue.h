/* Alerts as DetectedIssue resources, and the Device that writes them, in the shape of the release
 * that the server speaks: R4B is as R4, R5 has other names. Pure; byte-stable: the same alert gives
 * the same text. */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/node.h"
#include "core/alert.h"
#include "fhir/release.h"

#define ADAPTER_SYSTEM "urn:x-myeloma-adapter" /* also the tag and mitigation that mark our own */

struct issue_options {
    const char *system;  /* base of our code and identifier systems: "https://adapter.example"
                             * or ADAPTER_SYSTEM; "/alert", "/rule", "/generation", "/display"
                             * follow, ":alert" ... behind a urn */
    const char *device;  /* "Device/mm-adapter-..." */
    const char *version; /* of the program */
    enum fhir_release release;
};

/* "mm-" and the key: the id where the server lets us choose it. ret needs 64 bytes. */
void issue_id(const struct alert *alert, char *ret);

/* The DetectedIssue as it should stand. id: NULL to leave it out. server: what stands there now,
 * or NULL; mitigation that others wrote is kept, ours is put after it. Owned by the caller
 * (free()). */
char *issue_build(const struct alert *alert, const struct issue_options *options, const char *id,
                  const struct node *server);

/* Does what stands on the server already say what issue_build() would write? (Ignores what servers
 * add: meta.versionId, lastUpdated, narrative changes, id; and the generation.) */
bool issue_matches(const struct alert *alert, const struct issue_options *options,
                   const struct node *server);

/* Our Device: id "mm-adapter-" and a short hash of name; JSON owned by the caller. */
void device_id(const char *name, char *ret, size_t size);
char *device_build(const char *name, const struct issue_options *options);

/* The alerts of a replay on the standard output. */
#pragma once

#include "app/simulate.h"

enum replay_format {
    REPLAY_TABLE,
    REPLAY_JSON,  /* one object a line and alert */
    REPLAY_BUNDLE /* the DetectedIssues that would have been posted */
};

void replay_print(const struct simulated *result, enum replay_format format);

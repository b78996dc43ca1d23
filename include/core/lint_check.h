/* What lint looks for, and the words by which a rule accepts a finding. */
#pragma once

enum lint_check {
    LINT_CONTRADICTION,   /* a clause that can never be true */
    LINT_ALWAYS_TRUE,     /* an `any` that can never be false */
    LINT_UNREACHABLE,     /* a branch, row, exception or `persists` that changes nothing */
    LINT_MISSING_RECENCY, /* a quantity of any age, a gap without a window */
    LINT_MISSING_SOURCE,  /* a severity that rests on nothing one can read */
    LINT_OVERLAP,         /* two rules that always alert together */
    LINT_UNMAPPED,        /* a concept that no code becomes */
    LINT_YIELDS,          /* a yieldsTo in a circle, or to what never holds together */
    LINT_REVIEW,          /* past its reviewBy */
    LINT_MISSING_OWNER,
    LINT_MISSING_CASE,
    LINT_ACCEPTED, /* accepts what is not found: cannot be accepted itself */
    LINT_CHECKS
};

/* "contradiction", "always-true" ...; ends in NULL, so that a reader can look words up. */
extern const char *const lint_check_names[LINT_CHECKS + 1];

/* What a computed result was computed from, in words. */
#include "core/eval_impl.h"

static void inputs_say(const struct eval *eval, const struct derivation *how, struct buf *out)
{
    char date[16];

    for (size_t i = 0; i < how->input_count; i++) {
        const struct chart_result *input = how->inputs[i];
        buf_printf(out, "%s%s %s on %s", i ? ", " : "",
                   concept_words(eval->knowledge, input->analyte), input->shown,
                   instant_date(input->at_ms, date, sizeof date));
    }
}

static void person_say(const struct derivation *how, struct buf *out)
{
    if (!how->has_person) return;
    buf_printf(out, ", age %d", how->youngest);
    if (how->oldest != how->youngest) buf_printf(out, " or %d", how->oldest);
    buf_printf(out, ", %s", how->sex == SEX_FEMALE ? "female" : "male");
}

void derivation_say(const struct eval *eval, const struct derivation *how, struct buf *out)
{
    char length[32], kg[64];

    if (how->lack) buf_printf(out, ": %s", how->lack);
    buf_text(out, " (");
    inputs_say(eval, how, out);
    person_say(how, out);
    if (how->weight)
        buf_printf(out, ", %s kg %s", decimal_text(decimal_round(how->kg, 1), kg, sizeof kg),
                   how->weight);
    buf_printf(out, "; %s", how->formula);
    if (how->has_apart)
        buf_printf(out, ", at most %s apart", duration_text(how->apart, length, sizeof length));
    buf_char(out, ')');
}

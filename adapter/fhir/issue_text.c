#include "fhir/issue_text.h"

#include <string.h>

#include "base/attr.h"
#include "base/instant.h"

static void escape(const char *text, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '&')
            buf_text(out, "&amp;");
        else if (c == '<')
            buf_text(out, "&lt;");
        else if (c == '>')
            buf_text(out, "&gt;");
        else if (c == '"')
            buf_text(out, "&quot;");
        else
            buf_char(out, (char)(c < ' ' || c == 0x7F ? ' ' : c));
    }
}

static void paragraph(const char *text, size_t len, const char *mark, struct buf *out)
{
    while (len && text[0] == ' ') text++, len--;
    while (len && text[len - 1] == ' ') len--;
    if (len == 0) return;
    buf_printf(out, "<p>%s", mark);
    escape(text, len, out);
    buf_printf(out, "%s</p>", *mark ? "</b>" : "");
}

/* Where the next paragraph of a detail starts: at a line break, or at one of the leads with which
 * the evaluator starts its parts. */
static size_t paragraph_len(const char *text)
{
    static const char *const leads[] = { "\n", " What the source directs: ", " Why: ",
                                         " How sure: ", " Source: " };
    size_t len = strlen(text);

    for (size_t i = 0; i < ARRAY_SIZE(leads); i++) {
        const char *lead = *text ? strstr(text + 1, leads[i]) : NULL;
        if (lead && (size_t)(lead - text) < len) len = (size_t)(lead - text);
    }
    return len;
}

/* The title in bold is not said again where the detail begins with it. */
static const char *without_title(const char *detail, const char *title)
{
    size_t len = strlen(title);

    if (len == 0 || strncmp(detail, title, len) != 0) return detail;
    detail += len;
    return detail + strspn(detail, ".!? ");
}

/* "2026-05-04 10:00 UTC" */
static void moment_words(int64_t ms, struct buf *out)
{
    char text[32];

    instant_text(ms, text, sizeof text);
    if (strlen(text) > 16) buf_printf(out, " %.10s %.5s UTC", text, text + 11);
}

/* "Ended 2026-05-04 10:00 UTC: why", "Retracted ..."; nothing while open. */
static void ending_words(const struct alert *alert, struct buf *out)
{
    if (alert->state == ALERT_OPEN) return;
    buf_text(out, alert->state == ALERT_RETRACTED ? "Retracted" : "Ended");
    moment_words(alert->ended_ms, out);
    if (*alert->ended_why) buf_printf(out, ": %s", alert->ended_why);
    if (!strchr(".!?", out->data[out->len - 1])) buf_char(out, '.');
}

void issue_text_narrative(const struct alert *alert, struct buf *out)
{
    AUTO(buf_done) struct buf ending = { 0 };

    ending_words(alert, &ending);
    buf_text(out, "<div xmlns=\"http://www.w3.org/1999/xhtml\">");
    paragraph(alert->title, strlen(alert->title), "<b>", out);
    for (const char *at = without_title(alert->detail, alert->title); *at;) {
        size_t len = paragraph_len(at);
        paragraph(at, len, "", out);
        at += len;
    }
    paragraph(buf_string(&ending), ending.len, "", out);
    buf_text(out, "</div>");
}

/* Would this character of a line begin a heading, a quotation or a list there: "# ", "1. "? */
static bool starts_block(const char *line, size_t at)
{
    if (at == 0) return strchr("#>-+=", line[at]) != NULL;
    return (line[at] == '.' || line[at] == ')') && strspn(line, "0123456789") == at &&
           (line[at + 1] == ' ' || line[at + 1] == '\0');
}

/* Plain text as markdown that reads the same: of "10*9/L ... 10*9/L" the stars would vanish. */
static void markdown_escape(const char *text, struct buf *out)
{
    const char *line = text; /* the first character of its line that is no space */

    for (; *text; text++) {
        if (strchr("\\`*_[]<&~", *text) || starts_block(line, (size_t)(text - line)))
            buf_char(out, '\\');
        buf_char(out, *text);
        if (*text == '\n' || (text == line && *text == ' ')) line = text + 1;
    }
}

void issue_text_markdown(const struct alert *alert, struct buf *out)
{
    AUTO(buf_done) struct buf plain = { 0 };

    issue_text_detail(alert, &plain);
    markdown_escape(buf_string(&plain), out);
}

void issue_text_detail(const struct alert *alert, struct buf *out)
{
    AUTO(buf_done) struct buf ending = { 0 };

    ending_words(alert, &ending);
    buf_text(out, alert->detail);
    if (out->len && ending.len) buf_char(out, ' ');
    buf_text(out, buf_string(&ending));
}

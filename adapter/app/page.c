#include "app/page.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int page_width(FILE *stream)
{
    struct winsize size;

    if (!isatty(fileno(stream)) || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 ||
        size.ws_col < 20)
        return PAGE_WIDTH;
    return size.ws_col;
}

static bool is_start(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80; /* UTF-8: not inside a character */
}

static int columns(const char *text, size_t len)
{
    int count = 0;

    for (size_t i = 0; i < len; i++) count += is_start(text[i]);
    return count;
}

int page_columns(const char *text)
{
    return columns(text, strlen(text));
}

void page_wrap(const char *first, const char *text, int width, FILE *out)
{
    int indent = page_columns(first), at = indent;

    fputs(first, out);
    for (bool begun = false; *text; begun = true) {
        size_t n = strcspn(text, " \n");
        int word = columns(text, n);
        if (begun && at + 1 + word > width) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (begun) {
            fputc(' ', out);
            at++;
        }
        fwrite(text, 1, n, out);
        at += word;
        text += n;
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

void page_cell(const char *text, int width, bool pad, FILE *out)
{
    int all = page_columns(text), shown = 0;
    bool cut = all > width;

    for (; *text && (!cut || shown < width - 1 || !is_start(*text)); text++) {
        shown += is_start(*text);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
    if (cut) fputs("…", out);
    if (pad && !cut) fprintf(out, "%*s", width - all, "");
}

void page_html(const char *text, FILE *out)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc((unsigned char)*text < ' ' || *text == '\x7f' ? ' ' : *text, out);
        }
    }
}

void page_csv(const char *text, FILE *out)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* Two parties that disagree on where a request ends are how requests are smuggled past a proxy
 * (RFC 9112, 5 and 6): there must be one statement of it, and we must understand it.
 *
 * What libmicrohttpd 0.9.75 makes of odd heads was tried out: a continued line is hung on the name of
 * the header before ("Transfer-Encoding:\r\n chunked" becomes "Transfer-Encodingchunked" without a
 * value), a blank before the colon is part of the name, a bare CR part of the value, and a NUL ends a
 * value. All but the last can be seen here. */
#include "net/http_refusal.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct framing {
    unsigned lengths, encodings; /* how many such headers */
    bool odd;                    /* a header that may be read in two ways */
};

/* RFC 9110, 5.6.2 */
static bool is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~0123456789"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return *text && text[strspn(text, others)] == '\0';
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f) return true;
    return false;
}

/* The name, or the name with a continued line hung on it. */
static bool begins_with(const char *name, const char *known)
{
    return strncasecmp(name, known, strlen(known)) == 0;
}

static enum MHD_Result framing_on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                         const char *value)
{
    struct framing *framing = arg;

    (void)kind;
    if (!is_token(name) || (value && has_control(value))) framing->odd = true;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0)
        framing->lengths++;
    else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0)
        framing->encodings++;
    else if (begins_with(name, MHD_HTTP_HEADER_CONTENT_LENGTH) ||
             begins_with(name, MHD_HTTP_HEADER_TRANSFER_ENCODING))
        framing->odd = true;
    return MHD_YES;
}

static const char *header(struct MHD_Connection *mhd, const char *name)
{
    return MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name);
}

unsigned http_framing_refusal(struct MHD_Connection *mhd, const char **ret_text)
{
    struct framing framing = { 0 };
    const char *encoding = header(mhd, MHD_HTTP_HEADER_TRANSFER_ENCODING);

    MHD_get_connection_values(mhd, MHD_HEADER_KIND, framing_on_header, &framing);
    *ret_text = "a header is malformed\n";
    if (framing.odd) return MHD_HTTP_BAD_REQUEST;
    *ret_text = "the length of the body is stated more than once\n";
    if (framing.lengths + framing.encodings > 1) return MHD_HTTP_BAD_REQUEST;
    *ret_text = "only the transfer encoding \"chunked\" is known here\n";
    if (encoding && strcasecmp(encoding, "chunked") != 0) return MHD_HTTP_NOT_IMPLEMENTED;
    return 0;
}

unsigned http_body_refusal(struct MHD_Connection *mhd, size_t body_max, const char **ret_text)
{
    const char *length = header(mhd, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const char *encoding = header(mhd, MHD_HTTP_HEADER_CONTENT_ENCODING);

    *ret_text = "send the body without Content-Encoding\n";
    if (encoding && *encoding && strcasecmp(encoding, "identity") != 0)
        return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    *ret_text = "the body is too long\n";
    if (length && strtoull(length, NULL, 10) > body_max) return MHD_HTTP_CONTENT_TOO_LARGE;
    return 0;
}

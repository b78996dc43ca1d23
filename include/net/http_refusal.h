/* Which heads the listener refuses by itself, whatever they ask for. Pure, but for what
 * libmicrohttpd holds of the request. Loop thread. */
#pragma once

#include <stddef.h>

struct MHD_Connection;

/* The status that refuses a head of which two parties could disagree where its request ends; 0: it
 * is clear. *ret_text: static. */
unsigned http_framing_refusal(struct MHD_Connection *mhd, const char **ret_text);

/* The status that refuses a body which is packed, or stated to be longer than body_max; 0: it may
 * come. *ret_text: static. */
unsigned http_body_refusal(struct MHD_Connection *mhd, size_t body_max, const char **ret_text);

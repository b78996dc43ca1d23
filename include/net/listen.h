/* A listening TCP socket, and a good reason when there is none. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* address is in numbers: "127.0.0.1", "0.0.0.0", "::" (IPv4 too); port 0: any free one.
 * *ret_fd: non-blocking, owned by the caller; *ret_port: the port it has.
 * Error: ERR_SYSTEM "listen.address". Thread: any. */
bool listen_open(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port,
                 struct err *err) MUST_CHECK;

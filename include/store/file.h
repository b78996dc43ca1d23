/* The file of the database as the operating system has it: private, ours alone, and still there after a
 * power cut. Private to adapter/store. Blocking. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Open or create the file, 0600 like those that SQLite lays beside it, and lock it: a second process
 * does not get it. The caller closes *ret, after SQLite has closed its own: closing it before would
 * drop the locks of SQLite. Errors: "store.held", and those of unopened_errno(). */
bool file_lock(const char *path, int *ret, struct err *err) MUST_CHECK;

/* Bytes; INT64_MAX when that cannot be told. */
int64_t file_size(int fd);

/* See to it that the names of the file and of its log outlast a power cut. Errors: those of
 * unopened_errno(). */
bool file_sync_folder(const char *path, struct err *err) MUST_CHECK;

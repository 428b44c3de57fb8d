/* Text that goes into JSON, which is UTF-8.  Names of files are bytes: one that is no UTF-8 would
 * make the whole answer one that nobody can read. */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include <stdbool.h>

struct json_object;

/* Whether all of it is UTF-8.  Source: RFC 3629. */
bool hv_utf8_is_valid(const char *text) __attribute__((nonnull));

/* A copy with U+FFFD for each byte that is not; the caller frees it.  NULL on ENOMEM. */
char *hv_utf8_copy(const char *text) __attribute__((nonnull, warn_unused_result));

/* A JSON string of the text, or of its clean copy; to be put.  NULL on ENOMEM. */
struct json_object *hv_utf8_json(const char *text) __attribute__((nonnull, warn_unused_result));

#endif

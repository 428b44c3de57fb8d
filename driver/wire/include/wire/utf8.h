/* SPDX-License-Identifier: Apache-2.0 */
/* Text that goes into JSON, which is UTF-8.  File names are bytes: a name that is not UTF-8 would
 * make the whole answer unreadable. */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/* How many bytes the character at `at` has, of which `left` are there; 0: it is none.  A NUL ends
 * a character.  Source: RFC 3629, section 4. */
size_t hv_utf8_measure(const unsigned char *at, size_t left) __attribute__((nonnull));

/* Whether all of it is UTF-8.  Source: RFC 3629. */
bool hv_utf8_is_valid(const char *text) __attribute__((nonnull));

/* A copy with U+FFFD for each byte that is not; the caller frees it.  NULL on ENOMEM. */
char *hv_utf8_copy(const char *text) __attribute__((nonnull, warn_unused_result));

/* A copy of a JSON text of `size` bytes in which every character beyond ASCII is written as \uXXXX,
 * which means the same; the caller frees it.  The strict parser of json-c 0.17 and 0.18 takes a
 * byte beyond ASCII for a control character, since char has a sign. Returns 0, -EILSEQ when it is
 * not UTF-8, or -ENOMEM.  Source: RFC 8259, section 7. */
int hv_utf8_escape(const char *bytes, size_t size, char **ret, size_t *ret_size)
	__attribute__((nonnull(3, 4), warn_unused_result));

/* A JSON string of the text, or of its clean copy; to be put.  NULL on ENOMEM. */
struct json_object *hv_utf8_json(const char *text) __attribute__((nonnull, warn_unused_result));

#endif

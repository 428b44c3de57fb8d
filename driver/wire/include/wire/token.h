/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of JSON.  json-c takes more than the standard has, and each version something else:
 * NaN, names in single quotes, 01, comments, trailing commas, control characters. */
#ifndef WIRE_TOKEN_H
#define WIRE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/* Check that the first value in `size` bytes of UTF-8 consists of tokens of the standard.  That
 * they stand in an order that makes sense, and whether the value is whole, is left to the parser;
 * but no comma stands before a closing bracket.  `ret_size`: how long it is, with the space around
 * it. Source: RFC 8259, sections 2 to 7.  Any thread. */
bool hv_json_has_tokens(const char *bytes, size_t size, size_t *ret_size)
	__attribute__((nonnull, warn_unused_result));

#endif

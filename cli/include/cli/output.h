/* SPDX-License-Identifier: Apache-2.0 */
/* Text for a terminal: tables, times, and nothing that the terminal would obey. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "wire/cleanup.h"

/* Replace control characters (C0, DEL, C1) and invalid UTF-8 by '?', in place. */
void hv_text_clean(char *text) __attribute__((nonnull));

/* Print a cleaned line, with its end; print nothing if memory runs out. */
void hv_line_print(FILE *out, const char *format, ...)
	__attribute__((nonnull(1, 2), format(printf, 2, 3)));

/* How long before `now` the RFC 3339 time `since` was, as docker ps says it: "2 minutes ago";
 * "-" when it is no time.  `buffer` of 40 bytes holds any answer. */
void hv_since_format(const char *since, time_t now, char *buffer, size_t size_bytes)
	__attribute__((nonnull));

/* How long after `now` the RFC 3339 time `until` is, in the same words: "2 minutes"; "over" when it
 * has passed, "-" when it is no time. */
void hv_until_format(const char *until, time_t now, char *buffer, size_t size_bytes)
	__attribute__((nonnull));

/* Cells row by row, the header first; a full row is `columns` cells. */
struct hv_table {
	size_t columns;
	char **cells;
	size_t count;
};

/* Append a cleaned copy of `text` (NULL: empty).  Returns 0 or -ENOMEM. */
int hv_table_add(struct hv_table *table, const char *text)
	__attribute__((nonnull(1), warn_unused_result));

/* Print with the columns padded as docker does. */
void hv_table_print(const struct hv_table *table, FILE *out) __attribute__((nonnull));

void hv_table_done(struct hv_table *table) __attribute__((nonnull));
#define hv_auto_table HV_AUTO(hv_table_done)

#endif

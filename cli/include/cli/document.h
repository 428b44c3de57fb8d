/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents as answers and configuration files carry them. */
#ifndef CLI_DOCUMENT_H
#define CLI_DOCUMENT_H

#include <json-c/json_types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Parse `size` bytes as one JSON document of `type`.  Returns it, to be put with json_object_put(),
 * or NULL when it is something else, or too deep, or memory is short. */
struct json_object *hv_document_parse(const char *bytes, size_t size, enum json_type type)
	__attribute__((nonnull, warn_unused_result));

/* Read and parse a file of at most 1 MiB that holds one JSON object.
 * Returns 0, -ENOENT, -EBADMSG if it is not JSON, -EFBIG, or the error of fopen(3). */
int hv_document_read(const char *path, struct json_object **ret)
	__attribute__((nonnull, warn_unused_result));

/* The member `key` of `object` when it is there with this type, else NULL; borrowed.
 * `object` may be NULL, so that look-ups nest. */
struct json_object *hv_document_get(struct json_object *object, const char *key,
	enum json_type type) __attribute__((nonnull(2)));

/* The string at `key`, borrowed; NULL when absent or when a NUL is in it. */
const char *hv_document_text(struct json_object *object, const char *key)
	__attribute__((nonnull(2)));

/* Whether `key` is true. */
bool hv_document_flag(struct json_object *object, const char *key) __attribute__((nonnull(2)));

/* Print the document for people and programs: control characters are escaped as JSON has it, also
 * those that json-c leaves alone and a terminal obeys.  Returns 0 or -ENOMEM. */
int hv_document_print(FILE *out, struct json_object *document)
	__attribute__((nonnull, warn_unused_result));

/* The same without white space and without the end of the line; NULL is printed as null. */
int hv_document_print_line(FILE *out, struct json_object *document)
	__attribute__((nonnull(1), warn_unused_result));

#endif

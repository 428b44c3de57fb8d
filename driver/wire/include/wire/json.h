/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects to structs and back, by tables that name each field once.
 *
 * The bytes come from a socket and are not trusted: size, depth, types, UTF-8 and NUL inside
 * strings are checked here, so that what comes out is a struct of ordinary C strings. */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/error.h"

struct json_object;

enum hv_type {
	HV_TYPE_STRING,   /* char *, owned by the struct; NULL when absent */
	HV_TYPE_BOOL,     /* bool */
	HV_TYPE_TRISTATE, /* enum hv_tristate: false, true, or not said; not said is not written */
	HV_TYPE_INT,      /* long long */
	HV_TYPE_OPTS,     /* struct hv_opts; string values only */
	HV_TYPE_TEXTS,    /* struct hv_texts: a list of strings */
	HV_TYPE_STATE,    /* enum hv_attachment_state, by its word */
	HV_TYPE_PROPAGATION, /* bool: "slave", or "private" */
};

/* A list of strings, owned; zeroed it is empty. */
struct hv_texts {
	char **items;
	size_t count;
};

/* Append a copy.  Returns 0 or -ENOMEM. */
int hv_texts_add(struct hv_texts *texts, const char *text)
	__attribute__((nonnull, warn_unused_result));
void hv_texts_done(struct hv_texts *texts) __attribute__((nonnull));
#define hv_auto_texts HV_AUTO(hv_texts_done)

/* A bool whose absence means something: set the member to HV_UNSET before reading. */
enum hv_tristate { HV_UNSET = -1, HV_FALSE, HV_TRUE };

enum hv_field_flags {
	HV_FIELD_REQUIRED = 1, /* absent, null or an empty string is an error */
	HV_FIELD_OPTIONAL = 2, /* left out of what is written when empty or zero */
	HV_FIELD_OR_BOOL = 4,  /* a string that may be true ("true") or false ("") as well */
	HV_FIELD_UNKNOWN = 8,  /* an int that is left out of what is written when negative */
};

struct hv_field {
	const char *name; /* as on the wire; NULL ends the table */
	enum hv_type type;
	unsigned flags;
	size_t offset; /* of the member in its struct */
};

enum hv_unknown {
	HV_UNKNOWN_REFUSE, /* a field that is not in the table is an error that names it */
	HV_UNKNOWN_IGNORE, /* the Engine's requests and answers may grow */
};

/* Read one JSON object of `size` bytes into `out` by `fields`.
 * Members absent from the bytes keep the value they have; strings set are owned by `out`, which the
 * caller frees with hv_fields_done() whatever is returned.
 * Returns HV_OK, or HV_BAD_REQUEST with the sentence in `err`: empty, not JSON, not an object,
 * something after it, an unknown field, a wrong type, NUL or invalid UTF-8 in a string.
 * Source: RFC 8259.  Any thread. */
enum hv_code hv_fields_read(const char *bytes, size_t size, const struct hv_field *fields,
	enum hv_unknown unknown, void *out, struct hv_error *err)
	__attribute__((nonnull(3, 5, 6), warn_unused_result));

/* The same from a json-c object that is already parsed; borrowed. */
enum hv_code hv_fields_from(struct json_object *object, const struct hv_field *fields,
	enum hv_unknown unknown, void *out, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* A text read as JSON. */
struct hv_json_text {
	struct json_object *object; /* to be put; NULL if there is none */
	int error;                  /* enum json_tokener_error */
	bool is_whole;              /* nothing but space follows */
};

/* Read a text of JSON, strictly, of at most so many levels.
 * Returns 0, also when it is none (see `ret`), -EFBIG or -ENOMEM.  Source: RFC 8259. */
int hv_json_read(const char *bytes, size_t size, int depth, struct hv_json_text *ret)
	__attribute__((nonnull(4), warn_unused_result));

/* Parse `size` bytes as one JSON object.  Returns HV_OK with the object in `ret_object` (put it
 * with json_object_put), or HV_BAD_REQUEST. */
enum hv_code hv_json_parse(const char *bytes, size_t size, struct json_object **ret_object,
	struct hv_error *err) __attribute__((nonnull(3, 4), warn_unused_result));

/* How many elements a text has that is one JSON array.
 * Returns 0, -EINVAL (it is not), -EFBIG or -ENOMEM. */
int hv_json_count(const char *bytes, size_t size, size_t *ret)
	__attribute__((nonnull, warn_unused_result));

/* Write the members of `in` into a new json-c object, which the caller puts.  Bytes of a string
 * that are not UTF-8 are written as U+FFFD (wire/utf8.h).  NULL on ENOMEM. */
struct json_object *hv_fields_write(const struct hv_field *fields, const void *in)
	__attribute__((nonnull, warn_unused_result));

/* Free the members of `out` that own memory and set them to NULL or empty. */
void hv_fields_done(const struct hv_field *fields, void *out) __attribute__((nonnull));

#endif

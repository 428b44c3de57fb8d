/* SPDX-License-Identifier: Apache-2.0 */
/* An error, for a person and for a program to read. */
#ifndef WIRE_ERROR_H
#define WIRE_ERROR_H

#include "wire/cleanup.h"
#include "wire/code.h"

/* A process that keeps a mount busy. */
struct hv_busy {
	long long pid;
	char command[16];
	const char *why; /* "cwd", "root", "open file", "mapping"; static */
};

enum { HV_BUSY_MAX = 16 };

struct hv_error {
	enum hv_code code;
	char *message; /* one sentence, no full stop; owned */
	char *hint;    /* the remedy, or NULL; owned */
	unsigned busy_count;
	struct hv_busy busy[HV_BUSY_MAX]; /* with HV_BUSY: the processes */
};

/* Fill `err` with a code and a sentence; its old content is freed.
 * Returns `code`, so that a caller can `return hv_fail(...)`.  On ENOMEM the message is NULL.
 * One thread at a time for each `err`. */
enum hv_code hv_fail(struct hv_error *err, enum hv_code code, const char *format, ...)
	__attribute__((nonnull(1, 3), format(printf, 3, 4)));

/* Fail with HV_INTERNAL, because there is no memory.  Return that. */
enum hv_code hv_oom(struct hv_error *err);

/* Add the hint to a filled `err`.  Returns err->code. */
enum hv_code hv_hint(struct hv_error *err, const char *format, ...)
	__attribute__((nonnull(1, 2), format(printf, 2, 3)));

/* The sentence of `err`, never NULL. */
const char *hv_error_text(const struct hv_error *err) __attribute__((nonnull));

/* Free what `err` owns and make it empty (HV_OK). */
void hv_error_done(struct hv_error *err) __attribute__((nonnull));
#define hv_auto_error HV_AUTO(hv_error_done)

#endif

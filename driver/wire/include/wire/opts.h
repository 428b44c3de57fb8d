/* SPDX-License-Identifier: Apache-2.0 */
/* An ordered list of key=value options, as `docker volume create -o` carries them. */
#ifndef WIRE_OPTS_H
#define WIRE_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/cleanup.h"

struct hv_opt {
	char *key;
	char *value;
};

struct hv_opts {
	struct hv_opt *items;
	size_t count;
};

/* Append a copy of key and value.  Returns 0 or -ENOMEM. */
int hv_opts_add(struct hv_opts *opts, const char *key, const char *value)
	__attribute__((nonnull, warn_unused_result));

/* The value of `key`, or NULL; borrowed from `opts`. */
const char *hv_opts_get(const struct hv_opts *opts, const char *key) __attribute__((nonnull));

/* Whether both hold the same keys with the same values, in any order. */
bool hv_opts_is_equal(const struct hv_opts *a, const struct hv_opts *b) __attribute__((nonnull));

/* Free what `opts` owns and make it empty. */
void hv_opts_done(struct hv_opts *opts) __attribute__((nonnull));
#define hv_auto_opts HV_AUTO(hv_opts_done)

#endif

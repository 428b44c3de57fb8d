/* SPDX-License-Identifier: Apache-2.0 */
/* Flags on a command line, by tables that name each once. */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/error.h"

struct hv_flag {
	const char *name;      /* without the dashes; NULL ends the table */
	const char *value;     /* name of the value in the help; NULL: a bool without one */
	const char *help;      /* NULL: left out of the help */
	size_t offset;         /* of the bool, const char * or struct hv_values in the options */
	const char *otherwise; /* the value of --name alone; NULL: one must be given */
	char letter;           /* of the short form, or 0 */
	bool is_list;          /* it may be given again: the member is a struct hv_values */
};

enum { HV_OPERANDS_MAX = 4096, HV_VALUES_MAX = 32 };

/* The values of one flag, in their order; borrowed. */
struct hv_values {
	const char *items[HV_VALUES_MAX];
	size_t count;
};

/* The words that are not flags; `count` goes on beyond what is kept. */
struct hv_operands {
	const char *items[HV_OPERANDS_MAX];
	size_t count;
};

/* Take the flag at argv[0], with its value, into `options`, which borrows from argv.
 * Known forms: --name, --name=value, --name value, -n, -nvalue, -n=value, -n value, and letters
 * that stand together (-xn value).
 * Returns how many words it took, 0 when argv[0] is no flag of the table, or -EINVAL with the
 * sentence in `err`: a value is missing, or given to a flag that takes none, or there are more than
 * HV_VALUES_MAX values of one flag. */
int hv_flags_take(const struct hv_flag *flags, int argc, char *const argv[], void *options,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Take every word: flags may stand before, between and after operands, up to a `--`.
 * Returns HV_OK, or HV_BAD_REQUEST with the sentence in `err`, and a hint if an unknown flag is
 * near to a known one. */
enum hv_code hv_flags_parse(const struct hv_flag *flags, int argc, char *const argv[],
	void *options, struct hv_operands *ret_operands, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The flag that has `name`, or NULL. */
const struct hv_flag *hv_flags_find(const struct hv_flag *flags, const char *name, size_t length)
	__attribute__((nonnull));

/* The flag that has the letter, or NULL. */
const struct hv_flag *hv_flags_find_letter(const struct hv_flag *flags, char letter)
	__attribute__((nonnull));

/* The name of the flag that an unknown `word` such as "--tagret=/x" was meant to be, or NULL. */
const char *hv_flags_nearest(const struct hv_flag *flags, const char *word)
	__attribute__((nonnull));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a volume as words of the command line: KEY=VALUE. */
#ifndef CLI_KEYVALUE_H
#define CLI_KEYVALUE_H

#include "wire/error.h"
#include "wire/opts.h"

/* Append a word to the options.
 * Returns HV_OK, HV_BAD_REQUEST (it is none, with `hint`; or its key is there already), or
 * HV_INTERNAL. */
enum hv_code hv_keyvalue_add(const char *word, const char *hint, struct hv_opts *opts,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

#endif

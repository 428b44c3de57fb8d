/* SPDX-License-Identifier: Apache-2.0 */
/* The words behind CONTAINER:TARGET, separated by commas. */
#ifndef WIRE_MODE_H
#define WIRE_MODE_H

#include <stdbool.h>

/* The words, for error sentences. */
#define HV_MODES "ro, rw and required"

struct hv_mode {
	bool is_read_only;
	bool is_read_write; /* said, and not only the default */
	bool is_required;
};

/* Read "ro", "required", "rw,required" and the like, in any order.  Returns false, with nothing in
 * `ret`, for another word, none, one said twice, and for ro with rw.  Any thread. */
bool hv_mode_parse(const char *text, struct hv_mode *ret)
	__attribute__((nonnull, warn_unused_result));

#endif

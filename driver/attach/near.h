/* SPDX-License-Identifier: Apache-2.0 */
/* The containers that come nearest to a selector that selects none: a misspelt name shows. */
#ifndef ATTACH_NEAR_H
#define ATTACH_NEAR_H

#include "wire/json.h"
#include "wire/opts.h"
#include "wire/selector.h"

/* Start with all zero but for the selector. */
struct hv_near {
	const struct hv_selector *selector; /* to be set */
	size_t at;                          /* the label that the nearest have with other values */
	struct hv_texts values;             /* these, each once */
	bool is_cut;                        /* there are more of them */
};

/* Look at a container with these labels. */
void hv_near_add(struct hv_near *near, const struct hv_opts *labels) __attribute__((nonnull));

/* A sentence without its full stop: which values the nearest have.  NULL: no container has that
 * label, or ENOMEM.  The caller frees it. */
char *hv_near_tell(const struct hv_near *near) __attribute__((nonnull, warn_unused_result));

void hv_near_done(struct hv_near *near) __attribute__((nonnull));

#endif

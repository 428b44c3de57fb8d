/* SPDX-License-Identifier: Apache-2.0 */
/* Sources as they were found a moment ago: a list compares many attachments with a few of them. */
#ifndef ATTACH_LOOKS_H
#define ATTACH_LOOKS_H

#include "mountcore/source_look.h"
#include "wire/cleanup.h"

enum { HV_LOOKS_MAX = 16 };

/* Zeroed at first; hv_looks_done() it. */
struct hv_looks {
	struct hv_look {
		char *source;
		char *subpath; /* "" for none */
		struct mc_source_look *look;
	} items[HV_LOOKS_MAX]; /* a ring */
	unsigned next;
};
#define hv_auto_looks HV_AUTO(hv_looks_done)
void hv_looks_done(struct hv_looks *looks);

/* As mc_source_compare().  A source that was looked at before is looked at again only if it seems
 * to have changed. */
int hv_looks_compare(struct hv_looks *looks, struct mc_core *core,
	const struct mc_source_args *args, enum mc_source_is *ret, struct mc_err *err);

#endif

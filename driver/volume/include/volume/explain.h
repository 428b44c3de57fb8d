/* SPDX-License-Identifier: Apache-2.0 */
/* A report of mountcore, as a sentence with the names in it. */
#ifndef VOLUME_EXPLAIN_H
#define VOLUME_EXPLAIN_H

#include "mountcore/err.h"
#include "wire/error.h"

/* NULL: not known; without a container the sentence speaks of the host only. */
struct hv_error_subject {
	const char *volume;
	const char *source; /* directory on the host */
	const char *container;
	const char *target;
	const char *subpath;
	const char *asked; /* the volume's option path, as it was written */
	/* The owner that the directory is to appear to have (wire/as.h); "": its own. */
	const char *as;
	const char *fstype; /* of the directory's file system */
};

/* Fill `err` from a failed attach or detach: code, sentence and hint.  Returns the code. */
enum hv_code hv_error_from_mount(struct hv_error *err, const struct mc_err *cause,
	const struct hv_error_subject *names) __attribute__((nonnull));

#endif

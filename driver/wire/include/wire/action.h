/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of /HotEvents: a change of an attachment, or of the health of a volume. */
#ifndef WIRE_ACTION_H
#define WIRE_ACTION_H

enum hv_action {
	HV_ACTION_ATTACH,   /* a request was acknowledged */
	HV_ACTION_COVERED,  /* another mount is in the way */
	HV_ACTION_DETACH,   /* by a request, by the end of its lease, or replaced by another */
	HV_ACTION_END,      /* with its container, or with the start that it was for */
	HV_ACTION_FOLLOW,   /* it became what its path leads to now */
	HV_ACTION_LATE,     /* a reattach came after the program had begun */
	HV_ACTION_MISSING,  /* its mount was taken out */
	HV_ACTION_PENDING,  /* it waits for a start of its container, or could not be made */
	HV_ACTION_REATTACH, /* made again, at a start */
	HV_ACTION_REFUSED,  /* a start, for the lack of it */
	HV_ACTION_UNCOVERED,
	HV_ACTION_VOLUME_OK,      /* a volume that had a problem has none any more */
	HV_ACTION_VOLUME_PROBLEM, /* the look at a volume found one, or another one */
	HV_ACTION_COUNT,
};

/* The word.  Static.  Any thread. */
const char *hv_action_name(enum hv_action action);

/* HV_ACTION_COUNT for a word that is none.  Any thread. */
enum hv_action hv_action_parse(const char *name) __attribute__((nonnull));

#endif

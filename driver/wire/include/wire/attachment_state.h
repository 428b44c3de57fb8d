/* SPDX-License-Identifier: Apache-2.0 */
/* The state of an attachment: one table gives each its word, on the wire and in the store. */
#ifndef WIRE_ATTACHMENT_STATE_H
#define WIRE_ATTACHMENT_STATE_H

enum hv_attachment_state {
	HV_UNKNOWN_STATE, /* a word of another version */
	HV_PENDING,       /* wanted, and not mounted */
	HV_ATTACHED,
	HV_MISSING, /* its mount was taken out inside the container */
	HV_COVERED, /* another mount is in its way */
	HV_STATE_COUNT,
};

/* The word; a constant. */
const char *hv_attachment_state_name(enum hv_attachment_state state);

/* The state of a word; HV_UNKNOWN_STATE for NULL and unknown words. */
enum hv_attachment_state hv_attachment_state_parse(const char *name);

#endif

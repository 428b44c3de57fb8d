/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments as the operands of a command name them: CONTAINER:TARGET or an ID. */
#ifndef CLI_ADDRESS_H
#define CLI_ADDRESS_H

#include <stddef.h>

#include "cli/flags.h"
#include "cli/place.h"

struct hv_address {
	const char *text;      /* the operand; borrowed */
	const char *id;        /* of the attachment, borrowed; NULL: `place` names it */
	struct hv_place place; /* empty if there is an ID */
};

struct hv_addresses {
	struct hv_address *items;
	size_t count;
};

/* Read all operands.  With `target` from the command line (or NULL) each is a container alone.
 * Returns HV_OK, or HV_BAD_REQUEST with sentence and hint about the first that is none of both, or
 * HV_INTERNAL on ENOMEM.  The caller frees `ret` with hv_addresses_done() whatever is returned. */
enum hv_code hv_addresses_parse(const struct hv_operands *operands, const char *target,
	struct hv_addresses *ret, struct hv_error *err)
	__attribute__((nonnull(1, 3, 4), warn_unused_result));

void hv_addresses_done(struct hv_addresses *addresses) __attribute__((nonnull));
#define hv_auto_addresses HV_AUTO(hv_addresses_done)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/address.h"

#include <stdlib.h>

enum hv_code hv_addresses_parse(const struct hv_operands *operands, const char *target,
	struct hv_addresses *ret, struct hv_error *err)
{
	ret->items = calloc(operands->count + 1, sizeof(*ret->items));
	if (!ret->items)
		return hv_oom(err);
	for (size_t i = 0; i < operands->count; i++) {
		const char *text = operands->items[i];
		struct hv_address *address = &ret->items[ret->count++];

		address->text = text;
		if (!target && hv_attachment_id_is(text))
			address->id = text;
		else if (hv_place_parse(text, target, &address->place, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

void hv_addresses_done(struct hv_addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		hv_place_done(&addresses->items[i].place);
	free(addresses->items);
	*addresses = (struct hv_addresses){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* CONTAINER:TARGET[:MODE] or SELECTOR:TARGET[:MODE] is split so that putting it together again
 * gives what was there. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/place.h"

enum { INPUT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Abort unless `text` begins with `part`; returns what is behind it. */
static const char *skip(const char *text, const char *part)
{
	size_t length = strlen(part);

	if (strncmp(text, part, length) != 0)
		abort();
	return text + length;
}

/* Of the words, each behind a colon or a comma. */
static size_t length_of(const struct hv_mode *mode)
{
	return (mode->is_read_only ? sizeof("ro") : 0) + (mode->is_read_write ? sizeof("rw") : 0) +
	       (mode->is_required ? sizeof("required") : 0);
}

static void check(const char *text, struct hv_place *place, struct hv_error *err)
{
	const char *name = place->selector ? place->selector : place->container;
	const char *rest = skip(text, name);
	bool is_read_only = false;
	struct hv_mode again = {0};

	if (!name[0] || !place->target[0] || (!place->selector && strchr(name, ':')) ||
		strcmp(skip(rest, ":"), place->target) != 0)
		abort();
	if (hv_place_mode_parse(place, err) != HV_OK)
		return;
	rest = skip(skip(rest, ":"), place->target);
	if (*rest ? !hv_mode_parse(skip(rest, ":"), &again) : false)
		abort();
	if (memcmp(&again, &place->mode, sizeof(again)) != 0 ||
		strlen(rest) != length_of(&place->mode))
		abort();
	if (hv_place_read_only(place, false, &is_read_only, err) == HV_OK &&
		is_read_only != place->mode.is_read_only)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[INPUT_MAX + 1];
	struct hv_place place = {0};
	struct hv_error err = {0};

	if (size > INPUT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (hv_place_parse(text, NULL, &place, &err) == HV_OK)
		check(text, &place, &err);
	else if (!err.message)
		abort();
	(void)hv_attachment_id_is(text);
	hv_place_done(&place);
	hv_error_done(&err);
	return 0;
}

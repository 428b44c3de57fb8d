/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/as.h"

#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 10 };

static const uint64_t ID_MAX = 4294967294; /* the one above is no ID: "no change" to chown(2) */

/* The number that `*at` points to, and behind it.  Its digits are all that is read. */
static bool read_id(const char **at, uint64_t *ret)
{
	size_t length = strspn(*at, "0123456789");
	uint64_t id = 0;

	if (length == 0 || length > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		id = id * 10 + (uint64_t)((*at)[i] - '0');
	*at += length;
	*ret = id + 1;
	return id <= ID_MAX;
}

bool hv_as_parse(const char *text, struct hv_as *ret)
{
	struct hv_as as = {0};

	*ret = as;
	if (!read_id(&text, &as.uid))
		return false;
	if (*text == ':') {
		text++;
		if (!read_id(&text, &as.gid))
			return false;
	}
	if (*text)
		return false;
	*ret = as;
	return true;
}

void hv_as_format(const struct hv_as *as, char ret[static HV_AS_SIZE])
{
	*ret = '\0';
	if (as->uid && as->gid)
		snprintf(
			ret, HV_AS_SIZE, "%u:%u", (unsigned)(as->uid - 1), (unsigned)(as->gid - 1));
	else if (as->uid)
		snprintf(ret, HV_AS_SIZE, "%u", (unsigned)(as->uid - 1));
}

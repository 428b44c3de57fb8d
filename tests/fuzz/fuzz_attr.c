/* SPDX-License-Identifier: Apache-2.0 */
/* Option names that are taken format to a string that parses to the same attributes; bits that are
 * formatted are kept by the way back. */
#include <stdlib.h>
#include <string.h>

#include "mountcore/attr.h"

enum { INPUT_MAX = 1024, TEXT_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int add_all(struct mc_attr *attr, char *names)
{
	char *next = names;
	int rc = 0;

	for (char *name = strsep(&next, ","); name; name = strsep(&next, ","))
		if (*name && mc_attr_add(attr, name) < 0)
			rc = -1;
	return rc;
}

/* Whatever could be written as text must read back as the same bits. */
static void check(const struct mc_attr *attr)
{
	struct mc_attr again = {0};
	char text[TEXT_MAX];
	unsigned long ms;
	int rc = mc_attr_format(attr, text, sizeof(text));

	if ((rc == 0) != (mc_attr_to_ms(attr, &ms) == 0))
		abort();
	if (rc == 0 && (add_all(&again, text) < 0 || again.set != attr->set))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char names[INPUT_MAX + 1];
	struct mc_attr attr = {0}, raw = {0};

	if (size > INPUT_MAX)
		return 0;
	memcpy(names, data, size);
	names[size] = '\0';
	if (size >= sizeof(raw.set))
		memcpy(&raw.set, data, sizeof(raw.set));
	(void)add_all(&attr, names); /* skips unknown names */
	check(&attr);
	check(&raw);
	return 0;
}

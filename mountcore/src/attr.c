/* SPDX-License-Identifier: Apache-2.0 */
#include "mountcore/attr.h"

#include <errno.h>
#include <linux/mount.h>
#include <string.h>

/* The one table: each name in both families.  `clear` is not zero where the attribute is a value of
 * a field and not a bit of its own. */
static const struct {
	const char *name;
	unsigned long ms;
	uint64_t set;
	uint64_t clear;
} attributes[] = {
	{"ro", MS_RDONLY, MOUNT_ATTR_RDONLY, 0},
	{"nosuid", MS_NOSUID, MOUNT_ATTR_NOSUID, 0},
	{"nodev", MS_NODEV, MOUNT_ATTR_NODEV, 0},
	{"noexec", MS_NOEXEC, MOUNT_ATTR_NOEXEC, 0},
	{"nodiratime", MS_NODIRATIME, MOUNT_ATTR_NODIRATIME, 0},
	{"nosymfollow", MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW, 0},
	{"noatime", MS_NOATIME, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
	{"strictatime", MS_STRICTATIME, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
	/* MOUNT_ATTR_RELATIME is 0: known by what it clears, so it stays last. */
	{"relatime", MS_RELATIME, MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
};

enum { ATTRIBUTE_COUNT = sizeof(attributes) / sizeof(attributes[0]) };

int mc_attr_add(struct mc_attr *attr, const char *name)
{
	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
		if (strcmp(attributes[i].name, name) != 0)
			continue;
		attr->set = (attr->set & ~attributes[i].clear) | attributes[i].set;
		attr->clear |= attributes[i].clear;
		return 0;
	}
	return -EINVAL;
}

/* Whether row `i` is what `attr` sets, given the bits that are still unexplained. */
static int matches(size_t i, const struct mc_attr *attr, uint64_t rest)
{
	/* An atime mode is a value of its field, all of which must be equal. */
	if (attributes[i].set)
		return (rest & (attributes[i].set | attributes[i].clear)) == attributes[i].set;
	return (attr->clear & attributes[i].clear) && !(attr->set & attributes[i].clear);
}

int mc_attr_format(const struct mc_attr *attr, char *ret, size_t size)
{
	uint64_t rest = attr->set;
	size_t used = 0;

	if (!size)
		return -ENOSPC;
	*ret = '\0';
	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
		size_t length = strlen(attributes[i].name);

		if (!matches(i, attr, rest))
			continue;
		if (used + length + 2 > size)
			return -ENOSPC;
		if (used)
			ret[used++] = ',';
		memcpy(ret + used, attributes[i].name, length + 1);
		used += length;
		rest &= ~attributes[i].set;
	}
	return rest ? -EINVAL : 0;
}

int mc_attr_to_ms(const struct mc_attr *attr, unsigned long *ret_ms)
{
	uint64_t rest = attr->set;
	unsigned long ms = 0;

	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
		if (!matches(i, attr, rest))
			continue;
		ms |= attributes[i].ms;
		rest &= ~attributes[i].set;
	}
	if (rest)
		return -EINVAL;
	*ret_ms = ms;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "mountcore/cleanup.h"

#include "procfs.h"
#include "sys.h"

static const uint32_t NO_ID = UINT32_MAX; /* of nobody in every user namespace */

static int add(struct mc_idmap *map, uint32_t inside, uint32_t outside, uint32_t count)
{
	if (count == 0)
		return 0;
	if (map->count == MC_IDMAP_MAX)
		return -E2BIG;
	map->extents[map->count++] = (struct mc_extent){inside, outside, count};
	return 0;
}

static int read_lines(FILE *stream, struct mc_idmap *ret)
{
	unsigned inside, outside, count;
	int rc = 0, fields;

	ret->count = 0;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	while ((fields = fscanf(stream, "%u %u %u", &inside, &outside, &count)) == 3) {
		if (outside == NO_ID)
			continue;
		rc = add(ret, inside, outside, count);
		if (rc < 0)
			return rc;
	}
	return fields == EOF ? 0 : -EINVAL;
}

int mc_idmap_read(int process, const char *name, struct mc_idmap *ret)
{
	int rc;
	mc_auto_file stream = mc_procfs_stream(mc_sys_openat(process, name, O_RDONLY), &rc);

	return stream ? read_lines(stream, ret) : rc;
}

int mc_idmap_find(const struct mc_idmap *map, uint32_t inside, uint32_t *ret)
{
	for (unsigned i = 0; i < map->count; i++) {
		const struct mc_extent *extent = &map->extents[i];

		if (inside < extent->inside || inside - extent->inside >= extent->count)
			continue;
		*ret = extent->outside + (inside - extent->inside);
		return 0;
	}
	return -ERANGE;
}

int mc_idmap_find_inner(const struct mc_idmap *map, uint32_t outside, uint32_t *ret)
{
	for (unsigned i = 0; i < map->count; i++) {
		const struct mc_extent *extent = &map->extents[i];

		if (outside < extent->outside || outside - extent->outside >= extent->count)
			continue;
		*ret = extent->inside + (outside - extent->outside);
		return 0;
	}
	return -ERANGE;
}

void mc_idmap_make_identity(struct mc_idmap *map)
{
	for (unsigned i = 0; i < map->count; i++)
		map->extents[i].outside = map->extents[i].inside;
}

/* The extent without the IDs `low` and `high`, which are in order. */
static int add_without(
	struct mc_idmap *map, const struct mc_extent *extent, uint32_t low, uint32_t high)
{
	const uint32_t cuts[] = {low, high};
	struct mc_extent rest = *extent;

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		uint32_t before = cuts[i] - rest.inside;

		if (cuts[i] < rest.inside || before >= rest.count)
			continue;
		if (add(map, rest.inside, rest.outside, before) < 0)
			return -E2BIG;
		rest.inside += before + 1;
		rest.outside += before + 1;
		rest.count -= before + 1;
	}
	return add(map, rest.inside, rest.outside, rest.count);
}

int mc_idmap_swap(const struct mc_idmap *map, uint32_t a, uint32_t b, struct mc_idmap *ret)
{
	uint32_t low = a < b ? a : b, high = a < b ? b : a, outside;
	int rc = 0;

	ret->count = 0;
	for (unsigned i = 0; rc == 0 && i < map->count; i++)
		rc = add_without(ret, &map->extents[i], low, high);
	if (rc == 0 && mc_idmap_find(map, high, &outside) == 0)
		rc = add(ret, low, outside, 1);
	if (rc == 0 && low != high && mc_idmap_find(map, low, &outside) == 0)
		rc = add(ret, high, outside, 1);
	return rc;
}

/* The part of `first` whose outer IDs are inner IDs of `second`. */
static int add_common(
	struct mc_idmap *map, const struct mc_extent *first, const struct mc_extent *second)
{
	uint64_t first_end = (uint64_t)first->outside + first->count;
	uint64_t second_end = (uint64_t)second->inside + second->count;
	uint64_t end = first_end < second_end ? first_end : second_end;
	uint32_t begin = first->outside > second->inside ? first->outside : second->inside;

	if (begin >= end)
		return 0;
	return add(map, first->inside + (begin - first->outside),
		second->outside + (begin - second->inside), (uint32_t)(end - begin));
}

int mc_idmap_compose(
	const struct mc_idmap *first, const struct mc_idmap *second, struct mc_idmap *ret)
{
	int rc = 0;

	ret->count = 0;
	for (unsigned i = 0; rc == 0 && i < first->count; i++)
		for (unsigned j = 0; rc == 0 && j < second->count; j++)
			rc = add_common(ret, &first->extents[i], &second->extents[j]);
	return rc;
}

int mc_idmap_format(const struct mc_idmap *map, char ret[static MC_IDMAP_TEXT_SIZE])
{
	size_t used = 0;

	for (unsigned i = 0; i < map->count; i++) {
		const struct mc_extent *extent = &map->extents[i];

		used += (size_t)snprintf(ret + used, MC_IDMAP_TEXT_SIZE - used, "%u %u %u\n",
			extent->inside, extent->outside, extent->count);
		if (used >= MC_IDMAP_TEXT_SIZE)
			return -E2BIG;
	}
	return (int)used;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of user or group IDs, as /proc/PID/uid_map and gid_map have them.
 * Source: user_namespaces(7), "User and group ID mappings". */
#ifndef MOUNTCORE_SRC_IDMAP_H
#define MOUNTCORE_SRC_IDMAP_H

#include <stdbool.h>
#include <stdint.h>

struct mc_extent {
	uint32_t inside;
	uint32_t outside;
	uint32_t count;
};

enum {
	MC_IDMAP_MAX = 340, /* extents that the kernel takes (4.15) */
	/* The kernel takes a map in one write, of less than a page (map_write()). */
	MC_IDMAP_TEXT_SIZE = 4096,
};

struct mc_idmap {
	unsigned count;
	struct mc_extent extents[MC_IDMAP_MAX];
};

/* Read the map in the file `name` ("uid_map") of a process's directory in procfs, as we number its
 * outer IDs.  A range that has no number here is left out.
 * Returns 0, the error of open(2), -EINVAL (no line of a map), -E2BIG or -ENOMEM. */
int mc_idmap_read(int process, const char *name, struct mc_idmap *ret);

/* The outer ID of `inside`.  Returns 0 or -ERANGE: it has none. */
int mc_idmap_find(const struct mc_idmap *map, uint32_t inside, uint32_t *ret);

/* The inner ID of `outside`.  Returns 0 or -ERANGE. */
int mc_idmap_find_inner(const struct mc_idmap *map, uint32_t outside, uint32_t *ret);

/* Map each inner ID to itself. */
void mc_idmap_make_identity(struct mc_idmap *map);

/* Exchange the outer IDs of the inner IDs `a` and `b`.  One without an outer ID takes that away
 * from the other.  Returns 0 or -E2BIG: `ret` would have too many extents. */
int mc_idmap_swap(const struct mc_idmap *map, uint32_t a, uint32_t b, struct mc_idmap *ret);

/* The map that takes an ID through `first`, and the result through `second`.  Returns 0 or -E2BIG.
 */
int mc_idmap_compose(
	const struct mc_idmap *first, const struct mc_idmap *second, struct mc_idmap *ret);

/* The text to write to uid_map or gid_map.  Returns its length, or -E2BIG. */
int mc_idmap_format(const struct mc_idmap *map, char ret[static MC_IDMAP_TEXT_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "below.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/path.h"

void mc_below_done(struct mc_below *below)
{
	for (size_t i = 0; i < below->count; i++) {
		free(below->items[i].root);
		free(below->items[i].path);
	}
	free(below->items);
}

static bool has_parent(const struct mc_below *below, uint64_t top, const struct mc_mount *mount)
{
	bool found = mount->parent_id == top;

	for (size_t i = 0; !found && i < below->count; i++)
		found = below->items[i].id == mount->parent_id;
	for (size_t i = 0; found && i < below->count; i++)
		found = below->items[i].id != mount->id; /* not once more */
	return found;
}

/* `base`: how long the directory's path is; 0: the root. */
static int add_below(struct mc_below *below, const struct mc_mount *mount, size_t base)
{
	struct mount_below *items =
		reallocarray(below->items, below->count + 1, sizeof(*below->items));
	struct mount_below *item;

	if (!items)
		return -ENOMEM;
	below->items = items;
	item = &items[below->count++];
	*item = (struct mount_below){
		mount->id, mount->dev, strdup(mount->root), strdup(mount->target + base)};
	return item->root && item->path ? 0 : -ENOMEM;
}

/* A table lists a mount behind its parent unless mounts were moved: passes until nothing is added.
 */
int mc_below_collect(struct mc_mounts *mounts, uint64_t top, const char *path, struct mc_below *ret)
{
	struct mc_mount mount;
	size_t before;
	int rc = 0;

	do {
		before = ret->count;
		for (size_t at = 0; rc == 0 && mc_mounts_next(mounts, &at, &mount);) {
			if (mount.id == top || mount.is_unbindable ||
				strcmp(mount.target, path) == 0 ||
				!mc_path_is_below(mount.target, path) ||
				!has_parent(ret, top, &mount))
				continue;
			rc = add_below(ret, &mount, path[1] ? strlen(path) : 0);
		}
	} while (rc == 0 && ret->count != before);
	return rc;
}

bool mc_below_is_part(const struct mc_below *one, const struct mc_below *two)
{
	for (size_t i = 0; i < one->count; i++) {
		const struct mount_below *a = &one->items[i];
		bool found = false;

		for (size_t j = 0; !found && j < two->count; j++) {
			const struct mount_below *b = &two->items[j];

			found = a->dev == b->dev && strcmp(a->root, b->root) == 0 &&
				strcmp(a->path, b->path) == 0;
		}
		if (!found)
			return false;
	}
	return true;
}

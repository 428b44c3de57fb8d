#include "table.h"

#include <errno.h>
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"
#include "mountcore/path.h"

#include "core.h"
#include "fstype.h"
#include "job.h"
#include "sys.h"
#include "trust.h"

enum { STACK_MAX = 2 }; /* FILESYSTEM_MAX_STACK_DEPTH of the kernel's fs.h */

/* A mount of the host that a server stands behind, be it below an overlay. */
struct slow_mount {
	char *path;
	uint64_t dev;
	bool is_cached; /* RESOLVE_CACHED never waits for it */
	bool is_fuse;
};

/* What is kept of the host's mount table. */
struct mc_slow {
	int ns_mountinfo; /* open, to be polled: the kernel marks it when the table changes */
	struct slow_mount *mounts;
	size_t count;
	struct mc_overlays *overlays; /* NULL: none */
	bool is_stale;                /* it could not be read since it changed */
};

/* With core->slow_lock. */
static void put_overlays(struct mc_overlays *overlays)
{
	if (overlays && --overlays->references == 0)
		free(overlays);
}

static void slow_clear(struct mc_slow *slow)
{
	for (size_t i = 0; i < slow->count; i++)
		free(slow->mounts[i].path);
	free(slow->mounts);
	slow->mounts = NULL;
	slow->count = 0;
	put_overlays(slow->overlays);
	slow->overlays = NULL;
}

static int slow_add(struct mc_slow *slow, const struct mc_mount *mount)
{
	struct slow_mount *mounts = reallocarray(slow->mounts, slow->count + 1, sizeof(*mounts));

	if (!mounts)
		return -ENOMEM;
	slow->mounts = mounts;
	mounts[slow->count] = (struct slow_mount){
		.path = strdup(mount->target),
		.dev = mount->dev,
		.is_cached = mc_fstype_is_cached(mount->fstype),
		.is_fuse = mc_fstype_is_fuse(mount->fstype),
	};
	if (!mounts[slow->count].path)
		return -ENOMEM;
	slow->count++;
	return 0;
}

/* Whether a directory that the overlay is made of, as text, is on one of those mounts.  A relative
 * one and a symlink cannot be told. */
static bool is_stacked_on(const struct mc_mount *overlay, const struct slow_mount *slow)
{
	const char *layer = strchr(overlay->fs_options, '/'), *end;
	size_t length = slow->path[1] ? strlen(slow->path) : 0;

	for (; layer; layer = strchr(end, '/')) {
		end = layer + strcspn(layer, ":,");
		if ((size_t)(end - layer) >= length && strncmp(layer, slow->path, length) == 0 &&
			strchr("/:,", layer[length]))
			return true;
	}
	return false;
}

/* Add the overlays that are stacked on those from `from` on. */
static int add_stacked(struct mc_slow *slow, struct mc_mounts *mounts, size_t from)
{
	const size_t end = slow->count;
	struct mc_mount mount;
	int rc = 0;

	for (size_t at = 0; rc == 0 && from < end && mc_mounts_next(mounts, &at, &mount);) {
		if (strcmp(mount.fstype, "overlay") != 0)
			continue;
		for (size_t i = from; i < end; i++) {
			if (!is_stacked_on(&mount, &slow->mounts[i]))
				continue;
			rc = slow_add(slow, &mount);
			break;
		}
	}
	return rc;
}

/* The kernel stacks no more than STACK_MAX overlays. */
static int add_all_stacked(struct mc_slow *slow, struct mc_mounts *mounts)
{
	size_t from = 0, next;
	int rc = 0;

	for (int depth = 0; rc == 0 && depth < STACK_MAX; depth++, from = next) {
		next = slow->count;
		rc = add_stacked(slow, mounts, from);
	}
	return rc;
}

static bool has_dev(const struct mc_slow *slow, uint64_t dev)
{
	for (size_t i = 0; i < slow->count; i++)
		if (slow->mounts[i].dev == dev)
			return true;
	return false;
}

/* Those that a worker may rely on. */
static struct mc_overlays *find_overlays(const struct mc_slow *slow, struct mc_mounts *mounts)
{
	struct mc_overlays *overlays =
		calloc(1, sizeof(*overlays) + mc_mounts_count(mounts) * sizeof(overlays->devs[0]));
	struct mc_mount mount;

	for (size_t at = 0; overlays && mc_mounts_next(mounts, &at, &mount);)
		if (strcmp(mount.fstype, "overlay") == 0 && !has_dev(slow, mount.dev))
			overlays->devs[overlays->count++] = mount.dev;
	if (overlays)
		overlays->references = 1;
	return overlays;
}

static int slow_refresh(struct mc_core *core, struct mc_slow *slow)
{
	struct mc_mounts *mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read(core, core->host_ns, &mounts, NULL);

	slow_clear(slow);
	for (size_t at = 0; rc == 0 && mc_mounts_next(mounts, &at, &mount);)
		if (mc_fstype_is_slow(mount.fstype))
			rc = slow_add(slow, &mount);
	if (rc == 0)
		rc = add_all_stacked(slow, mounts);
	if (rc == 0) {
		slow->overlays = find_overlays(slow, mounts);
		rc = slow->overlays ? 0 : -ENOMEM;
	}
	mc_mounts_free(mounts);
	return rc;
}

/* With core->slow_lock.  Returns whether it could be brought up to date. */
static bool slow_is_known(struct mc_core *core)
{
	struct mc_slow *slow = core->slow;

	if (mc_sys_poll_pri(slow->ns_mountinfo) != 0)
		slow->is_stale = true;
	if (slow->is_stale)
		slow->is_stale = slow_refresh(core, slow) < 0;
	return !slow->is_stale;
}

void mc_host_way(struct mc_core *core, const char *path, struct mc_host_way *ret)
{
	const struct slow_mount *mount;

	*ret = (struct mc_host_way){.key = mc_key_of(path)};
	pthread_mutex_lock(&core->slow_lock);
	if (!slow_is_known(core)) /* unsure: take the safe way */
		ret->is_slow = ret->has_slow = true;
	else
		ret->is_cached = true;
	for (size_t i = 0; ret->is_cached && i < core->slow->count; i++) {
		mount = &core->slow->mounts[i];
		ret->has_slow |= mc_path_is_below(mount->path, path);
		if (!mc_path_is_below(path, mount->path))
			continue;
		ret->is_slow = ret->has_slow = true;
		ret->is_cached = mount->is_cached;
		ret->is_fuse = mount->is_fuse;
		ret->key = mc_key_of_dev(mount->dev);
	}
	pthread_mutex_unlock(&core->slow_lock);
}

struct mc_overlays *mc_overlays_get(struct mc_core *core)
{
	struct mc_overlays *overlays = NULL;

	pthread_mutex_lock(&core->slow_lock);
	if (slow_is_known(core))
		overlays = core->slow->overlays;
	if (overlays)
		overlays->references++;
	pthread_mutex_unlock(&core->slow_lock);
	return overlays;
}

void mc_overlays_put(struct mc_core *core, struct mc_overlays *overlays)
{
	pthread_mutex_lock(&core->slow_lock);
	put_overlays(overlays);
	pthread_mutex_unlock(&core->slow_lock);
}

int mc_slow_open(struct mc_core *core, struct mc_err *err)
{
	int rc;

	core->slow = calloc(1, sizeof(*core->slow));
	if (!core->slow)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	core->slow->ns_mountinfo = mc_mountinfo_open(core, core->host_ns, err);
	if (core->slow->ns_mountinfo < 0)
		return core->slow->ns_mountinfo;
	rc = slow_refresh(core, core->slow);
	return rc < 0 ? mc_err_set(err, MC_STEP_SETUP, rc) : 0;
}

void mc_slow_close(struct mc_core *core)
{
	if (!core->slow)
		return;
	slow_clear(core->slow);
	mc_close_fd(&core->slow->ns_mountinfo);
	free(core->slow);
	core->slow = NULL;
}

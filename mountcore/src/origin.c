/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence: statmount(the source's mount, its maps) in the host's namespace; after userns.c, one
 * job: setns(host) open_tree_attr(the detached tree, CLONE, IDMAP) setns(home).  That replaces a
 * map where mount_setattr() says EPERM.  Replaces and does not add: so the new map has the old one
 * in it. */
#include "origin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/cleanup.h"

#include "attach.h"
#include "core.h"
#include "idmap.h"
#include "mounts.h"
#include "run.h"
#include "sys.h"
#include "walk.h"

/* The maps of a mount, as texts. */
struct maps {
	struct mc_statmount mount;
	char text[sizeof("4294967295 4294967295 4294967295") * 2 * MC_IDMAP_MAX];
};

/* The extents stand one behind the other, each as "INSIDE OUTSIDE COUNT". */
static int read_map(const struct maps *maps, uint32_t at, uint32_t count, struct mc_idmap *ret)
{
	const char *end = maps->text + sizeof(maps->text) - 1;
	const char *text = maps->text + at;

	ret->count = 0;
	if (count > MC_IDMAP_MAX || at >= sizeof(maps->text))
		return -E2BIG;
	for (; ret->count < count && text < end; text += strlen(text) + 1) {
		struct mc_extent *extent = &ret->extents[ret->count++];

		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
		if (sscanf(text, "%u %u %u", &extent->inside, &extent->outside, &extent->count) !=
			3)
			return -EPERM;
	}
	return ret->count == count ? 0 : -EPERM;
}

/* Whether the source's mount has another one in it: a recursive clone would give it the same map.
 */
static int check_alone(struct mc_attach *self)
{
	mc_auto_mounts mounts = NULL;
	mc_auto_free uint64_t *ids = NULL;
	size_t count = 0;
	int rc = self->alone ? 0 : mc_mounts_read_host(self->core, &mounts);

	if (rc < 0 || self->alone)
		return rc;
	rc = mc_mounts_tree(mounts, self->origin, &ids, &count);
	return rc == 0 && count > 1 ? -EPERM : rc;
}

static int compose(struct mc_idmap *map, const struct mc_idmap *before)
{
	mc_auto_free struct mc_idmap *both = calloc(1, sizeof(*both));
	int rc = both ? mc_idmap_compose(before, map, both) : -ENOMEM;

	if (rc == 0 && both->count == 0)
		rc = -EPERM; /* the place has none of these owners */
	if (rc == 0)
		*map = *both;
	return rc;
}

int mc_origin_compose(struct mc_attach *self, struct mc_idmap *users, struct mc_idmap *groups)
{
	const unsigned needed = MC_FEATURE_OPEN_TREE_ATTR | MC_FEATURE_STATMOUNT_NS;
	const uint64_t mask = MC_STATMOUNT_MNT_UIDMAP | MC_STATMOUNT_MNT_GIDMAP;
	mc_auto_free struct maps *maps = calloc(1, sizeof(*maps));
	mc_auto_free struct mc_idmap *map = calloc(1, sizeof(*map));
	int rc;

	if ((self->core->features & needed) != needed)
		return -EPERM;
	if (!maps || !map)
		return -ENOMEM;
	rc = check_alone(self);
	if (rc == 0)
		rc = mc_sys_statmount_in(
			self->core->host_ns, self->origin_id, mask, &maps->mount, sizeof(*maps));
	if (rc == 0 && (maps->mount.mask & mask) != mask)
		rc = -EPERM;
	if (rc == 0)
		rc = read_map(maps, maps->mount.mnt_uidmap, maps->mount.mnt_uidmap_num, map);
	if (rc == 0)
		rc = compose(users, map);
	if (rc == 0)
		rc = read_map(maps, maps->mount.mnt_gidmap, maps->mount.mnt_gidmap_num, map);
	return rc == 0 ? compose(groups, map) : rc;
}

struct remap_job {
	struct mc_job job;
	int tree;
	int userns;
	struct mc_stat stat; /* out */
};

/* In the host's namespace: since 6.15 a detached tree can be cloned only where it was made
 * (check_anonymous_mnt() in fs/namespace.c).  It is one mount, by check_alone(). */
static int remap_job(const struct mc_core *core, struct mc_job *job)
{
	struct remap_job *self = (struct remap_job *)job;
	const struct mount_attr map = {
		.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)self->userns};
	int rc = mc_enter(core->host_ns);

	if (rc < 0)
		return rc;
	rc = job->fds[MC_FD_TREE] = mc_sys_open_tree_attr(self->tree, OPEN_TREE_CLONE, &map);
	mc_leave(core, core->host_ns);
	return rc < 0 ? rc : mc_describe(core, rc, "", &self->stat);
}

int mc_origin_remap(struct mc_attach *self, int userns)
{
	mc_auto_job struct remap_job *remap = mc_job_new(sizeof(*remap));
	int *tree = &self->job.fds[MC_FD_TREE];
	int rc;

	if (!remap)
		return -ENOMEM;
	remap->tree = *tree;
	remap->userns = userns;
	rc = mc_job_run(self->core, remap_job, &remap->job);
	if (rc < 0)
		return rc;
	mc_sys_close(*tree);
	*tree = mc_take_fd(&remap->job.fds[MC_FD_TREE]);
	self->tree = remap->stat;
	return 0;
}

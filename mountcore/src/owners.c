/* SPDX-License-Identifier: Apache-2.0 */
/* The owners of an attach's source, as the place is to see them.
 *
 * Sequence: [read uid_map and gid_map of a process of the place, or our own] userns.c; then, on the
 * detached tree, mount_setattr(idmap); EPERM: origin.c.
 *
 * A mount that has a user namespace shows the owner d on disk as the user that the namespace's
 * inner ID d is outside (make_vfsuid() in fs/mnt_idmapping.c).  So the map of an ordinary mount is
 * the identity with two IDs exchanged.  With `idmap` it is the container's map M after the
 * exchange: d becomes M(swap(d)), which the container numbers swap(d). */
#include "owners.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "attach.h"
#include "core.h"
#include "idmap.h"
#include "origin.h"
#include "procfs.h"
#include "sys.h"
#include "userns.h"

/* One side of it: the users or the groups. */
struct side {
	uint32_t is;     /* the owner on the host */
	uint64_t as;     /* 1 + the ID that it is to appear as in the place; 0: as it is */
	bool is_swapped; /* `map` is not the plain one */
	struct mc_idmap map;
};

struct owners {
	bool is_composed; /* the maps begin with those of the place */
	struct side users, groups;
	struct mc_idmap place; /* in use by one side at a time */
};

bool mc_attach_has_as(const struct mc_attach *self)
{
	return self->as_uid || self->as_gid;
}

static bool has_userns(const struct mc_attach *self)
{
	return self->place.userns_fd > 0;
}

/* The directory of the place's process in procfs, which stays that process's; its number may be
 * another's by now, so its user namespace is compared.  Else our own process's. */
static int open_process(const struct mc_attach *self)
{
	const struct mc_core *core = self->core;
	struct stat is, wanted;
	mc_auto_fd process = MC_FD_NONE;

	if (!has_userns(self))
		return mc_sys_openat(core->proc, "self", O_PATH | O_DIRECTORY);
	process = mc_procfs_open_of(core, (pid_t)self->place.pid, "", O_RDONLY | O_DIRECTORY);
	if (process < 0)
		return process;
	if (fstat(self->place.userns_fd, &wanted) < 0 || fstatat(process, "ns/user", &is, 0) < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	if (is.st_dev != wanted.st_dev || is.st_ino != wanted.st_ino)
		return -ESRCH;
	return mc_take_fd(&process);
}

static int swap_side(
	int process, int own, const char *name, struct owners *owners, struct side *side)
{
	struct mc_idmap *plain = &owners->place;
	uint32_t as = (uint32_t)(side->as - 1);
	int rc = mc_idmap_read(process, name, plain);

	/* The place's number, as we number it. */
	if (rc == 0 && side->as && process != own && !owners->is_composed)
		rc = mc_idmap_find(plain, as, &as);
	else if (rc == 0 && side->as)
		rc = mc_idmap_find(plain, as, &(uint32_t){0});
	if (rc == 0 && !owners->is_composed) {
		rc = process == own ? 0 : mc_idmap_read(own, name, plain);
		mc_idmap_make_identity(plain);
	}
	if (rc < 0)
		return rc;
	side->is_swapped = side->as && as != side->is;
	if (side->is_swapped)
		return mc_idmap_swap(plain, side->is, as, &side->map);
	side->map = *plain;
	return 0;
}

static int find_maps(struct mc_attach *self, struct owners *owners)
{
	mc_auto_fd process = open_process(self);
	mc_auto_fd other = MC_FD_NONE;
	int own = process, rc;

	if (process < 0)
		return mc_err_set(&self->job.err, MC_STEP_PROCESS, process);
	if (has_userns(self) && !owners->is_composed) {
		other = mc_sys_openat(self->core->proc, "self", O_PATH | O_DIRECTORY);
		if (other < 0)
			return mc_err_set(&self->job.err, MC_STEP_SETUP, other);
		own = other;
	}
	rc = swap_side(process, own, "uid_map", owners, &owners->users);
	if (rc == 0)
		rc = swap_side(process, own, "gid_map", owners, &owners->groups);
	/* -ERANGE: the place has no such user or group. */
	return mc_err_set(&self->job.err,
		rc == -ERANGE || rc == -E2BIG ? MC_STEP_USERNS : MC_STEP_PROCESS, rc);
}

/* The user namespace for the mount: `ret_made`, to be closed, or the place's own; MC_FD_NONE if the
 * owners stay as they are. */
static int find_userns(struct mc_attach *self, const struct owners *owners, int *ret_made)
{
	bool is_swapped = owners->users.is_swapped || owners->groups.is_swapped;

	if (!is_swapped && !owners->is_composed)
		return MC_FD_NONE;
	if (!(self->core->features & MC_FEATURE_MOUNT_SETATTR))
		return mc_err_set(&self->job.err, MC_STEP_IDMAP, -ENOSYS);
	if (!is_swapped)
		return self->place.userns_fd;
	*ret_made = mc_userns_make(self->core, &owners->users.map, &owners->groups.map);
	return *ret_made < 0 ? mc_err_set(&self->job.err, MC_STEP_USERNS, *ret_made) : *ret_made;
}

/* The tree has a map already: put that before ours. */
static int map_again(struct mc_attach *self, struct owners *owners)
{
	int rc = mc_origin_compose(self, &owners->users.map, &owners->groups.map);
	mc_sys_auto_fd made = MC_FD_NONE;

	if (rc < 0)
		return mc_err_set(&self->job.err, MC_STEP_IDMAP, rc);
	made = mc_userns_make(self->core, &owners->users.map, &owners->groups.map);
	if (made < 0)
		return mc_err_set(&self->job.err,
			mc_attach_has_as(self) ? MC_STEP_USERNS : MC_STEP_IDMAP, made);
	return mc_err_set(&self->job.err, MC_STEP_IDMAP, mc_origin_remap(self, made));
}

static int map_owners(struct mc_attach *self, struct owners *owners)
{
	struct mount_attr map = {.attr_set = MOUNT_ATTR_IDMAP};
	mc_sys_auto_fd made = MC_FD_NONE;
	int rc = find_maps(self, owners), userns;

	if (rc < 0)
		return rc;
	userns = find_userns(self, owners, &made);
	if (userns < 0)
		return self->job.err.code;
	map.userns_fd = (unsigned)userns;
	rc = mc_sys_mount_setattr(self->job.fds[MC_FD_TREE], AT_RECURSIVE, &map);
	if (rc == -EPERM)
		return map_again(self, owners);
	return mc_err_set(&self->job.err, MC_STEP_IDMAP, rc);
}

int mc_attach_map_owners(struct mc_attach *self)
{
	uint64_t start = mc_clock_ns();
	mc_auto_free struct owners *owners = calloc(1, sizeof(*owners));
	int rc;

	if (!owners)
		return mc_err_set(&self->job.err, MC_STEP_SETUP, -ENOMEM);
	owners->is_composed = self->idmap && has_userns(self);
	owners->users.is = self->owner.uid;
	owners->users.as = self->as_uid;
	owners->groups.is = self->owner.gid;
	owners->groups.as = self->as_gid;
	rc = map_owners(self, owners);
	self->work_ns += mc_clock_ns() - start;
	return rc;
}

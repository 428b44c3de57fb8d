/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an attach that was prepared may be committed: asked outside of any namespace but our own,
 * of what was found in the place. */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/path.h"

#include "attach.h"
#include "core.h"
#include "mounts.h"
#include "sys.h"

static int read_propagation(struct mc_attach *self)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read(self->core, self->place.ns_fd, &mounts, NULL);

	if (rc == 0)
		rc = mc_mounts_find(mounts, self->found.mountinfo_id, &mount);
	if (rc == 0 && self->is_replacing)
		rc = mc_mounts_find(mounts, mount.parent_id, &mount);
	if (rc == 0)
		self->parent.propagation = mount.is_shared ? MS_SHARED : MS_PRIVATE;
	return rc;
}

static unsigned count_components(const char *path)
{
	unsigned count = 1;

	for (; *path; path++)
		count += *path == '/';
	return count;
}

/* info.path is the ancestor's so far: put what is missing behind it. */
static int complete_path(struct mc_attach *self)
{
	const char *rest = self->target + self->missing;
	size_t length = strlen(self->info.path);

	if (!*rest)
		return 0;
	if (length + strlen(rest) + 2 > sizeof(self->info.path))
		return -ENAMETOOLONG;
	if (length > 1)
		self->info.path[length++] = '/';
	memcpy(self->info.path + length, rest, strlen(rest) + 1);
	self->info.to_make = count_components(rest);
	return 0;
}

static int check_type(const struct mc_attach *self, bool is_missing)
{
	bool is_dir = S_ISDIR(self->found.mode);

	if (is_missing) /* of the ancestor */
		return is_dir ? 0 : -ENOTDIR;
	if (is_dir == self->info.is_dir)
		return 0;
	return is_dir ? -EISDIR : -ENOTDIR;
}

static bool is_own(const struct mc_attach *self, const struct mc_attach_args *args)
{
	for (size_t i = 0; i < args->own_count; i++)
		if (args->own[i].mount_id == self->found.mount_id &&
			args->own[i].root.dev == self->found.dev &&
			args->own[i].root.ino == self->found.ino)
			return true;
	return false;
}

/* Which mount it will stand on.  Kernels before 6.8 tell the propagation in the mount table only.
 */
static int find_parent(struct mc_attach *self)
{
	self->parent = self->is_replacing ? self->below : self->top;
	return self->core->features & MC_FEATURE_STATMOUNT ? 0 : read_propagation(self);
}

int mc_attach_check(struct mc_attach *self, const struct mc_attach_args *args, struct mc_err *err)
{
	bool is_missing = self->target[self->missing];
	bool is_top = !is_missing && self->found.is_mount_root;
	int rc;

	/* A mount whose root was deleted on the host can be replaced. */
	if (self->found.nlink == 0 && !is_top)
		return mc_err_set(err, MC_STEP_TARGET, -ESTALE);
	if (is_missing && !self->mkdir)
		return mc_err_set(err, MC_STEP_TARGET, -ENOENT);
	rc = complete_path(self);
	if (rc < 0)
		return mc_err_set(err, MC_STEP_TARGET, rc);
	if (self->info.to_make > MC_MADE_MAX)
		return mc_err_set(err, MC_STEP_MKDIR, -E2BIG);
	if (self->place.root_fd < 0 && mc_path_is_refused(self->info.path))
		return mc_err_set(err, MC_STEP_REFUSED, -EACCES);
	rc = check_type(self, is_missing);
	if (rc < 0)
		return mc_err_set(err, MC_STEP_TYPE, rc);
	if (is_top && self->replace == MC_REPLACE_NO)
		return mc_err_set(err, MC_STEP_OCCUPIED, -EBUSY);
	self->is_replacing = is_top && is_own(self, args);
	self->info.is_covering = is_top && !self->is_replacing;
	if (find_parent(self) < 0)
		return mc_err_set(err, MC_STEP_TARGET, -ESTALE);
	if ((self->parent.propagation & MS_SHARED) && !self->place.may_spread)
		return mc_err_set(err, MC_STEP_SHARED, -EINVAL);
	return 0;
}

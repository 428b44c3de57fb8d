/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence in a container: setns(place) mount(shared, parent of the target) unshare(mount
 * namespace); in the copy: mount(/proc, private) chroot(host) mount(device on /proc) openat2(source
 * in it) mount(bind) mount(remount, attributes) mount(move to the target); then setns(place), which
 * ends the copy, mount(private, the new mount) mount(private, parent). */
#include "legacy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/path.h"

#include "core.h"
#include "mounts.h"
#include "stage.h"
#include "sys.h"

static bool has_option(const char *options, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = options; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	}
	return false;
}

static bool has_mounts_below(struct mc_mounts *mounts, const char *path)
{
	struct mc_mount mount;

	for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);)
		if (strcmp(mount.target, path) != 0 && mc_path_is_below(mount.target, path))
			return true;
	return false;
}

/* A bind mount would have the flags of the mount it is made from; this one is made from another. */
static void keep_flags(struct mc_attr *attr, const char *options)
{
	static const char *const kept[] = {"ro", "nosuid", "nodev", "noexec"};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (has_option(options, kept[i]))
			(void)!mc_attr_add(attr, kept[i]); /* names of the table */
}

static int check_node(const struct mc_core *core, const char *path, uint64_t dev)
{
	mc_auto_fd fd = *path == '/' ? mc_host_open(core, path) : -ENODEV;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return -ENODEV;
	return S_ISBLK(stat.st_mode) && stat.st_rdev == dev ? 0 : -ENODEV;
}

static int find_device(struct mc_attach *self, const char *path)
{
	struct mc_legacy *legacy = &self->legacy;
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read(self->core, self->core->host_ns, &mounts, NULL);

	if (rc == 0)
		rc = mc_mounts_find(mounts, self->tree.mountinfo_id, &mount);
	if (rc == 0 && (major(mount.dev) == 0 || !mc_path_is_below(path, mount.target) ||
			       has_mounts_below(mounts, path)))
		rc = -EOPNOTSUPP;
	if (rc == 0)
		rc = check_node(self->core, mount.device, mount.dev);
	if (rc == 0)
		rc = mc_copy_path(legacy->device, mount.device);
	if (rc == 0)
		rc = mc_copy_path(legacy->fstype, mount.fstype);
	if (rc == 0)
		rc = mc_mount_part(&mount, path, legacy->inside);
	if (rc == 0) {
		legacy->is_read_only = has_option(mount.fs_options, "ro");
		keep_flags(&self->attr, mount.options);
	}
	return rc;
}

static bool is_place_here(const struct mc_attach *self)
{
	return self->place.ns_fd < 0;
}

bool mc_legacy_is_possible(const struct mc_attach *self)
{
	return is_place_here(self) ? self->core->home_ino == self->core->host_ino
				   : self->core->legacy;
}

int mc_legacy_find(struct mc_attach *self)
{
	char path[PATH_MAX];
	int rc;

	if (is_place_here(self))
		return 0;
	if (self->place.userns_fd > 0 || self->place.may_mount)
		return -EOPNOTSUPP;
	rc = mc_fd_path(self->core, self->core->host_root, self->job.fds[MC_FD_TREE], path);
	return rc < 0 ? rc : find_device(self, path);
}

int mc_legacy_check(struct mc_attach *self, struct mc_err *err)
{
	struct mc_legacy *legacy = &self->legacy;
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	int rc;

	if (self->is_replacing || self->info.is_covering)
		return mc_err_set(err, MC_STEP_REPLACE, -ENOSYS);
	if (is_place_here(self))
		return 0;
	rc = mc_mounts_read(self->core, self->place.ns_fd, &mounts, NULL);
	if (rc == 0)
		rc = mc_mounts_find(mounts, self->found.mountinfo_id, &mount);
	if (rc == 0)
		rc = mc_copy_path(legacy->parent, mount.target);
	if (rc == 0)
		legacy->is_slave = mount.is_slave;
	return mc_err_set(err, MC_STEP_TARGET, rc);
}

/* mount(2) on descriptors, by their names in our own procfs: no path is walked. */
static int mount_fds(const struct mc_core *core, int source, int target, unsigned long flags)
{
	char from[MC_FD_NAME_SIZE], to[MC_FD_NAME_SIZE];
	int rc = mc_sys_fchdir(core->proc);

	mc_fd_name(target, to);
	if (source >= 0)
		mc_fd_name(source, from);
	return rc < 0 ? rc : mc_sys_mount(source >= 0 ? from : NULL, to, NULL, flags);
}

/* Open what is on top at the path, if it is the source's file on a mount of its own. */
static int open_ours(
	const struct mc_core *core, const struct mc_attach *self, int root, struct mc_stat *ret)
{
	const char *name;
	struct mc_stat above;
	mc_sys_auto_fd fd = MC_FD_NONE;
	mc_sys_auto_fd parent =
		mc_open_parent(core, root, self->info.path, MC_RESOLVE_KNOWN, &name);
	int rc;

	if (parent < 0)
		return parent;
	fd = mc_open(core, parent, name, 0, MC_RESOLVE_KNOWN);
	rc = fd < 0 ? fd : mc_describe(core, parent, "", &above);
	if (rc == 0)
		rc = mc_describe(core, fd, "", ret);
	if (rc == 0 && (ret->mount_id == above.mount_id || ret->dev != self->tree.dev ||
			       ret->ino != self->tree.ino))
		rc = -ESTALE;
	return rc < 0 ? rc : mc_take_fd(&fd);
}

/* Learn which mount it became. */
static int learn(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat found = {0};
	int fd = open_ours(core, self, root, &found);

	if (fd < 0)
		return fd;
	self->tree.mount_id = self->info.mount_id = found.mount_id;
	self->tree.mountinfo_id = self->info.mountinfo_id = found.mountinfo_id;
	return fd;
}

static int bind_here(const struct mc_core *core, struct mc_attach *self, int root, int to)
{
	mc_sys_auto_fd fd = MC_FD_NONE;
	int rc = mount_fds(core, self->job.fds[MC_FD_TREE], to, MS_BIND | MS_REC);
	char path[PATH_MAX];

	if (rc < 0)
		return rc;
	fd = learn(core, self, root);
	rc = fd < 0 ? fd : mc_fd_path(core, MC_FD_NONE, fd, path);
	return rc == 0 && self->attr.set ? mc_stage_attr(core, path, &self->attr) : rc;
}

/* A descriptor in the copy on what is at `path` (absolute), which is the file `same` out there. */
static int open_again(const struct mc_core *core, int root, const char *path, int same)
{
	struct mc_stat here, there;
	mc_sys_auto_fd fd = mc_open(core, root, path, 0, MC_RESOLVE_KNOWN);
	int rc = fd < 0 ? fd : mc_describe(core, fd, "", &here);

	if (rc == 0)
		rc = mc_describe(core, same, "", &there);
	if (rc == 0 && (here.dev != there.dev || here.ino != there.ino))
		rc = -ESTALE;
	return rc < 0 ? rc : mc_take_fd(&fd);
}

/* The device on /proc of the copy, and a descriptor on the source in it. */
static int mount_device(
	const struct mc_core *core, const struct mc_attach *self, int root, int proc)
{
	const struct mc_legacy *legacy = &self->legacy;
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	struct mc_stat found = {0};
	mc_sys_auto_fd top = MC_FD_NONE;
	int fd, rc = mc_sys_fchdir(core->host_root);

	if (rc == 0)
		rc = mc_sys_chroot(".");
	if (rc == 0)
		rc = mc_sys_fchdir(proc);
	if (rc == 0)
		rc = mc_sys_mount(legacy->device, ".", legacy->fstype,
			legacy->is_read_only ? flags | MS_RDONLY : flags);
	if (rc < 0)
		return rc;
	top = mc_open(core, root, "proc", O_DIRECTORY, MC_RESOLVE_KNOWN);
	if (top < 0)
		return top;
	fd = mc_open(core, top, legacy->inside, 0, MC_RESOLVE_KNOWN);
	rc = fd < 0 ? fd : mc_describe(core, fd, "", &found);
	if (rc == 0 && (found.dev != self->tree.dev || found.ino != self->tree.ino))
		rc = -ESTALE;
	return rc < 0 ? rc : fd;
}

/* Bind the source in the copy where nobody else sees it, and dress it: it is never seen writable.
 */
static int bind_in_copy(const struct mc_core *core, const struct mc_attach *self, int root)
{
	bool is_dir = S_ISDIR(self->tree.mode);
	unsigned long flags = 0;
	int proc = mc_open(core, root, "proc", O_DIRECTORY, MC_RESOLVE_KNOWN);
	int at, source, fd, rc = proc < 0 ? proc : mount_fds(core, -1, proc, MS_REC | MS_PRIVATE);

	if (rc < 0)
		return rc;
	at = is_dir ? proc : mc_sys_openat(proc, "version", O_PATH | O_NOFOLLOW);
	source = at < 0 ? at : mount_device(core, self, root, proc);
	rc = source < 0 ? source : mount_fds(core, source, at, MS_BIND);
	if (rc == 0)
		rc = mc_attr_to_ms(&self->attr, &flags);
	if (rc < 0)
		return rc;
	fd = is_dir ? mc_open(core, root, "proc", O_DIRECTORY, MC_RESOLVE_KNOWN)
		    : mc_sys_openat(proc, "version", O_PATH | O_NOFOLLOW);
	rc = fd < 0 ? fd : mount_fds(core, -1, fd, MS_REMOUNT | MS_BIND | flags);
	return rc < 0 ? rc : fd;
}

/* In the copy.  Descriptors end with the helper. */
static int move_in_copy(const struct mc_core *core, const struct mc_attach *self, int outer)
{
	int root = mc_sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
	int to = root < 0 ? root : open_again(core, root, self->info.path, outer);
	int mount = to < 0 ? to : bind_in_copy(core, self, root);

	return mount < 0 ? mount : mount_fds(core, mount, to, MS_MOVE);
}

static int put_by_propagation(const struct mc_core *core, struct mc_attach *self, int to)
{
	int rc = mc_sys_unshare(CLONE_NEWNS);

	if (rc == 0)
		rc = move_in_copy(core, self, to);
	/* Of the copy, only the propagated mount remains. */
	if (mc_sys_setns(self->place.ns_fd, CLONE_NEWNS) < 0)
		abort();
	return rc;
}

/* The root of the mount that the target lies on. */
static int open_parent_mount(const struct mc_core *core, const struct mc_attach *self, int root)
{
	struct mc_stat stat;
	mc_sys_auto_fd fd = mc_open(core, root, self->legacy.parent, 0, MC_RESOLVE_KNOWN);
	int rc = fd < 0 ? fd : mc_describe(core, fd, "", &stat);

	if (rc == 0 && stat.mount_id == self->found.mount_id)
		return mc_take_fd(&fd);
	return rc < 0 ? rc : -ESTALE;
}

/* Restore it; a shared parent was refused. */
static void unshare_parent(const struct mc_core *core, const struct mc_attach *self, int parent)
{
	mount_fds(core, -1, parent, self->legacy.is_slave ? MS_SLAVE : MS_PRIVATE);
}

int mc_legacy_put(const struct mc_core *core, struct mc_attach *self, int root, int to)
{
	mc_sys_auto_fd fd = MC_FD_NONE, parent = MC_FD_NONE;
	int rc;

	if (is_place_here(self))
		return bind_here(core, self, root, to);
	parent = open_parent_mount(core, self, root);
	if (parent < 0)
		return parent;
	rc = mount_fds(core, -1, parent, MS_SHARED);
	if (rc == 0)
		rc = put_by_propagation(core, self, to);
	unshare_parent(core, self, parent);
	if (rc < 0)
		return rc;
	fd = learn(core, self, root);
	return fd < 0 ? fd : mount_fds(core, -1, fd, MS_REC | MS_PRIVATE);
}

void mc_legacy_take_back(const struct mc_core *core, const struct mc_attach *self, int root)
{
	struct mc_stat found = {0};
	char name[MC_FD_NAME_SIZE];
	mc_sys_auto_fd fd = MC_FD_NONE, parent = MC_FD_NONE;

	parent = is_place_here(self) ? -EBADF : open_parent_mount(core, self, root);
	if (parent >= 0) /* after a helper that was killed */
		unshare_parent(core, self, parent);
	fd = open_ours(core, self, root, &found);
	if (fd < 0)
		return;
	mc_fd_name(fd, name);
	if (mc_sys_fchdir(core->proc) == 0)
		mc_sys_umount2(name, MC_UMOUNT_LAZY);
}

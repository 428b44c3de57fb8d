/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence at start: open what is at the path; note which part of which file system it is; find
 * where the host has the same; mount the tmpfs on it and share it.
 * Sequence of a heal: open_tree(the tmpfs, recursive clone: peers) setns(host) openat2(the place)
 * move_mount setns(home). */
#include "mountcore/mount_root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/mounts.h"
#include "mountcore/path.h"

#include "core.h"
#include "job.h"
#include "mounts.h"
#include "run.h"
#include "sys.h"
#include "walk.h"

static const char device[] = "hostvol"; /* of the tmpfs, in mount tables */

struct mc_mount_root {
	struct mc_core *core;
	pthread_mutex_t lock; /* guards the fields below */
	char path[PATH_MAX];
	char place[PATH_MAX]; /* on the host; "": not known */
	int below;            /* the directory below the tmpfs, if we mounted that */
	struct mc_file_id below_id;
	struct mc_file_id id; /* of the tmpfs's root directory; inode 0: it was not mounted yet */
};

struct heal_job {
	struct mc_job job;
	char path[PATH_MAX];
	char place[PATH_MAX];
};

static int describe(const struct mc_mount_root *self, int fd, struct mc_file_id *ret)
{
	struct mc_stat stat;
	int rc = mc_describe(self->core, fd, "", &stat);

	if (rc == 0)
		*ret = (struct mc_file_id){stat.dev, stat.ino};
	return rc;
}

static bool is_same(const struct mc_file_id *a, const struct mc_file_id *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* Whether `path` on the host is the directory `wanted`. */
static bool is_at(
	const struct mc_mount_root *self, const char *path, const struct mc_file_id *wanted)
{
	mc_auto_fd fd = mc_host_open(self->core, path);
	struct mc_file_id found = {0};

	return fd >= 0 && describe(self, fd, &found) == 0 && is_same(&found, wanted);
}

/* The path that the part `part` of a file system has in a mount of it.  False if it is not in it.
 */
static bool path_in(const struct mc_mount *mount, const char *part, char ret[static PATH_MAX])
{
	const char *target = mount->target[1] ? mount->target : "";
	const char *rest = part + (mount->root[1] ? strlen(mount->root) : 0);
	int length;

	if (!mc_path_is_below(part, mount->root))
		return false;
	length = snprintf(ret, PATH_MAX, "%s%s", target, strcmp(rest, "/") == 0 ? "" : rest);
	return length > 0 && length < PATH_MAX;
}

/* Find where the host has the directory `wanted`, which the mount `own` shows.  Of several places
 * the one by the narrowest mount: the others are of the whole disk that it is on. */
static int find_place(
	struct mc_mount_root *self, const struct mc_mount *own, const struct mc_file_id *wanted)
{
	mc_auto_mounts host = NULL;
	struct mc_mount mount;
	size_t longest = 0;
	char path[PATH_MAX];
	int rc = mc_mounts_read_host(self->core, &host);

	for (size_t at = 0; rc == 0 && mc_mounts_next(host, &at, &mount);) {
		if (mount.dev != own->dev || strlen(mount.root) < longest ||
			!path_in(&mount, own->root, path) || !is_at(self, path, wanted))
			continue;
		longest = strlen(mount.root);
		memcpy(self->place, path, sizeof(path));
	}
	return rc;
}

/* Take out what is mounted below the path, of a plugin that has ended. */
static void clear(const struct mc_mount_root *self, struct mc_mounts *mounts)
{
	struct mc_mount mount;
	size_t count = mc_mounts_count(mounts);

	for (size_t i = count; i > 0; i--) {
		size_t at = i - 1;

		if (mc_mounts_next(mounts, &at, &mount) && strcmp(mount.target, self->path) != 0 &&
			mc_path_is_below(mount.target, self->path))
			(void)mc_sys_umount2(mount.target, MC_UMOUNT_LAZY | MC_UMOUNT_NOFOLLOW);
	}
}

/* Mount the tmpfs.  Returns its root directory, or -ESTALE: it was taken out at once, and the
 * directory below is not to be taken for it. */
static int cover(struct mc_mount_root *self)
{
	mc_auto_fd fd = MC_FD_NONE;
	int rc = mc_sys_mount_fs(
		device, self->path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755");

	if (rc == 0)
		rc = mc_sys_mount("none", self->path, NULL, MS_SHARED);
	if (rc == 0)
		fd = mc_sys_openat(AT_FDCWD, self->path, O_PATH | O_DIRECTORY);
	if (rc == 0)
		rc = fd < 0 ? fd : describe(self, fd, &self->id);
	if (rc == 0)
		rc = is_same(&self->id, &self->below_id) ? -ESTALE : 0;
	if (rc < 0)
		self->id = (struct mc_file_id){0};
	return rc < 0 ? rc : mc_take_fd(&fd);
}

static int set_up(struct mc_mount_root *self)
{
	mc_auto_mounts own = NULL;
	struct mc_mount mount = {0};
	struct mc_file_id id;
	int rc;

	self->below = mc_sys_openat(AT_FDCWD, self->path, O_RDONLY | O_DIRECTORY);
	if (self->below < 0)
		return self->below;
	rc = describe(self, self->below, &id);
	if (rc == 0)
		rc = mc_mounts_read(self->core, MC_FD_NONE, &own, NULL);
	if (rc == 0 && mc_mounts_find_top(own, self->path, &mount) == 0)
		rc = find_place(self, &mount, &id);
	if (rc == 0 && mount.fstype && strcmp(mount.fstype, "tmpfs") == 0 &&
		strcmp(mount.device, device) == 0) {
		self->id = id;
		mc_close_fd(&self->below);
	} else if (rc == 0) {
		mc_auto_fd fd = MC_FD_NONE;

		clear(self, own);
		self->below_id = id;
		fd = cover(self);
		rc = fd < 0 && fd != -ESTALE ? fd : 0; /* the next use tries again */
	}
	return rc;
}

int mc_mount_root_open(
	struct mc_core *core, const char *path, struct mc_mount_root **ret, struct mc_err *err)
{
	struct mc_mount_root *self = calloc(1, sizeof(*self));
	int rc;

	if (!self)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	self->core = core;
	self->below = MC_FD_NONE;
	pthread_mutex_init(&self->lock, NULL);
	rc = mc_path_clean(path, self->path, sizeof(self->path));
	if (rc == 0)
		rc = set_up(self);
	if (rc == 0)
		*ret = self;
	else
		mc_mount_root_close(self);
	return mc_err_set(err, MC_STEP_SETUP, rc);
}

void mc_mount_root_close(struct mc_mount_root *root)
{
	if (!root)
		return;
	mc_close_fd(&root->below);
	pthread_mutex_destroy(&root->lock);
	free(root);
}

/* With the lock held. */
static int open_dir(struct mc_mount_root *self)
{
	mc_auto_fd fd = mc_sys_openat(AT_FDCWD, self->path, O_PATH | O_DIRECTORY);
	struct mc_file_id found = {0};
	int rc = fd < 0 ? fd : describe(self, fd, &found);

	if (rc < 0)
		return rc;
	return is_same(&found, &self->id) ? mc_take_fd(&fd) : cover(self);
}

int mc_mount_root_dir(struct mc_mount_root *root)
{
	mc_auto_lock lock = mc_lock(&root->lock);

	return open_dir(root);
}

/* Where the host has the tmpfs now.  Returns 0 or -ENOENT. */
static int look_for_it(struct mc_mount_root *self)
{
	mc_auto_mounts host = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read_host(self->core, &host), found = -ENOENT;

	for (size_t at = 0; rc == 0 && found < 0 && mc_mounts_next(host, &at, &mount);) {
		if (strcmp(mount.fstype, "tmpfs") != 0 || strcmp(mount.device, device) != 0 ||
			strcmp(mount.root, "/") != 0 || !is_at(self, mount.target, &self->id))
			continue;
		snprintf(self->place, sizeof(self->place), "%s", mount.target);
		found = 0;
	}
	return rc < 0 ? rc : found;
}

static int check_root(struct mc_mount_root *self)
{
	return self->place[0] && is_at(self, self->place, &self->id) ? 0 : look_for_it(self);
}

/* By the host's mount table: a look at the directory may wait for its server. */
static int check_table(const struct mc_mount_root *self, const char *name)
{
	mc_auto_mounts host = NULL;
	struct mc_mount mount;
	char path[PATH_MAX];
	int rc = mc_mounts_read_host(self->core, &host);

	if (rc == 0 && snprintf(path, sizeof(path), "%s/%s", self->place, name) >= PATH_MAX)
		rc = -ENAMETOOLONG;
	return rc < 0 ? rc : mc_mounts_find_top(host, path, &mount);
}

static int check_name(const struct mc_mount_root *self, const char *name)
{
	mc_auto_fd fd = mc_host_open(self->core, self->place);
	struct mc_stat stat;
	int rc = fd < 0 ? fd : mc_describe(self->core, fd, name, &stat);

	/* On what it is: no volume is on the tmpfs. */
	return rc < 0 ? rc : stat.dev != self->id.dev ? 0 : -ENOENT;
}

/* With the lock held. */
static int check(struct mc_mount_root *self, const char *name, bool is_slow)
{
	int rc = check_root(self);

	if (rc < 0 || !name)
		return rc;
	return is_slow ? check_table(self, name) : check_name(self, name);
}

int mc_mount_root_check(struct mc_mount_root *root, const char *name, bool is_slow)
{
	mc_auto_lock lock = mc_lock(&root->lock);

	return check(root, name, is_slow);
}

static int heal(const struct mc_core *core, struct mc_job *job)
{
	const struct heal_job *self = (const struct heal_job *)job;
	mc_sys_auto_fd to = MC_FD_NONE, tree = mc_sys_open_tree(AT_FDCWD, self->path,
						OPEN_TREE_CLONE | AT_RECURSIVE);
	int rc = tree < 0 ? tree : mc_enter(core->host_ns);

	if (rc < 0)
		return rc;
	to = mc_open(core, core->host_root, self->place, O_DIRECTORY, MC_RESOLVE_KNOWN);
	rc = to < 0 ? to : mc_sys_move_mount(tree, to, 0);
	mc_leave(core, core->host_ns);
	return rc;
}

static int run_heal(struct mc_mount_root *self)
{
	mc_auto_job struct heal_job *job = mc_job_new(sizeof(*job));

	if (!job)
		return -ENOMEM;
	memcpy(job->path, self->path, sizeof(job->path));
	memcpy(job->place, self->place, sizeof(job->place));
	return mc_job_run(self->core, heal, &job->job);
}

/* Remove the mountpoints that have lost their mounts, before the host is shown them; the kernel
 * refuses to remove the others. */
static void remove_bare(int dir_fd)
{
	const struct dirent *entry;
	int fd = mc_sys_openat(dir_fd, ".", O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		mc_close_fd(&fd);
		return;
	}
	while ((entry = readdir(dir))) /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		(void)mc_sys_rmdirat(fd, entry->d_name);
	closedir(dir);
}

int mc_mount_root_heal(struct mc_mount_root *root, const char *name, bool is_slow)
{
	mc_auto_lock lock = mc_lock(&root->lock);
	mc_auto_fd fd = open_dir(root);
	int rc = fd < 0 ? fd : check(root, name, is_slow);

	if (rc == -ENOENT)
		remove_bare(fd);
	if (rc == -ENOENT && root->place[0]) {
		rc = root->core->features & MC_FEATURE_OPEN_TREE ? run_heal(root) : -ENOSYS;
		if (rc == 0)
			rc = check(root, name, is_slow);
	}
	return rc;
}

const char *mc_mount_root_place(const struct mc_mount_root *root)
{
	return root->place;
}

int mc_mount_root_below(const struct mc_mount_root *root)
{
	return root->below;
}

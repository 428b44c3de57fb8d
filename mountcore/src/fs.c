/* SPDX-License-Identifier: Apache-2.0 */
#include "mountcore/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "job.h"
#include "lines.h"
#include "loop.h"
#include "mounts.h"
#include "route.h"
#include "run.h"
#include "sys.h"
#include "walk.h"

/* Options that would do something else than mount this file system, here. */
static const unsigned long refused_flags =
	MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE | MS_REC;

static bool says_nothing(const char *option)
{
	static const char *const names[] = {
		"defaults", "auto", "noauto", "nofail", "_netdev", "loop"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(option, names[i]) == 0)
			return true;
	return false;
}

/* An empty one belongs to the one before: ",," is a comma in a password of SMB. */
static int add_data(struct mc_fs *fs, const char *option)
{
	size_t length = strlen(fs->data);
	int rc;

	if (length == 0 && !*option)
		return 0;
	rc = snprintf(
		fs->data + length, sizeof(fs->data) - length, "%s%s", length ? "," : "", option);
	return rc < 0 || (size_t)rc >= sizeof(fs->data) - length ? -ENAMETOOLONG : 0;
}

/* Whether libmount knows an option with a value as its own, not as the file system's: "helper=",
 * "X-mount.mkdir=".  user= is SMB's, not the "user" of mount(8). */
static int is_for_mount(const char *option, size_t name_size)
{
	char *name, *user = NULL;
	int rc;

	if (strncmp(option, "user=", name_size + 1) == 0)
		return 0;
	name = strndup(option, name_size);
	rc = name && mnt_split_optstr(name, &user, NULL, NULL, 0, 0) == 0 ? user != NULL : -ENOMEM;
	free(name);
	free(user);
	return rc;
}

/* An option without a value. */
static int add_word(struct mc_fs *fs, const char *word)
{
	mc_auto_free char *user = NULL, *vfs = NULL, *own = NULL;

	if (mnt_split_optstr(word, &user, &vfs, &own, 0, 0) < 0)
		return -ENOMEM;
	if (own)
		return add_data(fs, own);
	if (!vfs ||
		mnt_optstr_get_flags(vfs, &fs->flags, mnt_get_builtin_optmap(MNT_LINUX_MAP)) != 0)
		return -EINVAL;
	return fs->flags & refused_flags ? -EINVAL : 0;
}

/* libmount is asked about names alone: in what a value holds, quotes say nothing to Docker's local
 * driver and to the kernel. */
static int add_option(struct mc_fs *fs, const char *option)
{
	size_t name_size = strcspn(option, "=");
	int rc;

	if (says_nothing(option))
		return 0;
	if (!*option || memchr(option, '"', name_size))
		return add_data(fs, option);
	if (!option[name_size])
		return add_word(fs, option);
	rc = is_for_mount(option, name_size);
	if (rc == 0)
		return add_data(fs, option);
	return rc < 0 ? rc : -EINVAL;
}

static int read_options(struct mc_fs *fs, char *options, char refused[static MC_FS_OPTION_SIZE])
{
	const char *option;
	int rc = 0;

	while (rc == 0 && (option = strsep(&options, ","))) {
		rc = add_option(fs, option);
		if (rc == -EINVAL)
			snprintf(refused, MC_FS_OPTION_SIZE, "%s", option);
	}
	return rc;
}

int mc_fs_read(const char *type, const char *device, const char *options, struct mc_fs *ret,
	char refused[static MC_FS_OPTION_SIZE])
{
	char *copy;
	int rc;

	*ret = (struct mc_fs){.flags = 0};
	*refused = '\0';
	if (strlen(type) >= sizeof(ret->type) || strlen(device) >= sizeof(ret->device))
		return -ENAMETOOLONG;
	copy = strdup(options);
	if (!copy)
		return -ENOMEM;
	memcpy(ret->type, type, strlen(type));
	memcpy(ret->device, device, strlen(device));
	rc = read_options(ret, copy, refused);
	free(copy);
	return rc;
}

struct fs_job {
	struct mc_path_job base;
	struct mc_fs fs;
	uint64_t file_key;   /* out: of the image file in job.fds[0] */
	char real[PATH_MAX]; /* out */
	mode_t mode;         /* out */
};

/* The helper sees paths as the host does, from here on. */
static int become_host(const struct mc_core *core)
{
	int rc = mc_enter(core->host_ns);

	if (rc == 0)
		rc = mc_sys_fchdir(core->host_root);
	return rc == 0 ? mc_sys_chroot(".") : rc;
}

/* Two jobs on one file at the same time would each find it without a loop device. */
static uint64_t file_key(const struct stat *file)
{
	uint64_t key = ((uint64_t)file->st_dev << 32) ^ file->st_ino;

	return key ? key : 1;
}

static int open_job(const struct mc_core *core, struct mc_job *job)
{
	struct fs_job *self = (struct fs_job *)job;
	const bool read_only = self->fs.flags & MS_RDONLY;
	struct stat stat;
	int rc = become_host(core);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	if (self->fs.device[0] != '/') /* it would be looked for in the directory mounted on */
		return mc_err_set(&job->err, MC_STEP_FS, -ENOTBLK);
	job->fds[0] = mc_sys_openat(
		AT_FDCWD, self->fs.device, O_NONBLOCK | (read_only ? O_RDONLY : O_RDWR));
	if (job->fds[0] < 0)
		return mc_err_set(&job->err, MC_STEP_FS, job->fds[0]);
	rc = fstat(job->fds[0], &stat) < 0 ? -errno : 0;
	if (rc == 0 && !S_ISREG(stat.st_mode))
		rc = -ENOTBLK;
	self->file_key = rc == 0 ? file_key(&stat) : 0;
	return mc_err_set(&job->err, MC_STEP_FS, rc);
}

static int mount_file(const struct mc_fs *fs, int file)
{
	char path[MC_LOOP_PATH_SIZE];
	mc_sys_auto_fd loop = mc_loop_open(file, fs->flags & MS_RDONLY, path);

	return loop < 0 ? loop : mc_sys_mount_fs(path, ".", fs->type, fs->flags, fs->data);
}

static int mount_job(const struct mc_core *core, struct mc_job *job)
{
	struct fs_job *self = (struct fs_job *)job;
	int fd, rc = become_host(core);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	fd = mc_open(core, core->host_root, self->base.path, O_DIRECTORY, MC_RESOLVE_KNOWN);
	if (fd < 0)
		return mc_err_set(&job->err, MC_STEP_SOURCE, fd);
	rc = mc_sys_fchdir(fd);
	mc_sys_close(fd);
	if (rc == 0 && job->fds[0] >= 0)
		rc = mount_file(&self->fs, job->fds[0]);
	else if (rc == 0)
		rc = mc_sys_mount_fs(
			self->fs.device, ".", self->fs.type, self->fs.flags, self->fs.data);
	return rc < 0 ? mc_err_set(&job->err, MC_STEP_FS, rc) : 1;
}

int mc_host_is_mounted(struct mc_core *core, const char *path, struct mc_err *err)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read(core, core->host_ns, &mounts, err);

	return rc < 0 ? rc : mc_mounts_find_top(mounts, path, &mount) == 0;
}

static int mount_device_or_file(struct mc_core *core, struct fs_job *job)
{
	int rc = mc_job_run(core, mount_job, &job->base.job);

	if (rc != -ENOTBLK)
		return rc;
	rc = mc_job_run(core, open_job, &job->base.job);
	if (rc < 0)
		return rc;
	job->base.job.key = job->file_key;
	return mc_job_run(core, mount_job, &job->base.job);
}

int mc_host_mount(
	struct mc_core *core, const struct mc_fs *fs, const char *path, struct mc_err *err)
{
	mc_auto_job struct fs_job *job = NULL;
	int rc = mc_host_is_mounted(core, path, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	job = mc_job_new(sizeof(*job));
	rc = mc_path_job_init(core, job, path, err);
	if (rc < 0)
		return rc;
	job->fs = *fs;
	job->base.job.waits_for = mc_key_of(fs->device); /* its server */
	job->base.job.timeout_ms = core->mount_timeout_ms;
	rc = mount_device_or_file(core, job);
	return rc < 0 ? mc_err_set(err, job->base.job.err.step, rc) : rc;
}

/* --- out again ------------------------------------------------------------------------------ */

enum { UNMOUNTS_MAX = 16 };

struct unmount_job {
	struct mc_path_job base;
	char type[MC_FS_TYPE_SIZE]; /* as mount(2) was given them */
	char device[PATH_MAX];
	char mounted[PATH_MAX]; /* the device of a mount there, as the mount table has it */
	uint64_t id;            /* the mount to unmount: column 1 of mountinfo */
	unsigned count;         /* of the mounts at the path, when they were looked at */
};

/* NFS is one or the other by the version that was agreed on; FUSE adds what it is of. */
static bool is_type(const char *mounted, const char *asked)
{
	size_t length = strlen(asked);

	if (strncmp(asked, "nfs", 3) == 0)
		return strcmp(mounted, "nfs") == 0 || strcmp(mounted, "nfs4") == 0;
	return strncmp(mounted, asked, length) == 0 && (!mounted[length] || mounted[length] == '.');
}

/* Slashes at its end say nothing to a server, and SMB's may lean the other way. */
static bool is_named(const char *mounted, const char *asked)
{
	while (*mounted && (*mounted == *asked || (*mounted == '/' && *asked == '\\'))) {
		mounted++;
		asked++;
	}
	return !mounted[strspn(mounted, "/")] && !asked[strspn(asked, "/\\")];
}

/* Whether it is another name for the device, or of the image in it.  Returns 1, 0 or an errno. */
static int compare_job(const struct mc_core *core, struct mc_job *job)
{
	struct unmount_job *self = (struct unmount_job *)job;
	struct stat asked, mounted;
	mc_sys_auto_fd fd = MC_FD_NONE;
	int rc = become_host(core);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	fd = mc_sys_openat(AT_FDCWD, self->mounted, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fd == -ENOENT ? 0 : mc_err_set(&job->err, MC_STEP_IDENTITY, fd);
	if (fstat(fd, &mounted) < 0 || !S_ISBLK(mounted.st_mode))
		rc = 0;
	else if (stat(self->device, &asked) < 0) /* the image was deleted */
		rc = mc_loop_is_of(fd, NULL);
	else if (S_ISBLK(asked.st_mode))
		rc = asked.st_rdev == mounted.st_rdev;
	else
		rc = mc_loop_is_of(fd, &asked);
	return rc < 0 ? mc_err_set(&job->err, MC_STEP_IDENTITY, rc) : rc;
}

/* Whether the mount is of the file system.  Returns 1, 0 or a negative errno. */
static int is_of_fs(struct mc_core *core, struct unmount_job *job, const struct mc_mount *mount)
{
	if (!is_type(mount->fstype, job->type))
		return 0;
	if (is_named(mount->device, job->device))
		return 1;
	if (mount->device[0] != '/' || job->device[0] != '/' ||
		strlen(mount->device) >= sizeof(job->mounted))
		return 0;
	memcpy(job->mounted, mount->device, strlen(mount->device) + 1);
	return mc_job_run(core, compare_job, &job->base.job);
}

/* Find the mount to unmount.  Returns 1 with it in the job, 0 (nothing is mounted there), -ESTALE
 * (not by us, or on top of ours), or the error of looking. */
static int find_ours(struct mc_core *core, struct unmount_job *job)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount, cover;
	int is_ours = 0, rc = mc_mounts_read(core, core->host_ns, &mounts, &job->base.job.err);

	job->count = 0;
	job->id = 0;
	for (size_t at = 0; rc == 0 && mc_mounts_next(mounts, &at, &mount);) {
		if (strcmp(mount.target, job->base.path) != 0)
			continue;
		job->count++;
		if (mc_mounts_find_cover(mounts, mount.id, &cover))
			continue;
		is_ours = is_of_fs(core, job, &mount);
		job->id = is_ours > 0 ? mount.id : 0;
		rc = is_ours < 0 ? is_ours : 0;
	}
	if (rc == 0 && job->count > 0)
		rc = job->id ? 1 : mc_err_set(&job->base.job.err, MC_STEP_IDENTITY, -ESTALE);
	return rc;
}

struct look_at {
	const char *path;
	uint64_t id;
	unsigned count;
	bool has_it;
};

static int count_line(struct mc_line *line, void *context)
{
	struct look_at *look = context;

	if (strcmp(line->target, look->path) == 0) {
		look->count++;
		look->has_it |= line->id == look->id;
	}
	return 0;
}

/* Whether the mounts there are those that were looked at.  By the table: a look at what is mounted
 * would ask its server. */
static int check_again(const struct mc_core *core, const struct unmount_job *self)
{
	struct look_at look = {.path = self->base.path, .id = self->id};
	int rc = mc_lines_visit(core, count_line, &look);

	return rc < 0 ? rc : look.has_it && look.count == self->count ? 0 : -ESTALE;
}

static int unmount_job(const struct mc_core *core, struct mc_job *job)
{
	struct unmount_job *self = (struct unmount_job *)job;
	const char *name;
	int fd, rc = become_host(core);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	fd = mc_open_parent(core, core->host_root, self->base.path, MC_RESOLVE_KNOWN, &name);
	rc = fd < 0 ? fd : mc_sys_fchdir(fd);
	mc_sys_close(fd);
	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_UMOUNT, rc);
	rc = check_again(core, self);
	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_IDENTITY, rc);
	return mc_err_set(&job->err, MC_STEP_UMOUNT,
		mc_sys_umount2(name, MC_UMOUNT_LAZY | MC_UMOUNT_NOFOLLOW));
}

static int unmount_all(struct mc_core *core, struct unmount_job *job)
{
	int rc, found = find_ours(core, job);

	if (found <= 0)
		return found;
	for (int i = 0; i < UNMOUNTS_MAX && found > 0; i++) {
		rc = mc_job_run(core, unmount_job, &job->base.job);
		if (rc < 0)
			return rc;
		found = find_ours(core, job);
	}
	return found == -ESTALE ? found : 0; /* ours is out, whatever cannot be told now */
}

int mc_host_unmount(struct mc_core *core, const char *type, const char *device, const char *path,
	struct mc_err *err)
{
	mc_auto_job struct unmount_job *job = NULL;
	int rc;

	if (strlen(type) >= sizeof(job->type) || strlen(device) >= sizeof(job->device))
		return mc_err_set(err, MC_STEP_SETUP, -ENAMETOOLONG);
	job = mc_job_new(sizeof(*job));
	rc = mc_path_job_init(core, job, path, err);
	if (rc < 0)
		return rc;
	memcpy(job->type, type, strlen(type) + 1);
	memcpy(job->device, device, strlen(device) + 1);
	job->base.job.timeout_ms = core->mount_timeout_ms;
	rc = unmount_all(core, job);
	return rc < 0 ? mc_err_set(err, job->base.job.err.step, rc) : 0;
}

static int find_job(const struct mc_core *core, struct mc_job *job)
{
	struct fs_job *self = (struct fs_job *)job;
	struct mc_stat stat;
	mc_sys_auto_fd fd = mc_open(core, core->host_root, self->base.path, 0, MC_RESOLVE_USER);
	int rc;

	if (fd < 0)
		return mc_err_set(&job->err, MC_STEP_SOURCE, fd);
	rc = mc_describe(core, fd, "", &stat);
	if (rc == 0)
		rc = mc_fd_path(core, core->host_root, fd, self->real);
	self->mode = rc == 0 ? stat.mode : 0;
	return mc_err_set(&job->err, MC_STEP_SOURCE, rc);
}

int mc_host_find(struct mc_core *core, const char *path, char ret[static PATH_MAX],
	mode_t *ret_mode, struct mc_err *err)
{
	mc_auto_job struct fs_job *job = mc_job_new(sizeof(*job));
	int rc = mc_path_job_init(core, job, path, err);

	if (rc == 0)
		rc = mc_job_run_err(core, find_job, &job->base.job, err);
	if (rc == 0) {
		memcpy(ret, job->real, PATH_MAX);
		*ret_mode = job->mode;
	}
	return rc;
}

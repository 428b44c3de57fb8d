/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "wire/clock.h"

#include "state_dir.h"

/* Whether both are on one mount.  Before Linux 5.8, which tells no mount IDs: one file system. */
static bool is_same_mount(int a, int b)
{
	struct statx one, two;

	if (statx(a, "", AT_EMPTY_PATH, STATX_MNT_ID, &one) < 0 ||
		statx(b, "", AT_EMPTY_PATH, STATX_MNT_ID, &two) < 0)
		return false;
	return one.stx_dev_major == two.stx_dev_major && one.stx_dev_minor == two.stx_dev_minor &&
	       (!(one.stx_mask & STATX_MNT_ID) || one.stx_mnt_id == two.stx_mnt_id);
}

/* A stream of its own on the directory `name` in `fd`; EXDEV: something is mounted there. */
static DIR *open_dir(int fd, const char *name)
{
	int dir_fd = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = NULL;

	if (dir_fd < 0)
		return NULL;
	if (is_same_mount(fd, dir_fd))
		dir = fdopendir(dir_fd);
	else
		errno = EXDEV;
	if (!dir) {
		int saved = errno;

		close(dir_fd);
		errno = saved;
	}
	return dir;
}

struct sweep {
	int fd;                  /* the trash */
	const atomic_bool *stop; /* may be NULL */
	unsigned long next;      /* number for the name of what is lifted */
	bool has_lifted;         /* in this pass */
	time_t end;              /* CLOCK_MONOTONIC seconds, or 0 */
};

int hv_rename_free(int from_fd, const char *name, int to_fd, const char *to)
{
	if (renameat2(from_fd, name, to_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* ZFS before 2.2, NFS: a directory there takes the place of an empty one at most. */
	if (errno == EINVAL && renameat(from_fd, name, to_fd, to) == 0)
		return 0;
	return errno == ENOTEMPTY || errno == ENOTDIR ? -EEXIST : -errno;
}

/* Rename a directory up into the trash under a name that is free there, which uses up a number. */
static int lift(struct sweep *sweep, int dir_fd, const char *name)
{
	char free_name[32];
	int rc;

	do {
		snprintf(free_name, sizeof(free_name), ".%lu", sweep->next++);
		rc = hv_rename_free(dir_fd, name, sweep->fd, free_name);
	} while (rc == -EEXIST);
	sweep->has_lifted = sweep->has_lifted || rc == 0;
	return rc;
}

static bool is_late(const struct sweep *sweep)
{
	return sweep->end && hv_clock_seconds() > sweep->end;
}

static bool is_stopped(const struct sweep *sweep)
{
	return (sweep->stop && atomic_load(sweep->stop)) || is_late(sweep);
}

/* Empty one directory of the trash: files go, directories are lifted. */
static int empty_one(struct sweep *sweep, const char *name)
{
	hv_auto_dir DIR *dir = open_dir(sweep->fd, name);
	const struct dirent *entry;
	int first_error = 0, next = 0;

	if (!dir)
		return -errno;
	while (!is_stopped(sweep) && (next = hv_dir_next(dir, &entry)) > 0) {
		int rc = unlinkat(dirfd(dir), entry->d_name, 0) == 0 ? 0 : -errno;
		if (rc == -EISDIR)
			rc = lift(sweep, dirfd(dir), entry->d_name);
		if (rc < 0 && rc != -ENOENT && !first_error)
			first_error = rc;
	}
	return first_error || next > 0 ? first_error : next;
}

/* A file, or a directory with the files in it. */
static int delete_entry(struct sweep *sweep, const char *name)
{
	int rc = unlinkat(sweep->fd, name, 0) == 0 ? 0 : -errno;

	if (rc != -EISDIR)
		return rc;
	rc = empty_one(sweep, name);
	/* A mountpoint elsewhere could be removed, and its mount with it. */
	if (rc != -EXDEV && unlinkat(sweep->fd, name, AT_REMOVEDIR) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

/* One pass over the trash.  Returns how many entries were deleted, errors in `first_error`. */
static unsigned long pass(struct sweep *sweep, int *first_error)
{
	hv_auto_dir DIR *trash = open_dir(sweep->fd, ".");
	const struct dirent *entry;
	unsigned long deleted = 0;
	int next = 0;

	*first_error = trash ? 0 : -errno;
	while (trash && !is_stopped(sweep) && (next = hv_dir_next(trash, &entry)) > 0) {
		int rc = delete_entry(sweep, entry->d_name);

		if (rc == 0)
			deleted++;
		else if (rc != -ENOENT && !*first_error) /* gone: another thread sweeps too */
			*first_error = rc;
	}
	if (next < 0 && !*first_error)
		*first_error = next;
	return deleted;
}

int hv_sweep(int trash_fd, const atomic_bool *stop, unsigned seconds)
{
	struct sweep sweep = {
		.fd = trash_fd, .stop = stop, .end = seconds ? hv_clock_seconds() + seconds : 0};
	unsigned long deleted;
	int first_error;

	do { /* a directory lifted in this pass is deleted in the next */
		sweep.has_lifted = false;
		deleted = pass(&sweep, &first_error);
	} while ((deleted > 0 || sweep.has_lifted) && !is_stopped(&sweep));
	if (stop && atomic_load(stop))
		return -ECANCELED;
	return is_late(&sweep) ? -ETIME : first_error;
}

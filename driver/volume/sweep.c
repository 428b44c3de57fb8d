#include "sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define AUTO_DIR __attribute__((cleanup(close_dir))) DIR *

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

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Rename a directory up into the trash under a name that is free there, which uses up a number. */
static int lift(int trash_fd, int dir_fd, const char *name, unsigned long *next)
{
	char free_name[32];

	for (;; (*next)++) {
		snprintf(free_name, sizeof(free_name), ".%lu", *next);
		if (renameat2(dir_fd, name, trash_fd, free_name, RENAME_NOREPLACE) == 0) {
			(*next)++;
			return 0;
		}
		if (errno != EEXIST)
			return -errno;
	}
}

/* Empty one directory of the trash: files go, directories are lifted. */
static int empty_one(int trash_fd, const char *name, unsigned long *next)
{
	AUTO_DIR dir = open_dir(trash_fd, name);
	const struct dirent *entry;
	int first_error = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		int rc;

		if (is_dot(entry->d_name))
			continue;
		rc = unlinkat(dirfd(dir), entry->d_name, 0) == 0 ? 0 : -errno;
		if (rc == -EISDIR)
			rc = lift(trash_fd, dirfd(dir), entry->d_name, next);
		if (rc < 0 && rc != -ENOENT && !first_error)
			first_error = rc;
	}
	return first_error;
}

/* One pass over the trash.  Returns how many entries were deleted, errors in `first_error`. */
static unsigned long pass(int trash_fd, unsigned long *next, int *first_error)
{
	AUTO_DIR trash = open_dir(trash_fd, ".");
	const struct dirent *entry;
	unsigned long deleted = 0;

	*first_error = trash ? 0 : -errno;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (trash && (entry = readdir(trash))) {
		int rc;

		if (is_dot(entry->d_name))
			continue;
		rc = unlinkat(trash_fd, entry->d_name, 0) == 0 ? 0 : -errno;
		if (rc == -EISDIR) {
			rc = empty_one(trash_fd, entry->d_name, next);
			/* A mountpoint elsewhere could be removed, and its mount with it. */
			if (rc != -EXDEV && unlinkat(trash_fd, entry->d_name, AT_REMOVEDIR) < 0 &&
				rc == 0)
				rc = -errno;
		}
		if (rc == 0)
			deleted++;
		else if (rc != -ENOENT && !*first_error) /* gone: another thread sweeps too */
			*first_error = rc;
	}
	return deleted;
}

int hv_sweep(int trash_fd)
{
	unsigned long next = 0, before;
	int first_error;

	do /* what was lifted in this pass is deleted in the next */
		before = next;
	while (pass(trash_fd, &next, &first_error) > 0 || next != before);
	return first_error;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* openat2, and the same by single steps where the kernel does not have it (before 5.6).
 *
 * The steps: each component is opened with O_PATH | O_NOFOLLOW in the directory before it, so no
 * step leaves the root.  A symlink's text is put in front of the rest; an absolute one begins at
 * the root again.  The kernel is not asked for "..", because a rename changes its answer: the path
 * walked so far loses its last component and is walked again. */
#include "open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "inode.h"
#include "sys.h"

enum {
	AGAIN_MAX = 64,   /* openat2 answers EAGAIN when a rename anywhere raced with ".." (man) */
	CACHED_MAX = 4,   /* and RESOLVE_CACHED when one raced with the look-up */
	LINKS_MAX = 40,   /* the kernel's own (path_resolution(7)) */
	STEPS_MAX = 8192, /* someone swaps things in front of us */
};

struct steps {
	const struct mc_core *core;
	int root; /* borrowed */
	int at;   /* the directory `done`; the root's own number for the root */
	uint64_t resolve;
	uint64_t mount_id; /* of the root */
	mode_t mode;       /* of `at` */
	unsigned links;
	unsigned count;
	char done[PATH_MAX]; /* "a/b" */
	char rest[PATH_MAX];
};

static void go_to(struct steps *self, int fd)
{
	if (self->at != self->root)
		mc_sys_close(self->at);
	self->at = fd;
}

int mc_put_before(char rest[static PATH_MAX], const char *text, size_t length)
{
	size_t left = strlen(rest);

	if (length + left + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	memmove(rest + length + 1, rest, left + 1);
	memcpy(rest, text, length);
	rest[length] = left ? '/' : '\0';
	return 0;
}

static void begin_again(struct steps *self)
{
	go_to(self, self->root);
	self->mode = S_IFDIR;
	self->done[0] = '\0';
}

static int step_up(struct steps *self)
{
	const char *slash = strrchr(self->done, '/');
	int rc;

	if (!self->done[0])
		return self->resolve & RESOLVE_BENEATH ? -EXDEV : 0;
	rc = slash ? mc_put_before(self->rest, self->done, (size_t)(slash - self->done)) : 0;
	begin_again(self);
	return rc;
}

static int note_done(struct steps *self, const char *name)
{
	size_t length = strlen(self->done), more = strlen(name);

	if (length + more + 2 > sizeof(self->done))
		return -ENAMETOOLONG;
	if (length)
		self->done[length++] = '/';
	memcpy(self->done + length, name, more + 1);
	return 0;
}

/* The links of procfs lead to where no path does; its few ordinary ones are refused with them.
 * statfs asks the file system: in a worker the root's only, every other was refused before. */
static int refuse_magic(int link)
{
	int64_t type;
	int rc = mc_sys_fstatfs_type(link, &type);

	if (rc < 0)
		return rc;
	return type == PROC_SUPER_MAGIC ? -ELOOP : 0;
}

static int follow(struct steps *self, int link)
{
	char text[PATH_MAX];
	ssize_t size;
	int rc = 0;

	if ((self->resolve & RESOLVE_NO_SYMLINKS) || ++self->links > LINKS_MAX)
		return -ELOOP;
	if (self->resolve & RESOLVE_NO_MAGICLINKS)
		rc = refuse_magic(link);
	if (rc < 0)
		return rc;
	size = mc_sys_readlinkat(link, "", text, sizeof(text));
	if (size <= 0)
		return size < 0 ? (int)size : -ENOENT;
	if (text[0] == '/' && self->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	if (text[0] == '/')
		begin_again(self);
	return mc_put_before(self->rest, text, (size_t)size);
}

/* Go to the component `name`, or follow it if it is a symlink.  Takes the descriptor. */
static int enter(struct steps *self, int component, const char *name, bool is_wanted_itself)
{
	mc_sys_auto_fd fd = component;
	struct mc_stat stat;
	int rc = mc_describe(self->core, fd, "", &stat);

	if (rc == 0 && self->resolve & RESOLVE_NO_XDEV && stat.mount_id != self->mount_id)
		rc = -EXDEV;
	if (rc == 0 && S_ISLNK(stat.mode) && !is_wanted_itself)
		return follow(self, fd);
	if (rc == 0)
		rc = note_done(self, name);
	if (rc < 0)
		return rc;
	go_to(self, mc_take_fd(&fd));
	self->mode = stat.mode;
	return 0;
}

static int step(struct steps *self, int flags)
{
	char name[MC_NAME_ROOM];
	const char *rest = mc_next_component(self->rest, name);
	int fd;

	if (++self->count > STEPS_MAX)
		return -ELOOP;
	if (!S_ISDIR(self->mode))
		return -ENOTDIR;
	if (!rest) { /* slashes at the end */
		self->rest[0] = '\0';
		return 0;
	}
	memmove(self->rest, rest, strlen(rest) + 1);
	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0)
		return step_up(self);
	fd = mc_sys_openat(self->at, name, O_PATH | O_NOFOLLOW);
	return fd < 0 ? fd : enter(self, fd, name, flags & O_NOFOLLOW && !self->rest[0]);
}

static int open_by_steps(
	const struct mc_core *core, int dirfd, const char *path, int flags, uint64_t resolve)
{
	struct steps self = {
		.core = core,
		.root = dirfd,
		.at = dirfd,
		.mode = S_IFDIR,
		.resolve = resolve,
	};
	struct mc_stat stat;
	size_t length = strlen(path);
	int rc = mc_describe(core, dirfd, "", &stat);

	if (rc < 0 || length == 0 || length >= sizeof(self.rest))
		return rc < 0 ? rc : length ? -ENAMETOOLONG : -ENOENT;
	if (*path == '/' && resolve & RESOLVE_BENEATH)
		return -EXDEV;
	self.mount_id = stat.mount_id;
	memcpy(self.rest, path, length + 1);
	while (rc == 0 && self.rest[0])
		rc = step(&self, flags);
	if (rc == 0 && flags & O_DIRECTORY && !S_ISDIR(self.mode))
		rc = -ENOTDIR;
	if (rc == 0 && self.at == dirfd)
		return mc_sys_openat(dirfd, ".", O_PATH);
	if (rc < 0)
		go_to(&self, dirfd);
	return rc < 0 ? rc : self.at;
}

int mc_open(const struct mc_core *core, int dirfd, const char *path, int flags, uint64_t resolve)
{
	bool is_cached = resolve & RESOLVE_CACHED;
	int fd = -EAGAIN;

	if (!(core->features & MC_FEATURE_OPENAT2))
		return open_by_steps(core, dirfd, path, flags, resolve);
	for (int i = 0; i < (is_cached ? CACHED_MAX : AGAIN_MAX) && fd == -EAGAIN; i++) {
		fd = mc_sys_openat2(dirfd, path, flags | O_PATH, resolve);
		if (fd == -EXDEV && !(resolve & (RESOLVE_BENEATH | RESOLVE_NO_XDEV)))
			fd = -EAGAIN; /* a mount on the way was taken out just then */
	}
	return fd == -EAGAIN && !is_cached ? -ESTALE : fd;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence, in the host's namespace, for each name of the path: inotify_add_watch on the directory,
 * by its descriptor's name in our own procfs; openat2 of the one name; a symlink's text is put in
 * front of the rest.  A worker walks mounts only that are local (trust.h). */
#include "mountcore/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "inode.h"
#include "job.h"
#include "open.h"
#include "route.h"
#include "run.h"
#include "silent.h"
#include "sys.h"
#include "table.h"
#include "trust.h"

enum {
	LINKS_MAX = 40, /* the kernel's own (path_resolution(7)) */
	WATCHED = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF |
		  IN_MOVE_SELF | IN_ONLYDIR,
};

struct walk_job {
	struct mc_job job;
	char path[PATH_MAX];
	bool may_wait;
	/* The job's own. */
	unsigned symlinks;
	char rest[PATH_MAX]; /* not looked up yet */
	/* Out; chain.real is the path walked so far, "" for the root. */
	struct mc_chain chain;
};

static int watch(const struct mc_core *core, struct walk_job *self, int dir, const char *name)
{
	struct mc_chain *chain = &self->chain;
	struct mc_chain_link *link = &chain->links[chain->count];
	char file[MC_FD_NAME_SIZE];
	int wd, rc;

	if (self->job.keep[0] < 0 || chain->watched < 0)
		return 0;
	if (chain->count == MC_CHAIN_MAX || strlen(name) > NAME_MAX) {
		chain->watched = -E2BIG;
		return 0;
	}
	mc_fd_name(dir, file);
	rc = mc_sys_fchdir(core->proc);
	if (rc < 0)
		return rc;
	wd = mc_sys_inotify_add_watch(self->job.keep[0], file, WATCHED);
	if (wd < 0) {
		chain->watched = wd;
		return 0;
	}
	link->wd = wd;
	memcpy(link->name, name, strlen(name) + 1);
	chain->count++;
	return 0;
}

static size_t add_component(char *path, size_t at, const char *text)
{
	const size_t length = strlen(text);

	if (length == 0)
		return at;
	path[at] = '/';
	memcpy(path + at + 1, text, length + 1);
	return at + 1 + length;
}

/* For what the rest of the walk may wait, by the text of the path: `name` is next. */
static uint64_t find_wait(const struct walk_job *self, const char *name)
{
	const char *rest = self->rest + strspn(self->rest, "/");
	size_t at = strlen(self->chain.real);
	struct mc_host_way way;
	char whole[PATH_MAX];

	if (at + strlen(name) + strlen(rest) + 3 > sizeof(whole))
		return mc_key_of(self->path);
	memcpy(whole, self->chain.real, at + 1);
	at = add_component(whole, at, name);
	(void)add_component(whole, at, rest);
	mc_table_way(self->job.table, whole, &way);
	return way.key;
}

/* Whether `dir` may be asked here for `name`.  Returns 1, or 0 with chain.waits_at. */
static int may_walk(const struct mc_core *core, struct walk_job *self, int dir, const char *name)
{
	struct mc_stat stat;
	int rc = self->may_wait ? 0 : mc_describe(core, dir, "", &stat);

	if (self->may_wait || rc < 0)
		return rc < 0 ? rc : 1;
	rc = mc_is_local(core, &self->job, false, &stat);
	if (rc == 0)
		self->chain.waits_at = find_wait(self, name);
	return rc;
}

/* The directory that the walk is in: ".." is not asked of the kernel, since a rename changes its
 * answer. */
static int open_again(const struct mc_core *core, struct walk_job *self)
{
	const char *real = self->chain.real;

	return mc_open(core, core->host_root, *real ? real : "/", O_DIRECTORY, MC_RESOLVE_KNOWN);
}

/* Anybody could put a symlink into a directory like /tmp: one there is followed only if root made
 * it, or the owner of the directory.  The kernel has that rule for lookups of its own
 * (proc_sys_fs(5), protected_symlinks).  Returns 0 or -EACCES. */
static int check_owner(const struct mc_core *core, int dir, const struct mc_stat *symlink)
{
	const mode_t shared = S_ISVTX | S_IWOTH;
	struct mc_stat stat;
	int rc = mc_describe(core, dir, "", &stat);

	if (rc < 0)
		return rc;
	return (stat.mode & shared) == shared && symlink->uid != 0 && symlink->uid != stat.uid
		       ? -EACCES
		       : 0;
}

static int follow(struct walk_job *self, int symlink)
{
	char text[PATH_MAX];
	ssize_t size;

	if (++self->symlinks > LINKS_MAX)
		return -ELOOP;
	size = mc_sys_readlinkat(symlink, "", text, sizeof(text));
	if (size <= 0)
		return size < 0 ? (int)size : -ENOENT;
	if (text[0] == '/')
		self->chain.real[0] = '\0';
	return mc_put_before(self->rest, text, (size_t)size);
}

static int note_step(struct walk_job *self, const char *name)
{
	size_t length = strlen(self->chain.real);

	if (length + strlen(name) + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	(void)add_component(self->chain.real, length, name);
	return 0;
}

/* Of a mount that a server stands behind not even the root is touched by a worker: 9p and cifs ask
 * for it.  Returns a descriptor, or -EAGAIN with chain.waits_at. */
static int open_name(const struct mc_core *core, struct walk_job *self, int dir, const char *name)
{
	const uint64_t stay = self->may_wait ? 0 : RESOLVE_NO_XDEV;
	int fd = mc_open(core, dir, name, O_NOFOLLOW, MC_RESOLVE_USER | stay);
	const size_t length = strlen(self->chain.real);
	struct mc_host_way way;
	int rc;

	if (fd != -EXDEV || self->may_wait)
		return fd;
	rc = note_step(self, name);
	if (rc < 0)
		return rc;
	mc_table_way(self->job.table, self->chain.real, &way);
	self->chain.real[length] = '\0';
	if (!way.is_slow)
		return mc_open(core, dir, name, O_NOFOLLOW, MC_RESOLVE_USER);
	self->chain.waits_at = find_wait(self, name);
	return -EAGAIN;
}

/* Look up one name in `dir`, which is replaced by what is there: by MC_FD_NONE where the walk goes
 * on elsewhere. */
static int step(const struct mc_core *core, struct walk_job *self, const char *name, int *dir)
{
	mc_sys_auto_fd fd = MC_FD_NONE;
	struct mc_stat stat;
	char *slash;
	int rc = 0;

	if (strcmp(name, "..") == 0) {
		slash = strrchr(self->chain.real, '/');
		if (slash)
			*slash = '\0';
	} else {
		rc = watch(core, self, *dir, name);
		if (rc == 0)
			fd = open_name(core, self, *dir, name);
		rc = rc < 0 ? rc : fd < 0 ? fd : mc_describe(core, fd, "", &stat);
		if (rc == 0 && S_ISLNK(stat.mode))
			rc = check_owner(core, *dir, &stat);
		if (rc == 0)
			rc = S_ISLNK(stat.mode) ? follow(self, fd) : note_step(self, name);
		if (rc == 0 && S_ISLNK(stat.mode))
			mc_close_fd(&fd);
	}
	mc_sys_close(*dir);
	*dir = mc_take_fd(&fd);
	return rc;
}

/* Returns why the path leads nowhere, or a failure; -EAGAIN with chain.waits_at. */
static int walk_names(const struct mc_core *core, struct walk_job *self)
{
	char name[MC_NAME_ROOM];
	const char *rest;
	mc_sys_auto_fd at = MC_FD_NONE;
	struct mc_stat stat;
	int rc = 0;

	while (rc == 0 && (rest = mc_next_component(self->rest, name))) {
		memmove(self->rest, rest, strlen(rest) + 1);
		if (strcmp(name, ".") == 0)
			continue;
		if (at < 0)
			at = open_again(core, self);
		if (at < 0)
			return at;
		rc = may_walk(core, self, at, name);
		if (rc <= 0)
			return rc < 0 ? rc : -EAGAIN;
		rc = step(core, self, name, &at);
	}
	if (rc == 0 && at < 0)
		at = open_again(core, self);
	if (rc < 0 || at < 0)
		return rc < 0 ? rc : at;
	rc = mc_describe(core, at, "", &stat);
	self->chain.id = (struct mc_file_id){stat.dev, stat.ino};
	self->chain.is_dir = S_ISDIR(stat.mode);
	return rc;
}

static int walk(const struct mc_core *core, struct mc_job *job)
{
	struct walk_job *self = (struct walk_job *)job;
	int rc = mc_enter(core->host_ns);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	rc = walk_names(core, self);
	mc_leave(core, core->host_ns);
	self->chain.found = rc;
	if (!self->chain.real[0])
		memcpy(self->chain.real, "/", sizeof("/"));
	return 0;
}

int mc_chain_walk(struct mc_core *core, const struct mc_chain_args *args, struct mc_chain *ret,
	struct mc_err *err)
{
	mc_auto_job struct walk_job *job = mc_job_new(sizeof(*job));
	struct mc_host_way way;
	int rc;

	if (!job)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	rc = mc_path_clean(args->path, job->path, sizeof(job->path));
	if (rc < 0)
		return mc_err_set(err, MC_STEP_SOURCE, rc);
	memcpy(job->rest, job->path, sizeof(job->rest));
	job->may_wait = job->job.in_helper = args->may_wait;
	job->job.keep[0] = args->inotify;
	if (args->may_wait) {
		mc_table_find_way(core, job->path, &way);
		job->job.waits_for = args->waits_at ? args->waits_at : way.key;
		job->job.timeout_ms = args->is_look ? MC_LOOK_TIMEOUT_MS : 0;
		if (args->is_look && mc_silent_has(core, job->job.waits_for))
			return mc_err_set(err, MC_STEP_HELPER, -ETIMEDOUT);
	}
	job->job.table = mc_table_get(core, 0, &job->job.is_table_old);
	rc = mc_job_run_err(core, walk, &job->job, err);
	mc_table_put(core, job->job.table);
	if (rc == -ETIMEDOUT && args->is_look)
		mc_silent_note(core, job->job.waits_for);
	if (rc == 0)
		*ret = job->chain;
	return rc;
}

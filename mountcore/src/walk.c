/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "job.h"
#include "stage.h"
#include "sys.h"
#include "trust.h"

uint64_t mc_resolve_flags(const struct mc_job *job, uint64_t flags)
{
	if (job->in_helper)
		return flags;
	return flags | (job->is_cached ? RESOLVE_CACHED : RESOLVE_NO_XDEV);
}

static int open_root(const struct mc_core *core, const struct mc_place *place)
{
	if (place->root_fd >= 0)
		return mc_open(core, place->root_fd, ".", O_DIRECTORY, MC_RESOLVE_USER);
	return mc_sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
}

int mc_open_root(const struct mc_core *core, struct mc_job *job, const struct mc_place *place)
{
	struct mc_stat stat;
	int rc, fd = open_root(core, place);

	if (fd < 0 || job->in_helper || job->is_cached)
		return fd;
	rc = mc_describe(core, fd, "", &stat);
	if (rc == 0 && job->local_root && stat.mount_id == job->local_root)
		return fd;
	if (rc == 0)
		rc = mc_is_local(core, job, place->may_mount, &stat);
	if (rc > 0) {
		job->local_root = core->features & MC_FEATURE_STATMOUNT ? stat.mount_id : 0;
		return fd;
	}
	mc_sys_close(fd);
	return rc < 0 ? rc : -EXDEV;
}

int mc_at_root(const struct mc_core *core, struct mc_job *job, const struct mc_place *place,
	mc_place_fn fn)
{
	mc_sys_auto_fd root = mc_open_root(core, job, place);

	return root < 0 ? mc_err_set(&job->err, MC_STEP_TARGET, root) : fn(core, job, root);
}

int mc_in_place(const struct mc_core *core, struct mc_job *job, const struct mc_place *place,
	mc_place_fn fn)
{
	int rc = mc_enter(place->ns_fd);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	rc = mc_at_root(core, job, place, fn);
	mc_leave(core, place->ns_fd);
	return rc;
}

int mc_describe_top(const struct mc_core *core, const struct mc_job *job, int parent,
	const char *name, struct mc_stat *ret)
{
	mc_sys_auto_fd fd = MC_FD_NONE;

	if (!job->is_cached)
		return mc_describe(core, parent, name, ret);
	fd = mc_open(core, parent, name, O_NOFOLLOW, MC_RESOLVE_USER | RESOLVE_CACHED);
	return fd < 0 ? fd : mc_describe(core, fd, "", ret);
}

int mc_open_host_dir(const struct mc_core *core, const char *path)
{
	mc_sys_auto_fd found = mc_open(core, core->host_root, path, O_DIRECTORY, MC_RESOLVE_KNOWN);

	return found < 0 ? found : mc_sys_openat(found, ".", O_RDONLY | O_DIRECTORY);
}

int mc_open_deepest(const struct mc_core *core, int root, const char *path, uint64_t resolve,
	size_t *ret_missing, bool *ret_is_known)
{
	char prefix[PATH_MAX];
	size_t length = strlen(path), next = length;
	bool is_known = true;
	int fd;

	if (length >= sizeof(prefix))
		return -ENAMETOOLONG;
	memcpy(prefix, path, length + 1);
	for (;;) {
		fd = mc_open(core, root, prefix, 0, resolve);
		if ((fd != -ENOENT && fd != -EAGAIN) || length <= 1)
			break;
		is_known &= fd == -ENOENT;
		/* Cut the last component, which begins behind the slash. */
		while (length > 0 && prefix[length - 1] != '/')
			length--;
		next = length;
		length = length > 1 ? length - 1 : 1;
		prefix[length] = '\0';
	}
	if (fd >= 0)
		*ret_missing = next;
	if (ret_is_known)
		*ret_is_known = is_known;
	return fd;
}

/* Make the clone writable on kernels without mount_setattr: in a staging namespace, which a helper
 * leaves the place for.  -EXDEV sends a worker's job to one. */
static int stage_writable(const struct mc_making *making, int clone)
{
	const struct mc_attr attr = {.clear = MOUNT_ATTR_RDONLY};
	int rc = making->in_helper ? mc_sys_setns(making->core->home_ns, CLONE_NEWNS) : -EXDEV;

	if (rc < 0)
		return rc;
	rc = mc_stage(clone, true, MS_PRIVATE);
	if (rc == 0)
		rc = mc_stage_attr(making->core, MC_STAGE_PATH, &attr);
	if (mc_sys_setns(making->ns_fd, CLONE_NEWNS) < 0)
		abort(); /* new entries in the place cannot be deleted from here */
	return rc;
}

/* Whether the mount is the place's root, which is made writable for a moment. */
static bool is_own_root(const struct mc_making *making, const struct mc_stat *stat)
{
	if (making->plan)
		return making->plan->is_root && stat->mountinfo_id == making->plan->mountinfo_id;
	return stat->mount_id == making->writable;
}

/* A writable clone of a directory on the place's own read-only root, attached nowhere.
 * Never of another mount: through a `-v /host/dir:/data:ro` it would write to the host. */
static int writable_clone(const struct mc_making *making, int dirfd)
{
	const struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};
	struct mc_stat stat;
	mc_sys_auto_fd clone = MC_FD_NONE;
	int rc = mc_describe(making->core, dirfd, "", &stat);

	if (rc < 0 || !is_own_root(making, &stat))
		return rc < 0 ? rc : -EROFS;
	clone = mc_sys_open_tree(dirfd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
	if (clone < 0)
		return clone;
	rc = making->core->features & MC_FEATURE_MOUNT_SETATTR
		     ? mc_sys_mount_setattr(clone, 0, &attr)
		     : stage_writable(making, clone);
	return rc < 0 ? rc : mc_take_fd(&clone);
}

static int make_entry(int dirfd, const char *name, bool is_file)
{
	mc_sys_auto_fd fd = MC_FD_NONE;

	if (!is_file)
		return mc_sys_mkdirat(dirfd, name, 0755);
	fd = mc_sys_create(dirfd, name, 0644);
	return fd < 0 ? fd : 0;
}

static int remove_entry(int dirfd, const char *name, bool is_file)
{
	return is_file ? mc_sys_unlinkat(dirfd, name) : mc_sys_rmdirat(dirfd, name);
}

/* Give what we just made to the container's root.  Only what still is ours: the container may have
 * put something else there, which is none of our business. */
static int give_away(const struct mc_making *making, int dirfd, const char *name, bool is_file)
{
	mc_sys_auto_fd fd = MC_FD_NONE;
	struct mc_stat stat;
	int rc;

	if (making->uid == 0 && making->gid == 0)
		return 0;
	fd = mc_open(making->core, dirfd, name, 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	rc = fd < 0 ? fd : mc_describe(making->core, fd, "", &stat);
	if (rc == 0 && stat.uid == 0)
		rc = mc_sys_fchown(fd, making->uid, making->gid);
	mc_sys_close(mc_take_fd(&fd)); /* NFS renames a file that is open instead of removing it */
	if (rc < 0)
		remove_entry(dirfd, name, is_file);
	return rc;
}

/* Make one entry, through a writable clone if the place's root is read-only.
 * Returns 0, -EEXIST, or another negative errno. */
static int make_in(const struct mc_making *making, int parent, const char *name, bool is_file)
{
	mc_sys_auto_fd clone = MC_FD_NONE;
	int rc = make_entry(parent, name, is_file);

	if (rc != -EROFS)
		return rc < 0 ? rc : give_away(making, parent, name, is_file);
	clone = writable_clone(making, parent);
	if (clone < 0)
		return clone == -EXDEV ? clone : -EROFS;
	rc = make_entry(clone, name, is_file);
	return rc < 0 ? rc : give_away(making, clone, name, is_file);
}

static int remove_in(const struct mc_making *making, int parent, const char *name, bool is_file)
{
	mc_sys_auto_fd clone = MC_FD_NONE;
	int rc = remove_entry(parent, name, is_file);

	if (rc != -EROFS)
		return rc;
	clone = writable_clone(making, parent);
	return clone < 0 ? rc : remove_entry(clone, name, is_file);
}

/* Make one entry and open it.  It counts as made by us only if making it succeeded. */
static int make_one(const struct mc_making *making, int parent, const char *name, bool is_file,
	struct mc_made *made)
{
	mc_sys_auto_fd fd = MC_FD_NONE;
	struct mc_stat stat;
	int rc = make_in(making, parent, name, is_file);

	if (rc < 0 && rc != -EEXIST)
		return rc;
	fd = mc_open(making->core, parent, name, is_file ? 0 : O_DIRECTORY,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (rc == -EEXIST && (fd < 0 || made->count == 0))
		return mc_take_fd(&fd);
	if (rc == -EEXIST) /* below a directory that we made, someone else made this one */
		return rc;
	rc = fd < 0 ? fd : mc_describe(making->core, fd, "", &stat);
	if (rc < 0) { /* not in the list yet, so nobody else would remove it */
		mc_sys_close(mc_take_fd(&fd));
		remove_in(making, parent, name, is_file);
		return rc;
	}
	made->is_file = is_file;
	made->ids[made->count++] = (struct mc_file_id){.dev = stat.dev, .ino = stat.ino};
	return mc_take_fd(&fd);
}

int mc_walk_make(const struct mc_making *making, int fd, const char *missing, struct mc_made *made)
{
	char name[MC_NAME_ROOM];
	int at = fd;

	while ((missing = mc_next_component(missing, name))) {
		bool is_file = making->last_is_file && !missing[strspn(missing, "/")];
		int next = made->count < MC_MADE_MAX ? make_one(making, at, name, is_file, made)
						     : -E2BIG;

		if (at != fd)
			mc_sys_close(at);
		if (next < 0)
			return next;
		at = next;
	}
	return at;
}

int mc_open_parent(const struct mc_core *core, int root, const char *path, uint64_t resolve,
	const char **ret_name)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length;

	if (!slash || !slash[1] || strlen(path) >= sizeof(parent))
		return -EINVAL;
	length = slash == path ? 1 : (size_t)(slash - path);
	memcpy(parent, path, length);
	parent[length] = '\0';
	*ret_name = slash + 1;
	return mc_open(core, root, parent, O_DIRECTORY, resolve);
}

/* Whether `name` in `parent`, which is to be on the plan's mount, is in `made`, with nothing
 * mounted on it and, if it is a file, empty (rmdir checks that for a directory).  Later entries of
 * `made` are gone, or a failure left `made` shorter than the path is deep: the inode tells, where
 * it is known.  Returns the number of entries left in `made` up to this one, itself included, or a
 * negative errno. */
static int find_made(
	const struct mc_making *making, int parent, const char *name, const struct mc_made *made)
{
	const struct mc_core *core = making->core;
	struct mc_stat stat = {0}, parent_stat = {0};
	unsigned at = made->count;
	int rc = mc_describe(core, parent, "", &parent_stat);

	if (rc == 0)
		rc = mc_describe(core, parent, name, &stat);
	if (rc < 0)
		return rc;
	while (at > 0 && made->ids[at - 1].ino && made->ids[at - 1].ino != stat.ino)
		at--;
	if (at == 0 || stat.mount_id != parent_stat.mount_id ||
		parent_stat.mountinfo_id != making->plan->mountinfo_id)
		return -ESTALE;
	if (made->is_file && at == made->count && (!S_ISREG(stat.mode) || stat.size > 0))
		return -ESTALE;
	return (int)at;
}

/* Remove what is at `path` if it is in `made`. */
static int remove_one(const struct mc_making *making, int root, const char *path, uint64_t resolve,
	struct mc_made *made)
{
	const char *name;
	mc_sys_auto_fd parent = mc_open_parent(making->core, root, path, resolve, &name);
	int rc, at = parent < 0 ? parent : find_made(making, parent, name, made);

	rc = at < 0 ? at : remove_in(making, parent, name, made->is_file && at == (int)made->count);
	if (rc < 0)
		return rc;
	made->count = (unsigned)at - 1;
	made->is_file = false; /* only the last one can be */
	return 0;
}

void mc_unmake(const struct mc_making *making, int root, const char *path, uint64_t resolve,
	struct mc_made *made)
{
	char deepest[PATH_MAX];
	size_t length = strlen(path);

	if (length >= sizeof(deepest))
		return;
	memcpy(deepest, path, length + 1);
	while (made->count > 0 && length > 1 && length > making->plan->kept) {
		int rc = remove_one(making, root, deepest, resolve, made);

		if (rc < 0 && rc != -ENOENT && rc != -ENAMETOOLONG)
			return;
		if (rc < 0 && !made->ids[made->count - 1].ino) {
			made->count--; /* not known by its inode: by its place in the path */
			made->is_file = false;
		}
		while (length > 1 && deepest[length - 1] != '/')
			length--;
		deepest[--length] = '\0';
	}
}

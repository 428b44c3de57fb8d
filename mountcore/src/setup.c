/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a core. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "pool.h"
#include "question.h"
#include "reserved.h"
#include "source.h"
#include "sys.h"
#include "table.h"
#include "watch.h"

enum { MOUNT_TIMEOUT_MS = 100000 }; /* Docker gives up a Mount after 120 s */

static int open_host(struct mc_core *core, pid_t host_pid)
{
	char process[16] = "self", name[32];

	if (host_pid > 0)
		snprintf(process, sizeof(process), "%d", host_pid);
	core->proc = mc_sys_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY);
	if (core->proc < 0)
		return core->proc;
	core->home_ns = mc_sys_openat(core->proc, "self/ns/mnt", O_RDONLY);
	if (core->home_ns < 0)
		return core->home_ns;
	snprintf(name, sizeof(name), "%s/ns/mnt", process);
	core->host_ns = mc_sys_openat(core->proc, name, O_RDONLY);
	if (core->host_ns < 0)
		return core->host_ns;
	snprintf(name, sizeof(name), "%s/root", process);
	core->host_root = mc_sys_openat(core->proc, name, O_PATH | O_DIRECTORY);
	return core->host_root < 0 ? core->host_root : 0;
}

static int read_inodes(struct mc_core *core)
{
	struct stat home, host, user;

	if (fstat(core->home_ns, &home) < 0 || fstat(core->host_ns, &host) < 0 ||
		fstatat(core->proc, "self/ns/user", &user, 0) < 0)
		return -errno;
	core->user_ino = user.st_ino;
	core->home_ino = home.st_ino;
	core->host_ino = host.st_ino;
	return 0;
}

/* `kind` is STATX_MNT_ID or MC_STATX_MNT_ID_UNIQUE. */
static bool has_id(const struct mc_core *core, unsigned kind, uint64_t *ret_id)
{
	struct statx stat;

	if (mc_sys_statx(core->proc, "", AT_EMPTY_PATH, kind, &stat) < 0)
		return false;
	*ret_id = stat.stx_mnt_id;
	return stat.stx_mask & kind;
}

static bool may_be_cached(const struct mc_core *core)
{
	mc_sys_auto_fd fd =
		mc_sys_openat2(core->proc, ".", O_PATH, RESOLVE_IN_ROOT | RESOLVE_CACHED);

	return fd >= 0 || fd == -EAGAIN;
}

static bool has_open_tree_attr(const struct mc_core *core)
{
	const struct mount_attr nothing = {0};
	mc_sys_auto_fd fd = mc_sys_open_tree_attr(core->proc, OPEN_TREE_CLONE, &nothing);

	return fd >= 0;
}

/* On our own descriptors only: a container's file system must not choose the way. */
static unsigned probe(const struct mc_core *core)
{
	const struct mount_attr nothing = {0};
	struct mc_statmount mount;
	uint64_t id;
	unsigned features = 0;
	mc_auto_fd tree = mc_sys_open_tree(core->proc, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
	mc_auto_fd fd = mc_sys_openat2(core->proc, ".", O_PATH, RESOLVE_IN_ROOT);

	/* Where a filter lets move_mount through, it finds that these are no descriptors. */
	if (tree >= 0 && mc_sys_move_mount(MC_FD_NONE, MC_FD_NONE, 0) == -EBADF)
		features |= MC_FEATURE_OPEN_TREE;
	if (fd >= 0)
		features |= MC_FEATURE_OPENAT2;
	if (fd >= 0 && may_be_cached(core))
		features |= MC_FEATURE_CACHED;
	if (tree >= 0 && mc_sys_mount_setattr(tree, 0, &nothing) == 0)
		features |= MC_FEATURE_MOUNT_SETATTR;
	if (tree >= 0 && has_open_tree_attr(core))
		features |= MC_FEATURE_OPEN_TREE_ATTR;
	if (has_id(core, STATX_MNT_ID, &id))
		features |= MC_FEATURE_MOUNT_ID;
	if (mc_watch_is_possible(core->home_ns))
		features |= MC_FEATURE_MOUNT_WATCH;
	if (has_id(core, MC_STATX_MNT_ID_UNIQUE, &id)) {
		features |= MC_FEATURE_UNIQUE_ID;
		if (mc_sys_statmount(id, MC_STATMOUNT_MNT_BASIC, &mount) == 0)
			features |= MC_FEATURE_STATMOUNT;
		if (mc_sys_statmount_in(
			    core->home_ns, id, MC_STATMOUNT_MNT_BASIC, &mount, sizeof(mount)) == 0)
			features |= MC_FEATURE_STATMOUNT_NS;
	}
	return features;
}

int mc_core_open(const struct mc_core_args *args, struct mc_core **ret, struct mc_err *err)
{
	struct mc_core *core;
	int rc;

	if (!MC_RESERVED_IS_ZERO(args->reserved))
		return mc_err_set(err, MC_STEP_SETUP, -EINVAL);
	mc_jobs_unmap(); /* a process that this one was forked from has them too */
	core = calloc(1, sizeof(*core));
	if (!core)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	core->home_ns = core->host_ns = core->host_root = core->proc = MC_FD_NONE;
	core->helper_timeout_ms = args->helper_timeout_ms;
	core->mount_timeout_ms = args->mount_timeout_ms ? args->mount_timeout_ms : MOUNT_TIMEOUT_MS;
	core->legacy = args->legacy;
	pthread_mutex_init(&core->lock, NULL);
	pthread_cond_init(&core->changed, NULL);
	pthread_cond_init(&core->work, NULL);
	pthread_cond_init(&core->looked, NULL);
	rc = open_host(core, args->host_pid);
	if (rc == 0)
		rc = read_inodes(core);
	if (rc == 0) {
		core->features = probe(core) & ~args->without;
		rc = mc_pool_start(core, args->workers);
	}
	mc_err_set(err, MC_STEP_SETUP, rc);
	if (rc == 0)
		rc = mc_table_watch(core, err);
	if (rc == 0)
		rc = mc_look_open(core, err);
	if (rc < 0)
		mc_core_close(core);
	else
		*ret = core;
	return rc;
}

void mc_core_close(struct mc_core *core)
{
	if (!core)
		return;
	mc_helper_stop(core);
	mc_pool_stop(core);
	mc_look_close(core);
	mc_table_unwatch(core);
	mc_jobs_unmap();
	pthread_cond_destroy(&core->looked);
	pthread_cond_destroy(&core->work);
	pthread_cond_destroy(&core->changed);
	pthread_mutex_destroy(&core->lock);
	mc_close_fd(&core->host_root);
	mc_close_fd(&core->host_ns);
	mc_close_fd(&core->home_ns);
	mc_close_fd(&core->proc);
	free(core);
}

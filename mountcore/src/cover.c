/* SPDX-License-Identifier: Apache-2.0 */
/* The directory under an attach. */
#include "mountcore/cover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "attach.h"
#include "busy.h"
#include "core.h"
#include "fstype.h"
#include "mount_look.h"
#include "run.h"
#include "sys.h"

enum { LOOK_MS = 1000, BUFFER_SIZE = 8192 };

struct count_job {
	struct mc_job job; /* keep[0]: the directory */
	unsigned entries;
	_Alignas(uint64_t) char buffer[BUFFER_SIZE];
};

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static void count_buffer(struct count_job *self, size_t size)
{
	for (size_t at = 0; at < size && self->entries <= MC_COVER_ENTRIES_MAX;) {
		const struct dirent64 *entry = (const struct dirent64 *)(self->buffer + at);

		self->entries += !is_dots(entry->d_name);
		at += entry->d_reclen;
	}
}

static int count(const struct mc_core *core, struct mc_job *job)
{
	struct count_job *self = (struct count_job *)job;
	const int flags = O_RDONLY | O_DIRECTORY;
	mc_sys_auto_fd fd = mc_sys_openat(job->keep[0], ".", flags | O_NOATIME);
	ssize_t size = 0;

	(void)core;
	if (fd == -EPERM)
		fd = mc_sys_openat(job->keep[0], ".", flags);
	if (fd < 0)
		return fd;
	while (self->entries <= MC_COVER_ENTRIES_MAX &&
		(size = mc_sys_getdents(fd, self->buffer, sizeof(self->buffer))) > 0)
		count_buffer(self, (size_t)size);
	return size < 0 ? (int)size : 0;
}

/* In a helper where something may be in the way that does not answer. */
static unsigned count_entries(struct mc_attach *attach, bool is_slow)
{
	struct count_job here = {.job.keep = {attach->job.fds[MC_FD_TARGET]}};
	mc_auto_job struct count_job *self = NULL;

	if (!is_slow && !attach->place.may_mount)
		return count(attach->core, &here.job) == 0 ? here.entries : 0;
	self = mc_job_new(sizeof(*self));
	if (!self)
		return 0;
	self->job.keep[0] = attach->job.fds[MC_FD_TARGET];
	self->job.in_helper = true;
	self->job.waits_for = attach->job.waits_for;
	self->job.timeout_ms = LOOK_MS;
	return mc_job_run(attach->core, count, &self->job) == 0 ? self->entries : 0;
}

/* The covered mounts: the target's own, and the mounts below the target. */
struct ids {
	uint64_t *items; /* owned */
	size_t count;
	unsigned entries;    /* in the target, that mounts are on */
	bool is_slow;        /* one of them has a server */
	bool is_target_slow; /* the target's */
};

static bool is_entry(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return path[length] == '/' && !strchr(path + length + 1, '/');
}

static void find_ids(struct mc_attach *attach, struct mc_mounts *mounts, struct ids *ret)
{
	const char *path = attach->info.path;
	struct mc_mount mount, cover;

	ret->items = calloc(mounts ? mc_mounts_count(mounts) + 1 : 1, sizeof(uint64_t));
	if (ret->items && !mounts)
		ret->items[ret->count++] = attach->found.mountinfo_id;
	for (size_t at = 0; ret->items && mounts && mc_mounts_next(mounts, &at, &mount);) {
		bool is_target = mount.id == attach->found.mountinfo_id;

		if (!is_target && (!mc_path_is_below(mount.target, path) ||
					  mc_mounts_find_cover(mounts, mount.id, &cover)))
			continue;
		ret->items[ret->count++] = mount.id;
		ret->entries += !is_target && is_entry(mount.target, path);
		ret->is_slow = ret->is_slow || mc_fstype_is_slow(mount.fstype);
		if (is_target)
			ret->is_target_slow = mc_fstype_is_slow(mount.fstype);
	}
}

/* Nothing is mounted below the target, and no server stands behind the mount that it is on. */
static bool is_plain(const struct mc_attach *attach)
{
	const int ns_fd = attach->place.ns_fd;

	return attach->core->features & MC_FEATURE_STATMOUNT_NS && ns_fd >= 0 &&
	       !mc_mount_look_is_slow(ns_fd, attach->found.mount_id) &&
	       !mc_mount_look_has_below(ns_fd, attach->found.mount_id, attach->info.path);
}

int mc_cover_mounts(const struct mc_attach *attach, struct mc_mounts **ret)
{
	*ret = NULL;
	return is_plain(attach) ? 0 : mc_mounts_read(attach->core, attach->place.ns_fd, ret, NULL);
}

void mc_cover_look(struct mc_attach *attach, struct mc_mounts *mounts, struct mc_cover *ret)
{
	struct ids ids = {0};

	*ret = (struct mc_cover){0};
	if (attach->info.to_make > 0 || attach->job.fds[MC_FD_TARGET] < 0)
		return;
	find_ids(attach, mounts, &ids);
	/* Looking at what a link of procfs stands for may wait for a server: the path must do. */
	if (mc_busy_find_users(attach, ids.items, ids.is_slow ? 0 : ids.count, &ret->users) < 0)
		ret->users.count = 0;
	if (attach->info.is_dir && !attach->is_replacing)
		ret->entries = count_entries(attach, ids.is_target_slow);
	if (ret->entries <= MC_COVER_ENTRIES_MAX)
		ret->entries -= ids.entries < ret->entries ? ids.entries : ret->entries;
	free(ids.items);
}

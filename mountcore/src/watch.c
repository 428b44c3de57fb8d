/* SPDX-License-Identifier: Apache-2.0 */
/* A fanotify group, and a mark for each mount namespace. */
#include "mountcore/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "procfs.h"
#include "sys.h"
#include "watch.h"

enum { CHUNK = 64 };

struct mc_watch {
	const struct mc_core *core;
	int fd;
};

/* An event of one mount, as the kernel has it. */
struct mount_event {
	struct mc_fanotify_event event;
	struct mc_fanotify_mount mount;
};

bool mc_watch_is_possible(int ns_fd)
{
	mc_sys_auto_fd group = mc_sys_fanotify_init();

	if (group == -EMFILE) /* the kernel knows it, and mc_watch_open() tells the limit */
		return true;
	return group >= 0 && mc_sys_fanotify_mark(group, MC_FAN_MARK_ADD, ns_fd) == 0;
}

int mc_watch_open(const struct mc_core *core, struct mc_watch **ret)
{
	struct mc_watch *watch;
	int fd;

	if (!(core->features & MC_FEATURE_MOUNT_WATCH))
		return -ENOSYS;
	fd = mc_sys_fanotify_init();
	if (fd < 0)
		return fd;
	watch = calloc(1, sizeof(*watch));
	if (!watch) {
		mc_sys_close(fd);
		return -ENOMEM;
	}
	*watch = (struct mc_watch){core, fd};
	*ret = watch;
	return 0;
}

int mc_watch_fd(const struct mc_watch *watch)
{
	return watch->fd;
}

int mc_watch_add(const struct mc_watch *watch, int ns_fd)
{
	return mc_sys_fanotify_mark(watch->fd, MC_FAN_MARK_ADD, ns_fd);
}

int mc_watch_remove(const struct mc_watch *watch, int ns_fd)
{
	return mc_sys_fanotify_mark(watch->fd, MC_FAN_MARK_REMOVE, ns_fd);
}

/* Many in a row are of one process. */
static void name_process(const struct mc_watch *watch, struct mc_watch_event *event,
	const struct mc_watch_event *before)
{
	char name[32];

	if (event->pid <= 0)
		return;
	if (before && before->pid == event->pid) {
		memcpy(event->command, before->command, sizeof(event->command));
		return;
	}
	snprintf(name, sizeof(name), "%d/comm", (int)event->pid);
	mc_procfs_command(watch->core->proc, name, event->command);
}

/* One event of `size` bytes or more.  Returns how long it is; 0: it is none. */
static size_t parse(const char *bytes, size_t size, struct mc_watch_event *ret)
{
	struct mount_event raw = {0};

	*ret = (struct mc_watch_event){0};
	if (size < sizeof(raw.event))
		return 0;
	memcpy(&raw, bytes, size < sizeof(raw) ? size : sizeof(raw));
	if (raw.event.length < sizeof(raw.event) || raw.event.length > size)
		return 0;
	ret->pid = raw.event.pid;
	if (raw.event.mask & MC_FAN_Q_OVERFLOW)
		ret->what = MC_WATCH_LOST;
	else if (raw.event.length >= sizeof(raw) && raw.mount.type == MC_FAN_INFO_MNT)
		ret->mount_id = raw.mount.mount_id;
	if (ret->mount_id && raw.event.mask & MC_FAN_MNT_ATTACH)
		ret->what |= MC_WATCH_CAME;
	if (ret->mount_id && raw.event.mask & MC_FAN_MNT_DETACH)
		ret->what |= MC_WATCH_WENT;
	return raw.event.length;
}

/* At most CHUNK of them.  A buffer for as many events of mounts holds no more events, since of the
 * shorter one, which tells that some were lost, there is only one. */
static int read_some(const struct mc_watch *watch, struct mc_watch_event *ret, size_t size)
{
	struct mount_event buffer[CHUNK];
	const char *bytes = (const char *)buffer;
	size_t at = 0, length, count = 0;
	ssize_t got = mc_sys_read(watch->fd, buffer, size * sizeof(buffer[0]));

	if (got < 0)
		return got == -EAGAIN || got == -EINTR ? 0 : (int)got;
	for (; count < size; at += length) {
		length = parse(bytes + at, (size_t)got - at, &ret[count]);
		if (length == 0)
			break;
		if (ret[count].what == 0)
			continue;
		name_process(watch, &ret[count], count > 0 ? &ret[count - 1] : NULL);
		count++;
	}
	return (int)count;
}

int mc_watch_read(const struct mc_watch *watch, struct mc_watch_event *ret, size_t size)
{
	size_t count = 0;
	int rc = CHUNK;

	if (size == 0)
		return -EINVAL;
	while (count < size && rc == CHUNK) {
		rc = read_some(watch, ret + count, size - count < CHUNK ? size - count : CHUNK);
		if (rc > 0)
			count += (size_t)rc;
	}
	return rc < 0 && count == 0 ? rc : (int)count;
}

void mc_watch_close(struct mc_watch *watch)
{
	if (!watch)
		return;
	mc_sys_close(watch->fd);
	free(watch);
}

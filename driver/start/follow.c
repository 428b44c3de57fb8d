/* SPDX-License-Identifier: Apache-2.0 */
/* Following the roots with inotify: a root that is not there is waited for at the deepest directory
 * above it that is. */
#include "follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "marks.h"

enum {
	WATCHED = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF |
		  IN_MOVE_SELF | IN_ONLYDIR,
	GONE = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED,
};

static bool is_whole(const struct root *root)
{
	return root->wd >= 0 && !root->path[root->length];
}

/* Being made, or made and not started: there is a FIFO for that from before the state file is
 * written until the start. */
static bool is_to_start(const struct root *root, const char *id)
{
	return guard_has(root, id, "exec.fifo") ||
	       (!guard_has(root, id, "state.json") && !guard_has(root, id, "status"));
}

static void look_at(struct guard *guard, const struct root *root, const char *id)
{
	if (id[0] != '.' && strlen(id) < HV_GATE_ID_SIZE && is_to_start(root, id))
		guard_take_found(guard, (unsigned)(root - guard->roots), id);
}

/* readdir(3) asks for memory. */
static void scan_root(struct guard *guard, const struct root *root)
{
	_Alignas(16) char buffer[READ_SIZE];
	mc_auto_fd fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return;
	while ((size = getdents64(fd, buffer, sizeof(buffer))) > 0) {
		for (const char *at = buffer; at < buffer + size;) {
			const struct dirent64 *entry = (const void *)at;

			if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
				look_at(guard, root, entry->d_name);
			at += entry->d_reclen;
		}
	}
}

void guard_scan(struct guard *guard, const char *id)
{
	for (unsigned i = 0; i < guard->roots_count; i++) {
		const struct root *root = &guard->roots[i];

		if (!is_whole(root))
			continue;
		if (!*id)
			scan_root(guard, root);
		else if (guard_has(root, id, NULL))
			look_at(guard, root, id);
	}
}

static size_t cut(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == path)
		slash++;
	*slash = '\0';
	return (size_t)(slash - path);
}

/* Watch the deepest part that is there. */
static void watch(struct guard *guard, struct root *root)
{
	char path[PATH_MAX];

	memcpy(path, root->path, sizeof(path));
	root->length = strlen(path);
	do
		root->wd = inotify_add_watch(guard->inotify, path, WATCHED);
	while (root->wd < 0 && (errno == ENOENT || errno == ENOTDIR) && root->length > 1 &&
		(root->length = cut(path)) > 0);
}

/* Whether the next part of the path is there: it was made while the one above it was looked for. */
static bool is_outrun(const struct root *root)
{
	char path[PATH_MAX];
	size_t next = root->length + 1;

	next += strcspn(root->path + next, "/");
	memcpy(path, root->path, next);
	path[next] = '\0';
	return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

static void leave(struct guard *guard, int wd)
{
	for (unsigned i = 0; i < guard->roots_count; i++)
		if (guard->roots[i].wd == wd)
			return;
	if (wd >= 0)
		(void)inotify_rm_watch(guard->inotify, wd);
}

static void follow(struct guard *guard, struct root *root)
{
	int before = root->wd;

	for (int tries = 0; tries < PATH_MAX / 2; tries++) {
		watch(guard, root);
		if (root->wd < 0 || is_whole(root) || !is_outrun(root))
			break;
	}
	if (root->wd != before)
		leave(guard, before);
	if (is_whole(root))
		scan_root(guard, root);
}

void guard_follow(struct guard *guard, const char *path)
{
	struct root *root = &guard->roots[guard->roots_count];

	for (unsigned i = 0; i < guard->roots_count; i++)
		if (strcmp(guard->roots[i].path, path) == 0)
			return;
	if (guard->roots_count == ROOTS_MAX || path[0] != '/')
		return;
	memcpy(root->path, path, strlen(path) + 1);
	root->wd = -1;
	guard->roots_count++;
	follow(guard, root);
}

static void take_change_of(
	struct guard *guard, struct root *root, const struct inotify_event *event)
{
	if (event->mask & GONE || !is_whole(root)) {
		if (event->mask & IN_IGNORED)
			root->wd = -1;
		follow(guard, root);
	} else if (event->mask & (IN_DELETE | IN_MOVED_FROM)) {
		guard_take_gone(guard, event->name);
	} else if (event->mask & IN_ISDIR && strlen(event->name) < HV_GATE_ID_SIZE) {
		guard_take_created(guard, (unsigned)(root - guard->roots), event->name);
	}
}

static void take_change(struct guard *guard, const struct inotify_event *event)
{
	for (unsigned i = 0; i < guard->roots_count; i++) {
		struct root *root = &guard->roots[i];

		if (event->mask & IN_Q_OVERFLOW)
			follow(guard, root);
		else if (root->wd == event->wd)
			take_change_of(guard, root, event);
	}
}

void guard_read_changes(struct guard *guard)
{
	struct batch *changes = &guard->changes;

	changes->size = read(guard->inotify, changes->bytes, sizeof(changes->bytes));
}

void guard_take_changes(struct guard *guard)
{
	struct batch *changes = &guard->changes;

	for (const char *at = changes->bytes; at - changes->bytes < changes->size;) {
		const struct inotify_event *event = (const void *)at;

		take_change(guard, event);
		at += sizeof(*event) + event->len;
	}
	changes->size = 0;
}

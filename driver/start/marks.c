/* SPDX-License-Identifier: Apache-2.0 */
/* The marked directories of containers, and the news to the daemon. */
#include "marks.h"

#include <fcntl.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

/* --- telling the daemon --- */

bool guard_tell(struct guard *guard, struct hv_gate_news *news)
{
	union hv_control control = {.bytes = {0}};
	struct iovec data = {.iov_base = news, .iov_len = sizeof(*news)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (news->fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &news->fd, sizeof(int));
	}
	return sendmsg(guard->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

void guard_set_id(char ret[static HV_GATE_ID_SIZE], const char *id)
{
	size_t length = strnlen(id, HV_GATE_ID_SIZE - 1);

	memcpy(ret, id, length);
	memset(ret + length, 0, HV_GATE_ID_SIZE - length);
}

/* --- marks --- */

void guard_path(
	const struct root *root, const char *id, const char *file, char ret[static PATH_MAX])
{
	const char *const parts[] = {root->path, "/", id, file ? "/" : "", file ? file : ""};
	size_t used = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t length = strnlen(parts[i], PATH_MAX - 1 - used);

		memcpy(ret + used, parts[i], length);
		used += length;
	}
	ret[used] = '\0';
}

bool guard_has(const struct root *root, const char *id, const char *file)
{
	char path[PATH_MAX];

	guard_path(root, id, file, path);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Of those that are known. */
static struct mark *find(struct guard *guard, const char *id)
{
	for (unsigned i = 0; i < MARKS_MAX; i++)
		if (guard->marks[i].is_used && strcmp(guard->marks[i].id, id) == 0)
			return &guard->marks[i];
	return NULL;
}

struct mark *guard_find_mark(struct guard *guard, const char *id)
{
	struct mark *mark = find(guard, id);

	return mark && mark->is_set ? mark : NULL;
}

struct mark *guard_find_mark_of(struct guard *guard, uint32_t seq)
{
	for (unsigned i = 0; i < MARKS_MAX; i++)
		if (guard->marks[i].is_used && guard->marks[i].is_set && guard->marks[i].seq == seq)
			return &guard->marks[i];
	return NULL;
}

bool guard_has_marks(const struct guard *guard)
{
	for (unsigned i = 0; i < MARKS_MAX; i++)
		if (guard->marks[i].is_used && guard->marks[i].is_set)
			return true;
	return false;
}

/* A place for another container; without one, the place of the container that was known the longest
 * and is not marked: the daemon is asked about that one then.  NULL: all are marked. */
static struct mark *find_room(struct guard *guard)
{
	struct mark *known = NULL;

	for (unsigned i = 1; i <= MARKS_MAX; i++) {
		struct mark *mark = &guard->marks[(guard->newest + i) % MARKS_MAX];

		if (!mark->is_used)
			return mark;
		if (!mark->is_set && !known)
			known = mark;
	}
	return known;
}

static bool is_id(const char *id)
{
	return strlen(id) < HV_GATE_ID_SIZE && !strchr(id, '/');
}

/* NULL: there is no room, or that is no ID. */
static struct mark *know(struct guard *guard, const char *id)
{
	struct mark *mark = find(guard, id);

	if (mark || !is_id(id))
		return mark;
	mark = find_room(guard);
	if (!mark)
		return NULL;
	guard->newest = (unsigned)(mark - guard->marks);
	*mark = (struct mark){.is_used = true};
	guard_set_id(mark->id, id);
	return mark;
}

void guard_know(struct guard *guard, const char *id)
{
	(void)know(guard, id);
}

static bool change_mark(struct guard *guard, unsigned root, const char *id, unsigned what)
{
	char path[PATH_MAX];

	guard_path(&guard->roots[root], id, NULL, path);
	return fanotify_mark(guard->fanotify, what | FAN_MARK_ONLYDIR | FAN_MARK_DONT_FOLLOW,
		       FAN_OPEN_PERM | FAN_EVENT_ON_CHILD, AT_FDCWD, path) == 0;
}

/* Returns false when it has no directory there. */
static bool set(struct guard *guard, struct mark *mark, unsigned root)
{
	if (!change_mark(guard, root, mark->id, FAN_MARK_ADD))
		return false;
	mark->is_set = true;
	mark->is_over = false;
	mark->root = root;
	mark->seq = 0;
	mark->left_ms = guard->hold_ms;
	mark->told_ms = 0;
	return true;
}

static void tell_created(struct guard *guard, const char *id)
{
	struct hv_gate_news news = {.kind = HV_GATE_CREATED, .fd = MC_FD_NONE};

	guard_set_id(news.id, id);
	if (!guard_tell(guard, &news))
		guard->must_scan = true;
}

void guard_take_found(struct guard *guard, unsigned root, const char *id)
{
	struct mark *mark = find(guard, id);

	if (mark && !mark->is_set && !mark->is_over)
		(void)set(guard, mark, root);
	tell_created(guard, id);
}

void guard_take_created(struct guard *guard, unsigned root, const char *id)
{
	struct mark *mark = find(guard, id);

	if (mark)
		mark->is_over = false;
	guard_take_found(guard, root, id);
}

void guard_mark(struct guard *guard, const char *id, bool must_deny)
{
	struct mark *mark = know(guard, id);

	if (!mark)
		return;
	mark->must_deny = must_deny;
	for (unsigned i = 0; !mark->is_set && i < guard->roots_count; i++)
		(void)set(guard, mark, i);
}

void guard_take_gone(struct guard *guard, const char *id)
{
	struct mark *mark = find(guard, id);

	if (mark)
		mark->is_set = mark->is_over = false;
}

void guard_unmark(struct guard *guard, const char *id)
{
	struct mark *mark = guard_find_mark(guard, id);

	if (!mark)
		return;
	(void)change_mark(guard, mark->root, id, FAN_MARK_REMOVE); /* or it is gone */
	mark->is_set = false;
	mark->is_over = true;
}

void guard_forget(struct guard *guard, const char *id)
{
	struct mark *mark = find(guard, id);

	guard_unmark(guard, id);
	if (mark)
		mark->is_used = false;
}

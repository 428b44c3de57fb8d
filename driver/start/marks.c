/* Which containers' directories are marked, and what the daemon is told. */
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

void guard_tell_created(struct guard *guard, const char *id)
{
	struct hv_gate_news news = {.kind = HV_GATE_CREATED, .fd = MC_FD_NONE};

	guard_set_id(news.id, id);
	if (!guard_tell(guard, &news))
		guard->must_scan = true;
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

struct mark *guard_find_mark(struct guard *guard, const char *id)
{
	for (unsigned i = 0; i < MARKS_MAX; i++)
		if (guard->marks[i].is_used && strcmp(guard->marks[i].id, id) == 0)
			return &guard->marks[i];
	return NULL;
}

struct mark *guard_find_mark_of(struct guard *guard, uint32_t seq)
{
	for (unsigned i = 0; i < MARKS_MAX; i++)
		if (guard->marks[i].is_used && guard->marks[i].seq == seq)
			return &guard->marks[i];
	return NULL;
}

static bool set_mark(struct guard *guard, const struct root *root, const char *id, unsigned what)
{
	char path[PATH_MAX];

	guard_path(root, id, NULL, path);
	return fanotify_mark(guard->fanotify, what | FAN_MARK_ONLYDIR | FAN_MARK_DONT_FOLLOW,
		       FAN_OPEN_PERM | FAN_EVENT_ON_CHILD, AT_FDCWD, path) == 0;
}

bool guard_has_marks(const struct guard *guard)
{
	for (unsigned i = 0; i < MARKS_MAX; i++)
		if (guard->marks[i].is_used)
			return true;
	return false;
}

void guard_forget(struct guard *guard, const char *id)
{
	struct mark *mark = guard_find_mark(guard, id);

	if (mark)
		mark->is_used = false;
}

void guard_unmark(struct guard *guard, const char *id)
{
	struct mark *mark = guard_find_mark(guard, id);

	if (!mark)
		return;
	(void)set_mark(guard, &guard->roots[mark->root], id, FAN_MARK_REMOVE); /* or it is gone */
	guard_forget(guard, id);
}

void guard_mark(struct guard *guard, const char *id, bool must_deny)
{
	struct mark *at = guard_find_mark(guard, id);
	bool is_new = !at;

	for (unsigned i = 0; !at && i < MARKS_MAX; i++)
		if (!guard->marks[i].is_used)
			at = &guard->marks[i];
	if (!at || strlen(id) >= HV_GATE_ID_SIZE || strchr(id, '/'))
		return;
	for (unsigned i = 0; i < guard->roots_count; i++) {
		if (!set_mark(guard, &guard->roots[i], id, FAN_MARK_ADD))
			continue;
		if (is_new)
			*at = (struct mark){.is_used = true, .left_ms = guard->hold_ms};
		at->root = i;
		at->must_deny = must_deny;
		guard_set_id(at->id, id);
		return;
	}
}

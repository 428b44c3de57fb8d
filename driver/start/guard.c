/* The gate's own half.
 *
 * Sequence: close what is the daemon's, go to the host's root, ask for inotify and fanotify, say
 * whether they can be had; then wait, for orders, for directories of containers, for opens that the
 * kernel asks about, and for the next deadline. */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "wire/clock.h"

enum { FD_SCAN_MAX = 1 << 16 /* before close_range (5.9) */ };

/* --- telling the daemon --- */

static bool tell(struct guard *guard, struct hv_gate_news *news)
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

static void set_id(char ret[static HV_GATE_ID_SIZE], const char *id)
{
	size_t length = strnlen(id, HV_GATE_ID_SIZE - 1);

	memcpy(ret, id, length);
	memset(ret + length, 0, HV_GATE_ID_SIZE - length);
}

void guard_tell_created(struct guard *guard, const char *id)
{
	struct hv_gate_news news = {.kind = HV_GATE_CREATED, .fd = MC_FD_NONE};

	set_id(news.id, id);
	if (!tell(guard, &news))
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

static struct mark *find_mark(struct guard *guard, const char *id)
{
	for (unsigned i = 0; i < MARKS_MAX; i++)
		if (guard->marks[i].is_used && strcmp(guard->marks[i].id, id) == 0)
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

void guard_forget(struct guard *guard, const char *id)
{
	struct mark *mark = find_mark(guard, id);

	if (mark)
		mark->is_used = false;
}

static void unmark(struct guard *guard, const char *id)
{
	struct mark *mark = find_mark(guard, id);

	if (!mark)
		return;
	(void)set_mark(guard, &guard->roots[mark->root], id, FAN_MARK_REMOVE); /* or it is gone */
	mark->is_used = false;
}

static void mark(struct guard *guard, const char *id)
{
	struct mark *at = find_mark(guard, id);

	for (unsigned i = 0; !at && i < MARKS_MAX; i++)
		if (!guard->marks[i].is_used)
			at = &guard->marks[i];
	if (!at || strlen(id) >= HV_GATE_ID_SIZE || strchr(id, '/'))
		return;
	for (unsigned i = 0; i < guard->roots_count; i++) {
		if (!set_mark(guard, &guard->roots[i], id, FAN_MARK_ADD))
			continue;
		at->is_used = true;
		at->root = i;
		set_id(at->id, id);
		return;
	}
}

/* --- holds --- */

static void answer(struct guard *guard, int fd, uint32_t verdict)
{
	const struct fanotify_response response = {.fd = fd, .response = verdict};

	/* ENOENT: who opened it was killed meanwhile. */
	(void)!write(guard->fanotify, &response, sizeof(response));
	close(fd);
}

static void end_hold(struct guard *guard, uint32_t seq, uint32_t verdict, bool is_early)
{
	for (unsigned i = 0; i < HOLDS_MAX; i++) {
		struct hold *hold = &guard->holds[i];

		if (!hold->is_used || hold->seq != seq)
			continue;
		if (!is_early)
			unmark(guard, hold->id);
		answer(guard, hold->fd, verdict);
		hold->is_used = false;
	}
}

static void expire(struct guard *guard)
{
	long long now = hv_clock_ms();

	for (unsigned i = 0; i < HOLDS_MAX; i++) {
		struct hv_gate_news news = {.kind = HV_GATE_EXPIRED, .fd = MC_FD_NONE};

		if (!guard->holds[i].is_used || guard->holds[i].until_ms > now)
			continue;
		news.seq = guard->holds[i].seq;
		set_id(news.id, guard->holds[i].id);
		end_hold(guard, news.seq, FAN_ALLOW, false);
		(void)tell(guard, &news);
	}
}

static int time_left(const struct guard *guard)
{
	long long now = hv_clock_ms(), least = -1;

	for (unsigned i = 0; i < HOLDS_MAX; i++) {
		long long left = guard->holds[i].until_ms - now;

		if (!guard->holds[i].is_used)
			continue;
		if (left < 0)
			left = 0;
		if (least < 0 || left < least)
			least = left;
	}
	return (int)least;
}

/* --- opens --- */

/* Which container's state file it is that is opened: its ID in `ret`. */
static bool is_state_file(const struct guard *guard, int fd, char ret[static HV_GATE_ID_SIZE])
{
	char name[16], path[PATH_MAX], *file, *id;
	struct stat stat;
	int at = sizeof(name) - 1, number = fd;
	ssize_t length;

	name[at] = '\0';
	do
		name[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	length = readlinkat(guard->fds, name + at, path, sizeof(path) - 1);
	if (length <= 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || stat.st_size == 0)
		return false;
	path[length] = '\0';
	file = strrchr(path, '/');
	if (!file || (strcmp(file, "/state.json") != 0 && strcmp(file, "/status") != 0))
		return false;
	*file = '\0';
	id = strrchr(path, '/');
	if (!id || strlen(id + 1) >= HV_GATE_ID_SIZE)
		return false;
	set_id(ret, id + 1);
	return true;
}

static struct hold *find_hold(struct guard *guard, const char *id)
{
	for (unsigned i = 0; i < HOLDS_MAX; i++)
		if (guard->holds[i].is_used && strcmp(guard->holds[i].id, id) == 0)
			return &guard->holds[i];
	return NULL;
}

static struct hold *new_hold(struct guard *guard)
{
	for (unsigned i = 0; i < HOLDS_MAX; i++)
		if (!guard->holds[i].is_used)
			return &guard->holds[i];
	return NULL;
}

/* The FIFO that the first process waits at is there until the start. */
static bool is_to_hold(struct guard *guard, int fd, char ret[static HV_GATE_ID_SIZE])
{
	const struct mark *mark;

	if (!is_state_file(guard, fd, ret))
		return false;
	mark = find_mark(guard, ret);
	return mark && guard_has(&guard->roots[mark->root], ret, "exec.fifo");
}

static void take_open(struct guard *guard, int fd)
{
	struct hv_gate_news news = {.kind = HV_GATE_HELD, .fd = fd};
	const struct hold *other;
	struct hold *hold = new_hold(guard);

	if (!hold || !is_to_hold(guard, fd, news.id)) {
		answer(guard, fd, FAN_ALLOW);
		return;
	}
	other = find_hold(guard, news.id);
	news.seq = other ? other->seq : ++guard->last_seq;
	news.until_ms = other ? other->until_ms : hv_clock_ms() + guard->hold_ms;
	if (!other && !tell(guard, &news)) {
		answer(guard, fd, FAN_ALLOW);
		return;
	}
	hold->is_used = true;
	hold->seq = news.seq;
	hold->fd = fd;
	hold->until_ms = news.until_ms;
	memcpy(hold->id, news.id, sizeof(hold->id));
}

/* Returns false when no open can be read: then they are refused, all of them. */
static bool take_opens(struct guard *guard)
{
	ssize_t size = read(guard->fanotify, guard->buffer, sizeof(guard->buffer));
	struct fanotify_event_metadata *event = (void *)guard->buffer;

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	for (; FAN_EVENT_OK(event, size); event = FAN_EVENT_NEXT(event, size))
		if (event->vers == FANOTIFY_METADATA_VERSION && event->fd >= 0)
			take_open(guard, event->fd);
	return true;
}

/* --- orders --- */

static void obey(struct guard *guard, struct hv_order *order)
{
	order->name[PATH_MAX - 1] = '\0';
	switch (order->kind) {
	case HV_ORDER_FOLLOW:
		guard_follow(guard, order->name);
		break;
	case HV_ORDER_MARK:
		mark(guard, order->name);
		break;
	case HV_ORDER_RELEASE:
		end_hold(guard, order->seq, FAN_ALLOW, order->is_early);
		break;
	case HV_ORDER_REFUSE:
		end_hold(guard, order->seq, FAN_DENY, false);
		break;
	case HV_ORDER_LOOK:
		guard_scan(guard, order->name);
		break;
	}
}

/* Returns false when the daemon has ended. */
static bool take_orders(struct guard *guard)
{
	ssize_t size = recv(guard->socket, &guard->order, sizeof(guard->order), MSG_DONTWAIT);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	if (size == (ssize_t)sizeof(guard->order))
		obey(guard, &guard->order);
	return size > 0;
}

/* --- the whole --- */

static void close_from(int first, int last)
{
	if (first > last || syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0U) == 0)
		return;
	for (int fd = first; fd <= last && fd < FD_SCAN_MAX; fd++)
		close(fd);
}

static void close_others(int one, int other)
{
	int low = one < other ? one : other, high = one < other ? other : one;

	close_from(0, low - 1);
	close_from(low + 1, high - 1);
	close_from(high + 1, INT_MAX);
}

/* Returns 0 or a negative errno. */
static int open_all(struct guard *guard, int host_root)
{
	guard->fds = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (guard->fds < 0 || fchdir(host_root) < 0 || chroot(".") < 0)
		return -errno;
	close(host_root);
	guard->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (guard->inotify < 0)
		return -errno;
	guard->fanotify = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK |
						FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_LARGEFILE);
	return guard->fanotify < 0 ? -errno : 0;
}

static void wait_for_all(struct guard *guard)
{
	struct pollfd fds[] = {
		{.fd = guard->socket, .events = POLLIN},
		{.fd = guard->inotify, .events = POLLIN},
		{.fd = guard->fanotify, .events = POLLIN},
	};

	if (guard->must_scan)
		fds[0].events |= POLLOUT;
	if (poll(fds, sizeof(fds) / sizeof(fds[0]), time_left(guard)) < 0 && errno != EINTR)
		_exit(1);
	if (fds[0].revents & ~POLLOUT && !take_orders(guard))
		_exit(0);
	if (fds[2].revents && !take_opens(guard))
		_exit(1);
	if (fds[1].revents)
		guard_take_changes(guard);
	if (fds[0].revents & POLLOUT) {
		guard->must_scan = false;
		guard_scan(guard, "");
	}
	expire(guard);
}

void guard_run(struct guard *guard, int host_root)
{
	struct hv_gate_news news = {.kind = HV_GATE_READY, .fd = MC_FD_NONE};

	(void)prctl(PR_SET_NAME, "hostvol-gate");
	close_others(guard->socket, host_root);
	news.error = open_all(guard, host_root);
	if (!tell(guard, &news) || news.error < 0)
		_exit(1);
	for (;;)
		wait_for_all(guard);
}

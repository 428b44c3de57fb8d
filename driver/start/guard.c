/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's own half.
 *
 * Sequence: close what is the daemon's, go to the host's root, ask for inotify and fanotify, say
 * whether they can be had; then wait, for orders, for directories of containers, for opens that the
 * kernel asks about, and for the next deadline.
 *
 * Events are read, then all orders are obeyed, and then the events are taken: an order that was
 * sent before a container was made or opened is in the socket when that event is read. */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "wire/clock.h"

#include "follow.h"
#include "marks.h"

enum {
	FD_SCAN_MAX = 1 << 16,  /* before close_range (5.9) */
	ALIVE_LEAST_MS = 1000,  /* a machine that does much else is no failure */
	ALIVE_SPARE_MS = 500,   /* behind a deadline, for the same reason */
	ALIVE_QUIET_MS = 60000, /* while nothing can be held */
	FDS_SHARE = 4,          /* of its descriptors for holds; as many for what is read at once */
	ORDERS_AT_ONCE = 16384, /* more than the socket has room for */
};

/* --- the timer --- */

/* Until the first deadline, in milliseconds; -1: nothing is held. */
static int time_left(const struct guard *guard)
{
	long long now = hv_clock_ms(), least = -1;

	for (unsigned i = 0; i < guard->holds_end; i++) {
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

static int alive_ms(const struct guard *guard)
{
	int left = time_left(guard), least = (int)guard->hold_ms;

	if (guard->is_quiet)
		return ALIVE_QUIET_MS;
	if (least < ALIVE_LEAST_MS)
		least = ALIVE_LEAST_MS;
	return left >= 0 && left < least - ALIVE_SPARE_MS ? left + ALIVE_SPARE_MS : least;
}

/* Not to be killed for that long. */
static void stay_alive(const struct guard *guard)
{
	long ms = alive_ms(guard);
	const struct itimerspec after = {
		.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
	};

	(void)syscall(SYS_timer_settime, guard->timer, 0, &after, NULL);
}

/* SIGKILL ends a process that is stopped, too. */
static int start_timer(struct guard *guard)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};

	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &guard->timer) < 0)
		return -errno;
	stay_alive(guard);
	return 0;
}

/* --- holds --- */

static void answer(struct guard *guard, int fd, uint32_t verdict)
{
	const struct fanotify_response response = {.fd = fd, .response = verdict};

	/* ENOENT: the opening process was killed meanwhile. */
	(void)!write(guard->fanotify, &response, sizeof(response));
	close(fd);
}

/* Save the time left for the next hold of the same start. */
static void take_time(struct guard *guard, const struct hold *hold)
{
	struct mark *mark = guard_find_mark(guard, hold->id);
	long long now = hv_clock_ms();

	if (!mark)
		return;
	mark->left_ms = hold->until_ms > now ? hold->until_ms - now : 0;
	mark->told_ms = now;
}

static void end_hold(struct guard *guard, uint32_t seq, uint32_t verdict)
{
	for (unsigned i = 0; i < guard->holds_end; i++) {
		struct hold *hold = &guard->holds[i];

		if (!hold->is_used || hold->seq != seq)
			continue;
		take_time(guard, hold);
		answer(guard, hold->fd, verdict);
		hold->is_used = false;
	}
	while (guard->holds_end > 0 && !guard->holds[guard->holds_end - 1].is_used)
		guard->holds_end--;
}

/* No open of its start is asked about any more.  The hold may be over. */
static void end_start(struct guard *guard, uint32_t seq, uint32_t verdict)
{
	const struct mark *mark = guard_find_mark_of(guard, seq);

	if (mark)
		guard_unmark(guard, mark->id);
	end_hold(guard, seq, verdict);
}

static void expire_one(struct guard *guard, const struct hold *hold)
{
	struct hv_gate_news news = {
		.kind = hold->must_deny ? HV_GATE_DENIED : HV_GATE_EXPIRED,
		.seq = hold->seq,
		.fd = hold->must_deny ? hold->fd : MC_FD_NONE,
	};

	if (hold->is_set_up) { /* its start decides */
		end_hold(guard, hold->seq, FAN_ALLOW);
		return;
	}
	guard_set_id(news.id, hold->id);
	(void)guard_tell(guard, &news);
	end_start(guard, hold->seq, hold->must_deny ? FAN_DENY : FAN_ALLOW);
}

static void expire(struct guard *guard)
{
	long long now = hv_clock_ms();

	for (unsigned i = 0; i < guard->holds_end; i++)
		if (guard->holds[i].is_used && guard->holds[i].until_ms <= now)
			expire_one(guard, &guard->holds[i]);
}

/* --- opens --- */

/* The kind of file that is opened. */
enum opened {
	OPENED_OTHER,
	OPENED_NEW_STATE, /* `runc create` makes it, by another name or by its own */
	OPENED_STATE,
};

static enum opened judge(const char *file, long long size)
{
	bool is_state = strcmp(file, "/state.json") == 0;

	if (size > 0)
		return is_state || strcmp(file, "/status") == 0 ? OPENED_STATE : OPENED_OTHER;
	return is_state || strncmp(file, "/state-", strlen("/state-")) == 0 ? OPENED_NEW_STATE
									    : OPENED_OTHER;
}

/* `ret`: the ID of the container whose it is. */
static enum opened look_at(const struct guard *guard, int fd, char ret[static HV_GATE_ID_SIZE])
{
	char name[16], path[PATH_MAX], *file, *id;
	struct stat stat;
	int at = sizeof(name) - 1, number = fd;
	ssize_t length;
	enum opened opened;

	name[at] = '\0';
	do
		name[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	length = readlinkat(guard->fds, name + at, path, sizeof(path) - 1);
	if (length <= 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))
		return OPENED_OTHER;
	path[length] = '\0';
	file = strrchr(path, '/');
	if (!file)
		return OPENED_OTHER;
	opened = judge(file, stat.st_size);
	*file = '\0';
	id = strrchr(path, '/');
	if (!id || strlen(id + 1) >= HV_GATE_ID_SIZE)
		return OPENED_OTHER;
	guard_set_id(ret, id + 1);
	return opened;
}

/* Of the same moment of a container's start. */
static struct hold *find_hold(struct guard *guard, const struct hv_gate_news *news)
{
	for (unsigned i = 0; i < guard->holds_end; i++)
		if (guard->holds[i].is_used && strcmp(guard->holds[i].id, news->id) == 0 &&
			guard->holds[i].is_set_up == (news->kind == HV_GATE_SET_UP))
			return &guard->holds[i];
	return NULL;
}

/* A container that was set up long ago (`podman init`) has all of the time for its start. */
static long long time_for(const struct guard *guard, const struct mark *mark)
{
	bool is_long_ago = hv_clock_ms() - mark->told_ms > guard->hold_ms;

	return is_long_ago ? guard->hold_ms : mark->left_ms;
}

static struct hold *new_hold(struct guard *guard)
{
	for (unsigned i = 0; i < guard->holds_max; i++)
		if (!guard->holds[i].is_used)
			return &guard->holds[i];
	return NULL;
}

/* Hold the open in `news`, of the container that is marked.  Returns false when that cannot be. */
static bool hold_open(struct guard *guard, struct hv_gate_news *news, struct mark *mark)
{
	const struct hold *other = find_hold(guard, news);
	struct hold *hold = new_hold(guard);
	int fd = news->fd;

	if (!hold)
		return false;
	news->seq = other ? other->seq : ++guard->last_seq;
	news->until_ms = other ? other->until_ms : hv_clock_ms() + time_for(guard, mark);
	if (news->kind == HV_GATE_SET_UP)
		news->fd = MC_FD_NONE;
	if (!other && !guard_tell(guard, news))
		return false;
	mark->seq = news->seq;
	if (hold == &guard->holds[guard->holds_end])
		guard->holds_end++;
	*hold = (struct hold){
		.is_used = true,
		.is_set_up = news->kind == HV_GATE_SET_UP,
		.seq = news->seq,
		.fd = fd,
		.must_deny = mark->must_deny,
		.until_ms = news->until_ms,
	};
	guard_set_id(hold->id, news->id);
	return true;
}

/* Answer an open that cannot be held: a start that requires an attachment is denied. */
static void answer_unheld(
	struct guard *guard, struct hv_gate_news *news, const struct mark *mark, int fd)
{
	bool is_over = news->kind == HV_GATE_HELD && mark->must_deny;

	if (is_over) {
		news->kind = HV_GATE_DENIED;
		(void)guard_tell(guard, news);
		guard_unmark(guard, news->id);
	}
	answer(guard, fd, is_over ? FAN_DENY : FAN_ALLOW);
}

/* The FIFO that the first process waits at is there until the start. */
static void take_open(struct guard *guard, const struct fanotify_event_metadata *event)
{
	struct hv_gate_news news = {.fd = event->fd, .runtime = event->pid};
	enum opened opened = look_at(guard, event->fd, news.id);
	struct mark *mark = opened == OPENED_OTHER ? NULL : guard_find_mark(guard, news.id);

	news.kind = opened == OPENED_STATE ? HV_GATE_HELD : HV_GATE_SET_UP;
	if (!mark || !guard_has(&guard->roots[mark->root], news.id, "exec.fifo"))
		answer(guard, event->fd, FAN_ALLOW);
	else if (!hold_open(guard, &news, mark))
		answer_unheld(guard, &news, mark, event->fd);
}

/* No more at once than there are descriptors for: the kernel denies an open that it cannot tell of.
 * Returns false when none can be read: then they are denied, all of them. */
static bool read_opens(struct guard *guard)
{
	struct batch *opens = &guard->opens;
	size_t room = guard->holds_max * FAN_EVENT_METADATA_LEN;

	opens->size = read(guard->fanotify, opens->bytes,
		room < sizeof(opens->bytes) ? room : sizeof(opens->bytes));
	return opens->size >= 0 || errno == EAGAIN || errno == EINTR;
}

static void take_opens(struct guard *guard)
{
	ssize_t size = guard->opens.size;
	struct fanotify_event_metadata *event = (void *)guard->opens.bytes;

	for (; FAN_EVENT_OK(event, size); event = FAN_EVENT_NEXT(event, size))
		if (event->vers == FANOTIFY_METADATA_VERSION && event->fd >= 0)
			take_open(guard, event);
	guard->opens.size = 0;
}

/* --- orders --- */

static void obey(struct guard *guard, struct hv_order *order)
{
	order->name[PATH_MAX - 1] = '\0';
	switch (order->kind) {
	case HV_ORDER_FOLLOW:
		guard_follow(guard, order->name);
		break;
	case HV_ORDER_KNOW:
		guard_know(guard, order->name);
		break;
	case HV_ORDER_FORGET:
		guard_forget(guard, order->name);
		break;
	case HV_ORDER_MARK:
		guard_mark(guard, order->name, order->must_deny);
		break;
	case HV_ORDER_RELEASE:
		if (order->is_early)
			end_hold(guard, order->seq, FAN_ALLOW);
		else
			end_start(guard, order->seq, FAN_ALLOW);
		break;
	case HV_ORDER_REFUSE:
		end_start(guard, order->seq, FAN_DENY);
		break;
	case HV_ORDER_LOOK:
		guard_scan(guard, order->name);
		break;
	}
}

/* All that were sent until now.  Returns false when the daemon has ended. */
static bool take_orders(struct guard *guard)
{
	for (int i = 0; i < ORDERS_AT_ONCE; i++) {
		ssize_t size =
			recv(guard->socket, &guard->order, sizeof(guard->order), MSG_DONTWAIT);

		if (size < 0)
			return errno == EAGAIN || errno == EINTR;
		if (size == 0)
			return false;
		if (size > (ssize_t)offsetof(struct hv_order, name))
			obey(guard, &guard->order);
		expire(guard); /* many orders take long */
		stay_alive(guard);
	}
	return true;
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

static void limit_holds(struct guard *guard)
{
	struct rlimit limit = {0};

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	guard->holds_max = HOLDS_MAX;
	if (limit.rlim_cur / FDS_SHARE < HOLDS_MAX)
		guard->holds_max = (unsigned)limit.rlim_cur / FDS_SHARE;
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
	return guard->fanotify < 0 ? -errno : start_timer(guard);
}

/* Long enough for all, short enough to set the timer in time. */
static int wait_ms(const struct guard *guard)
{
	int left = time_left(guard), alive = alive_ms(guard) / 2;

	return left >= 0 && left < alive ? left : alive;
}

static void wait_for_all(struct guard *guard)
{
	int count;
	struct pollfd fds[] = {
		{.fd = guard->socket, .events = POLLIN},
		{.fd = guard->inotify, .events = POLLIN},
		{.fd = guard->fanotify, .events = POLLIN},
	};

	if (guard->must_scan)
		fds[0].events |= POLLOUT;
	stay_alive(guard);
	count = poll(fds, sizeof(fds) / sizeof(fds[0]), wait_ms(guard));
	if (count < 0 && errno != EINTR)
		_exit(1);
	guard->is_quiet = count == 0 && !guard_has_marks(guard) && time_left(guard) < 0;
	stay_alive(guard);
	if (fds[2].revents && !read_opens(guard))
		_exit(1);
	if (fds[1].revents)
		guard_read_changes(guard);
	if (!take_orders(guard))
		_exit(0);
	take_opens(guard);
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
	limit_holds(guard);
	close_others(guard->socket, host_root);
	news.error = open_all(guard, host_root);
	if (!guard_tell(guard, &news) || news.error < 0)
		_exit(1);
	for (;;)
		wait_for_all(guard);
}

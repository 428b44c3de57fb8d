/* SPDX-License-Identifier: Apache-2.0 */
#include "hearer.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "wire/clock.h"

enum {
	PAUSE_MS = 10, /* in which the kernel gathers them, if there were more than BUSY in it */
	BUSY = 64,
	REST = 9, /* times as long as it took to hear so many: a tenth of a processor, names are
		     lost */
	REST_MAX_MS = 1000,
	FIRST = -20, /* nice(2): before what unmounts goes on and ends, on a busy machine too */
};

void hv_hearer_init(struct hv_hearer *hearer, struct hv_attacher *attacher,
	void (*on_mounts)(void *context), void *context)
{
	*hearer = (struct hv_hearer){
		.attacher = attacher,
		.on_mounts = on_mounts,
		.context = context,
		.stop_fd = MC_FD_NONE,
	};
}

/* How long to pause after so many; with nothing to read the watcher has heard it, or it cannot be
 * read. */
static int pause_after(unsigned heard, unsigned count, long long took_ms)
{
	long long pause_ms = PAUSE_MS + REST * took_ms;

	if (heard <= BUSY)
		return count == 0;
	return (int)(pause_ms < REST_MAX_MS ? pause_ms : REST_MAX_MS);
}

/* Wait for mounts; `pause_ms`: not at once.  Returns false at the end. */
static bool wait(const struct hv_hearer *hearer, int pause_ms)
{
	struct pollfd fds[] = {
		{.fd = hearer->stop_fd, .events = POLLIN},
		{.fd = hv_attacher_mounts_fd(hearer->attacher), .events = POLLIN},
	};

	if (pause_ms > 0 && poll(fds, 1, pause_ms) > 0)
		return false;
	(void)poll(fds, sizeof(fds) / sizeof(fds[0]), -1); /* fails for a signal only */
	return fds[0].revents == 0;
}

static void *run(void *argument)
{
	struct hv_hearer *hearer = argument;
	long long since_ms = 0;
	unsigned heard = 0;
	int pause_ms = 0;

	/* Of this thread alone.  Without the right to that it may come too late for a name. */
	(void)setpriority(PRIO_PROCESS, 0, FIRST);
	while (wait(hearer, pause_ms)) {
		long long now = hv_clock_ms();
		unsigned others = 0, count = hv_attachments_hear(hearer->attacher, &others);

		heard = now - since_ms < PAUSE_MS ? heard + count : count;
		since_ms = now - since_ms < PAUSE_MS ? since_ms : now;
		pause_ms = pause_after(heard, count, hv_clock_ms() - now);
		if (others > 0)
			hearer->on_mounts(hearer->context);
	}
	return NULL;
}

bool hv_hearer_start(struct hv_hearer *hearer)
{
	if (hv_attacher_mounts_fd(hearer->attacher) < 0)
		return true;
	hearer->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	hearer->is_started =
		hearer->stop_fd >= 0 && pthread_create(&hearer->thread, NULL, run, hearer) == 0;
	return hearer->is_started;
}

bool hv_hearer_stop(struct hv_hearer *hearer, const struct timespec *until)
{
	const uint64_t one = 1;

	if (!hearer->is_started)
		return true;
	(void)!write(hearer->stop_fd, &one, sizeof(one)); /* cannot fail */
	if (pthread_timedjoin_np(hearer->thread, NULL, until) != 0)
		return false;
	hearer->is_started = false;
	return true;
}

void hv_hearer_done(struct hv_hearer *hearer)
{
	mc_close_fd(&hearer->stop_fd);
}

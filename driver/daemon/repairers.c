/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/repairers.h"

#include "wire/clock.h"

enum {
	REPAIRERS = 8,
	RETRIERS = 2,   /* of them at most, for what failed before */
	STUCK_MS = 500, /* how long all may be held up */
};

void hv_repairers_init(struct hv_repairers *repairers, const struct hv_repairers_args *args)
{
	repairers->args = *args;
	hv_queue_init(&repairers->queue, RETRIERS);
}

/* Since when it is not needed any more; 0: it stays. */
static long long leaves_ms(const struct hv_repairer *repairer)
{
	const struct hv_repairers *all = repairer->all;

	return repairer->is_hired ? all->needed_ms + all->args.idle_ms : 0;
}

static void *run(void *argument)
{
	struct hv_repairer *repairer = argument;
	struct hv_repairers *all = repairer->all;
	struct hv_queued queued;

	all->args.begin(all->args.context);
	for (;;) {
		if (hv_queue_take(&all->queue, leaves_ms(repairer), &queued)) {
			bool is_well = all->args.repair(all->args.context, &queued);

			hv_queue_finish(&all->queue, &queued, is_well);
		} else if (all->is_stopping || hv_clock_ms() >= leaves_ms(repairer)) {
			break; /* and not because more were needed meanwhile */
		}
	}
	repairer->is_over = true;
	all->args.wake(all->args.context);
	return NULL;
}

static bool start_some(struct hv_repairers *all, unsigned count, bool is_hired)
{
	for (size_t i = 0; count > 0 && i < HV_REPAIRERS_MAX; i++) {
		struct hv_repairer *repairer = &all->threads[i];

		if (repairer->is_used)
			continue;
		repairer->all = all;
		repairer->is_hired = is_hired;
		repairer->is_over = false;
		if (pthread_create(&repairer->thread, NULL, run, repairer) != 0)
			return false;
		repairer->is_used = true;
		all->count++;
		count--;
	}
	return true;
}

bool hv_repairers_start(struct hv_repairers *repairers)
{
	return start_some(repairers, REPAIRERS, false);
}

/* Each of them may wait for a file system of its own, while something is to be done that needs
 * none of those. */
static void hire_if_stuck(struct hv_repairers *all)
{
	long long since = hv_queue_stuck_since(&all->queue);

	all->tend_ms = since > 0 ? since + STUCK_MS : 0;
	if (since == 0 || hv_clock_ms() < all->tend_ms)
		return;
	all->needed_ms = hv_clock_ms();
	all->tend_ms = all->needed_ms + STUCK_MS;
	(void)start_some(all, all->count, true); /* else those that are must do */
}

void hv_repairers_tend(struct hv_repairers *repairers)
{
	hire_if_stuck(repairers);
	/* Join the threads that ended because they were not needed. */
	for (size_t i = 0; i < HV_REPAIRERS_MAX; i++) {
		struct hv_repairer *repairer = &repairers->threads[i];

		if (!repairer->is_used || !repairer->is_over)
			continue;
		pthread_join(repairer->thread, NULL);
		repairer->is_used = false;
		repairers->count--;
	}
}

void hv_repairers_stop(struct hv_repairers *repairers)
{
	repairers->is_stopping = true;
	hv_queue_stop(&repairers->queue);
}

bool hv_repairers_join(struct hv_repairers *repairers, const struct timespec *until)
{
	for (size_t i = 0; i < HV_REPAIRERS_MAX; i++)
		if (repairers->threads[i].is_used &&
			pthread_timedjoin_np(repairers->threads[i].thread, NULL, until) != 0)
			return false;
	return true;
}

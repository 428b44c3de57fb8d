/* SPDX-License-Identifier: Apache-2.0 */
#include "side.h"

#include <pthread.h>
#include <stdatomic.h>

#include "mountcore/core.h"

struct side {
	const struct mc_core *core;
	size_t count;
	atomic_size_t next;
	void (*fn)(void *context, size_t at);
	void *context;
};

static void work(struct side *side)
{
	size_t at;

	while ((at = atomic_fetch_add(&side->next, 1)) < side->count)
		side->fn(side->context, at);
}

static void *run(void *argument)
{
	struct side *side = argument;

	(void)!mc_core_lend_thread(side->core); /* else it takes longer */
	work(side);
	return NULL;
}

void hv_side_by_side(const struct mc_core *core, size_t threads_max, size_t count,
	void (*fn)(void *context, size_t at), void *context)
{
	struct side side = {.core = core, .count = count, .fn = fn, .context = context};
	pthread_t threads[HV_SIDE_MAX - 1];
	size_t used = 0;

	while (used + 1 < threads_max && used + 1 < HV_SIDE_MAX && used + 1 < count &&
		pthread_create(&threads[used], NULL, run, &side) == 0)
		used++;
	work(&side);
	while (used > 0)
		pthread_join(threads[--used], NULL);
}

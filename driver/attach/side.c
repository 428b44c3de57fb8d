/* SPDX-License-Identifier: Apache-2.0 */
#include "side.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8 };

struct side {
	size_t count;
	atomic_size_t next;
	void (*work)(void *context, size_t at);
	void *context;
};

static void *run(void *argument)
{
	struct side *side = argument;
	size_t at;

	while ((at = atomic_fetch_add(&side->next, 1)) < side->count)
		side->work(side->context, at);
	return NULL;
}

void hv_side_by_side(size_t count, void (*work)(void *context, size_t at), void *context)
{
	struct side side = {.count = count, .work = work, .context = context};
	pthread_t threads[THREADS - 1];
	size_t used = 0;

	while (used < THREADS - 1 && used + 1 < count &&
		pthread_create(&threads[used], NULL, run, &side) == 0)
		used++;
	(void)run(&side);
	while (used > 0)
		pthread_join(threads[--used], NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "workers.h"

#include "wire/lock.h"

/* With the lock. */
static struct hv_work *take_first(struct hv_workers *self)
{
	struct hv_work *work = STAILQ_FIRST(&self->waiting);

	if (work) {
		STAILQ_REMOVE_HEAD(&self->waiting, entry);
		self->count--;
	}
	return work;
}

/* With the lock.  NULL: there is nothing more for this worker. */
static struct hv_work *next(struct hv_workers *self)
{
	while (STAILQ_EMPTY(&self->waiting) && self->idle < self->args.kept && !self->is_stopping) {
		self->idle++;
		pthread_cond_wait(&self->wanted, &self->lock);
		self->idle--;
	}
	return take_first(self);
}

static void *run(void *argument)
{
	struct hv_workers *self = argument;
	struct hv_work *work;

	self->args.begin(self->args.context);
	pthread_mutex_lock(&self->lock);
	while ((work = next(self))) {
		pthread_mutex_unlock(&self->lock);
		self->args.work(self->args.context, work);
		pthread_mutex_lock(&self->lock);
	}
	self->workers--;
	pthread_cond_broadcast(&self->left);
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

/* With the lock.  Returns false when there are as many as there can be. */
static bool hire(struct hv_workers *self)
{
	pthread_t thread;

	if (self->workers == self->args.max || pthread_create(&thread, NULL, run, self) != 0)
		return false;
	pthread_detach(thread);
	self->workers++;
	return true;
}

void hv_workers_init(struct hv_workers *workers, const struct hv_workers_args *args)
{
	*workers = (struct hv_workers){.args = *args};
	STAILQ_INIT(&workers->waiting);
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->wanted, NULL);
	pthread_cond_init(&workers->left, NULL);
}

/* With the lock. */
static void add(struct hv_workers *self, struct hv_work *work)
{
	STAILQ_INSERT_TAIL(&self->waiting, work, entry);
	if (++self->count <= self->idle)
		pthread_cond_signal(&self->wanted);
	else
		(void)hire(self); /* else one that works takes it */
}

void hv_workers_add(struct hv_workers *workers, struct hv_work *work)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&workers->lock);

	add(workers, work);
}

bool hv_workers_try(struct hv_workers *workers, struct hv_work *work)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&workers->lock);

	if (workers->workers == 0 && !hire(workers))
		return false;
	add(workers, work); /* with a second worker: more may come at once */
	return true;
}

void hv_workers_urge(struct hv_workers *workers)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&workers->lock);

	if (!STAILQ_EMPTY(&workers->waiting) && workers->workers == 0)
		(void)hire(workers);
}

void hv_workers_stop(struct hv_workers *workers)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&workers->lock);

	workers->is_stopping = true;
	pthread_cond_broadcast(&workers->wanted);
}

bool hv_workers_wait(struct hv_workers *workers, long long until_ms)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&workers->lock);

	while (workers->workers > 0 && hv_wait_until(&workers->left, lock, until_ms))
		continue;
	return workers->workers == 0;
}

struct hv_work *hv_workers_take(struct hv_workers *workers)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&workers->lock);

	return take_first(workers);
}

void hv_workers_done(struct hv_workers *workers)
{
	pthread_cond_destroy(&workers->left);
	pthread_cond_destroy(&workers->wanted);
	pthread_mutex_destroy(&workers->lock);
}

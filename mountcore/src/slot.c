/* SPDX-License-Identifier: Apache-2.0 */
/* The number of helpers: running ones, and abandoned ones that have not ended. */
#include "slot.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/host.h"

#include "core.h"
#include "sys.h"

enum { REAP_WAIT_MS = 50 };

void mc_helper_reap(struct mc_core *core)
{
	mc_auto_lock lock = mc_lock(&core->lock);

	for (unsigned i = 0; i < core->abandoned_count;) {
		if (waitpid(core->abandoned[i].pid, NULL, WNOHANG) == 0)
			i++;
		else
			core->abandoned[i] = core->abandoned[--core->abandoned_count];
	}
}

unsigned mc_host_stuck(struct mc_core *core)
{
	mc_helper_reap(core);
	mc_auto_lock lock = mc_lock(&core->lock);

	return core->abandoned_count;
}

static unsigned count_stuck(const struct mc_core *core, uint64_t waits_for)
{
	unsigned count = 0;

	for (unsigned i = 0; i < core->abandoned_count; i++)
		count += core->abandoned[i].waits_for == waits_for;
	return count;
}

static unsigned count_at_work(const struct mc_core *core, uint64_t waits_for)
{
	unsigned count = 0;

	for (const struct mc_waiting *at = core->helpers; at; at = at->next)
		count += at->waits_for == waits_for;
	return count;
}

/* Whether another one may begin: each may have to be remembered. */
static bool has_room(const struct mc_core *core, uint64_t waits_for)
{
	unsigned count = core->abandoned_count;

	for (const struct mc_waiting *at = core->helpers; at; at = at->next)
		count++;
	return count < MC_ABANDONED_MAX &&
	       (!waits_for || count_at_work(core, waits_for) < MC_HELPERS_MAX);
}

/* With core->lock. */
static int check_in(struct mc_core *core, const struct mc_waiting *self)
{
	for (;;) {
		if (core->abandoned_count >= MC_ABANDONED_MAX)
			return -EUSERS;
		if (self->waits_for &&
			count_stuck(core, self->waits_for) >= (self->is_look ? 1U : MC_STUCK_MAX))
			return -EALREADY;
		if (has_room(core, self->waits_for))
			return 0;
		pthread_cond_wait(&core->changed, &core->lock);
	}
}

int mc_slot_take(struct mc_core *core, struct mc_waiting *self)
{
	mc_auto_lock lock = mc_lock(&core->lock);
	int rc = check_in(core, self);

	if (rc < 0)
		return rc;
	self->next = core->helpers;
	core->helpers = self;
	return 0;
}

void mc_slot_release(struct mc_core *core, const struct mc_waiting *self)
{
	mc_auto_lock lock = mc_lock(&core->lock);

	for (struct mc_waiting **at = &core->helpers; *at; at = &(*at)->next) {
		if (*at == self) {
			*at = self->next;
			break;
		}
	}
	pthread_cond_broadcast(&core->changed);
}

void mc_helper_abandon(struct mc_core *core, pid_t pid, uint64_t waits_for)
{
	mc_sys_kill(pid, SIGKILL);
	for (int waited = 0; waited < REAP_WAIT_MS; waited++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		usleep(1000);
	}
	pthread_mutex_lock(&core->lock);
	if (core->abandoned_count < MC_ABANDONED_MAX)
		core->abandoned[core->abandoned_count++] = (struct mc_abandoned){pid, waits_for};
	pthread_mutex_unlock(&core->lock);
}

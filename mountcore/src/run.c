/* SPDX-License-Identifier: Apache-2.0 */
/* Where a job runs, and that no two do for one key. */
#include "run.h"

#include <pthread.h>

#include "core.h"
#include "helper.h"
#include "pool.h"
#include "slot.h"

/* A key at work; lives on the stack of the thread that runs the job. */
struct mc_gate {
	uint64_t key;
	struct mc_gate *next;
};

static bool gate_is_taken(const struct mc_core *core, uint64_t key)
{
	for (const struct mc_gate *gate = core->gates; gate; gate = gate->next)
		if (gate->key == key)
			return true;
	return false;
}

static void gate_enter(struct mc_core *core, struct mc_gate *gate)
{
	mc_auto_lock lock = mc_lock(&core->lock);

	while (gate_is_taken(core, gate->key))
		pthread_cond_wait(&core->changed, &core->lock);
	gate->next = core->gates;
	core->gates = gate;
}

static void gate_leave(struct mc_core *core, const struct mc_gate *gate)
{
	mc_auto_lock lock = mc_lock(&core->lock);

	for (struct mc_gate **at = &core->gates; *at; at = &(*at)->next) {
		if (*at == gate) {
			*at = gate->next;
			break;
		}
	}
	pthread_cond_broadcast(&core->changed);
}

int mc_job_run(struct mc_core *core, mc_job_fn fn, struct mc_job *job)
{
	struct mc_gate gate = {.key = job->key};
	int rc;

	job->rc = 0;
	job->err = (struct mc_err){0};
	mc_helper_reap(core);
	if (gate.key)
		gate_enter(core, &gate);
	rc = job->in_helper ? mc_helper_run(core, fn, job) : mc_pool_run(core, fn, job);
	if (gate.key)
		gate_leave(core, &gate);
	return rc;
}

int mc_job_run_err(struct mc_core *core, mc_job_fn fn, struct mc_job *job, struct mc_err *err)
{
	int rc = mc_job_run(core, fn, job);

	return rc < 0 ? mc_err_set(err, job->err.step, rc) : rc;
}

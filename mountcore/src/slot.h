/* SPDX-License-Identifier: Apache-2.0 */
/* How many helpers may wait for one thing, and for all. */
#ifndef MOUNTCORE_SRC_SLOT_H
#define MOUNTCORE_SRC_SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mc_core;

/* A helper at work.  In the memory of the thread that waits for it. */
struct mc_waiting {
	uint64_t waits_for;
	bool is_look; /* it gives way to all that are stuck on the same thing */
	struct mc_waiting *next;
};

/* Count one in that is about to begin.  One of several for the same thing waits until it is known
 * whether that answers: each that is at work ends by its deadline.
 * Returns 0, -EALREADY or -EUSERS, as mc_job_run(). */
int mc_slot_take(struct mc_core *core, struct mc_waiting *self);
void mc_slot_release(struct mc_core *core, const struct mc_waiting *self);

/* Kill a helper that is past its deadline and see it go, or remember it. */
void mc_helper_abandon(struct mc_core *core, pid_t pid, uint64_t waits_for);

/* Collect the helpers that were left to themselves at their deadline and have ended since. */
void mc_helper_reap(struct mc_core *core);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The volumes that the checker looks at, each with the result of its last look. */
#ifndef DAEMON_PATIENTS_H
#define DAEMON_PATIENTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "api/api.h"
#include "volume/health.h"

#include "daemon/names.h"

/* A volume.  The checkup is in one thread at a time: the thread of the rounds, or a worker
 * (is_busy). */
struct hv_patient {
	struct hv_named named; /* the name is the checkup's */
	struct hv_checkup checkup;
	uint64_t server;
	unsigned list;       /* the last one that it was in */
	atomic_bool is_busy; /* a worker has it */
	/* With the lock. */
	bool is_told;          /* an event said that it has a problem */
	bool is_gone;          /* from the names, while a worker has it */
	enum hv_health health; /* as it is shown */
	char *problem;         /* the sentence; owned */
	char *hint;            /* or NULL; owned */
};

struct hv_patients {
	pthread_mutex_t lock;  /* of all that follows; no look holds it */
	struct hv_names names; /* changed by the thread of the rounds only, which may read them
				* without the lock */
	size_t counts[HV_HEALTH_COUNT];
	unsigned told, untold; /* changes, in this round */
};

void hv_patients_init(struct hv_patients *patients) __attribute__((nonnull));

/* Free all; no other thread uses them. */
void hv_patients_done(struct hv_patients *patients) __attribute__((nonnull));

/* Add a volume, which is taken over in any case.  NULL: it cannot be looked at.  The thread of the
 * rounds. */
struct hv_patient *hv_patients_add(struct hv_patients *patients, struct hv_volumes *volumes,
	struct hv_volume *volume) __attribute__((nonnull, warn_unused_result));

/* Drop one; a worker may have it still.  The thread of the rounds. */
void hv_patients_drop(struct hv_patients *patients, struct hv_patient *patient)
	__attribute__((nonnull));

/* A worker has it no more. */
void hv_patients_leave(struct hv_patients *patients, struct hv_patient *patient)
	__attribute__((nonnull));

/* Whether an event said that it has a problem.  Any thread. */
bool hv_patients_is_told(struct hv_patients *patients, const struct hv_patient *patient)
	__attribute__((nonnull, warn_unused_result));

/* Show the result of the last look.  Returns whether it is to be told that the volume is ill, or
 * well again; with `ret_is_known` in the log alone, since an event said so before the daemon
 * started.  The thread that has the patient. */
bool hv_patients_show(struct hv_patients *patients, struct hv_patient *patient, bool *ret_is_known)
	__attribute__((nonnull, warn_unused_result));

/* The volume, which is taken over in any case, is the same after a change of its options, at the
 * same directory: all that is known of it stays.  No worker has the patient.  Returns false if it
 * cannot be looked at any more.  The thread of the rounds. */
bool hv_patients_renew(struct hv_patients *patients, struct hv_patient *patient,
	struct hv_volumes *volumes, struct hv_volume *volume)
	__attribute__((nonnull, warn_unused_result));

/* It cannot be looked at now: a problem that it had is not known any more, and nothing is told.  No
 * worker has the patient.  Returns whether it had one.  The thread of the rounds. */
bool hv_patients_forget(struct hv_patients *patients, struct hv_patient *patient)
	__attribute__((nonnull));

/* Begin to count what is told anew.  Returns how many problems were not told, for there were too
 * many. */
unsigned hv_patients_untold(struct hv_patients *patients) __attribute__((nonnull));

/* As in struct hv_api.  Any thread. */
char *hv_patients_problem(struct hv_patients *patients, const char *volume)
	__attribute__((nonnull, warn_unused_result));
void hv_patients_each_problem(struct hv_patients *patients, hv_problem_fn *tell, void *context)
	__attribute__((nonnull(1, 2)));
size_t hv_patients_count(struct hv_patients *patients, enum hv_health health)
	__attribute__((nonnull, warn_unused_result));

static inline bool hv_is_ill(enum hv_health health)
{
	return health >= HV_HEALTH_PROBLEM;
}

#endif

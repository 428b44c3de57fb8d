/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct mc_core. */
#ifndef MOUNTCORE_SRC_CORE_H
#define MOUNTCORE_SRC_CORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "mountcore/core.h"

enum {
	MC_WORKERS_MAX = 16,
	MC_TIMINGS_MAX = 1024,
	/* Helpers past their deadline that the kernel does not let die: for one thing, and all. */
	MC_STUCK_MAX = 2,
	MC_ABANDONED_MAX = 512,
	MC_HELPERS_MAX = 4, /* at work at once for one thing: as many get stuck on it at first */
	MC_SILENT_MAX = 16,
};

/* Hold a mutex until the end of the scope. */
static inline pthread_mutex_t *mc_lock(pthread_mutex_t *mutex)
{
	pthread_mutex_lock(mutex);
	return mutex;
}

static inline void mc_unlock(pthread_mutex_t **mutex)
{
	pthread_mutex_unlock(*mutex);
}

#define mc_auto_lock __attribute__((cleanup(mc_unlock), unused)) pthread_mutex_t *

struct mc_task;
struct mc_gate;
struct mc_reader;
struct mc_look;
struct mc_asked;
struct mc_starting;
struct mc_waiting;
struct mc_kept;

struct mc_abandoned {
	pid_t pid;
	uint64_t waits_for;
};

/* A server that let a look wait (silent.c). */
struct mc_silent {
	uint64_t waits_for;
	uint64_t until_ns; /* mc_clock_ns() */
};

struct mc_core {
	int home_ns;   /* our own mount namespace */
	int host_ns;   /* the host's */
	int host_root; /* O_PATH on the root directory of the process that stands for the host */
	int proc;      /* our procfs: /proc/self does not resolve in a container's (proc(5)) */
	uint64_t home_ino;
	uint64_t host_ino;
	uint64_t user_ino; /* of our user namespace */
	unsigned features;
	bool legacy;
	unsigned helper_timeout_ms;
	unsigned mount_timeout_ms;

	pthread_mutex_t lock; /* everything below */
	pthread_cond_t changed;
	pthread_cond_t work; /* for the workers */
	struct mc_task *first, *last;
	unsigned waiting;      /* tasks that no worker has taken */
	struct mc_gate *gates; /* containers at work */
	bool stopping;
	unsigned worker_max, worker_count, idle_workers;
	pthread_t workers[MC_WORKERS_MAX];
	struct mc_waiting *helpers;   /* at work */
	struct mc_starting *starting; /* the same, and whether they have our descriptors still */
	struct mc_kept *kept;         /* a helper that waits for a job */
	struct mc_abandoned abandoned[MC_ABANDONED_MAX];
	unsigned abandoned_count;
	struct mc_silent silent[MC_SILENT_MAX]; /* a ring */
	unsigned next_silent;
	uint64_t timings[MC_TIMINGS_MAX]; /* a ring */
	uint64_t timing_count;            /* ever taken */
	struct mc_asked *questions;       /* that wait for a look (namespaces.c) */
	bool is_looking;
	pthread_cond_t looked;

	struct mc_reader *watch; /* the host's mount table (table.c) */
	struct mc_look *look;    /* mount tables to compare sources by (source.c) */
};

#endif

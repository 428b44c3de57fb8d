/* SPDX-License-Identifier: Apache-2.0 */
/* The gate that a starter runs, and the starts that it holds. */
#ifndef DAEMON_HOLDS_H
#define DAEMON_HOLDS_H

#include <pthread.h>

#include "daemon/starter.h"
#include "start/gate.h"
#include "workers.h"

struct hv_starter {
	struct hv_starter_args args;
	struct hv_workers workers;
	pthread_t reader;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	struct hv_texts roots; /* that were learned */
	struct hv_texts seen;  /* the same as they were told */
	struct hv_gate gate;
	unsigned gates; /* how many there were; odd: there is one */
	bool is_ready;
	bool is_stopping;
	bool is_over;     /* the reader has ended */
	char reason[256]; /* why no start is held */
};

/* With the lock. */
static inline bool hv_has_gate(const struct hv_starter *self)
{
	return self->gates % 2 == 1;
}

void hv_holds_init(struct hv_starter *self);

/* When all workers have ended. */
void hv_holds_done(struct hv_starter *self);

/* Give the start in `news` to a worker.  Takes over the descriptor.  Without memory or a thread the
 * hold ends by its deadline.  The reader. */
void hv_holds_add(struct hv_starter *self, struct hv_gate_news *news);

/* Nothing is wanted in this container: have the gate forget it.  Returns false if something is
 * wanted by now, or that cannot be read: a record that was written since told the gate of the
 * container before it forgot it.  It is marked again then.  Any thread. */
bool hv_holds_forget(struct hv_starter *self, const char *id);

#endif

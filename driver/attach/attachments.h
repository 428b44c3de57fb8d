/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by all attachments. */
#ifndef ATTACH_ATTACHMENTS_H
#define ATTACH_ATTACHMENTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "attach/attach.h"
#include "store/store.h"

#include "events.h"
#include "ruleset.h"
#include "witness.h"

struct hv_attacher {
	struct mc_core *core;
	struct hv_store *store; /* of the volumes; NULL: there are no records yet */
	struct hv_engine *engine;
	struct hv_volumes *volumes;
	struct hv_keylock locks;        /* by container ID */
	struct hv_keylock keeper_locks; /* by volume name; taken with no other lock held but that
					 * of a rule's place */
	struct hv_rules rules;
	struct hv_news news;
	struct hv_witness witness;
	atomic_bool may_have_keepers; /* the Engine; true until it was asked */
	atomic_bool is_stopping;      /* the daemon ends: nobody waits any longer */
	/* The containers with attachments that the Engine told the end of last, by the first 64
	 * bits of their IDs. */
	atomic_ullong ended[HV_ENDED_MAX];
	atomic_uint ended_count;
	pthread_rwlock_t listening;                  /* shared while the listener is called */
	const struct hv_attacher_listener *listener; /* NULL: nobody is told */
};

/* Tell the end of an attachment that nobody asked for: its record was dropped. */
void hv_record_tell_end(struct hv_attacher *attacher, const struct hv_record *record);

/* Tell the listener that a rule may be to be applied. */
void hv_attacher_notify_rules(struct hv_attacher *attacher);

/* Tell the listener that a rule cannot be applied to a container, or (NULL) not be undone. */
void hv_attacher_tell_miss(
	struct hv_attacher *attacher, const char *rule, const char *container, const char *why);

/* Whether the Engine told, as far as is remembered, that the container was removed. */
bool hv_attacher_has_ended(struct hv_attacher *attacher, const char *container_id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One lock for each name that is being worked on: volumes, containers. */
#ifndef VOLUME_KEYLOCK_H
#define VOLUME_KEYLOCK_H

#include <pthread.h>
#include <stdbool.h>

struct hv_keylock_hold;

struct hv_keylock {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct hv_keylock_hold *holds; /* first come, first in the list; the last ones may wait */
};

/* A name that is held; lives on the stack of its holder. */
struct hv_keylock_hold {
	struct hv_keylock *keylock;
	const char *key; /* borrowed until it is let go */
	bool is_shared;
	struct hv_keylock_hold *next;
};

void hv_keylock_init(struct hv_keylock *keylock) __attribute__((nonnull));
void hv_keylock_done(struct hv_keylock *keylock) __attribute__((nonnull));

/* Wait until nobody holds `key`, and hold it.  In the order of the calls, and not recursive. */
void hv_keylock_take(struct hv_keylock *keylock, const char *key, struct hv_keylock_hold *hold)
	__attribute__((nonnull));

/* The same, with others that share it. */
void hv_keylock_share(struct hv_keylock *keylock, const char *key, struct hv_keylock_hold *hold)
	__attribute__((nonnull));

/* Hold `key` if nobody does or waits now; else `hold` is one that was never taken. */
void hv_keylock_try(struct hv_keylock *keylock, const char *key, struct hv_keylock_hold *hold)
	__attribute__((nonnull));

/* Let go.  A hold that was never taken (keylock NULL) is ignored. */
void hv_keylock_drop(struct hv_keylock_hold *hold) __attribute__((nonnull));

/* Hold `name` until the end of the scope. */
#define HV_HOLD(variable, keylock, name)                                                           \
	__attribute__((cleanup(hv_keylock_drop))) struct hv_keylock_hold variable = {0};           \
	hv_keylock_take((keylock), (name), &(variable))

/* The same, with others that share it. */
#define HV_SHARE(variable, keylock, name)                                                          \
	__attribute__((cleanup(hv_keylock_drop))) struct hv_keylock_hold variable = {0};           \
	hv_keylock_share((keylock), (name), &(variable))

/* The same as HV_HOLD if it is free: else `variable`.keylock is NULL. */
#define HV_HOLD_IF_FREE(variable, keylock, name)                                                   \
	__attribute__((cleanup(hv_keylock_drop))) struct hv_keylock_hold variable = {0};           \
	hv_keylock_try((keylock), (name), &(variable))

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/keylock.h"

#include <stddef.h>
#include <string.h>

void hv_keylock_init(struct hv_keylock *keylock)
{
	pthread_mutex_init(&keylock->lock, NULL);
	pthread_cond_init(&keylock->changed, NULL);
	keylock->holds = NULL;
}

void hv_keylock_done(struct hv_keylock *keylock)
{
	pthread_cond_destroy(&keylock->changed);
	pthread_mutex_destroy(&keylock->lock);
}

/* With the lock: behind all that came before. */
static void queue(struct hv_keylock *keylock, struct hv_keylock_hold *hold)
{
	struct hv_keylock_hold **last = &keylock->holds;

	while (*last)
		last = &(*last)->next;
	*last = hold;
	hold->next = NULL;
}

static void unqueue(struct hv_keylock *keylock, const struct hv_keylock_hold *hold)
{
	for (struct hv_keylock_hold **at = &keylock->holds; *at; at = &(*at)->next) {
		if (*at == hold) {
			*at = hold->next;
			break;
		}
	}
}

/* Nobody waits for a hold that came later, so a stream of shared ones keeps no other away. */
static bool is_its_turn(const struct hv_keylock *keylock, const struct hv_keylock_hold *hold)
{
	for (const struct hv_keylock_hold *other = keylock->holds; other != hold;
		other = other->next)
		if (strcmp(other->key, hold->key) == 0 && !(other->is_shared && hold->is_shared))
			return false;
	return true;
}

static void wait_for(struct hv_keylock *keylock, struct hv_keylock_hold *hold)
{
	hold->keylock = keylock;
	pthread_mutex_lock(&keylock->lock);
	queue(keylock, hold);
	while (!is_its_turn(keylock, hold))
		pthread_cond_wait(&keylock->changed, &keylock->lock);
	pthread_mutex_unlock(&keylock->lock);
}

void hv_keylock_take(struct hv_keylock *keylock, const char *key, struct hv_keylock_hold *hold)
{
	*hold = (struct hv_keylock_hold){.key = key};
	wait_for(keylock, hold);
}

void hv_keylock_share(struct hv_keylock *keylock, const char *key, struct hv_keylock_hold *hold)
{
	*hold = (struct hv_keylock_hold){.key = key, .is_shared = true};
	wait_for(keylock, hold);
}

void hv_keylock_try(struct hv_keylock *keylock, const char *key, struct hv_keylock_hold *hold)
{
	*hold = (struct hv_keylock_hold){.keylock = keylock, .key = key};
	pthread_mutex_lock(&keylock->lock);
	queue(keylock, hold);
	if (!is_its_turn(keylock, hold)) {
		unqueue(keylock, hold);
		hold->keylock = NULL;
	}
	pthread_mutex_unlock(&keylock->lock);
}

void hv_keylock_drop(struct hv_keylock_hold *hold)
{
	struct hv_keylock *keylock = hold->keylock;

	if (!keylock)
		return;
	pthread_mutex_lock(&keylock->lock);
	unqueue(keylock, hold);
	pthread_cond_broadcast(&keylock->changed);
	pthread_mutex_unlock(&keylock->lock);
	hold->keylock = NULL;
}

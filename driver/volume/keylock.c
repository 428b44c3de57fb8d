/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/keylock.h"

#include <stdbool.h>
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

static bool is_held(const struct hv_keylock *keylock, const char *key)
{
	for (const struct hv_keylock_hold *hold = keylock->holds; hold; hold = hold->next)
		if (strcmp(hold->key, key) == 0)
			return true;
	return false;
}

/* With the lock, when nobody holds `key`. */
static void hold_it(struct hv_keylock *keylock, const char *key, struct hv_keylock_hold *hold)
{
	hold->keylock = keylock;
	hold->key = key;
	hold->next = keylock->holds;
	keylock->holds = hold;
}

void hv_keylock_take(struct hv_keylock *keylock, const char *key, struct hv_keylock_hold *hold)
{
	pthread_mutex_lock(&keylock->lock);
	while (is_held(keylock, key))
		pthread_cond_wait(&keylock->changed, &keylock->lock);
	hold_it(keylock, key, hold);
	pthread_mutex_unlock(&keylock->lock);
}

void hv_keylock_try(struct hv_keylock *keylock, const char *key, struct hv_keylock_hold *hold)
{
	pthread_mutex_lock(&keylock->lock);
	hold->keylock = NULL;
	if (!is_held(keylock, key))
		hold_it(keylock, key, hold);
	pthread_mutex_unlock(&keylock->lock);
}

void hv_keylock_drop(struct hv_keylock_hold *hold)
{
	struct hv_keylock *keylock = hold->keylock;

	if (!keylock)
		return;
	pthread_mutex_lock(&keylock->lock);
	for (struct hv_keylock_hold **at = &keylock->holds; *at; at = &(*at)->next) {
		if (*at == hold) {
			*at = hold->next;
			break;
		}
	}
	pthread_cond_broadcast(&keylock->changed);
	pthread_mutex_unlock(&keylock->lock);
	hold->keylock = NULL;
}

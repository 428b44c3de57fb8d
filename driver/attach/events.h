/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that wait for events. */
#ifndef ATTACH_EVENTS_H
#define ATTACH_EVENTS_H

#include <pthread.h>
#include <stdbool.h>

struct hv_news {
	pthread_mutex_t lock; /* of all */
	pthread_cond_t changed;
	unsigned long long count; /* of events since the start, or a little more */
	bool is_over;             /* nobody waits any longer */
};

void hv_news_init(struct hv_news *news);
void hv_news_done(struct hv_news *news);

/* There was an event: wake all that wait for `context`, the struct hv_news.  For hv_store_listen().
 */
void hv_news_add(void *context);

/* Let all that wait go, now and later. */
void hv_news_end(struct hv_news *news);

#endif

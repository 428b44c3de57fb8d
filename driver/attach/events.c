/* SPDX-License-Identifier: Apache-2.0 */
/* The events of attachments, as they are asked for.  The store writes them. */
#include "events.h"

#include <limits.h>

#include "wire/clock.h"
#include "wire/lock.h"

#include "attachments.h"

enum { NS_PER_MS = 1000000, WAIT_MAX_SECONDS = 60 };

void hv_news_init(struct hv_news *news)
{
	*news = (struct hv_news){.count = 0};
	pthread_mutex_init(&news->lock, NULL);
	pthread_cond_init(&news->changed, NULL);
}

void hv_news_done(struct hv_news *news)
{
	pthread_cond_destroy(&news->changed);
	pthread_mutex_destroy(&news->lock);
}

void hv_news_add(void *context)
{
	struct hv_news *news = context;
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&news->lock);

	news->count++;
	pthread_cond_broadcast(&news->changed);
}

void hv_news_end(struct hv_news *news)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&news->lock);

	news->is_over = true;
	pthread_cond_broadcast(&news->changed);
}

static unsigned long long read_count(struct hv_news *news)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&news->lock);

	return news->count;
}

/* Wait for more than `count`, until that time.  Returns whether there are more. */
static bool wait_for_more(struct hv_news *news, unsigned long long count, long long until_ms)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&news->lock);

	while (news->count == count && !news->is_over &&
		hv_wait_until(&news->changed, lock, until_ms))
		continue;
	return news->count != count && !news->is_over;
}

static enum hv_code read_time(
	const char *name, const char *text, long long *ret_ns, struct hv_error *err)
{
	long long ms;

	if (!text || !*text)
		return HV_OK;
	if (!hv_clock_parse_ms(text, &ms) || ms < 0 || ms > LLONG_MAX / NS_PER_MS)
		return hv_fail(err, HV_BAD_REQUEST,
			"\"%s\" is not a time of RFC 3339, such as 2026-01-31T12:00:00Z", name);
	*ret_ns = ms * NS_PER_MS;
	return HV_OK;
}

static enum hv_code read_request(
	const struct hv_events_request *request, struct hv_event_filter *ret, struct hv_error *err)
{
	*ret = (struct hv_event_filter){
		.after = request->after,
		.until_ns = LLONG_MAX,
		.limit = request->limit > 0 ? request->limit : HV_EVENTS_MAX,
	};
	if (request->limit < 0 || request->limit > HV_EVENTS_MAX)
		return hv_fail(
			err, HV_BAD_REQUEST, "\"Limit\" is a number up to %d", HV_EVENTS_MAX);
	if (request->wait_seconds < 0 || request->wait_seconds > WAIT_MAX_SECONDS)
		return hv_fail(err, HV_BAD_REQUEST, "\"WaitSeconds\" is a number up to %d",
			WAIT_MAX_SECONDS);
	if (read_time("Since", request->since, &ret->since_ns, err) != HV_OK)
		return err->code;
	return read_time("Until", request->until, &ret->until_ns, err);
}

enum hv_code hv_attachments_events(struct hv_attacher *attacher,
	const struct hv_events_request *request, struct hv_events *ret, struct hv_error *err)
{
	long long until_ms = hv_clock_ms() + request->wait_seconds * 1000;
	unsigned long long count;
	struct hv_event_filter filter;

	if (read_request(request, &filter, err) != HV_OK)
		return err->code;
	if (filter.after < 0) { /* from now on */
		const struct hv_event_filter none = {.limit = 0};

		if (hv_store_event_list(attacher->store, &none, ret, err) != HV_OK)
			return err->code;
		filter.after = ret->last;
	}
	do {
		hv_events_done(ret);
		count = read_count(&attacher->news); /* before: none is missed in between */
		if (hv_store_event_list(attacher->store, &filter, ret, err) != HV_OK)
			return err->code;
	} while (ret->count == 0 && request->wait_seconds > 0 &&
		 wait_for_more(&attacher->news, count, until_ms));
	return HV_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of events: GET /events, an answer that does not end.
 *
 * libcurl's multi interface, so that the same wait serves the stream and the caller's descriptor.
 * One easy handle for each subscription, made and thrown away with it: nothing of a stream that was
 * cut is carried into the next. */
#include "engine/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wire/clock.h"

#include "about.h"
#include "client.h"

enum { ANSWER_TIMEOUT_MS = 30000, REPLAY_SECONDS = 2 };

struct hv_events {
	struct hv_engine *engine;
	hv_event_fn fn;
	void *context;
	CURLM *multi;
	CURL *easy; /* NULL: not subscribed */
	int socket_fd;
	bool is_open;
	long long deadline_ms; /* for the Engine to answer */
	struct hv_event_lines lines;
	struct hv_error err; /* why we ended it ourselves */
};

struct hv_events *hv_events_new(struct hv_engine *engine, hv_event_fn fn, void *context)
{
	struct hv_events *events = calloc(1, sizeof(*events));

	if (!events)
		return NULL;
	events->engine = engine;
	events->fn = fn;
	events->context = context;
	events->socket_fd = -1;
	events->multi = curl_multi_init();
	if (events->multi)
		return events;
	free(events);
	return NULL;
}

static void end(struct hv_events *events)
{
	if (events->easy) {
		curl_multi_remove_handle(events->multi, events->easy);
		curl_easy_cleanup(events->easy);
	}
	if (events->socket_fd >= 0)
		close(events->socket_fd);
	events->easy = NULL;
	events->socket_fd = -1;
	events->is_open = false;
	hv_engine_forget_identity(events->engine);
	hv_event_lines_done(&events->lines);
}

void hv_events_free(struct hv_events *events)
{
	if (!events)
		return;
	end(events);
	curl_multi_cleanup(events->multi);
	hv_error_done(&events->err);
	free(events);
}

bool hv_events_is_open(const struct hv_events *events)
{
	return events->is_open;
}

/* Only the end of the headers is of interest, and only those of the answer itself. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's */
static size_t take_header(char *bytes, size_t one, size_t count, void *context)
{
	struct hv_events *events = context;
	size_t size = one * count;
	long status = 0;

	if (size > 2 || bytes[0] != '\r')
		return size;
	curl_easy_getinfo(events->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status != 200) {
		hv_fail(&events->err, HV_INTERNAL,
			"the Docker Engine does not tell its events: HTTP %ld", status);
		return 0;
	}
	events->is_open = status == 200;
	return size;
}

static size_t take_body(char *bytes, size_t one, size_t count, void *context)
{
	struct hv_events *events = context;
	size_t size = one * count;

	if (hv_event_lines_feed(&events->lines, bytes, size, events->fn, events->context,
		    &events->err) != HV_OK)
		return 0;
	return size;
}

/* {"type":["container"],"event":["create","start","die","destroy","rename","died","remove"]},
 * escaped.  The last two are Podman's words for die and destroy. */
#define FILTERS                                                                                    \
	"%%7B%%22type%%22:%%5B%%22container%%22%%5D,%%22event%%22:%%5B"                            \
	"%%22create%%22,%%22start%%22,%%22die%%22,"                                                \
	"%%22destroy%%22,%%22rename%%22,%%22died%%22,%%22remove%%22%%5D%%7D"

enum hv_code hv_events_subscribe(struct hv_events *events, struct hv_error *err)
{
	char url[320];

	end(events);
	hv_error_done(&events->err);
	events->socket_fd = hv_engine_open_socket(events->engine, err);
	if (events->socket_fd < 0)
		return err->code;
	events->easy = curl_easy_init();
	if (!events->easy) {
		end(events);
		return hv_oom(err);
	}
	snprintf(url, sizeof(url), "http://docker/events?since=%lld&filters=" FILTERS,
		(long long)time(NULL) - REPLAY_SECONDS);
	hv_engine_prepare(events->easy, events->socket_fd, url);
	curl_easy_setopt(events->easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(events->easy, CURLOPT_HEADERDATA, events);
	curl_easy_setopt(events->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(events->easy, CURLOPT_WRITEDATA, events);
	events->deadline_ms = hv_clock_ms() + ANSWER_TIMEOUT_MS;
	if (curl_multi_add_handle(events->multi, events->easy) == CURLM_OK)
		return HV_OK;
	end(events);
	return hv_oom(err);
}

/* Why the stream ended: our own objection to it, or the error of libcurl. */
static enum hv_code tell_end(struct hv_events *events, CURLcode rc, struct hv_error *err)
{
	if (events->err.code != HV_OK)
		hv_fail(err, events->err.code, "%s", hv_error_text(&events->err));
	else if (rc == CURLE_OK)
		hv_fail(err, HV_INTERNAL, "the Docker Engine at %s ended its stream of events",
			events->engine->socket_path);
	else
		hv_engine_fail(events->engine, rc, err);
	end(events);
	return err->code;
}

/* Let libcurl work and see whether the stream goes on. */
static enum hv_code work(struct hv_events *events, struct hv_error *err)
{
	int running = 0, left;
	const CURLMsg *message;

	if (!events->easy)
		return HV_OK;
	curl_multi_perform(events->multi, &running);
	while ((message = curl_multi_info_read(events->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			return tell_end(events, message->data.result, err);
	if (!events->is_open && hv_clock_ms() >= events->deadline_ms)
		return tell_end(events, CURLE_OPERATION_TIMEDOUT, err);
	return HV_OK;
}

enum hv_code hv_events_wait(struct hv_events *events, int fd, int timeout_ms, struct hv_error *err)
{
	struct curl_waitfd own = {.fd = fd, .events = CURL_WAIT_POLLIN};
	bool was_open = events->is_open;
	enum hv_code code = work(events, err);

	if (code != HV_OK || events->is_open != was_open)
		return code;
	if (events->easy && !events->is_open && timeout_ms > ANSWER_TIMEOUT_MS)
		timeout_ms = ANSWER_TIMEOUT_MS;
	/* Cannot fail but for ENOMEM; then it is as if nothing had happened. */
	(void)curl_multi_poll(events->multi, &own, 1, timeout_ms, NULL);
	return work(events, err);
}

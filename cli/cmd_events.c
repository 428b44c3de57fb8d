/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wire/clock.h"
#include "wire/types.h"

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/document.h"
#include "cli/filter.h"
#include "cli/output.h"
#include "cli/template.h"
#include "cli/when.h"

enum { PAGE = 200, WAIT_MS = 10000, PAUSE_MS = 1000, SHORT_ID_DIGITS = 12 };

static const struct hv_flag flags[] = {
	HV_FLAG_LIST("filter", 'f', "KEY=VALUE",
		"Only those with this action, container, target or volume", filters),
	HV_FLAG("format", 0, "FORMAT", "Output: json, or a template: '{{.Action}} {{.Volume}}'",
		format),
	HV_FLAG("since", 0, "TIME", "Also the events from this time on", since),
	HV_FLAG("until", 0, "TIME", "End at this time", until),
	HV_FLAGS_HELP,
};

/* The events that are wanted, and how far they were shown. */
struct stream {
	const struct hv_client *daemon;
	struct hv_filters filters;
	struct hv_template template; /* its text is NULL: none was given */
	bool is_json;
	bool has_until;
	long long until_ms;             /* since 1970 */
	char since[HV_CLOCK_TEXT_SIZE]; /* "": from now on */
	char until[HV_CLOCK_TEXT_SIZE]; /* "": without end */
	long long after;                /* the number of the last one; below 0: from now on */
};

#define auto_stream HV_AUTO(stream_done)
static void stream_done(struct stream *stream)
{
	hv_filters_done(&stream->filters);
	hv_template_done(&stream->template);
}

static enum hv_code read_when(const char *flag, const char *text, long long *ret_ms,
	char ret[static HV_CLOCK_TEXT_SIZE], struct hv_error *err)
{
	if (!hv_when_parse(text, hv_clock_date_ms(), ret_ms)) {
		hv_fail(err, HV_BAD_REQUEST, "--%s takes a time, not \"%s\"", flag, text);
		return hv_hint(err,
			"write how long ago (10m, 1h30m), a date (2026-01-31T12:00:00Z) or seconds since 1970");
	}
	hv_when_format(*ret_ms, ret);
	return HV_OK;
}

static enum hv_code read_format(const char *format, struct stream *ret, struct hv_error *err)
{
	ret->is_json = format && strcmp(format, "json") == 0;
	if (!format || ret->is_json)
		return HV_OK;
	if (strcmp(format, "table") != 0 &&
		hv_template_parse(format, hv_attachment_event_fields, &ret->template, err) != HV_OK)
		return err->code;
	if (ret->template.text && !ret->template.is_table)
		return HV_OK;
	return hv_fail(err, HV_BAD_REQUEST,
		"\"events\" prints no table: --format takes json or a template");
}

static enum hv_code read_options(
	const struct hv_options *options, struct stream *ret, struct hv_error *err)
{
	long long since_ms;

	ret->after = options->since ? 0 : -1;
	ret->has_until = options->until;
	if ((options->since &&
		    read_when("since", options->since, &since_ms, ret->since, err) != HV_OK) ||
		(options->until && read_when("until", options->until, &ret->until_ms, ret->until,
					   err) != HV_OK) ||
		hv_filters_parse(&hv_filters_of_events, &options->filters, &ret->filters, err) !=
			HV_OK)
		return err->code;
	return read_format(options->format, ret, err);
}

/* As docker has it: the action, the names, and the rest in brackets. */
static void print_line(struct json_object *event)
{
	static const char *const keys[] = {
		"Time", "Action", "Volume", "ContainerName", "ContainerID", "Target", "Detail"};
	enum { TIME, ACTION, VOLUME, NAME, CONTAINER, TARGET, DETAIL, TEXTS };
	const char *texts[TEXTS];
	bool has_name;

	for (int i = 0; i < TEXTS; i++) {
		texts[i] = hv_document_text(event, keys[i]);
		texts[i] = texts[i] ? texts[i] : "";
	}
	if (!*texts[CONTAINER]) { /* of a volume alone */
		hv_line_print(stdout, "%s %s %s%s%s%s", texts[TIME], texts[ACTION], texts[VOLUME],
			*texts[DETAIL] ? " (" : "", texts[DETAIL], *texts[DETAIL] ? ")" : "");
		return;
	}
	has_name = *texts[NAME];
	hv_line_print(stdout, "%s %s %s %.*s:%s%s%s%s", texts[TIME], texts[ACTION], texts[VOLUME],
		has_name ? (int)strlen(texts[NAME]) : SHORT_ID_DIGITS,
		has_name ? texts[NAME] : texts[CONTAINER], texts[TARGET],
		*texts[DETAIL] ? " (" : "", texts[DETAIL], *texts[DETAIL] ? ")" : "");
}

static enum hv_code print(
	const struct stream *stream, struct json_object *events, struct hv_error *err)
{
	size_t count = json_object_array_length(events);

	if (stream->template.text)
		return hv_template_print(&stream->template, events, stdout) < 0 ? hv_oom(err)
										: HV_OK;
	for (size_t i = 0; i < count; i++) {
		struct json_object *event = json_object_array_get_idx(events, i);

		if (!stream->is_json)
			print_line(event);
		else if (hv_document_print_line(stdout, event) < 0)
			return hv_oom(err);
		else
			putchar('\n');
	}
	return HV_OK;
}

static enum hv_code ask(const struct stream *stream, long wait_seconds, struct json_object **ret,
	struct hv_error *err)
{
	const struct hv_events_request request = {
		.since = (char *)(uintptr_t)stream->since,
		.until = (char *)(uintptr_t)stream->until,
		.after = stream->after,
		.limit = PAGE,
		.wait_seconds = wait_seconds,
	};
	hv_auto_json struct json_object *body = hv_fields_write(hv_events_request_fields, &request);

	if (!body)
		return hv_oom(err);
	return hv_client_call(
		stream->daemon, &(struct hv_call){"/HotEvents", body, wait_seconds}, ret, err);
}

/* The number to go on after: with a whole page there are more. */
static long long go_on(struct json_object *answer, struct json_object *events, bool *ret_is_whole)
{
	size_t count = json_object_array_length(events);
	struct json_object *last = json_object_object_get(answer, "Last");

	*ret_is_whole = count >= PAGE;
	if (*ret_is_whole)
		last = json_object_object_get(json_object_array_get_idx(events, count - 1), "Seq");
	return json_object_get_int64(last);
}

/* Show one page.  `ret_is_whole`: there may be more at once. */
static enum hv_code show_page(
	struct stream *stream, long wait_seconds, bool *ret_is_whole, struct hv_error *err)
{
	hv_auto_json struct json_object *answer = NULL, *passed = NULL;
	struct json_object *events;
	enum hv_code code;

	if (ask(stream, wait_seconds, &answer, err) != HV_OK)
		return err->code;
	events = hv_document_get(answer, "Events", json_type_array);
	if (!events || !hv_document_get(answer, "Last", json_type_int))
		return hv_fail(err, HV_INTERNAL, "the hostvol daemon's answer has no events in it");
	passed = hv_filters_select(&stream->filters, events);
	code = passed ? print(stream, passed, err) : hv_oom(err);
	stream->after = go_on(answer, events, ret_is_whole);
	return code;
}

/* So long, or up to the end. */
static long long bound(const struct stream *stream, long long ms, long long now)
{
	long long left_ms = stream->until_ms - now;

	return stream->has_until && left_ms < ms ? left_ms : ms;
}

/* Show the next page, once there may be one.  The daemon waits for an event, in whole seconds; but
 * through the Engine a request is a volume in use, which would keep the plugin from being disabled.
 */
static enum hv_code show_next(
	struct stream *stream, long long now, bool *ret_is_whole, struct hv_error *err)
{
	if (hv_client_is_tunnelled(stream->daemon)) {
		long long ms = bound(stream, PAUSE_MS, now);
		const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

		nanosleep(&pause, NULL);
		return show_page(stream, 0, ret_is_whole, err);
	}
	return show_page(
		stream, (long)((bound(stream, WAIT_MS, now) + 999) / 1000), ret_is_whole, err);
}

/* Until the end that was given; else until the output ends, the daemon, or the docker command that
 * runs this one: a signal that ended docker alone would leave this behind. */
static enum hv_code follow(struct stream *stream, bool has_caller, struct hv_error *err)
{
	pid_t caller = getppid();
	bool is_over = false, is_whole = true; /* the first page is not waited for */

	while ((!is_over || is_whole) && !(has_caller && getppid() != caller)) {
		long long now = hv_clock_date_ms();
		enum hv_code code;

		is_over = stream->has_until && now >= stream->until_ms;
		if (is_over || is_whole)
			code = show_page(stream, 0, &is_whole, err);
		else
			code = show_next(stream, now, &is_whole, err);
		if (code != HV_OK)
			return code;
		if (fflush(stdout) != 0)
			break; /* hv_program_run() tells */
	}
	return HV_OK;
}

static enum hv_exit events(const struct hv_invocation *run, struct hv_error *err)
{
	auto_stream struct stream stream = {0};
	hv_auto_daemon struct hv_client daemon = {0};

	if (read_options(&run->options, &stream, err) != HV_OK)
		return err->code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	stream.daemon = &daemon;
	if (hv_client_find(&run->globals, &run->environment, &daemon, err) != HV_OK ||
		follow(&stream, run->environment.caller, err) != HV_OK)
		return HV_EXIT_FAILED;
	return HV_EXIT_DONE;
}

const struct hv_command hv_cmd_events = {
	.name = "events",
	.summary = "Show attachments as they come, go and change",
	.usage = "",
	.notes =
		"Without --until it goes on until it is interrupted. hostvol keeps the last 1000 events.\n"
		"TIME is how long ago (10m, 1h30m), a date (2026-01-31T12:00:00Z), or seconds since 1970.\n"
		"Filters with the same key: one of them fits. Filters with different keys: all of them fit.",
	.examples =
		"  docker hostvol events\n"
		"  docker hostvol events --since 1h --until 0s\n"
		"  docker hostvol events --filter action=missing --filter container=web\n"
		"  docker hostvol events --since 1h --format '{{.Time}} {{.Action}} {{.Target}}'",
	.flags = flags,
	.filters = &hv_filters_of_events,
	.run = events,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The events that changes of attachments make. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "support/hv_test.h"
#include "wire/action.h"
#include "wire/clock.h"

#include "rows.h"
#include "store_fixture.h"

#define STORE_EVENT_TEST(name) TEST_WITH(name, open_one, close_one)

static const struct hv_event_filter all = {.until_ns = LLONG_MAX, .limit = HV_EVENTS_MAX};

static struct hv_events list(const struct hv_event_filter *filter)
{
	struct hv_events events = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_store_event_list(store, filter, &events, &err), HV_OK);
	return events;
}

/* The actions after the event `after`, with blanks between, and the details in brackets. */
static void expect(long long after, const char *wanted)
{
	struct hv_event_filter filter = all;
	struct hv_events events;
	char text[1000] = "";

	filter.after = after;
	events = list(&filter);
	for (size_t i = 0; i < events.count; i++) {
		const struct hv_attachment_event *event = &events.items[i];
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s%s%s%s", i ? " " : "",
			event->action, *event->detail ? "[" : "", event->detail,
			*event->detail ? "]" : "");
	}
	assert_string_equal(text, wanted);
	hv_events_done(&events);
}

static long long newest(void)
{
	const struct hv_event_filter none = {.limit = 0};

	return list(&none).last;
}

static void note(struct hv_record *record, enum hv_attachment_state state, const char *problem)
{
	struct hv_error err = {0};

	record->view.state = state;
	free(record->view.problem);
	record->view.problem = problem ? strdup(problem) : NULL;
	if (record->problem != HV_PROBLEM_REFUSED)
		record->problem = problem ? HV_PROBLEM_FAILED : HV_PROBLEM_NONE;
	assert_int_equal(hv_store_attachment_note(store, record, &err), HV_OK);
}

static struct hv_record attach(const char *id)
{
	struct hv_record record = row_record(id, "data", "c1");
	struct hv_error err = {0};

	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_OK);
	record.is_done = true;
	assert_int_equal(hv_store_attachment_update(store, &record, &err), HV_OK);
	return record;
}

STORE_EVENT_TEST(an_attach_is_told_when_it_is_acknowledged)
{
	struct hv_record record = row_record("0123456789ab", "data", "c1");
	struct hv_error err = {0};
	struct hv_events events;
	long long ms;

	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_OK);
	expect(0, "");
	record.is_done = true;
	assert_int_equal(hv_store_attachment_update(store, &record, &err), HV_OK);
	events = list(&all);
	assert_int_equal(events.count, 1);
	assert_int_equal(events.items[0].seq, 1);
	assert_int_equal(events.last, 1);
	assert_string_equal(events.items[0].action, "attach");
	assert_string_equal(events.items[0].volume, "data");
	assert_string_equal(events.items[0].container_id, "c1");
	assert_string_equal(events.items[0].container_name, "web");
	assert_string_equal(events.items[0].target, "/mnt/data");
	assert_string_equal(events.items[0].id, "0123456789ab");
	assert_true(hv_clock_parse_ms(events.items[0].time, &ms) && ms > 1600000000000);
	assert_int_equal(strlen(events.items[0].time), strlen("2026-01-31T12:00:00.123456789Z"));
	hv_events_done(&events);
	/* A detach that begins, and one more look. */
	record.is_ending = true;
	assert_int_equal(hv_store_attachment_update(store, &record, &err), HV_OK);
	note(&record, HV_ATTACHED, NULL);
	expect(0, "attach");
	assert_int_equal(hv_store_attachment_drop(store, record.view.id, NULL, &err), HV_OK);
	assert_int_equal(hv_store_attachment_drop(store, record.view.id, NULL, &err), HV_OK);
	note(&record, HV_PENDING, NULL);
	expect(0, "attach detach");
	hv_record_done(&record);
}

STORE_EVENT_TEST(an_attach_that_failed_is_no_event)
{
	struct hv_error err = {0};

	assert_int_equal(row_put(store, "0123456789ab", "data", "c1", false), HV_OK);
	assert_int_equal(hv_store_attachment_drop(store, "0123456789ab", NULL, &err), HV_OK);
	expect(0, "");
	assert_int_equal(newest(), 0);
}

STORE_EVENT_TEST(a_start_is_pending_and_reattach)
{
	struct hv_record record = attach("0123456789ab");
	struct hv_error err = {0};

	note(&record, HV_PENDING, NULL);
	note(&record, HV_PENDING, NULL); /* with the mount that is about to be made */
	record.view.late_ms = 0;
	note(&record, HV_ATTACHED, NULL);
	expect(1, "pending reattach");
	note(&record, HV_PENDING, NULL);
	record.view.late_ms = 12;
	note(&record, HV_ATTACHED, NULL);
	note(&record, HV_ATTACHED, NULL);
	expect(3, "pending reattach late[12 ms after its program began]");
	record.is_back = true; /* it was taken out only for a moment */
	note(&record, HV_PENDING, NULL);
	note(&record, HV_ATTACHED, NULL);
	expect(6, "pending reattach");
	assert_int_equal(hv_store_attachment_drop_over(store, record.view.id, NULL, &err), HV_OK);
	expect(8, "end");
	hv_record_done(&record);
}

STORE_EVENT_TEST(the_end_of_a_lease_is_a_detach_with_its_date)
{
	struct hv_record record = attach("0123456789ab");
	struct hv_error err = {0};

	record.view.until = strdup("2026-01-31T12:00:00Z");
	assert_int_equal(hv_store_attachment_update(store, &record, &err), HV_OK);
	expect(1, "");
	assert_int_equal(hv_store_attachment_drop_expired(store, &record.view, NULL, &err), HV_OK);
	assert_int_equal(hv_store_attachment_drop_expired(store, &record.view, NULL, &err), HV_OK);
	expect(1, "detach[its lease ended at 2026-01-31T12:00:00Z]");
	assert_int_equal(row_count_records(store, record.view.id, NULL, NULL), 0);
	hv_record_done(&record);
}

STORE_EVENT_TEST(a_volume_that_goes_with_its_last_attachment_is_told_by_its_name)
{
	static char name[] = "/srv/lent", kind[] = "host", date[] = "2024-01-01T00:00:00.000Z";
	const struct hv_volume volume = {
		.name = name, .kind = kind, .source = name, .created_at = date};
	struct hv_record record = row_record("0123456789ab", name, "c1");
	struct hv_error err = {0};
	struct hv_events events;

	assert_int_equal(hv_store_volume_add(store, &volume, &err), HV_OK);
	record.is_done = true;
	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_OK);
	assert_int_equal(hv_store_attachment_drop(store, record.view.id, NULL, &err), HV_OK);
	assert_false(row_has_volume(store, name));
	expect(0, "attach detach");
	events = list(&all);
	for (size_t i = 0; i < events.count; i++)
		assert_string_equal(events.items[i].volume, name);
	hv_events_done(&events);
	hv_record_done(&record);
}

STORE_EVENT_TEST(an_attach_to_a_stopped_container_is_pending_too)
{
	struct hv_record record = row_record("0123456789ab", "data", "c1");
	struct hv_error err = {0};

	record.is_done = true;
	record.view.state = HV_PENDING;
	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_OK);
	note(&record, HV_ATTACHED, NULL);
	expect(0, "attach pending reattach");
	hv_record_done(&record);
}

STORE_EVENT_TEST(a_reason_is_told_once)
{
	struct hv_record record = attach("0123456789ab");

	for (int i = 0; i < 3; i++) {
		note(&record, HV_PENDING, NULL); /* tried */
		note(&record, HV_PENDING, "no such directory");
	}
	note(&record, HV_PENDING, "the server does not answer");
	expect(1, "pending pending[no such directory] pending[the server does not answer]");
	note(&record, HV_ATTACHED, NULL);
	expect(4, "reattach");
	hv_record_done(&record);
}

STORE_EVENT_TEST(a_change_inside_the_container_is_told)
{
	struct hv_record record = attach("0123456789ab");

	note(&record, HV_COVERED, "by a tmpfs");
	note(&record, HV_COVERED, "by a tmpfs");
	note(&record, HV_ATTACHED, NULL);
	note(&record, HV_ATTACHED, "its directory was renamed");
	note(&record, HV_MISSING, "it was unmounted");
	note(&record, HV_MISSING, "it was unmounted");
	expect(1, "covered[by a tmpfs] uncovered missing[it was unmounted]");
	hv_record_done(&record);
}

STORE_EVENT_TEST(a_start_that_is_refused_is_told_once_for_each)
{
	struct hv_record record = attach("0123456789ab");

	note(&record, HV_PENDING, "no such directory");
	record.problem = HV_PROBLEM_REFUSED;
	record.refusal = HV_REFUSAL_NEW;
	note(&record, HV_PENDING, "the start was refused");
	record.refusal = HV_REFUSAL_AWAITED;
	note(&record, HV_PENDING, "the start was refused; it is started again");
	record.refusal = HV_REFUSAL_NONE;
	note(&record, HV_PENDING, "the start was refused");
	expect(1, "pending[no such directory] refused[the start was refused]");
	record.problem = HV_PROBLEM_NONE;
	note(&record, HV_PENDING, "no such directory");
	record.problem = HV_PROBLEM_REFUSED;
	record.refusal = HV_REFUSAL_NEW;
	note(&record, HV_PENDING, "the start was refused");
	expect(3, "pending[no such directory] refused[the start was refused]");
	hv_record_done(&record);
}

STORE_EVENT_TEST(a_replaced_attachment_is_detached)
{
	struct hv_record old = attach("0123456789ab");
	struct hv_record record = row_record("1123456789ab", "other", "c1");
	struct hv_error err = {0};

	record.replaces = strdup("0123456789ab 2123456789ab");
	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_OK);
	record.is_done = true;
	assert_int_equal(hv_store_attachment_update(store, &record, &err), HV_OK);
	expect(1, "detach[another attachment has taken its place] attach");
	hv_record_done(&old);
	hv_record_done(&record);
}

static unsigned told;

static void on_event(void *context)
{
	assert_ptr_equal(context, &told);
	told++;
	assert_true(newest() > 0); /* the store may be called */
}

STORE_EVENT_TEST(the_listener_is_told_of_each_change)
{
	struct hv_record record;

	told = 0;
	hv_store_listen(store, on_event, &told);
	record = attach("0123456789ab");
	assert_int_equal(told, 1);
	note(&record, HV_ATTACHED, NULL);
	assert_int_equal(told, 1);
	note(&record, HV_MISSING, "it was unmounted");
	assert_int_equal(told, 2);
	hv_store_listen(store, NULL, NULL);
	hv_record_done(&record);
}

STORE_EVENT_TEST(the_last_thousand_survive)
{
	struct hv_record record = attach("0123456789ab");
	struct hv_event_filter filter = all;
	struct hv_events events;

	for (int i = 0; i < 600; i++) {
		note(&record, HV_PENDING, NULL);
		note(&record, HV_ATTACHED, NULL);
	}
	hv_store_close(store);
	store = row_store(dir);
	events = list(&all);
	assert_int_equal(events.count, HV_EVENTS_MAX);
	assert_int_equal(events.last, 1201);
	assert_int_equal(events.items[0].seq, 202);
	hv_events_done(&events);
	filter.limit = 3;
	filter.after = 500;
	events = list(&filter);
	assert_int_equal(events.count, 3);
	assert_int_equal(events.items[2].seq, 503);
	assert_int_equal(events.last, 1201);
	hv_events_done(&events);
	note(&record, HV_MISSING, NULL);
	expect(1201, "missing");
	hv_record_done(&record);
}

STORE_EVENT_TEST(a_container_that_mounts_all_the_time_pushes_nothing_out)
{
	struct hv_record other = attach("0123456789ab"), record;
	struct hv_events events;

	for (int i = 0; i < 400; i++) {
		note(&other, HV_PENDING, NULL);
		note(&other, HV_ATTACHED, NULL);
	}
	record = attach("1123456789ab");
	for (int i = 0; i < 600; i++) {
		note(&record, HV_COVERED, "by a tmpfs");
		note(&record, HV_ATTACHED, NULL);
	}
	events = list(&all);
	assert_int_equal(events.count, 802 + 8);
	assert_int_equal(events.items[0].seq, 1);
	assert_int_equal(events.last, 2002);
	hv_events_done(&events);
	expect(2000, "covered[by a tmpfs] uncovered");
	for (int i = 0; i < 200; i++) {
		note(&other, HV_PENDING, NULL);
		note(&other, HV_ATTACHED, NULL);
	}
	events = list(&all);
	assert_int_equal(events.count, HV_EVENTS_MAX);
	assert_int_equal(events.last, 2402);
	hv_events_done(&events);
	hv_record_done(&other);
	hv_record_done(&record);
}

STORE_EVENT_TEST(events_are_found_by_their_time)
{
	struct hv_record record = attach("0123456789ab");
	struct hv_event_filter filter = all;
	struct hv_events events = list(&all);
	long long ms;

	assert_true(hv_clock_parse_ms(events.items[0].time, &ms));
	hv_events_done(&events);
	filter.since_ns = (ms - 1000) * 1000000;
	filter.until_ns = (ms + 1000) * 1000000;
	events = list(&filter);
	assert_int_equal(events.count, 1);
	hv_events_done(&events);
	filter.since_ns = (ms + 1000) * 1000000;
	filter.until_ns = LLONG_MAX;
	assert_int_equal(list(&filter).count, 0);
	filter.since_ns = 0;
	filter.until_ns = (ms - 1000) * 1000000;
	assert_int_equal(list(&filter).count, 0);
	hv_record_done(&record);
}

STORE_EVENT_TEST(each_action_has_one_word)
{
	for (int i = 0; i < HV_ACTION_COUNT; i++)
		assert_int_equal(hv_action_parse(hv_action_name((enum hv_action)i)), i);
	assert_int_equal(hv_action_parse(""), HV_ACTION_COUNT);
	assert_int_equal(hv_action_parse("Attach"), HV_ACTION_COUNT);
	assert_string_equal(hv_action_name(HV_ACTION_COUNT), "");
}

TEST_MAIN()

/* SPDX-License-Identifier: Apache-2.0 */
/* An event is a difference between the record before and after a change.  An attachment that cannot
 * be made is tried again and again, and noted each time: the last event tells whether that is news.
 */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wire/clock.h"

#include "db.h"
#include "row.h"

enum {
	NS_PER_SECOND = 1000000000,
	FICKLE_MAX = 8, /* of one attachment, see is_fickle() */
};

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (long long)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

enum hv_code hv_event_known(
	struct hv_store *store, const char *id, struct hv_known *ret, struct hv_error *err)
{
	sqlite3_stmt *statement =
		hv_sql_get(store, HV_SQL_EVENT_STATE, HV_VALUES(HV_TEXT(id)), err);
	int rc = hv_sql_step(store, statement, err);

	*ret = (struct hv_known){.is_there = rc == SQLITE_ROW};
	if (rc == SQLITE_ROW) {
		const char *state = (const char *)sqlite3_column_text(statement, 0);

		ret->state = hv_attachment_state_parse(state ? state : "");
	}
	sqlite3_reset(statement);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? HV_OK : err->code;
}

/* A container can have such ones made without end, and would push out those of all others. */
static bool is_fickle(enum hv_action action)
{
	return action == HV_ACTION_MISSING || action == HV_ACTION_COVERED ||
	       action == HV_ACTION_UNCOVERED;
}

enum hv_code hv_event_add(struct hv_store *store, const char *id, enum hv_action action,
	const char *detail, struct hv_error *err)
{
	const struct hv_sql_value values[] = {HV_TEXT(id), HV_NUMBER(now_ns()),
		HV_TEXT(hv_action_name(action)), HV_TEXT(detail), {0}};

	if (hv_sql_run(store, HV_SQL_EVENT_ADD, values, err) != HV_OK)
		return err->code;
	if (sqlite3_changes(store->db) == 0)
		return HV_OK;
	store->has_event = true;
	if (is_fickle(action) &&
		hv_sql_run(store, HV_SQL_EVENT_THIN, HV_VALUES(HV_TEXT(id), HV_NUMBER(FICKLE_MAX)),
			err) != HV_OK)
		return err->code;
	return hv_sql_run(store, HV_SQL_EVENT_TRIM, HV_VALUES(HV_NUMBER(HV_EVENTS_MAX)), err);
}

struct volume_event {
	const char *volume;
	enum hv_action action;
	const char *detail;
};

static enum hv_code add_volume_event(
	struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct volume_event *event = context;
	const struct hv_sql_value values[] = {HV_TEXT(event->volume), HV_NUMBER(now_ns()),
		HV_TEXT(hv_action_name(event->action)), HV_TEXT(event->detail), {0}};

	if (hv_sql_run(store, HV_SQL_EVENT_ADD_VOLUME, values, err) != HV_OK)
		return err->code;
	store->has_event = true;
	return hv_sql_run(store, HV_SQL_EVENT_TRIM, HV_VALUES(HV_NUMBER(HV_EVENTS_MAX)), err);
}

enum hv_code hv_store_event_add_volume(struct hv_store *store, const char *volume,
	enum hv_action action, const char *detail, struct hv_error *err)
{
	const struct volume_event event = {volume, action, detail};

	/* Not synced: it is told again after a power cut. */
	return hv_sql_transaction(store, false, add_volume_event, &event, err);
}

enum hv_code hv_event_merge(
	struct hv_store *store, const char *id, enum hv_action action, struct hv_error *err)
{
	return hv_sql_run(store, HV_SQL_EVENT_MERGE,
		HV_VALUES(HV_TEXT(id), HV_TEXT(hv_action_name(action))), err);
}

static bool is_same_event(
	sqlite3_stmt *statement, enum hv_action action, const struct hv_record *record)
{
	const char *last = (const char *)sqlite3_column_text(statement, 0);
	const char *detail = (const char *)sqlite3_column_text(statement, 1);

	/* The problem of a start that was refused goes on changing: whether it is tried again. */
	if (last && record->problem == HV_PROBLEM_REFUSED && action == HV_ACTION_PENDING &&
		strcmp(last, hv_action_name(HV_ACTION_REFUSED)) == 0)
		return true;
	return last && strcmp(last, hv_action_name(action)) == 0 &&
	       (!record->view.problem || (detail && strcmp(detail, record->view.problem) == 0));
}

/* Whether the last event of the attachment has told that already. */
static enum hv_code is_told(struct hv_store *store, const struct hv_record *record,
	enum hv_action action, bool *ret, struct hv_error *err)
{
	sqlite3_stmt *statement =
		hv_sql_get(store, HV_SQL_EVENT_LAST, HV_VALUES(HV_TEXT(record->view.id)), err);
	int rc = hv_sql_step(store, statement, err);

	*ret = rc == SQLITE_ROW && is_same_event(statement, action, record);
	sqlite3_reset(statement);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? HV_OK : err->code;
}

static enum hv_action action_of(const struct hv_record *record)
{
	if (record->view.state == HV_MISSING)
		return HV_ACTION_MISSING;
	if (record->view.state == HV_COVERED)
		return HV_ACTION_COVERED;
	return record->refusal == HV_REFUSAL_NEW ? HV_ACTION_REFUSED : HV_ACTION_PENDING;
}

static enum hv_code note_away(
	struct hv_store *store, const struct hv_record *record, struct hv_error *err)
{
	const char *problem = record->view.problem ? record->view.problem : "";
	enum hv_action action = action_of(record);
	bool told = false;

	if (is_told(store, record, action, &told, err) != HV_OK)
		return err->code;
	return told ? HV_OK : hv_event_add(store, record->view.id, action, problem, err);
}

static enum hv_code note_reattach(
	struct hv_store *store, const struct hv_record *record, struct hv_error *err)
{
	const char *id = record->view.id;
	char late[64];

	if (hv_event_add(store, id, HV_ACTION_REATTACH, "", err) != HV_OK)
		return err->code;
	if (record->is_back || record->view.late_ms <= 0) /* its lateness is of before */
		return HV_OK;
	snprintf(late, sizeof(late), "%lld ms after its program began", record->view.late_ms);
	return hv_event_add(store, id, HV_ACTION_LATE, late, err);
}

enum hv_code hv_event_note(struct hv_store *store, const struct hv_record *record,
	const struct hv_known *known, struct hv_error *err)
{
	const char *id = record->view.id;

	if (!record->is_done)
		return HV_OK;
	if (!known->is_there && hv_event_add(store, id, HV_ACTION_ATTACH, "", err) != HV_OK)
		return err->code;
	if (record->view.state != HV_ATTACHED)
		return note_away(store, record, err);
	if (!known->is_there || known->state == HV_ATTACHED)
		return HV_OK;
	return known->state == HV_PENDING ? note_reattach(store, record, err)
					  : hv_event_add(store, id, HV_ACTION_UNCOVERED, "", err);
}

static enum hv_code read_event(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	struct hv_attachment_event *ret = context;
	char **texts[] = {&ret->action, &ret->volume, &ret->container_id, &ret->container_name,
		&ret->target, &ret->id, &ret->detail};
	long long ns;
	int at = 0;
	bool ok = true;

	if (hv_sql_check_null(statement, "event", 0, err) != HV_OK)
		return err->code;
	ret->seq = sqlite3_column_int64(statement, at++);
	ns = sqlite3_column_int64(statement, at++);
	ret->time = hv_clock_format_part(ns / NS_PER_SECOND, 9, ns % NS_PER_SECOND);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = hv_sql_column(statement, at++, &ok);
	return ok && ret->time ? HV_OK : hv_oom(err);
}

enum hv_code hv_store_event_list(struct hv_store *store, const struct hv_event_filter *filter,
	struct hv_events *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	struct hv_sql_array array = {sizeof(*ret->items), read_event, NULL, 0, NULL, NULL};
	const struct hv_sql_value values[] = {HV_NUMBER(filter->after), HV_NUMBER(filter->since_ns),
		HV_NUMBER(filter->until_ns), HV_NUMBER(filter->limit), {0}};
	sqlite3_stmt *newest = hv_sql_get(held, HV_SQL_EVENT_NEWEST, NULL, err);
	enum hv_code code;

	*ret = (struct hv_events){0};
	if (hv_sql_row(held, newest, err) != HV_OK)
		return err->code;
	ret->last = sqlite3_column_int64(newest, 0);
	sqlite3_reset(newest);
	code = hv_sql_append(held, HV_SQL_EVENT_LIST, values, &array, err);
	ret->items = array.items;
	ret->count = array.count;
	return code;
}

void hv_store_listen(struct hv_store *store, void (*on_event)(void *context), void *context)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	held->on_event = on_event;
	held->context = context;
}

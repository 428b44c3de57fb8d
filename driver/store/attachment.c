/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"
#include "wire/clock.h"
#include "wire/text.h"

#include "damage.h"
#include "db.h"
#include "event.h"
#include "row.h"

/* The bits of the column flags. */
static const struct {
	size_t member;
	int bit;
} flags[] = {
	{offsetof(struct hv_record, view.read_only), 1},
	{offsetof(struct hv_record, view.no_suid), 2},
	{offsetof(struct hv_record, view.no_dev), 4},
	{offsetof(struct hv_record, view.no_exec), 8},
	{offsetof(struct hv_record, view.persist), 16},
	{offsetof(struct hv_record, view.is_mapped), 32},
	{offsetof(struct hv_record, may_map), 64},
	{offsetof(struct hv_record, from_volume_option), 128},
	{offsetof(struct hv_record, mkdir), 256},
	{offsetof(struct hv_record, is_suid_explicit), 512},
	{offsetof(struct hv_record, is_ending), 1024},
	{offsetof(struct hv_record, is_ending_volume), 2048},
	{offsetof(struct hv_record, must_map), 65536},
	{offsetof(struct hv_record, view.required), 131072},
	{offsetof(struct hv_record, view.follow), 1048576}, /* sql.c has it too */
	{offsetof(struct hv_record, view.is_slave), 2097152},
};

enum {
	FLAG_COUNT = sizeof(flags) / sizeof(flags[0]),
	FLAG_REPLACE = 4096,   /* times an enum hv_replace: two bits */
	FLAG_REFUSAL = 262144, /* times an enum hv_refusal: two bits */
};

/* The columns that may be NULL: subpath, replaces, started_at, problem, engine, as_ids, until,
 * rule, former; and the driver. */
static const unsigned nullable = 1U << 3 | 1U << 10 | 1U << 11 | 1U << 13 | 1U << 14 | 1U << 26 |
				 1U << 27 | 1U << 29 | 1U << 30 | 1U << 31;

static int pack_flags(const struct hv_record *record)
{
	int packed = (int)record->replace * FLAG_REPLACE + (int)record->refusal * FLAG_REFUSAL;

	for (size_t i = 0; i < FLAG_COUNT; i++)
		if (*(const bool *)((const char *)record + flags[i].member))
			packed |= flags[i].bit;
	return packed;
}

static void unpack_flags(struct hv_record *record, int packed)
{
	record->replace = (enum hv_replace)((packed & 3 * FLAG_REPLACE) / FLAG_REPLACE);
	record->refusal = (enum hv_refusal)((packed & 3 * FLAG_REFUSAL) / FLAG_REFUSAL);
	for (size_t i = 0; i < FLAG_COUNT; i++)
		*(bool *)((char *)record + flags[i].member) = packed & flags[i].bit;
}

enum { FORMER_MAPPED = 1, FORMER_NO_SUID = 2 };

/* "MOUNT MOUNTINFO DEVICE INODE FLAGS SOURCE"; NULL also for none. */
static char *write_former(const struct hv_former *former)
{
	if (!former->mountinfo_id)
		return NULL;
	return hv_text_format("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %s",
		former->mount_id, former->mountinfo_id, former->root_dev, former->root_ino,
		FORMER_MAPPED * former->is_mapped | FORMER_NO_SUID * former->no_suid,
		former->source);
}

/* Returns false for a text that makes no sense, or without memory. */
static bool read_former(const char *text, struct hv_former *ret)
{
	uint64_t bits = 0;
	uint64_t *const numbers[] = {
		&ret->mount_id, &ret->mountinfo_id, &ret->root_dev, &ret->root_ino, &bits};
	char *end;

	if (!text)
		return true;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		*numbers[i] = strtoull(text, &end, 10);
		if (end == text || *end != ' ')
			return false;
		text = end + 1;
	}
	ret->is_mapped = bits & FORMER_MAPPED;
	ret->no_suid = bits & FORMER_NO_SUID;
	ret->source = strdup(text);
	return ret->source && ret->mountinfo_id;
}

static enum hv_code put(struct hv_store *store, enum hv_sql sql, const struct hv_record *record,
	struct hv_error *err)
{
	hv_auto_free char *former = write_former(&record->former);
	const struct hv_attachment *view = &record->view;
	const struct hv_sql_value values[] = {HV_TEXT(view->id), HV_TEXT(view->volume),
		HV_TEXT(view->source), HV_TEXT(view->subpath), HV_TEXT(view->container_id),
		HV_TEXT(view->container_name), HV_TEXT(view->target), HV_TEXT(view->since),
		HV_TEXT(record->path), HV_TEXT(record->made), HV_TEXT(record->replaces),
		HV_TEXT(record->started_at), HV_TEXT(hv_attachment_state_name(view->state)),
		HV_TEXT(view->problem), HV_TEXT(record->engine), HV_NUMBER(pack_flags(record)),
		HV_NUMBER(record->is_done), HV_NUMBER(record->pid), HV_NUMBER(record->ns_ino),
		HV_NUMBER(record->mount_id), HV_NUMBER(record->mountinfo_id),
		HV_NUMBER(record->root_dev), HV_NUMBER(record->root_ino), HV_NUMBER(view->late_ms),
		HV_NUMBER(record->problem),
		/* A note lacks the first two of these, and the rule. */
		HV_TEXT(record->leftovers ? record->leftovers : ""), HV_TEXT(view->as),
		HV_TEXT(view->until), HV_NUMBER(view->until ? view->grace_seconds : 0),
		HV_TEXT(view->rule), HV_TEXT(former), {0}};

	if (record->former.mountinfo_id && !former)
		return hv_oom(err);
	return hv_sql_run(store, sql, values, err);
}

static enum hv_code run_one(
	struct hv_store *store, enum hv_sql sql, const char *text, struct hv_error *err)
{
	return hv_sql_run(store, sql, HV_VALUES(HV_TEXT(text)), err);
}

bool hv_record_next_replaced(const char **at, char ret[static HV_RECORD_ID_SIZE])
{
	size_t length;

	*at += strspn(*at, " ");
	length = strcspn(*at, " ");
	if (length == 0)
		return false;
	snprintf(ret, HV_RECORD_ID_SIZE, "%.*s", (int)length, *at);
	*at += length;
	return true;
}

bool hv_record_replaces(const struct hv_record *record, const char *id)
{
	const char *at = record->replaces ? record->replaces : "";
	char replaced[HV_RECORD_ID_SIZE];

	while (hv_record_next_replaced(&at, replaced))
		if (strcmp(replaced, id) == 0)
			return true;
	return false;
}

/* Delete an attachment with that event, and with it a volume that exists for its attachments only,
 * if it was the last: a row of no data of hostvol's. */
static enum hv_code drop_one(struct hv_store *store, const char *id, enum hv_action action,
	const char *detail, struct hv_error *err)
{
	if (hv_event_add(store, id, action, detail, err) != HV_OK ||
		run_one(store, HV_SQL_OPT_RETURN, id, err) != HV_OK ||
		run_one(store, HV_SQL_VOLUME_RETURN, id, err) != HV_OK)
		return err->code;
	return run_one(store, HV_SQL_ATTACHMENT_DROP, id, err);
}

static const char replaced[] = "another attachment has taken its place";

/* The changes that come with a finished attachment. */
static enum hv_code finish(
	struct hv_store *store, const struct hv_record *record, struct hv_error *err)
{
	const char *at = record->replaces ? record->replaces : "";
	char id[HV_RECORD_ID_SIZE];

	if (!record->is_done)
		return HV_OK;
	while (hv_record_next_replaced(&at, id))
		if (drop_one(store, id, HV_ACTION_DETACH, replaced, err) != HV_OK)
			return err->code;
	return hv_sql_run(store, HV_SQL_VOLUME_ATTACHED,
		HV_VALUES(HV_TEXT(record->view.volume), HV_NUMBER(record->from_volume_option)),
		err);
}

/* A borrowed volume may have gone with its last attachment just now. */
static enum hv_code check_volume(
	struct hv_store *store, const struct hv_record *record, struct hv_error *err)
{
	const char *name = record->view.volume;
	sqlite3_stmt *statement;

	if (!record->is_borrowed)
		return HV_OK;
	statement = hv_sql_get(store, HV_SQL_VOLUME_HAS, HV_VALUES(HV_TEXT(name)), err);
	if (hv_sql_row(store, statement, err) != HV_OK)
		return err->code;
	if (sqlite3_column_int(statement, 0) > 0)
		return HV_OK;
	return hv_fail(err, HV_NO_SUCH_VOLUME, "%.255s was detached elsewhere meanwhile", name);
}

static enum hv_code put_and_finish(
	struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_record *record = context;
	struct hv_known known;

	if (check_volume(store, record, err) != HV_OK ||
		hv_event_known(store, record->view.id, &known, err) != HV_OK ||
		put(store, HV_SQL_ATTACHMENT_PUT, record, err) != HV_OK ||
		finish(store, record, err) != HV_OK)
		return err->code;
	return hv_event_note(store, record, &known, err);
}

enum hv_code hv_store_attachment_put(
	struct hv_store *store, const struct hv_record *record, struct hv_error *err)
{
	return hv_sql_transaction(store, true, put_and_finish, record, err);
}

static enum hv_code update_and_finish(
	struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_record *record = context;
	struct hv_known known;

	if (hv_event_known(store, record->view.id, &known, err) != HV_OK ||
		put(store, HV_SQL_ATTACHMENT_NOTE, record, err) != HV_OK)
		return err->code;
	if (sqlite3_changes(store->db) == 0)
		return hv_fail(err, HV_NO_SUCH_ATTACHMENT,
			"the attachment of volume '%s' at %s in container '%s' was ended meanwhile",
			record->view.volume, record->view.target, record->view.container_name);
	if (finish(store, record, err) != HV_OK)
		return err->code;
	return hv_event_note(store, record, &known, err);
}

enum hv_code hv_store_attachment_update(
	struct hv_store *store, const struct hv_record *record, struct hv_error *err)
{
	return hv_sql_transaction(store, true, update_and_finish, record, err);
}

static enum hv_code note(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_record *record = context;
	struct hv_known known;

	if (hv_event_known(store, record->view.id, &known, err) != HV_OK ||
		put(store, HV_SQL_ATTACHMENT_NOTE, record, err) != HV_OK)
		return err->code;
	return hv_event_note(store, record, &known, err);
}

enum hv_code hv_store_attachment_note(
	struct hv_store *store, const struct hv_record *record, struct hv_error *err)
{
	/* Not synced: the noted mount ends when the machine goes down. */
	return hv_sql_transaction(store, false, note, record, err);
}

static enum hv_code note_followed(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_record *record = context;
	const struct hv_attachment *view = &record->view;

	if (note(store, context, err) != HV_OK ||
		hv_event_add(store, view->id, HV_ACTION_FOLLOW, view->source, err) != HV_OK ||
		hv_event_merge(store, view->id, HV_ACTION_FOLLOW, err) != HV_OK)
		return err->code;
	return hv_sql_run(store, HV_SQL_VOLUME_FOLLOW,
		HV_VALUES(HV_TEXT(view->volume), HV_TEXT(view->source)), err);
}

enum hv_code hv_store_attachment_followed(
	struct hv_store *store, const struct hv_record *record, struct hv_error *err)
{
	return hv_sql_transaction(store, false, note_followed, record, err);
}

enum hv_code hv_store_attachment_leave(
	struct hv_store *store, const struct hv_heir *heir, struct hv_error *err)
{
	return hv_sql_write(store, false, HV_SQL_ATTACHMENT_LEAVE,
		HV_VALUES(HV_TEXT(heir->id), HV_TEXT(heir->leftovers)), err);
}

struct drop {
	const char *id;
	const char *volume; /* to retire with it, or NULL */
	const struct hv_heir *heir;
	enum hv_action action; /* the event */
	const char *detail;
};

static enum hv_code drop(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct drop *self = context;
	const struct hv_heir *heir = self->heir;

	if (heir && hv_sql_run(store, HV_SQL_ATTACHMENT_LEAVE,
			    HV_VALUES(HV_TEXT(heir->id), HV_TEXT(heir->leftovers)), err) != HV_OK)
		return err->code;
	if (drop_one(store, self->id, self->action, self->detail, err) != HV_OK)
		return err->code;
	return self->volume ? run_one(store, HV_SQL_VOLUME_RETIRE, self->volume, err) : HV_OK;
}

enum hv_code hv_store_attachment_drop(
	struct hv_store *store, const char *id, const struct hv_heir *heir, struct hv_error *err)
{
	const struct drop self = {id, NULL, heir, HV_ACTION_DETACH, ""};

	return hv_sql_transaction(store, true, drop, &self, err);
}

enum hv_code hv_store_attachment_drop_over(
	struct hv_store *store, const char *id, const struct hv_heir *heir, struct hv_error *err)
{
	const struct drop self = {id, NULL, heir, HV_ACTION_END, ""};

	return hv_sql_transaction(store, true, drop, &self, err);
}

enum hv_code hv_store_attachment_drop_expired(struct hv_store *store,
	const struct hv_attachment *view, const struct hv_heir *heir, struct hv_error *err)
{
	hv_auto_free char *detail = hv_text_format("its lease ended at %s", view->until);
	const struct drop self = {view->id, NULL, heir, HV_ACTION_DETACH, detail};

	if (!detail)
		return hv_oom(err);
	return hv_sql_transaction(store, true, drop, &self, err);
}

enum hv_code hv_store_attachment_drop_with_volume(struct hv_store *store, const char *id,
	const char *volume, const struct hv_heir *heir, struct hv_error *err)
{
	const struct drop self = {id, volume, heir, HV_ACTION_DETACH, ""};

	return hv_sql_transaction(store, true, drop, &self, err);
}

static enum hv_code boot(struct hv_store *store, const void *id, struct hv_error *err)
{
	sqlite3_stmt *statement = hv_sql_get(store, HV_SQL_BOOT_HAS, HV_VALUES(HV_TEXT(id)), err);
	bool is_known, is_same;

	if (hv_sql_row(store, statement, err) != HV_OK)
		return err->code;
	is_known = sqlite3_column_int(statement, 0) > 0; /* not to the versions before */
	is_same = sqlite3_column_int(statement, 1) > 0;
	if (is_same)
		return HV_OK;
	if (hv_sql_run(store, HV_SQL_BOOT_FORGET, NULL, err) != HV_OK ||
		run_one(store, HV_SQL_BOOT_SET, id, err) != HV_OK)
		return err->code;
	return is_known ? hv_sql_run(store, HV_SQL_BOOT_UNMOUNT, NULL, err) : HV_OK;
}

enum hv_code hv_store_attachment_boot(
	struct hv_store *store, const char *boot_id, struct hv_error *err)
{
	return hv_sql_transaction(store, true, boot, boot_id, err);
}

/* Two columns, from `at` on. */
static enum hv_code read_lease(
	sqlite3_stmt *statement, int at, struct hv_attachment *view, struct hv_error *err)
{
	long long end_ms;
	bool ok = true;

	view->until = hv_sql_column(statement, at, &ok);
	if (!ok)
		return hv_oom(err);
	if (view->until && !hv_clock_parse_ms(view->until, &end_ms))
		return hv_sql_refuse(statement, "attachment", "until", err);
	if (!hv_sql_is_enum(statement, at + 1, HV_LEASE_MAX_SECONDS))
		return hv_sql_refuse(statement, "attachment", "grace", err);
	view->grace_seconds =
		view->until ? sqlite3_column_int64(statement, at + 1) : HV_GRACE_UNSAID;
	return HV_OK;
}

static enum hv_code read_record(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	struct hv_record *ret = context;
	struct hv_attachment *view = &ret->view;
	hv_auto_free char *state = NULL;
	char **texts[] = {&view->id, &view->volume, &view->source, &view->subpath,
		&view->container_id, &view->container_name, &view->target, &view->since, &ret->path,
		&ret->made, &ret->replaces, &ret->started_at, &state, &view->problem, &ret->engine};
	int at = 0;
	bool ok = true;

	if (hv_sql_check_null(statement, "attachment", nullable, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = hv_sql_column(statement, at++, &ok);
	if (!ok || !state)
		return hv_oom(err);
	view->state = hv_attachment_state_parse(state);
	if (strcmp(hv_attachment_state_name(view->state), state) != 0)
		return hv_sql_refuse(statement, "attachment", "state", err);
	unpack_flags(ret, sqlite3_column_int(statement, at++));
	if (ret->replace > HV_REPLACE_LAST)
		return hv_sql_refuse(statement, "attachment", "flags (replace)", err);
	if (ret->refusal > HV_REFUSAL_LAST)
		return hv_sql_refuse(statement, "attachment", "flags (refusal)", err);
	ret->is_done = sqlite3_column_int(statement, at++);
	ret->pid = sqlite3_column_int64(statement, at++);
	ret->ns_ino = (uint64_t)sqlite3_column_int64(statement, at++);
	ret->mount_id = (uint64_t)sqlite3_column_int64(statement, at++);
	ret->mountinfo_id = (uint64_t)sqlite3_column_int64(statement, at++);
	ret->root_dev = (uint64_t)sqlite3_column_int64(statement, at++);
	ret->root_ino = (uint64_t)sqlite3_column_int64(statement, at++);
	view->late_ms = sqlite3_column_int64(statement, at++);
	if (!hv_sql_is_enum(statement, at, HV_PROBLEM_LAST))
		return hv_sql_refuse(statement, "attachment", "problem_kind", err);
	ret->problem = (enum hv_problem)sqlite3_column_int(statement, at++);
	ret->leftovers = hv_sql_column(statement, at++, &ok);
	view->as = hv_sql_column(statement, at++, &ok);
	view->rule = hv_sql_column(statement, at + 2, &ok);
	view->driver = hv_sql_column(statement, at + 4, &ok);
	if (!read_former((const char *)sqlite3_column_text(statement, at + 3), &ret->former))
		return hv_sql_refuse(statement, "attachment", "former", err);
	return ok ? read_lease(statement, at, view, err) : hv_oom(err);
}

static enum hv_sql choose_list(const struct hv_record_filter *filter)
{
	if (filter->id)
		return HV_SQL_ATTACHMENT_BY_ID;
	if (filter->container_id)
		return HV_SQL_ATTACHMENT_BY_CONTAINER;
	if (filter->rule)
		return HV_SQL_ATTACHMENT_BY_RULE;
	return filter->volume ? HV_SQL_ATTACHMENT_BY_VOLUME : HV_SQL_ATTACHMENT_LIST;
}

static void leave_out(void *record)
{
	hv_record_done(record);
}

enum hv_code hv_store_attachment_list(struct hv_store *store, const struct hv_record_filter *filter,
	struct hv_records *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	enum hv_sql sql = choose_list(filter);
	/* Of a volume none is passed by: the volume may not be removed for it. */
	struct hv_sql_array array = {sizeof(struct hv_record), read_record, NULL, 0,
		filter->id || filter->volume || filter->rule ? NULL : leave_out, NULL};
	const struct hv_sql_value values[] = {HV_TEXT(filter->id), HV_TEXT(filter->volume),
		HV_TEXT(filter->container_id), HV_TEXT(filter->rule), {0}};

	if (hv_sql_append(held, sql, values, &array, err) != HV_OK) {
		hv_records_done(&(struct hv_records){array.items, array.count});
		free(array.damage);
		return err->code;
	}
	hv_damage_note(&held->damaged_attachment, array.damage, sql == HV_SQL_ATTACHMENT_LIST);
	*ret = (struct hv_records){array.items, array.count};
	return HV_OK;
}

/* With the lock. */
static enum hv_code has_row(struct hv_store *store, enum hv_sql sql,
	const struct hv_sql_value *values, bool *ret, struct hv_error *err)
{
	int rc = hv_sql_step(store, hv_sql_get(store, sql, values, err), err);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return err->code;
	*ret = rc == SQLITE_ROW;
	return HV_OK;
}

enum hv_code hv_store_volume_is_attached(
	struct hv_store *store, const char *volume, bool *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	return has_row(held, HV_SQL_ATTACHMENT_BY_VOLUME, HV_VALUES(HV_TEXT(NULL), HV_TEXT(volume)),
		ret, err);
}

enum hv_code hv_store_volume_is_wanted(
	struct hv_store *store, const char *volume, bool *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	enum hv_code code = has_row(held, HV_SQL_ATTACHMENT_BY_VOLUME,
		HV_VALUES(HV_TEXT(NULL), HV_TEXT(volume)), ret, err);

	if (code != HV_OK || *ret)
		return code;
	return has_row(held, HV_SQL_RULE_BY_VOLUME, HV_VALUES(HV_TEXT(volume)), ret, err);
}

enum hv_code hv_store_attachment_tell_damage(struct hv_store *store, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);

	if (hv_damage_tell(held->damaged_attachment, err) != HV_OK)
		return err->code;
	return hv_damage_tell(held->damaged_rule, err);
}

void hv_store_containers_free(struct hv_store_container *containers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(containers[i].id);
	free(containers);
}

static enum hv_code read_container(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	struct hv_store_container *ret = context;
	bool ok = true;

	if (hv_sql_check_null(statement, "an attachment to container", 0, err) != HV_OK)
		return err->code;
	ret->id = hv_sql_column(statement, 0, &ok);
	ret->is_attached = sqlite3_column_int(statement, 1);
	return ok ? HV_OK : hv_oom(err);
}

enum hv_code hv_store_attachment_containers(struct hv_store *store, struct hv_store_container **ret,
	size_t *ret_count, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	struct hv_sql_array array = {sizeof(**ret), read_container, NULL, 0, NULL, NULL};

	if (hv_sql_append(held, HV_SQL_ATTACHMENT_CONTAINERS, NULL, &array, err) != HV_OK) {
		hv_store_containers_free(array.items, array.count);
		return err->code;
	}
	*ret = array.items;
	*ret_count = array.count;
	return HV_OK;
}

void hv_record_done(struct hv_record *record)
{
	hv_attachment_done(&record->view);
	free(record->path);
	free(record->made);
	free(record->replaces);
	free(record->leftovers);
	free(record->started_at);
	free(record->engine);
	free(record->former.source);
	*record = (struct hv_record){0};
}

void hv_records_done(struct hv_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		hv_record_done(&records->items[i]);
	free(records->items);
	*records = (struct hv_records){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The rules: attachments that are wanted in each container that is selected. */
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

#include "damage.h"
#include "db.h"
#include "row.h"

static enum hv_code add(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct hv_rule_record *rule = context;

	if (hv_sql_run(store, HV_SQL_RULE_ADD,
		    HV_VALUES(HV_TEXT(rule->id), HV_TEXT(rule->selector), HV_TEXT(rule->volume),
			    HV_TEXT(rule->target), HV_TEXT(rule->request), HV_TEXT(rule->since),
			    HV_NUMBER(rule->from_volume_option)),
		    err) != HV_OK)
		return err->code;
	if (!rule->from_volume_option)
		return HV_OK;
	return hv_sql_run(
		store, HV_SQL_VOLUME_ATTACHED, HV_VALUES(HV_TEXT(rule->volume), HV_NUMBER(1)), err);
}

enum hv_code hv_store_rule_add(
	struct hv_store *store, const struct hv_rule_record *rule, struct hv_error *err)
{
	return hv_sql_transaction(store, true, add, rule, err);
}

struct drop {
	const char *id;
	const struct hv_rule_fate *volume; /* or NULL */
};

static enum hv_code drop(struct hv_store *store, const void *context, struct hv_error *err)
{
	const struct drop *self = context;

	if (hv_sql_run(store, HV_SQL_RULE_DROP, HV_VALUES(HV_TEXT(self->id)), err) != HV_OK)
		return err->code;
	if (!self->volume || self->volume->phase == HV_VOLUME_READY)
		return HV_OK;
	if (self->volume->phase == HV_REMOVING)
		return hv_sql_run(
			store, HV_SQL_VOLUME_RETIRE, HV_VALUES(HV_TEXT(self->volume->name)), err);
	return hv_sql_run(store, HV_SQL_VOLUME_PHASE,
		HV_VALUES(HV_TEXT(self->volume->name), HV_NUMBER(self->volume->phase)), err);
}

enum hv_code hv_store_rule_drop(struct hv_store *store, const char *id,
	const struct hv_rule_fate *volume, struct hv_error *err)
{
	const struct drop self = {id, volume};

	return hv_sql_transaction(store, true, drop, &self, err);
}

enum hv_code hv_store_rule_keep(struct hv_store *store, const char *id, struct hv_error *err)
{
	return hv_sql_write(store, true, HV_SQL_RULE_KEEP, HV_VALUES(HV_TEXT(id)), err);
}

static enum hv_code read_rule(sqlite3_stmt *statement, void *context, struct hv_error *err)
{
	struct hv_rule_record *ret = context;
	char **texts[] = {
		&ret->id, &ret->selector, &ret->volume, &ret->target, &ret->request, &ret->since};
	int at = 0;
	bool ok = true;

	if (hv_sql_check_null(statement, "rule", 0, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = hv_sql_column(statement, at++, &ok);
	ret->from_volume_option = sqlite3_column_int(statement, at);
	return ok ? HV_OK : hv_oom(err);
}

static void leave_out(void *rule)
{
	hv_rule_record_done(rule);
}

enum hv_code hv_store_rule_list(struct hv_store *store, const char *volume,
	struct hv_rule_records *ret, struct hv_error *err)
{
	hv_auto_call struct hv_store *held = hv_sql_start(store);
	enum hv_sql sql = volume ? HV_SQL_RULE_BY_VOLUME : HV_SQL_RULE_LIST;
	/* Of a volume none is passed by: the volume may not be removed for it. */
	struct hv_sql_array array = {
		sizeof(struct hv_rule_record), read_rule, NULL, 0, volume ? NULL : leave_out, NULL};

	if (hv_sql_append(held, sql, HV_VALUES(HV_TEXT(volume)), &array, err) != HV_OK) {
		hv_rule_records_done(&(struct hv_rule_records){array.items, array.count});
		free(array.damage);
		return err->code;
	}
	hv_damage_note(&held->damaged_rule, array.damage, !volume);
	*ret = (struct hv_rule_records){array.items, array.count};
	return HV_OK;
}

enum hv_code hv_store_rule_release(struct hv_store *store, const char *id, struct hv_error *err)
{
	return hv_sql_write(store, true, HV_SQL_RULE_RELEASE, HV_VALUES(HV_TEXT(id)), err);
}

enum hv_code hv_rule_record_copy(
	const struct hv_rule_record *rule, struct hv_rule_record *ret, struct hv_error *err)
{
	*ret = (struct hv_rule_record){
		.id = strdup(rule->id),
		.selector = strdup(rule->selector),
		.volume = strdup(rule->volume),
		.target = strdup(rule->target),
		.request = strdup(rule->request),
		.since = strdup(rule->since),
		.from_volume_option = rule->from_volume_option,
	};
	if (ret->id && ret->selector && ret->volume && ret->target && ret->request && ret->since)
		return HV_OK;
	hv_rule_record_done(ret);
	return hv_oom(err);
}

void hv_rule_record_done(struct hv_rule_record *rule)
{
	free(rule->id);
	free(rule->selector);
	free(rule->volume);
	free(rule->target);
	free(rule->request);
	free(rule->since);
	*rule = (struct hv_rule_record){0};
}

void hv_rule_records_done(struct hv_rule_records *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		hv_rule_record_done(&rules->items[i]);
	free(rules->items);
	*rules = (struct hv_rule_records){0};
}

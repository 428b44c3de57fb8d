/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_rows.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "wire/text.h"

#include "cli/document.h"
#include "cli/output.h"

enum { TASK_ID_LENGTH = 25, COLUMNS = 3 };

enum hv_outcome hv_reply_judge(const struct hv_reply *reply, bool is_detach)
{
	if (reply->state == HV_NODE_ANSWERED && reply->err.code == HV_OK)
		return HV_OUTCOME_DONE;
	if (reply->state == HV_NODE_ANSWERED && is_detach) {
		if (reply->err.code == HV_NO_SUCH_ATTACHMENT)
			return HV_OUTCOME_DONE;
		/* It has not taken the rule either. */
		return reply->is_unasked && !reply->is_concerned ? HV_OUTCOME_LATER
								 : HV_OUTCOME_REFUSED;
	}
	if (reply->state == HV_NODE_ANSWERED)
		return HV_OUTCOME_REFUSED;
	if (reply->state == HV_NODE_LATER && !reply->is_concerned &&
		(is_detach || !reply->has_tasks))
		return HV_OUTCOME_LATER;
	return HV_OUTCOME_ABSENT;
}

struct hv_tally hv_replies_count(const struct hv_replies *replies, bool is_detach)
{
	struct hv_tally tally = {.nodes = replies->count};

	for (size_t i = 0; i < replies->count; i++) {
		enum hv_outcome outcome = hv_reply_judge(&replies->items[i], is_detach);

		tally.done += outcome == HV_OUTCOME_DONE;
		tally.refused += outcome == HV_OUTCOME_REFUSED;
		tally.absent += outcome == HV_OUTCOME_ABSENT;
		tally.later += outcome == HV_OUTCOME_LATER;
	}
	return tally;
}

struct row {
	const struct hv_reply *reply;
	const char *container; /* NULL: none */
	bool is_ok;
	const char *text; /* more than "ok", or why not; NULL: nothing */
	const char *hint;
};

static bool add_text(struct json_object *object, const char *key, const char *text)
{
	struct json_object *value;

	if (!text)
		return true;
	value = json_object_new_string(text);
	return value && json_object_object_add(object, key, value) == 0;
}

char *hv_task_name(const char *container)
{
	size_t length = strlen(container);
	const char *dot = strrchr(container, '.');

	if (dot && strlen(dot + 1) == TASK_ID_LENGTH)
		length = (size_t)(dot - container);
	return strndup(container, length);
}

static int add_row(struct json_object *rows, const struct row *row)
{
	hv_auto_json struct json_object *object = json_object_new_object();
	hv_auto_free char *task = row->container ? hv_task_name(row->container) : NULL;
	struct json_object *ok = json_object_new_boolean(row->is_ok);

	if (!object || !ok || (row->container && !task) ||
		json_object_object_add(object, "OK", ok) < 0 ||
		!add_text(object, "Node", row->reply->name) ||
		!add_text(object, "NodeID", row->reply->id) || !add_text(object, "Task", task) ||
		!add_text(object, "Container", row->container) ||
		!add_text(object, row->is_ok ? "Note" : "Err", row->text) ||
		!add_text(object, "Hint", row->hint) ||
		json_object_array_add(rows, json_object_get(object)) < 0)
		return -ENOMEM;
	return 0;
}

bool hv_replies_has_task(const struct hv_replies *replies, const char *container)
{
	const char *dot = strrchr(container, '.');

	for (size_t i = 0; dot && replies->tasks && i < json_object_array_length(replies->tasks);
		i++) {
		struct json_object *task = json_object_array_get_idx(replies->tasks, i);
		const char *id = hv_document_text(task, "ID");

		if (id && strcmp(id, dot + 1) == 0)
			return hv_task_is_running(task);
	}
	return false;
}

/* The rows of one list of an answer.  Returns how many there are, or -ENOMEM. */
static int add_list(struct json_object *rows, const struct hv_replies *replies,
	const struct hv_reply *reply, const char *list, bool is_ok)
{
	struct json_object *items = hv_document_get(reply->answer, list, json_type_array);
	int count = 0;

	for (size_t i = 0; items && i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		const char *container = hv_document_text(item, "ContainerName");
		const char *state = hv_document_text(item, "State");
		struct row row = {reply, container, is_ok, hv_document_text(item, "Err"),
			hv_document_text(item, "Hint")};

		if (!container || !hv_replies_has_task(replies, container))
			continue;
		if (is_ok && state && strcmp(state, "attached") != 0)
			row.text = state;
		if (add_row(rows, &row) < 0)
			return -ENOMEM;
		count++;
	}
	return count;
}

static int add_done(struct json_object *rows, const struct hv_replies *replies,
	const struct hv_reply *reply, bool is_detach)
{
	const char *note = hv_document_text(reply->answer, "Note");
	const char *why = is_detach ? "nothing is there any more" : "no task is there now";
	const struct row none = {reply, NULL, true, note ? note : why, NULL};
	int attached = add_list(rows, replies, reply, "Attachments", true);
	int failed = attached < 0 ? attached : add_list(rows, replies, reply, "Failed", false);
	int skipped = failed < 0 ? failed : add_list(rows, replies, reply, "Skipped", false);

	if (skipped < 0)
		return skipped;
	return attached + failed + skipped > 0 ? 0 : add_row(rows, &none);
}

static int add_reply(struct json_object *rows, const struct hv_replies *replies,
	const struct hv_reply *reply, bool is_detach)
{
	const struct row row = {reply, NULL, false, hv_error_text(&reply->err), reply->err.hint};

	if (hv_reply_judge(reply, is_detach) == HV_OUTCOME_DONE)
		return add_done(rows, replies, reply, is_detach);
	return add_row(rows, &row);
}

static int add_line(struct hv_table *table, struct json_object *row)
{
	const char *node = hv_document_text(row, "Node"), *task = hv_document_text(row, "Task");
	const char *note = hv_document_text(row, "Note"), *why = hv_document_text(row, "Err");
	const char *hint = hv_document_text(row, "Hint");
	hv_auto_free char *text =
		hv_document_flag(row, "OK")
			? hv_text_format("ok%s%s", note ? ": " : "", note ? note : "")
			: hv_text_format("%s%s%s%s", why ? why : "refused", hint ? " (" : "",
				  hint ? hint : "", hint ? ")" : "");

	if (!text || hv_table_add(table, node) < 0 || hv_table_add(table, task ? task : "-") < 0)
		return -ENOMEM;
	return hv_table_add(table, text);
}

static int print_table(struct json_object *rows)
{
	static const char *const headings[COLUMNS] = {"NODE", "TASK", "RESULT"};
	hv_auto_table struct hv_table table = {.columns = COLUMNS};

	for (size_t i = 0; i < COLUMNS; i++)
		if (hv_table_add(&table, headings[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		if (add_line(&table, json_object_array_get_idx(rows, i)) < 0)
			return -ENOMEM;
	hv_table_print(&table, stdout);
	return 0;
}

int hv_replies_print(const struct hv_replies *replies, bool is_detach, bool is_json)
{
	hv_auto_json struct json_object *rows = json_object_new_array();

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < replies->count; i++)
		if (add_reply(rows, replies, &replies->items[i], is_detach) < 0)
			return -ENOMEM;
	return is_json ? hv_document_print(stdout, rows) : print_table(rows);
}

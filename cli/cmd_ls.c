/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <time.h>

#include "cli/attachment.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/output.h"

static const struct hv_flag flags[] = {
	HV_FLAG("volume", 0, "VOLUME", "Only attachments of this volume", volume),
	HV_FLAG("container", 0, "CONTAINER", "Only attachments in this container", container),
	HV_FLAG_FORMAT,
	HV_FLAGS_HELP,
};

static const char *const headings[] = {
	"ID", "VOLUME", "CONTAINER", "TARGET", "MODE", "STATE", "SINCE", "PROBLEM"};

enum { COLUMNS_MAX = sizeof(headings) / sizeof(headings[0]) };

static int add_row(struct hv_table *table, struct hv_attachment *attachment, time_t now)
{
	char since[40];
	char mode[40];
	const char *const cells[COLUMNS_MAX] = {
		attachment->id,
		attachment->volume,
		hv_attachment_container(attachment),
		attachment->target,
		mode,
		hv_attachment_state_name(attachment->state),
		since,
		attachment->problem,
	};

	hv_since_format(attachment->since ? attachment->since : "", now, since, sizeof(since));
	snprintf(mode, sizeof(mode), "%s%s%s%s%s", attachment->read_only ? "ro" : "rw",
		attachment->no_suid ? ",nosuid" : "", attachment->no_dev ? ",nodev" : "",
		attachment->no_exec ? ",noexec" : "", attachment->required ? ",required" : "");
	for (size_t i = 0; i < table->columns; i++)
		if (hv_table_add(table, cells[i]) < 0)
			return -1;
	return 0;
}

static bool has_problem(struct json_object *attachments)
{
	size_t count = json_object_array_length(attachments);

	for (size_t i = 0; i < count; i++) {
		const char *problem =
			hv_document_text(json_object_array_get_idx(attachments, i), "Problem");

		if (problem && *problem)
			return true;
	}
	return false;
}

static enum hv_code add_item(
	struct hv_table *table, struct json_object *item, time_t now, struct hv_error *err)
{
	hv_auto_attachment struct hv_attachment attachment = {0};

	if (!json_object_is_type(item, json_type_object) ||
		hv_fields_from(item, hv_attachment_fields, HV_UNKNOWN_IGNORE, &attachment, err) !=
			HV_OK)
		return hv_fail(err, HV_INTERNAL, "the hostvol daemon's list makes no sense");
	return add_row(table, &attachment, now) < 0 ? hv_oom(err) : HV_OK;
}

static enum hv_code print_table(struct json_object *attachments, struct hv_error *err)
{
	hv_auto_table struct hv_table table = {
		.columns = has_problem(attachments) ? COLUMNS_MAX : COLUMNS_MAX - 1};
	size_t count = json_object_array_length(attachments);
	time_t now = time(NULL);

	for (size_t i = 0; i < table.columns; i++)
		if (hv_table_add(&table, headings[i]) < 0)
			return hv_oom(err);
	for (size_t i = 0; i < count; i++)
		if (add_item(&table, json_object_array_get_idx(attachments, i), now, err) != HV_OK)
			return err->code;
	hv_table_print(&table, stdout);
	return HV_OK;
}

static enum hv_exit list(const struct hv_run *run, struct hv_error *err)
{
	const struct hv_list_request request = {
		.volume = (char *)(uintptr_t)run->options.volume,
		.container = (char *)(uintptr_t)run->options.container,
	};
	hv_auto_json struct json_object *answer = NULL;
	struct json_object *attachments;
	bool is_json = false;
	enum hv_code code = HV_OK;

	if (hv_format_parse(run->options.format, &is_json, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (hv_run_ask(run, "/HotList", hv_list_request_fields, &request, &answer, err) != HV_OK)
		return HV_EXIT_FAILED;
	attachments = hv_document_get(answer, "Attachments", json_type_array);
	if (!attachments)
		code = hv_fail(err, HV_INTERNAL, "the hostvol daemon's answer has no list in it");
	else if (!is_json)
		code = print_table(attachments, err);
	else if (hv_document_print(stdout, attachments) < 0)
		code = hv_oom(err);
	return code == HV_OK ? HV_EXIT_DONE : HV_EXIT_FAILED;
}

static void hint_operands(const struct hv_run *run, struct hv_error *err)
{
	hv_hint(err, "name a container or a volume with a flag: docker hostvol ls --container %s",
		run->operands.items[0]);
}

const struct hv_command hv_cmd_ls = {
	.name = "ls",
	.alias = "list",
	.summary = "List which volumes are in which containers",
	.usage = "",
	.flags = flags,
	.run = list,
	.hint = hint_operands,
};

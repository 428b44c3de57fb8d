/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "cli/attachment.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/filter.h"
#include "cli/output.h"
#include "cli/rule.h"
#include "cli/template.h"

static const struct hv_flag flags[] = {
	HV_FLAG("volume", 0, "VOLUME", "Only attachments of this volume", volume),
	HV_FLAG("container", 0, "CONTAINER", "Only attachments in this container", container),
	HV_FLAG_LIST("filter", 'f', "KEY=VALUE",
		"Only those with this container, state, target or volume", filters),
	HV_FLAG("format", 0, "FORMAT",
		"Output: table (default), json, or a template: '{{.Volume}} {{.Target}}'", format),
	HV_FLAG("no-trunc", 0, NULL, "Show container IDs whole", no_trunc),
	HV_FLAG("cluster", 0, NULL, "On all nodes of the swarm, from a manager", cluster),
	HV_FLAG("rules", 0, NULL, "List the rules instead", rules),
	HV_FLAG("quiet", 'q', NULL, "Show only the attachments' IDs", quiet),
	HV_FLAGS_HELP,
};

enum column {
	COLUMN_ID,
	COLUMN_VOLUME,
	COLUMN_CONTAINER,
	COLUMN_TARGET,
	COLUMN_MODE,
	COLUMN_STATE,
	COLUMN_SINCE,
	COLUMN_LEFT,
	COLUMN_PROBLEM,
	COLUMNS_MAX,
};

static const struct {
	const char *heading;
	const char *field; /* the column is left out if no attachment has it; NULL: it stays */
} columns[COLUMNS_MAX] = {
	[COLUMN_ID] = {"ID", NULL},
	[COLUMN_VOLUME] = {"VOLUME", NULL},
	[COLUMN_CONTAINER] = {"CONTAINER", NULL},
	[COLUMN_TARGET] = {"TARGET", NULL},
	[COLUMN_MODE] = {"MODE", NULL},
	[COLUMN_STATE] = {"STATE", NULL},
	[COLUMN_SINCE] = {"SINCE", NULL},
	[COLUMN_LEFT] = {"TIME LEFT", "Until"},
	[COLUMN_PROBLEM] = {"PROBLEM", "Problem"},
};

enum { SHORT_ID_DIGITS = 12 };

/* The options of one list. */
struct view {
	struct hv_filters filters;
	struct hv_template template; /* its text is NULL: none was given */
	bool is_json;
	bool is_quiet;
	bool is_whole;
};

/* A table on its way. */
struct listing {
	struct hv_table table;
	bool has_column[COLUMNS_MAX];
	bool is_whole;
	time_t now;
};

#define auto_listing HV_AUTO(listing_done)
static void listing_done(struct listing *listing)
{
	hv_table_done(&listing->table);
}

#define auto_view HV_AUTO(view_done)
static void view_done(struct view *view)
{
	hv_filters_done(&view->filters);
	hv_template_done(&view->template);
}

static enum hv_code parse_view(
	const struct hv_options *options, struct view *ret, struct hv_error *err)
{
	const char *format = options->format ? options->format : "table";

	ret->is_quiet = options->quiet;
	ret->is_whole = options->no_trunc;
	ret->is_json = strcmp(format, "json") == 0;
	if (hv_filters_parse(&hv_filters_of_ls, &options->filters, &ret->filters, err) != HV_OK)
		return err->code;
	if (ret->is_json || strcmp(format, "table") == 0)
		return HV_OK;
	return hv_template_parse(format, hv_attachment_fields, &ret->template, err);
}

static const char *name_container(struct hv_attachment *attachment, bool is_whole)
{
	bool has_name = attachment->container_name && *attachment->container_name;

	if (is_whole && !has_name && attachment->container_id)
		return attachment->container_id;
	return hv_attachment_container(attachment);
}

static int add_row(struct listing *listing, struct hv_attachment *attachment)
{
	char since[40], left[40] = "";
	char mode[48];
	const char *const cells[COLUMNS_MAX] = {
		[COLUMN_ID] = attachment->id,
		[COLUMN_VOLUME] = attachment->volume,
		[COLUMN_CONTAINER] = name_container(attachment, listing->is_whole),
		[COLUMN_TARGET] = attachment->target,
		[COLUMN_MODE] = mode,
		[COLUMN_STATE] = hv_attachment_state_name(attachment->state),
		[COLUMN_SINCE] = since,
		[COLUMN_LEFT] = left,
		[COLUMN_PROBLEM] = attachment->problem,
	};

	hv_since_format(
		attachment->since ? attachment->since : "", listing->now, since, sizeof(since));
	if (attachment->until)
		hv_until_format(attachment->until, listing->now, left, sizeof(left));
	snprintf(mode, sizeof(mode), "%s%s%s%s%s%s%s", attachment->read_only ? "ro" : "rw",
		attachment->no_suid ? ",nosuid" : "", attachment->no_dev ? ",nodev" : "",
		attachment->no_exec ? ",noexec" : "", attachment->required ? ",required" : "",
		attachment->follow ? ",follow" : "", attachment->is_slave ? ",slave" : "");
	for (int i = 0; i < COLUMNS_MAX; i++)
		if (listing->has_column[i] && hv_table_add(&listing->table, cells[i]) < 0)
			return -1;
	return 0;
}

/* Whether any of them has a text in the field. */
static bool has_field(struct json_object *attachments, const char *field)
{
	size_t count = json_object_array_length(attachments);

	for (size_t i = 0; i < count; i++) {
		const char *text =
			hv_document_text(json_object_array_get_idx(attachments, i), field);

		if (text && *text)
			return true;
	}
	return false;
}

static enum hv_code add_item(
	struct listing *listing, struct json_object *item, struct hv_error *err)
{
	hv_auto_attachment struct hv_attachment attachment = {0};

	if (!json_object_is_type(item, json_type_object) ||
		hv_fields_from(item, hv_attachment_fields, HV_UNKNOWN_IGNORE, &attachment, err) !=
			HV_OK)
		return hv_fail(err, HV_INTERNAL, "the hostvol daemon's list makes no sense");
	return add_row(listing, &attachment) < 0 ? hv_oom(err) : HV_OK;
}

static enum hv_code print_table(
	struct json_object *attachments, bool is_whole, struct hv_error *err)
{
	auto_listing struct listing listing = {.is_whole = is_whole, .now = time(NULL)};
	size_t count = json_object_array_length(attachments);

	for (int i = 0; i < COLUMNS_MAX; i++) {
		listing.has_column[i] =
			!columns[i].field || has_field(attachments, columns[i].field);
		listing.table.columns += listing.has_column[i];
	}
	for (int i = 0; i < COLUMNS_MAX; i++)
		if (listing.has_column[i] && hv_table_add(&listing.table, columns[i].heading) < 0)
			return hv_oom(err);
	for (size_t i = 0; i < count; i++)
		if (add_item(&listing, json_object_array_get_idx(attachments, i), err) != HV_OK)
			return err->code;
	hv_table_print(&listing.table, stdout);
	return HV_OK;
}

static void print_ids(struct json_object *attachments)
{
	size_t count = json_object_array_length(attachments);

	for (size_t i = 0; i < count; i++) {
		const char *id = hv_document_text(json_object_array_get_idx(attachments, i), "ID");

		if (id)
			hv_line_print(stdout, "%s", id);
	}
}

/* As `docker ps` does for its templates. */
static enum hv_code shorten_ids(struct json_object *attachments, struct hv_error *err)
{
	size_t count = json_object_array_length(attachments);

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(attachments, i), *cut;
		const char *id = hv_document_text(item, "ContainerID");

		if (!id || strlen(id) <= SHORT_ID_DIGITS)
			continue;
		cut = json_object_new_string_len(id, SHORT_ID_DIGITS);
		if (!cut)
			return hv_oom(err);
		if (json_object_object_add(item, "ContainerID", cut) < 0) {
			json_object_put(cut);
			return hv_oom(err);
		}
	}
	return HV_OK;
}

static enum hv_code print(
	const struct view *view, struct json_object *attachments, struct hv_error *err)
{
	int r = 0;

	if (view->is_quiet) {
		print_ids(attachments);
		return HV_OK;
	}
	if (!view->is_json && !view->template.text)
		return print_table(attachments, view->is_whole, err);
	if (!view->is_json && !view->is_whole && shorten_ids(attachments, err) != HV_OK)
		return err->code;
	r = view->is_json ? hv_document_print(stdout, attachments)
			  : hv_template_print(&view->template, attachments, stdout);
	return r < 0 ? hv_oom(err) : HV_OK;
}

static enum hv_exit list(const struct hv_invocation *run, struct hv_error *err)
{
	const struct hv_list_request request = {
		.volume = (char *)(uintptr_t)run->options.volume,
		.container = (char *)(uintptr_t)run->options.container,
	};
	auto_view struct view view = {0};
	hv_auto_json struct json_object *answer = NULL, *passed = NULL;
	struct json_object *attachments;

	if (run->options.cluster)
		return hv_cluster_list(run, err);
	if (run->options.rules)
		return hv_rules_list(run, err);
	if (parse_view(&run->options, &view, err) != HV_OK)
		return err->code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	if (view.is_quiet && run->options.format)
		hv_line_print(stderr, "note: --format is ignored: --quiet prints the IDs alone");
	if (hv_invocation_ask(run, "/HotList", hv_list_request_fields, &request, &answer, err) !=
		HV_OK)
		return HV_EXIT_FAILED;
	attachments = hv_document_get(answer, "Attachments", json_type_array);
	if (!attachments) {
		hv_fail(err, HV_INTERNAL, "the hostvol daemon's answer has no list in it");
		return HV_EXIT_FAILED;
	}
	passed = hv_filters_select(&view.filters, attachments);
	if (!passed)
		hv_oom(err);
	else if (print(&view, passed, err) == HV_OK)
		return HV_EXIT_DONE;
	return HV_EXIT_FAILED;
}

static void hint_operands(const struct hv_invocation *run, struct hv_error *err)
{
	hv_hint(err, "name a container or a volume with a flag: docker hostvol ls --container %s",
		run->operands.items[0]);
}

const struct hv_command hv_cmd_ls = {
	.name = "ls",
	.alias = "list",
	.summary = "List which volumes are in which containers",
	.usage = "",
	.notes =
		"Filters with the same key: one of them fits. Filters with different keys: all of them fit.\n"
		"A template takes {{.FIELD}}, {{json .FIELD}} and {{json .}} with the fields of --format json,\n"
		"\\t and \\n; with \"table\" in front it has columns and headings.",
	.examples =
		"  docker hostvol ls --filter volume=data --filter state=attached\n"
		"  docker hostvol ls -q --filter container=web\n"
		"  docker hostvol ls --format 'table {{.Volume}}\\t{{.ContainerName}}\\t{{.Target}}'\n"
		"  docker hostvol ls --format '{{json .}}'\n"
		"  docker hostvol ls --rules",
	.flags = flags,
	.filters = &hv_filters_of_ls,
	.run = list,
	.hint = hint_operands,
};

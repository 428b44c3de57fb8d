/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>

#include "cli/command.h"
#include "cli/document.h"
#include "cli/output.h"

static const struct hv_flag flags[] = {
	HV_FLAG_FORMAT,
	HV_FLAGS_HELP,
};

static void print_field(struct json_object *object, const char *key, const char *label)
{
	const char *text = hv_document_text(object, key);

	if (text && *text)
		hv_line_print(stdout, " %-13s%s", label, text);
}

static void print_members(struct json_object *object, const char *label)
{
	if (!object || json_object_object_length(object) == 0)
		return;
	printf(" %s\n", label);
	json_object_object_foreach(object, key, value)
	{
		const char *text = json_object_is_type(value, json_type_boolean)
					   ? (json_object_get_boolean(value) ? "yes" : "no")
					   : json_object_get_string(value);

		hv_line_print(stdout, "  %s: %s", key, text ? text : "");
	}
}

static void print_daemon(struct json_object *info)
{
	printf("\nDaemon:\n");
	print_field(info, "Version", "Version:");
	print_field(info, "EngineID", "Engine ID:");
	print_field(info, "Mode", "Mode:");
	print_field(info, "Kernel", "Kernel:");
	print_field(info, "MountEngine", "Mounts by:");
	print_members(hv_document_get(info, "Features", json_type_object), "Features:");
	print_members(hv_document_get(info, "Settings", json_type_object), "Settings:");
}

/* One document in either case: "Daemon" is null when none answered. */
static enum hv_code print_json(struct json_object *info, struct hv_error *err)
{
	hv_auto_json struct json_object *document = json_object_new_object(),
					*client = json_object_new_object();

	if (!document || !client)
		return hv_oom(err);
	json_object_object_add(client, "Version", json_object_new_string(HOSTVOL_VERSION));
	json_object_object_add(document, "Client", json_object_get(client));
	if (info)
		json_object_object_del(info, "Err");
	json_object_object_add(document, "Daemon", json_object_get(info));
	return hv_document_print(stdout, document) < 0 ? hv_oom(err) : HV_OK;
}

static enum hv_exit version(const struct hv_invocation *run, struct hv_error *err)
{
	hv_auto_json struct json_object *info = NULL;
	hv_auto_error struct hv_error print_error = {0};
	bool is_json = false;
	enum hv_code code;

	if (hv_format_parse(run->options.format, &is_json, err) != HV_OK)
		return HV_EXIT_USAGE;
	code = hv_invocation_ask(run, "/HotInfo", NULL, NULL, &info, err);
	if (is_json && print_json(info, &print_error) != HV_OK)
		code = hv_fail(err, print_error.code, "%s", hv_error_text(&print_error));
	if (!is_json)
		printf("Client:\n %-13s%s\n", "Version:", HOSTVOL_VERSION);
	if (!is_json && info)
		print_daemon(info);
	return code == HV_OK ? HV_EXIT_DONE : HV_EXIT_FAILED;
}

const struct hv_command hv_cmd_version = {
	.name = "version",
	.summary = "Show the versions of this command and of the daemon",
	.usage = "",
	.flags = flags,
	.run = version,
};

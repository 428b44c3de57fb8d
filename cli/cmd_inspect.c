/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "cli/address.h"
#include "cli/attachment.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/rule.h"
#include "cli/template.h"

static const struct hv_flag flags[] = {
	HV_FLAG("format", 'f', "FORMAT",
		"Output: json (default), or a template: '{{.Volume}} {{.State}}'", format),
	HV_FLAG("target", 0, "PATH", "The target, when CONTAINER stands alone", target),
	HV_FLAGS_HELP,
};

static bool has_text(struct json_object *attachment, const char *key, const char *wanted)
{
	const char *text = hv_document_text(attachment, key);

	return !wanted || (text && strcmp(text, wanted) == 0);
}

/* The first that has these texts, where they are not NULL; borrowed from the answer. */
static struct json_object *find(
	struct json_object *answer, const char *id, const char *container, const char *target)
{
	struct json_object *list = hv_document_get(answer, "Attachments", json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (has_text(item, "ID", id) && has_text(item, "ContainerName", container) &&
			has_text(item, "Target", target))
			return item;
	}
	return NULL;
}

static enum hv_code fail_missing(const struct hv_address *address, struct hv_error *err)
{
	const struct hv_place *place = &address->place;

	if (place->selector) {
		hv_fail(err, HV_NO_SUCH_ATTACHMENT, "no rule attaches a volume to %s at %s",
			place->selector, place->target);
		return hv_hint(err, "list the rules: docker hostvol ls --rules");
	}
	if (place->target)
		hv_fail(err, HV_NO_SUCH_ATTACHMENT, "no volume is attached at %s in container '%s'",
			place->target, place->container);
	else
		hv_fail(err, HV_NO_SUCH_ATTACHMENT, "no such attachment: %s", address->text);
	return hv_hint(err, "list the attachments: docker hostvol ls");
}

/* NOLINTNEXTLINE(readability-non-const-parameter): a request has strings that can be freed */
static enum hv_code ask(const struct hv_client *daemon, char *container, struct json_object **ret,
	struct hv_error *err)
{
	const struct hv_list_request request = {.container = container};
	hv_auto_json struct json_object *body = hv_fields_write(hv_list_request_fields, &request);

	if (!body)
		return hv_oom(err);
	return hv_client_call(daemon, &(struct hv_call){"/HotList", body, 0}, ret, err);
}

/* The rule that has the ID, or the place, the same way; `ret` is NULL if there is none. */
static enum hv_code get_rule(const struct hv_client *daemon, const struct hv_address *address,
	struct json_object **ret, struct hv_error *err)
{
	const struct hv_place *place = &address->place;
	hv_auto_json struct json_object *rules = NULL;
	struct json_object *found;

	if (place->target)
		hv_target_clean(place->target);
	if (hv_rules_ask(daemon, &rules, err) != HV_OK) {
		if (place->selector)
			return err->code;
		return fail_missing(address, err); /* the attachments were told */
	}
	found = hv_rules_find(rules, address->id, place->selector, place->target);
	*ret = json_object_get(found);
	return found ? HV_OK : fail_missing(address, err);
}

/* The attachment that has the ID, with a reference of its own.  `*all` is the answer about all
 * containers, which is asked for once. */
static enum hv_code get_by_id(const struct hv_client *daemon, const struct hv_address *address,
	struct json_object **all, struct json_object **ret, struct hv_error *err)
{
	struct json_object *found;

	if (!*all && ask(daemon, NULL, all, err) != HV_OK)
		return err->code;
	found = find(*all, address->id, NULL, NULL);
	*ret = json_object_get(found);
	return found ? HV_OK : get_rule(daemon, address, ret, err);
}

static enum hv_code get_by_place(const struct hv_client *daemon, const struct hv_address *address,
	struct json_object **ret, struct hv_error *err)
{
	const struct hv_place *place = &address->place;
	hv_auto_json struct json_object *answer = NULL;
	const char *name = place->container;
	struct json_object *found;

	if (place->selector)
		return get_rule(daemon, address, ret, err);
	hv_target_clean(place->target);
	if (ask(daemon, place->container, &answer, err) != HV_OK)
		return err->code;
	/* It answers for containers of that name and of IDs that begin so: the name goes first. */
	if (!find(answer, NULL, name, NULL))
		name = NULL;
	found = find(answer, NULL, name, place->target);
	*ret = json_object_get(found);
	return found ? HV_OK : fail_missing(address, err);
}

/* Append those that are found to `list`; tell of the others. */
static enum hv_exit collect(const struct hv_client *daemon, const struct hv_addresses *addresses,
	struct json_object *list)
{
	hv_auto_json struct json_object *all = NULL;
	enum hv_exit status = HV_EXIT_DONE;

	for (size_t i = 0; i < addresses->count; i++) {
		const struct hv_address *address = &addresses->items[i];
		hv_auto_error struct hv_error failure = {0};
		hv_auto_json struct json_object *found = NULL;
		enum hv_code code = address->id ? get_by_id(daemon, address, &all, &found, &failure)
						: get_by_place(daemon, address, &found, &failure);

		if (code == HV_OK && json_object_array_add(list, json_object_get(found)) < 0) {
			json_object_put(found);
			code = hv_oom(&failure);
		}
		if (code == HV_OK)
			continue;
		hv_report(addresses->count > 1 ? address->text : NULL, &failure);
		status = HV_EXIT_FAILED;
	}
	return status;
}

/* Without a template as `docker inspect` does: an array. */
static enum hv_code parse_format(const char *format, struct hv_template *ret, struct hv_error *err)
{
	if (!format || strcmp(format, "json") == 0)
		return HV_OK;
	if (strcmp(format, "table") != 0 &&
		hv_template_parse(format, hv_attachment_fields, ret, err) != HV_OK)
		return err->code;
	if (ret->text && !ret->is_table)
		return HV_OK;
	return hv_fail(err, HV_BAD_REQUEST,
		"\"inspect\" prints no table: --format takes json or a template");
}

static enum hv_exit inspect(const struct hv_invocation *run, struct hv_error *err)
{
	hv_auto_template struct hv_template template = {0};
	hv_auto_addresses struct hv_addresses addresses = {0};
	hv_auto_daemon struct hv_client daemon = {0};
	hv_auto_json struct json_object *list = NULL;
	enum hv_exit status;
	int r = 0;

	if (parse_format(run->options.format, &template, err) != HV_OK ||
		hv_addresses_parse(&run->operands, run->options.target, &addresses, err) != HV_OK)
		return err->code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	list = json_object_new_array();
	if (!list)
		hv_oom(err);
	if (!list || hv_client_find(&run->globals, &run->environment, &daemon, err) != HV_OK)
		return HV_EXIT_FAILED;
	status = collect(&daemon, &addresses, list);
	if (json_object_array_length(list) > 0)
		r = template.text ? hv_template_print(&template, list, stdout)
				  : hv_document_print(stdout, list);
	if (r == 0)
		return status;
	hv_oom(err);
	return HV_EXIT_FAILED;
}

const struct hv_command hv_cmd_inspect = {
	.name = "inspect",
	.summary = "Show all that is known of an attachment, as JSON",
	.usage = "CONTAINER:TARGET|ID [CONTAINER:TARGET|ID...]",
	.examples = "  docker hostvol inspect web:/mnt/data\n"
		    "  docker hostvol inspect -f '{{.State}} since {{.Since}}' web:/mnt/data\n"
		    "  docker hostvol inspect $(docker hostvol ls -q)",
	.flags = flags,
	.operands_min = 1,
	.operands_max = HV_OPERANDS_MAX,
	.is_attachment = true,
	.run = inspect,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "cli/attachment.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/place.h"

static const struct hv_flag flags[] = {
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

/* As the daemon has it: no slash or dot too many. */
static void clean(char *target)
{
	char *to = target;

	for (const char *at = target; *at; at++) {
		bool is_dot = at[0] == '.' && (at[1] == '/' || !at[1]) && to > target;

		if (to > target && to[-1] == '/' && (*at == '/' || is_dot))
			continue;
		*to++ = *at;
	}
	if (to > target + 1 && to[-1] == '/')
		to--;
	*to = '\0';
}

/* As `docker inspect` does: an array. */
static enum hv_code print(struct json_object *attachment, struct hv_error *err)
{
	hv_auto_json struct json_object *array = json_object_new_array();

	if (!array || json_object_array_add(array, json_object_get(attachment)) < 0 ||
		hv_document_print(stdout, array) < 0)
		return hv_oom(err);
	return HV_OK;
}

static enum hv_code fail_missing(
	const char *what, const struct hv_place *place, struct hv_error *err)
{
	if (place->target)
		hv_fail(err, HV_NO_SUCH_ATTACHMENT, "no volume is attached at %s in container '%s'",
			place->target, place->container);
	else
		hv_fail(err, HV_NO_SUCH_ATTACHMENT, "no such attachment: %s", what);
	return hv_hint(err, "list the attachments: docker hostvol ls");
}

static enum hv_code ask(const struct hv_run *run, const char *id, const struct hv_place *place,
	struct hv_error *err)
{
	const struct hv_list_request request = {.container = place->container};
	hv_auto_json struct json_object *answer = NULL;
	const char *name = place->container;
	struct json_object *found;

	if (hv_run_ask(run, "/HotList", hv_list_request_fields, &request, &answer, err) != HV_OK)
		return err->code;
	/* It answers for containers of that name and of IDs that begin so: the name goes first. */
	if (!find(answer, NULL, name, NULL))
		name = NULL;
	found = find(answer, id, name, place->target);
	return found ? print(found, err) : fail_missing(run->operands.items[0], place, err);
}

static enum hv_exit inspect(const struct hv_run *run, struct hv_error *err)
{
	const char *what = run->operands.items[0];
	bool is_id = !run->options.target && hv_attachment_id_is(what);
	hv_auto_place struct hv_place place = {0};

	if (!is_id && hv_place_parse(what, run->options.target, &place, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (place.target)
		clean(place.target);
	return ask(run, is_id ? what : NULL, &place, err) == HV_OK ? HV_EXIT_DONE : HV_EXIT_FAILED;
}

const struct hv_command hv_cmd_inspect = {
	.name = "inspect",
	.summary = "Show all that is known of an attachment, as JSON",
	.usage = "CONTAINER:TARGET | ID",
	.flags = flags,
	.operands_min = 1,
	.operands_max = 1,
	.run = inspect,
};

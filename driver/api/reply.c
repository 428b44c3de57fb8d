/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/text.h"
#include "wire/utf8.h"

enum hv_code hv_add(struct json_object *object, const char *name, struct json_object *value,
	struct hv_error *err)
{
	if (value && json_object_object_add(object, name, value) == 0)
		return HV_OK;
	json_object_put(value);
	return hv_oom(err);
}

enum hv_code hv_add_text(
	struct json_object *object, const char *name, const char *text, struct hv_error *err)
{
	return text ? hv_add(object, name, hv_utf8_json(text), err) : HV_OK;
}

enum hv_code hv_append(struct json_object *array, struct json_object *value, struct hv_error *err)
{
	if (value && json_object_array_add(array, value) == 0)
		return HV_OK;
	json_object_put(value);
	return hv_oom(err);
}

static char *fold(const struct hv_error *err)
{
	return hv_text_format("%s (%s)", hv_error_text(err), err->hint);
}

static enum hv_code add_busy(
	struct json_object *object, const struct hv_error *busy, struct hv_error *err)
{
	struct json_object *array;

	if (busy->busy_count == 0)
		return HV_OK;
	array = json_object_new_array();
	if (hv_add(object, "Busy", array, err) != HV_OK)
		return err->code;
	for (unsigned i = 0; i < busy->busy_count; i++) {
		const struct hv_busy *at = &busy->busy[i];
		struct json_object *item = json_object_new_object();

		if (hv_append(array, item, err) != HV_OK ||
			hv_add(item, "Pid", json_object_new_int64(at->pid), err) != HV_OK ||
			hv_add_text(item, "Command", at->command, err) != HV_OK ||
			hv_add_text(item, "Why", at->why, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

void hv_hint_podman(struct hv_error *err)
{
	static const char docker[] = "docker ";
	static const char *const ours[] = {"hostvol ", "addvol "};
	char *hint = err->hint ? calloc(1, strlen(err->hint) + 1) : NULL, *to = hint;
	const char *from = err->hint;

	while (hint && *from) {
		bool is_command = strncmp(from, docker, sizeof(docker) - 1) == 0 &&
				  (from == err->hint || strchr(" (`;", from[-1]));
		const char *rest = from + sizeof(docker) - 1;

		if (!is_command) {
			*to++ = *from++;
			continue;
		}
		if (strncmp(rest, ours[0], strlen(ours[0])) == 0 ||
			strncmp(rest, ours[1], strlen(ours[1])) == 0)
			to = stpcpy(to, "docker-");
		else
			to = stpcpy(to, "podman ");
		from = rest;
	}
	if (!hint)
		return;
	free(err->hint);
	err->hint = hint;
}

char *hv_error_body(const struct hv_error *err, bool fold_hint)
{
	hv_auto_json struct json_object *object = json_object_new_object();
	hv_auto_free char *folded = fold_hint && err->hint ? fold(err) : NULL;
	hv_auto_error struct hv_error ignored = {0};

	if (!object ||
		hv_add_text(object, "Err", folded ? folded : hv_error_text(err), &ignored) !=
			HV_OK ||
		hv_add_text(object, "Code", hv_code_name(err->code), &ignored) != HV_OK ||
		hv_add_text(object, "Hint", err->hint, &ignored) != HV_OK ||
		add_busy(object, err, &ignored) != HV_OK)
		return NULL;
	return strdup(json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void hv_reply_done(struct hv_reply *reply)
{
	free(reply->body);
	hv_error_done(&reply->err);
	hv_mounted_done(&reply->mounted);
	*reply = (struct hv_reply){0};
}

void hv_mounted_done(struct hv_mounted *mounted)
{
	free(mounted->volume);
	free(mounted->id);
	*mounted = (struct hv_mounted){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* /HotRules, and the answers of the other calls about rules. */
#include "rule_calls.h"

#include <json-c/json.h>
#include <string.h>

#include "attach/rules.h"

#include "reply.h"

enum { ID_DIGITS = 12 };

static bool is_given(const char *text)
{
	return text && *text;
}

static bool is_id(const char *text)
{
	return strspn(text, "0123456789abcdef") == ID_DIGITS && !text[ID_DIGITS];
}

enum hv_code hv_attach_request_check(const struct hv_attach_request *in, struct hv_error *err)
{
	if (is_given(in->container) && is_given(in->selector))
		return hv_fail(err, HV_BAD_REQUEST, "\"Container\" goes without \"Selector\"");
	if (in->selector && !*in->selector)
		return hv_fail(err, HV_BAD_REQUEST, "\"Selector\" is empty");
	if (!in->selector && !is_given(in->container))
		return hv_fail(err, HV_BAD_REQUEST, "\"Container\" is %s",
			in->container ? "empty" : "missing");
	if (!in->selector && in->each)
		return hv_fail(err, HV_BAD_REQUEST, "\"Each\" goes with \"Selector\"");
	if (in->id && (!in->selector || !is_id(in->id)))
		return hv_fail(err, HV_BAD_REQUEST,
			"\"ID\" takes 12 hex digits, and goes with \"Selector\"");
	if (hv_opts_get(&in->volume_opts, "attach"))
		return hv_fail(err, HV_BAD_REQUEST, "\"VolumeOpts\" goes without attach");
	if (in->selector && (in->lease_seconds != 0 || in->grace_seconds != HV_GRACE_UNSAID)) {
		hv_fail(err, HV_BAD_REQUEST,
			"a lease is of one container's attachment: \"For\" contradicts \"Selector\"");
		return hv_hint(err, "leave out --for and --grace, or name one container");
	}
	if (!in->selector || in->persist)
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST,
		"a rule holds for each start: \"Persist\" false contradicts \"Selector\"");
	return hv_hint(err, "leave out --once, or name one container");
}

/* Where it is not: with "Err" and "Hint". */
static enum hv_code add_miss(
	const struct hv_rule_miss *miss, struct json_object *array, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();

	if (hv_append(array, object, err) != HV_OK ||
		hv_add_text(object, "ContainerID", miss->container_id, err) != HV_OK ||
		hv_add_text(object, "ContainerName", miss->container_name, err) != HV_OK ||
		hv_add_text(object, "Err", hv_error_text(&miss->err), err) != HV_OK)
		return err->code;
	return hv_add_text(object, "Hint", miss->err.hint, err);
}

static enum hv_code add_misses(const struct hv_rule_view *view, bool is_skipped, const char *name,
	struct json_object *reply, struct hv_error *err)
{
	struct json_object *array = json_object_new_array();
	enum hv_code code = hv_add(reply, name, array, err);

	for (size_t i = 0; code == HV_OK && i < view->misses.count; i++)
		if (view->misses.items[i].is_skipped == is_skipped)
			code = add_miss(&view->misses.items[i], array, err);
	return code;
}

static enum hv_code add_attachments(
	const struct hv_rule_view *view, struct json_object *reply, struct hv_error *err)
{
	struct json_object *array = json_object_new_array();
	enum hv_code code = hv_add(reply, "Attachments", array, err);

	for (size_t i = 0; code == HV_OK && i < view->count; i++)
		code = hv_append(
			array, hv_fields_write(hv_attachment_fields, &view->attachments[i]), err);
	return code;
}

static enum hv_code add_count(
	struct json_object *object, const char *name, size_t count, struct hv_error *err)
{
	return hv_add(object, name, json_object_new_int64((int64_t)count), err);
}

static enum hv_code add_counts(
	const struct hv_rule_view *view, struct json_object *object, struct hv_error *err)
{
	size_t attached = 0, skipped = 0;

	for (size_t i = 0; i < view->count; i++)
		attached += view->attachments[i].state == HV_ATTACHED;
	for (size_t i = 0; i < view->misses.count; i++)
		skipped += view->misses.items[i].is_skipped;
	if (add_count(object, "Attached", attached, err) != HV_OK ||
		add_count(object, "Pending", view->count - attached, err) != HV_OK ||
		add_count(object, "Failed", view->misses.count - skipped, err) != HV_OK)
		return err->code;
	return add_count(object, "Skipped", skipped, err);
}

/* The fields of its request, and those of its own. */
static enum hv_code write_rule(
	const struct hv_rule_view *view, struct json_object **ret, struct hv_error *err)
{
	hv_auto_json struct json_object *object = NULL;

	if (hv_json_parse(view->request, strlen(view->request), &object, err) != HV_OK ||
		hv_add_text(object, "ID", view->id, err) != HV_OK ||
		hv_add_text(object, "Selector", view->selector, err) != HV_OK ||
		hv_add_text(object, "Volume", view->volume, err) != HV_OK ||
		hv_add_text(object, "Target", view->target, err) != HV_OK ||
		hv_add_text(object, "Since", view->since, err) != HV_OK ||
		hv_add_text(object, "Problem", view->problem, err) != HV_OK ||
		add_counts(view, object, err) != HV_OK)
		return err->code;
	*ret = json_object_get(object);
	return HV_OK;
}

static enum hv_code add_rule(
	const struct hv_rule_view *view, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = NULL;

	if (write_rule(view, &object, err) != HV_OK)
		return err->code;
	return hv_add(reply, "Rule", object, err);
}

enum hv_code hv_answer_rule_attach(struct hv_api *api, const struct hv_attach_request *in,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_rule_view struct hv_rule_view view = {0};

	if (hv_rule_attach(api->attacher, in, &view, err) != HV_OK ||
		add_rule(&view, reply, err) != HV_OK ||
		(view.near && hv_add_text(reply, "Near", view.near, err) != HV_OK) ||
		add_attachments(&view, reply, err) != HV_OK ||
		add_misses(&view, false, "Failed", reply, err) != HV_OK)
		return err->code;
	return add_misses(&view, true, "Skipped", reply, err);
}

enum hv_code hv_answer_rule_check(struct hv_api *api, const struct hv_attach_request *in,
	struct json_object *checks, struct hv_error *err)
{
	struct hv_check *list = NULL;
	size_t count = 0;
	enum hv_code code = hv_rule_check(api->attacher, in, &list, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = hv_append(checks, hv_fields_write(hv_check_fields, &list[i]), err);
	hv_checks_free(list, count);
	return code;
}

enum hv_code hv_answer_rule_detach(struct hv_api *api, const struct hv_detach_request *in,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_rule_view struct hv_rule_view view = {0};

	if (hv_rule_detach(api->attacher, in, &view, err) != HV_OK ||
		add_rule(&view, reply, err) != HV_OK)
		return err->code;
	return add_attachments(&view, reply, err);
}

/* With all of its containers. */
static enum hv_code append_rule(
	const struct hv_rule_view *view, struct json_object *array, struct hv_error *err)
{
	struct json_object *object = NULL;

	if (write_rule(view, &object, err) != HV_OK || hv_append(array, object, err) != HV_OK ||
		add_attachments(view, object, err) != HV_OK ||
		add_misses(view, false, "FailedContainers", object, err) != HV_OK)
		return err->code;
	return add_misses(view, true, "SkippedContainers", object, err);
}

static const struct hv_field no_fields[] = {{NULL, HV_TYPE_STRING, 0, 0}};

static enum hv_code call_hot_rules(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct json_object *array = json_object_new_array();
	struct hv_rule_view *views = NULL;
	size_t count = 0;
	enum hv_code code;

	if (hv_add(reply, "Rules", array, err) != HV_OK ||
		hv_fields_read(request->body, request->size, no_fields, HV_UNKNOWN_REFUSE, &views,
			err) != HV_OK)
		return err->code;
	code = hv_rules_list(api->attacher, &views, &count, err);
	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = append_rule(&views[i], array, err);
	hv_rule_views_free(views, count);
	return code;
}

const struct hv_endpoint hv_rule_endpoints[] = {
	{"/HotRules", call_hot_rules, HV_NEEDS_STATE},
	{0},
};

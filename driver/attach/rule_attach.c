/* SPDX-License-Identifier: Apache-2.0 */
/* Make a rule.
 *
 * Sequence: read the request; with the selector and target held: commit the rule, from where on it
 * holds for each container that is created; list the containers; attach to those that are selected,
 * side by side.  If one refuses: end the rule as hv_rule_detach() does, lazily, and try that again
 * until it works.  A crash in between leaves the rule, which is applied again at the next start. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "attach/rules.h"

#include "attachments.h"
#include "mount_op.h"
#include "request.h"
#include "rule_end.h"
#include "rule_place.h"

static enum hv_code check(const struct hv_attach_request *request, struct hv_error *err)
{
	hv_auto_selector struct hv_selector selector = {.count = 0};

	return hv_selector_parse(request->selector, &selector, err);
}

/* All of the request but its place, its ID, how the volume is defined, and whether it is for each;
 * one source has one form. */
static char *write_request(const struct hv_attach_request *request)
{
	struct hv_attach_request rest = *request;
	hv_auto_json struct json_object *object = NULL;

	rest.container = rest.selector = rest.id = NULL;
	rest.volume_opts = (struct hv_opts){0};
	rest.each = false;
	if (rest.path)
		rest.volume = NULL;
	else
		rest.source = (struct hv_opts){0};
	object = hv_fields_write(hv_attach_request_fields, &rest);
	return object ? strdup(json_object_to_json_string_ext(
				object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE))
		      : NULL;
}

/* The volume must be there, and all that can be checked without a container be right.  A
 * borrowed volume is borrowed by each attachment, not by the rule. */
static enum hv_code build(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_rule_record *ret, bool *ret_is_borrowed, struct hv_error *err)
{
	struct hv_attach_request named = *request;
	hv_auto_attempt struct hv_mount_op attempt = {.attacher = attacher,
		.request = &named,
		.only_check = true,
		.container = {.ns = MC_NS_NONE}};

	named.container = request->selector; /* for sentences */

	if (check(request, err) != HV_OK || hv_mount_op_read(&attempt, err) != HV_OK ||
		hv_mount_op_find_volume(&attempt, err) != HV_OK ||
		(!request->id && hv_mount_op_new_id(&ret->id, err) != HV_OK))
		return err->code;
	if (request->id)
		ret->id = strdup(request->id);
	ret->selector = strdup(request->selector);
	ret->volume = strdup(attempt.volume.name);
	ret->target = strdup(attempt.target);
	ret->request = write_request(request);
	ret->since = hv_time_rfc3339();
	ret->from_volume_option = request->from_volume_option;
	*ret_is_borrowed = hv_mount_op_has_borrowed(&attempt);
	return ret->id && ret->selector && ret->volume && ret->target && ret->request && ret->since
		       ? HV_OK
		       : hv_oom(err);
}

/* While the volume is held, so that it cannot be removed under it, unless it is borrowed.
 * `ret_before`: the phase of the volume, which the rule may have ended. */
static enum hv_code commit(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	bool is_borrowed, enum hv_phase *ret_before, struct hv_error *err)
{
	hv_auto_volume struct hv_volume now = {0};
	hv_auto_rule_record struct hv_rule_record copy = {0};
	hv_auto_error struct hv_error ignored = {0};
	struct hv_rule_fate back = {rule->volume, HV_VOLUME_READY};

	HV_HOLD(hold, hv_volumes_locks(attacher->volumes), rule->volume);
	if (!is_borrowed && hv_store_volume_get(attacher->store, rule->volume, &now, err) != HV_OK)
		return err->code;
	*ret_before = back.phase = now.phase; /* HV_VOLUME_READY if it is borrowed */
	if (hv_store_rule_add(attacher->store, rule, err) != HV_OK)
		return err->code;
	if (hv_rule_record_copy(rule, &copy, err) == HV_OK &&
		hv_rules_add(&attacher->rules, &copy, err) == HV_OK)
		return HV_OK;
	(void)!hv_store_rule_drop(
		attacher->store, rule->id, rule->from_volume_option ? &back : NULL, &ignored);
	return err->code;
}

static enum hv_code refuse_other(const struct hv_rule_record *other, struct hv_error *err)
{
	hv_fail(err, HV_TARGET_EXISTS,
		"rule %s attaches volume '%s' to %s at %s already, with other options", other->id,
		other->volume, other->selector, other->target);
	return hv_hint(err, "end that first: docker hostvol detach %s", other->id);
}

/* The rule of the request, which is written unless it is there.  With its place held. */
static enum hv_code make(struct hv_attacher *attacher, struct hv_rule_record *rule,
	bool is_borrowed, bool *ret_is_new, enum hv_phase *ret_before, struct hv_error *err)
{
	hv_auto_rule_record struct hv_rule_record other = {0};
	enum hv_code code =
		hv_rules_find(&attacher->rules, rule->selector, rule->target, &other, err);

	*ret_is_new = code == HV_NO_SUCH_ATTACHMENT;
	if (*ret_is_new && hv_rules_has(&attacher->rules, rule->id))
		return hv_fail(err, HV_BAD_REQUEST, "the ID %s is that of another rule", rule->id);
	if (*ret_is_new)
		return commit(attacher, rule, is_borrowed, ret_before, err);
	if (code != HV_OK)
		return code;
	if (strcmp(other.request, rule->request) != 0 ||
		other.from_volume_option != rule->from_volume_option)
		return refuse_other(&other, err);
	/* A rule that could not be undone is as a new one. */
	*ret_is_new = !hv_rules_allow(&attacher->rules, other.id);
	if (*ret_is_new && hv_store_rule_keep(attacher->store, other.id, err) != HV_OK)
		return err->code;
	hv_rules_set_ending(&attacher->rules, other.id, false);
	hv_rule_record_done(rule);
	*rule = other;
	other = (struct hv_rule_record){0};
	return HV_OK;
}

/* How many containers refuse, and the first of them. */
static size_t count_failed(const struct hv_rule_places *places, const struct hv_rule_place **ret)
{
	size_t failed = 0;

	for (size_t i = places->count; i-- > 0;) {
		const struct hv_rule_place *place = &places->items[i];

		if (place->err.code == HV_OK || place->is_skipped || place->is_gone)
			continue;
		failed++;
		*ret = place;
	}
	return failed;
}

static enum hv_code tell_failed(const struct hv_rule_places *places,
	const struct hv_rule_place *first, size_t failed, struct hv_error *err)
{
	hv_fail(err, first->err.code, "container '%s': %s (%zu of %zu containers refuse)",
		first->name, hv_error_text(&first->err), failed, places->count);
	if (places->count > failed)
		return hv_hint(err, "attach to the others all the same: --each");
	return first->err.hint ? hv_hint(err, "%s", first->err.hint) : err->code;
}

static enum hv_code apply(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	bool is_each, struct hv_rule_places *places, char **ret_near, struct hv_error *err)
{
	const struct hv_rule_place *first = NULL;
	size_t failed;

	if (hv_rule_list_places(attacher, rule->selector, places, ret_near, err) != HV_OK)
		return err->code;
	hv_rule_apply(attacher, rule, places);
	failed = count_failed(places, &first);
	return failed == 0 || is_each ? HV_OK : tell_failed(places, first, failed, err);
}

static enum hv_code fill(const struct hv_rule_record *rule, struct hv_rule_places *places,
	struct hv_rule_view *ret, struct hv_error *err)
{
	ret->attachments = calloc(places->count + 1, sizeof(*ret->attachments));
	ret->misses.items = calloc(places->count + 1, sizeof(*ret->misses.items));
	if (!ret->attachments || !ret->misses.items)
		return hv_oom(err);
	for (size_t i = 0; i < places->count; i++) {
		struct hv_rule_place *place = &places->items[i];

		if (place->attachment.id) {
			ret->attachments[ret->count++] = place->attachment;
			place->attachment = (struct hv_attachment){0};
		} else if (!place->is_gone) {
			ret->misses.items[ret->misses.count++] = (struct hv_rule_miss){
				place->id, place->name, place->is_skipped, place->err};
			place->id = place->name = NULL;
			place->err = (struct hv_error){0};
		}
	}
	return hv_rule_view_fill(ret, rule, err);
}

/* The attach failed with `err`.  A volume's own rule that cannot be ended stays, as its volume
 * does. */
static enum hv_code undo(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	enum hv_phase before, struct hv_error *err)
{
	const struct hv_rule_end_how how = {
		.is_lazy = true, .phase = before, .is_undo = !rule->from_volume_option};
	hv_auto_error struct hv_error cause = {0};

	if (hv_rule_end(attacher, rule, &how, NULL, &cause) == HV_OK)
		return err->code;
	return hv_hint(err, "end rule %s, which stays because %s%s: docker hostvol detach %s",
		rule->id, hv_error_text(&cause),
		how.is_undo ? " (hostvol tries that again each minute)" : "", rule->id);
}

enum hv_code hv_rule_attach(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_rule_view *ret, struct hv_error *err)
{
	hv_auto_rule_record struct hv_rule_record rule = {0};
	hv_auto_rule_places struct hv_rule_places places = {0};
	hv_auto_free char *key = NULL;
	bool is_borrowed = false, is_new = false;
	enum hv_phase before = HV_VOLUME_READY;

	*ret = (struct hv_rule_view){0};
	if (build(attacher, request, &rule, &is_borrowed, err) != HV_OK || !rule.since)
		return err->code;
	key = hv_rule_key(&rule);
	if (!key)
		return hv_oom(err);
	HV_HOLD(hold, &attacher->locks, key);
	if (make(attacher, &rule, is_borrowed, &is_new, &before, err) != HV_OK)
		return err->code;
	if (apply(attacher, &rule, request->each, &places, &ret->near, err) == HV_OK)
		return fill(&rule, &places, ret, err);
	return is_new ? undo(attacher, &rule, before, err) : err->code;
}

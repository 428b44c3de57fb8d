/* SPDX-License-Identifier: Apache-2.0 */
/* End a rule.
 *
 * Sequence: from now on nothing is attached for it; detach its attachments, side by side; delete
 * it.  After a failure, or a crash, the rule is as before, and attaches again.  The end of a
 * rule that was never acknowledged is tried again as often as the rules are applied. */
#include "rule_end.h"

#include <stdlib.h>
#include <string.h>

#include "mountcore/path.h"
#include "wire/clock.h"
#include "wire/text.h"

#include "attachment.h"
#include "attachments.h"
#include "detach.h"
#include "side.h"

/* They do not ask the Engine, and wait together: for the disk, and for a look at all namespaces. */
enum { THREADS = HV_SIDE_MAX };

char *hv_rule_key(const struct hv_rule_record *rule)
{
	return hv_text_format("%s:%s", rule->selector, rule->target);
}

enum hv_code hv_rule_view_fill(
	struct hv_rule_view *ret, const struct hv_rule_record *rule, struct hv_error *err)
{
	ret->id = strdup(rule->id);
	ret->selector = strdup(rule->selector);
	ret->volume = strdup(rule->volume);
	ret->target = strdup(rule->target);
	ret->request = strdup(rule->request);
	ret->since = strdup(rule->since);
	return ret->id && ret->selector && ret->volume && ret->target && ret->request && ret->since
		       ? HV_OK
		       : hv_oom(err);
}

void hv_rule_view_done(struct hv_rule_view *view)
{
	free(view->id);
	free(view->selector);
	free(view->volume);
	free(view->target);
	free(view->request);
	free(view->since);
	free(view->near);
	free(view->problem);
	hv_attachments_free(view->attachments, view->count);
	hv_rule_misses_done(&view->misses);
	*view = (struct hv_rule_view){0};
}

/* One of those that end. */
struct ended {
	struct hv_attachment attachment; /* as it was; its ID is NULL: it was gone already */
	struct hv_error err;
};

struct ending {
	struct hv_attacher *attacher;
	const struct hv_rule_record *rule;
	const struct hv_rule_end_how *how;
	const struct hv_records *records;
	struct ended *items;
	long long until_ms;
};

/* Wait for an attach that is under way, or bring one to its end that a crash left half done.  A
 * failure may be of another one in that container. */
static enum hv_code settle(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = record->view.id};
	hv_auto_records struct hv_records now = {0};
	struct hv_repaired ignored_counts;
	hv_auto_error struct hv_error failure = {0};

	if (hv_attachments_settle(attacher, record->view.container_id, &ignored_counts, &failure) ==
			HV_OK ||
		hv_records_list(attacher, &filter, &now, err) != HV_OK)
		return err->code;
	if (now.count == 0 || now.items->is_done)
		return HV_OK;
	*err = failure;
	failure = (struct hv_error){0};
	return err->code;
}

static void end_at(void *context, size_t at)
{
	const struct ending *self = context;
	const struct hv_record *record = &self->records->items[at];
	struct ended *item = &self->items[at];
	long long left_ms = self->until_ms - hv_clock_ms();
	const struct hv_detach_request request = {
		.id = record->view.id,
		.wait_seconds = left_ms > 0 ? (left_ms + 999) / 1000 : 0,
		.lazy = self->how->is_lazy,
		.of_rule = self->rule->id,
	};

	if (!record->is_done && settle(self->attacher, record, &item->err) != HV_OK)
		return;
	if (hv_detach(self->attacher, &request, &item->attachment, &item->err) ==
		HV_NO_SUCH_ATTACHMENT)
		hv_error_done(&item->err);
}

/* The first failure, which keeps the list of processes. */
static enum hv_code judge(const struct ending *self, struct hv_error *err)
{
	const struct hv_records *records = self->records;
	struct ended *items = self->items;
	struct ended *first = NULL;
	size_t failed = 0;
	char *text;

	for (size_t i = records->count; i-- > 0;) {
		if (items[i].err.code == HV_OK)
			continue;
		first = &items[i];
		failed++;
	}
	if (!first)
		return HV_OK;
	text = hv_text_format("rule %s%s: %s (%zu of %zu attachments)", self->rule->id,
		self->how->is_undo ? "" : " stays", hv_error_text(&first->err), failed,
		records->count);
	*err = first->err;
	first->err = (struct hv_error){0};
	free(err->message);
	err->message = text;
	return err->code;
}

static void take_ended(struct ended *items, size_t count, struct hv_rule_view *ret)
{
	ret->attachments = calloc(count + 1, sizeof(*ret->attachments));
	for (size_t i = 0; ret->attachments && i < count; i++) {
		if (!items[i].attachment.id)
			continue;
		ret->attachments[ret->count++] = items[i].attachment;
		items[i].attachment = (struct hv_attachment){0};
	}
}

static enum hv_code detach_all(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	const struct hv_rule_end_how *how, struct hv_rule_view *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.rule = rule->id};
	hv_auto_records struct hv_records records = {0};
	struct ending self = {
		attacher, rule, how, &records, NULL, hv_clock_ms() + how->wait_seconds * 1000};
	enum hv_code code;

	{ /* an attach that was allowed before is in the list, or fails */
		HV_HOLD(hold, hv_volumes_locks(attacher->volumes), rule->volume);
		code = hv_records_list(attacher, &filter, &records, err);
	}
	self.items = code == HV_OK ? calloc(records.count + 1, sizeof(*self.items)) : NULL;
	if (!self.items)
		return code == HV_OK ? hv_oom(err) : code;
	hv_side_by_side(attacher->core, THREADS, records.count, end_at, &self);
	code = judge(&self, err);
	if (code == HV_OK && ret)
		take_ended(self.items, records.count, ret);
	for (size_t i = 0; i < records.count; i++) {
		hv_attachment_done(&self.items[i].attachment);
		hv_error_done(&self.items[i].err);
	}
	free(self.items);
	return code;
}

/* While the volume is held: it may be retired with the rule. */
static enum hv_code drop(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	enum hv_phase phase, struct hv_error *err)
{
	const struct hv_rule_fate fate = {rule->volume, phase};

	HV_HOLD(hold, hv_volumes_locks(attacher->volumes), rule->volume);
	return hv_store_rule_drop(
		attacher->store, rule->id, rule->from_volume_option ? &fate : NULL, err);
}

static void note_undone(
	struct hv_attacher *attacher, const struct hv_rule_record *rule, const struct hv_error *why)
{
	hv_auto_free char *text = hv_text_format(
		"it attaches to nothing new, and is not undone yet: %s", hv_error_text(why));

	if (text && hv_rules_set_problem(&attacher->rules, rule->id, text))
		hv_attacher_tell_miss(attacher, rule->id, NULL, text);
}

enum hv_code hv_rule_end(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	const struct hv_rule_end_how *how, struct hv_rule_view *ret, struct hv_error *err)
{
	struct hv_rule_end_how now = *how;
	enum hv_code code;

	now.is_undo = how->is_undo || !hv_rules_allow(&attacher->rules, rule->id);
	hv_rules_set_ending(&attacher->rules, rule->id, true);
	code = detach_all(attacher, rule, &now, ret, err);
	if (code == HV_OK)
		code = drop(attacher, rule, how->phase, err);
	if (code == HV_OK) {
		hv_rules_remove(&attacher->rules, rule->id);
		return HV_OK;
	}
	if (now.is_undo) {
		note_undone(attacher, rule, err);
		return code;
	}
	hv_rules_set_ending(&attacher->rules, rule->id, false);
	hv_attacher_notify_rules(attacher);
	return code;
}

/* With the place of the rule held: it may have ended meanwhile, and its ID be that of another. */
static bool is_still(struct hv_attacher *attacher, const struct hv_rule_record *rule)
{
	hv_auto_rule_record struct hv_rule_record now = {0};
	hv_auto_error struct hv_error ignored = {0};

	return hv_rules_find(&attacher->rules, rule->selector, rule->target, &now, &ignored) ==
		       HV_OK &&
	       strcmp(now.id, rule->id) == 0;
}

/* If it is about to end, and nobody ends it now. */
static void end_if_undone(struct hv_attacher *attacher, const struct hv_rule_record *rule)
{
	const struct hv_rule_end_how how = {.is_lazy = true, .is_undo = true};
	hv_auto_error struct hv_error noted = {0};
	hv_auto_free char *key = hv_rule_key(rule);

	if (!key)
		return;
	HV_HOLD_IF_FREE(hold, &attacher->locks, key);
	if (hold.keylock && is_still(attacher, rule) && !hv_rules_allow(&attacher->rules, rule->id))
		(void)!hv_rule_end(attacher, rule, &how, NULL, &noted);
}

void hv_rules_end_undone(struct hv_attacher *attacher)
{
	hv_auto_rule_records struct hv_rule_records rules = {0};
	hv_auto_error struct hv_error ignored = {0};

	(void)!hv_rules_match(&attacher->rules, NULL, &rules, &ignored);
	for (size_t i = 0; i < rules.count; i++)
		end_if_undone(attacher, &rules.items[i]);
}

static enum hv_code check(const struct hv_detach_request *request, struct hv_error *err)
{
	bool has_id = request->id && *request->id;
	bool has_selector = request->selector && *request->selector;

	if (has_id && has_selector)
		return hv_fail(err, HV_BAD_REQUEST, "\"ID\" goes without \"Selector\"");
	if (request->container && *request->container)
		return hv_fail(err, HV_BAD_REQUEST,
			"\"Container\" goes without \"Selector\" and the ID of a rule");
	if (has_selector && (!request->target || !*request->target))
		return hv_fail(err, HV_BAD_REQUEST, "\"Selector\" goes with \"Target\"");
	return hv_detach_check_wait(request, err);
}

static enum hv_code find_by_target(struct hv_attacher *attacher,
	const struct hv_detach_request *request, struct hv_rule_record *ret, struct hv_error *err)
{
	char target[PATH_MAX];
	enum hv_code code;

	if (mc_path_clean(request->target, target, sizeof(target)) < 0)
		return hv_fail(err, HV_BAD_REQUEST, "the target '%.255s' is not an absolute path",
			request->target);
	code = hv_rules_find(&attacher->rules, request->selector, target, ret, err);
	if (code != HV_NO_SUCH_ATTACHMENT)
		return code;
	hv_fail(err, code, "no rule attaches a volume to %.255s at %s", request->selector, target);
	return hv_hint(err, "list the rules: docker hostvol ls --rules");
}

static enum hv_code find(struct hv_attacher *attacher, const struct hv_detach_request *request,
	struct hv_rule_record *ret, struct hv_error *err)
{
	enum hv_code code;

	if (!request->id || !*request->id)
		return find_by_target(attacher, request, ret, err);
	code = hv_rules_get(&attacher->rules, request->id, ret, err);
	if (code == HV_NO_SUCH_ATTACHMENT)
		return hv_fail(err, code, "no such rule: %.64s", request->id);
	return code;
}

static enum hv_code end_held(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	const struct hv_rule_end_how *how, struct hv_rule_view *ret, struct hv_error *err)
{
	hv_auto_free char *key = hv_rule_key(rule);

	if (!key)
		return hv_oom(err);
	HV_HOLD(hold, &attacher->locks, key);
	if (!is_still(attacher, rule))
		return hv_fail(err, HV_NO_SUCH_ATTACHMENT, "rule %s was ended meanwhile", rule->id);
	return hv_rule_end(attacher, rule, how, ret, err);
}

enum hv_code hv_rule_detach(struct hv_attacher *attacher, const struct hv_detach_request *request,
	struct hv_rule_view *ret, struct hv_error *err)
{
	const struct hv_rule_end_how how = {.is_lazy = request->lazy,
		.wait_seconds = request->wait_seconds,
		.phase = HV_VOLUME_READY};
	hv_auto_rule_record struct hv_rule_record rule = {0};

	*ret = (struct hv_rule_view){0};
	if (check(request, err) != HV_OK || find(attacher, request, &rule, err) != HV_OK ||
		!rule.id || end_held(attacher, &rule, &how, ret, err) != HV_OK)
		return err->code;
	return hv_rule_view_fill(ret, &rule, err);
}

enum hv_code hv_rules_end_own(
	struct hv_attacher *attacher, const char *volume, struct hv_error *err)
{
	const struct hv_rule_end_how how = {.phase = HV_REMOVING};
	hv_auto_rule_records struct hv_rule_records rules = {0};

	if (hv_store_rule_list(attacher->store, volume, &rules, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < rules.count; i++) {
		const struct hv_rule_record *rule = &rules.items[i];

		if (!rule->from_volume_option || end_held(attacher, rule, &how, NULL, err) == HV_OK)
			continue;
		if (err->code != HV_NO_SUCH_ATTACHMENT)
			return err->code;
		hv_error_done(err);
	}
	return HV_OK;
}

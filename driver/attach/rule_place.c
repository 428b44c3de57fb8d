/* SPDX-License-Identifier: Apache-2.0 */
/* Attach for a rule, container by container: by the same way as by hand. */
#include "rule_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "attachments.h"
#include "container.h"
#include "near.h"
#include "siblings.h"
#include "side.h"

enum { TRIES = 3, THREADS = 8 /* each asks the Engine */ };

int hv_rule_places_add(struct hv_rule_places *places, const char *id, const char *name)
{
	struct hv_rule_place *items =
		reallocarray(places->items, places->count + 1, sizeof(*items));
	struct hv_rule_place *item;

	if (!items)
		return -ENOMEM;
	places->items = items;
	item = &items[places->count++];
	*item = (struct hv_rule_place){.id = strdup(id), .name = strdup(name)};
	return item->id && item->name ? 0 : -ENOMEM;
}

void hv_rule_places_done(struct hv_rule_places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		struct hv_rule_place *place = &places->items[i];

		free(place->id);
		free(place->name);
		hv_attachment_done(&place->attachment);
		hv_error_done(&place->err);
	}
	free(places->items);
	*places = (struct hv_rule_places){0};
}

enum hv_code hv_rule_request(const struct hv_rule_record *rule, const char *container,
	struct hv_attach_request *ret, struct hv_error *err)
{
	*ret = HV_ATTACH_REQUEST_INIT;
	if (hv_attach_request_read(rule->request, strlen(rule->request), ret, err) != HV_OK)
		return hv_fail(err, HV_STATE_UNREADABLE,
			"the request of rule %s cannot be read: %s", rule->id, hv_error_text(err));
	ret->rule = rule->id;
	if (!container)
		return HV_OK;
	ret->container = strdup(container);
	return ret->container ? HV_OK : hv_oom(err);
}

/* At the rule's target, and not about to end. */
static bool is_in_place(const struct hv_record *record, const struct hv_rule_record *rule)
{
	return record->is_done && !record->is_ending && !hv_attachment_has_ended(record) &&
	       (strcmp(record->view.target, rule->target) == 0 ||
		       strcmp(record->path, rule->target) == 0);
}

static enum hv_code tell_other(const struct hv_attachment *other, struct hv_error *err)
{
	if (!other->rule)
		return hv_fail(err, HV_TARGET_EXISTS,
			"volume '%s' is attached at %s in container '%s' by itself, which goes before a rule",
			other->volume, other->target, other->container_name);
	return hv_fail(err, HV_TARGET_EXISTS,
		"rule %s attaches volume '%s' at %s in container '%s'", other->rule, other->volume,
		other->target, other->container_name);
}

enum hv_code hv_rule_look(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	const struct hv_rule_place *place, struct hv_attachment *ret, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};

	if (hv_siblings_read(attacher, place->id, &siblings, err) != HV_OK)
		return err->code;
	for (struct hv_record *record = NULL; (record = hv_records_next(&siblings, record));) {
		if (!is_in_place(record, rule))
			continue;
		if (!record->view.rule || strcmp(record->view.rule, rule->id) != 0)
			return tell_other(&record->view, err);
		*ret = record->view;
		record->view = (struct hv_attachment){0};
		return HV_OK;
	}
	return HV_OK;
}

/* A recorded attachment is kept true by its own repair. */
static enum hv_code attach(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	struct hv_rule_place *place, struct hv_error *err)
{
	hv_auto_attach_request struct hv_attach_request request = {0};
	enum hv_code code;

	code = hv_rule_look(attacher, rule, place, &place->attachment, err);
	place->is_skipped = code == HV_TARGET_EXISTS;
	if (code != HV_OK || place->attachment.id)
		return code;
	if (hv_rule_request(rule, place->id, &request, err) != HV_OK)
		return err->code;
	request.created_name = place->is_created ? place->name : NULL;
	code = hv_attach(attacher, &request, &place->attachment, err);
	place->is_new = code == HV_OK;
	return code;
}

static void tell_miss(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	const struct hv_rule_place *place)
{
	const struct hv_rule_miss miss = {place->id, place->name, place->is_skipped, place->err};

	if (hv_rules_note(&attacher->rules, rule->id, &miss))
		hv_attacher_tell_miss(attacher, rule->id, place->name, hv_error_text(&place->err));
}

static void apply(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	struct hv_rule_place *place)
{
	enum hv_code code = attach(attacher, rule, place, &place->err);

	for (int left = TRIES - 1; code == HV_CONTAINER_CHANGED && left > 0; left--) {
		hv_error_done(&place->err); /* it was restarted meanwhile */
		code = attach(attacher, rule, place, &place->err);
	}
	place->is_gone = code == HV_NO_SUCH_CONTAINER;
	if (code == HV_OK || place->is_gone)
		hv_rules_forget(&attacher->rules, rule->id, place->id);
	else
		tell_miss(attacher, rule, place);
}

struct application {
	struct hv_attacher *attacher;
	const struct hv_rule_record *rule;
	struct hv_rule_places *places;
};

static void apply_at(void *context, size_t at)
{
	const struct application *self = context;

	if (hv_rules_allow(&self->attacher->rules, self->rule->id)) /* it may end meanwhile */
		apply(self->attacher, self->rule, &self->places->items[at]);
}

void hv_rule_apply(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	struct hv_rule_places *places)
{
	struct application self = {attacher, rule, places};

	hv_side_by_side(attacher->core, THREADS, places->count, apply_at, &self);
}

struct selection {
	struct hv_selector selector;
	struct hv_near near;
	struct hv_rule_places *ret;
	bool is_cut;
};

static void take(void *context, struct hv_listed *listed)
{
	struct selection *self = context;

	if (!hv_selector_match(&self->selector, &listed->labels))
		hv_near_add(&self->near, &listed->labels);
	else if (hv_rule_places_add(self->ret, listed->id, listed->name) < 0)
		self->is_cut = true;
}

enum hv_code hv_rule_list_places(struct hv_attacher *attacher, const char *selector,
	struct hv_rule_places *ret, char **ret_near, struct hv_error *err)
{
	struct selection self = {.near.selector = &self.selector, .ret = ret};
	enum hv_code code = hv_selector_parse(selector, &self.selector, err);

	if (code == HV_OK)
		code = hv_engine_list(attacher->engine, HV_ENGINE_TIMEOUT_MS, take, &self, err);
	if (code == HV_OK && self.is_cut)
		code = hv_oom(err);
	if (code == HV_OK)
		*ret_near = ret->count == 0 ? hv_near_tell(&self.near) : NULL;
	hv_near_done(&self.near);
	hv_selector_done(&self.selector);
	return code;
}

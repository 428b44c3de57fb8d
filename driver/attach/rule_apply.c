/* SPDX-License-Identifier: Apache-2.0 */
/* Apply the rules to containers that come, and to all. */
#include <stdlib.h>
#include <string.h>

#include "attach/rules.h"

#include "attachments.h"
#include "container.h"
#include "rule_place.h"

bool hv_rules_are_any(struct hv_attacher *attacher)
{
	return attacher->rules.are_any;
}

bool hv_rules_miss(struct hv_attacher *attacher, const char *container_id)
{
	return attacher->rules.are_any && hv_rules_have_miss(&attacher->rules, container_id);
}

bool hv_rule_is_there(struct hv_attacher *attacher, const char *id)
{
	return hv_rules_has(&attacher->rules, id);
}

void hv_rules_set_told(struct hv_attacher *attacher, bool is_told)
{
	attacher->rules.is_told = is_told;
}

bool hv_rules_may_want(struct hv_attacher *attacher, const char *container_id)
{
	return attacher->rules.are_any && attacher->rules.is_told &&
	       !hv_rules_is_known(&attacher->rules, container_id);
}

void hv_rules_wait(struct hv_attacher *attacher, const char *container_id, long long until_ms)
{
	if (hv_rules_may_want(attacher, container_id) &&
		!hv_rules_wait_known(&attacher->rules, container_id, until_ms))
		hv_rules_set_known(&attacher->rules, container_id); /* of no Engine's, perhaps */
}

bool hv_rules_select(
	struct hv_attacher *attacher, const char *container_id, const struct hv_opts *labels)
{
	hv_auto_rule_records struct hv_rule_records rules = {0};
	hv_auto_error struct hv_error ignored = {0};
	bool is_selected = hv_rules_match(&attacher->rules, labels, &rules, &ignored) != HV_OK ||
			   rules.count > 0;

	if (!is_selected)
		hv_rules_set_known(&attacher->rules, container_id);
	return is_selected;
}

void hv_rules_apply_created(struct hv_attacher *attacher, const char *container_id,
	const char *name, const struct hv_opts *labels)
{
	hv_auto_rule_records struct hv_rule_records rules = {0};
	hv_auto_error struct hv_error ignored = {0};

	(void)!hv_rules_match(&attacher->rules, labels, &rules, &ignored);
	for (size_t i = 0; i < rules.count; i++) {
		hv_auto_rule_places struct hv_rule_places places = {0};

		if (hv_rule_places_add(&places, container_id, name) < 0)
			continue; /* the list comes */
		places.items[0].is_created = true;
		hv_rule_apply(attacher, &rules.items[i], &places);
	}
	hv_rules_set_known(&attacher->rules, container_id);
}

/* All containers, and the places of each rule among them. */
struct listing {
	struct hv_attacher *attacher;
	struct hv_rule_records rules;
	struct hv_selector *selectors;
	struct hv_rule_places *places;
	struct hv_texts ids;
	bool is_cut;
};

#define auto_listing HV_AUTO(listing_done)
static void listing_done(struct listing *listing)
{
	for (size_t i = 0; i < listing->rules.count; i++) {
		if (listing->selectors)
			hv_selector_done(&listing->selectors[i]);
		if (listing->places)
			hv_rule_places_done(&listing->places[i]);
	}
	free(listing->selectors);
	free(listing->places);
	hv_rule_records_done(&listing->rules);
	hv_texts_done(&listing->ids);
}

static void take(void *context, struct hv_listed *listed)
{
	struct listing *self = context;
	bool is_selected = false;

	for (size_t i = 0; i < self->rules.count; i++) {
		struct hv_rule_places *places = &self->places[i];

		if (!hv_selector_match(&self->selectors[i], &listed->labels))
			continue;
		is_selected = true;
		if (hv_rule_places_add(places, listed->id, listed->name) < 0)
			self->is_cut = true;
		else /* it may be about to start: the Engine would not answer */
			places->items[places->count - 1].is_created = !hv_listed_is_running(listed);
	}
	if (!is_selected)
		hv_rules_set_known(&self->attacher->rules, listed->id);
	if (hv_texts_add(&self->ids, listed->id) < 0)
		self->is_cut = true;
}

static enum hv_code prepare(
	struct hv_attacher *attacher, struct listing *listing, struct hv_error *err)
{
	if (hv_rules_match(&attacher->rules, NULL, &listing->rules, err) != HV_OK)
		return err->code;
	listing->selectors = calloc(listing->rules.count + 1, sizeof(*listing->selectors));
	listing->places = calloc(listing->rules.count + 1, sizeof(*listing->places));
	if (!listing->selectors || !listing->places)
		return hv_oom(err);
	for (size_t i = 0; i < listing->rules.count; i++)
		if (hv_selector_parse(
			    listing->rules.items[i].selector, &listing->selectors[i], err) != HV_OK)
			return err->code;
	return HV_OK;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Learn which Engine answers, so that a container that is created need not wait for that. */
static void learn_engine(struct hv_attacher *attacher)
{
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_free char *engine = NULL;

	(void)!hv_engine_identity(attacher->engine, HV_ENGINE_TIMEOUT_WHO_MS, &engine, &ignored);
}

enum hv_code hv_rules_apply(struct hv_attacher *attacher, struct hv_error *err)
{
	auto_listing struct listing listing = {.attacher = attacher};
	enum hv_code code;

	if (!hv_rules_are_any(attacher))
		return HV_OK;
	learn_engine(attacher);
	code = prepare(attacher, &listing, err);
	if (code == HV_OK)
		code = hv_engine_list(attacher->engine, HV_ENGINE_TIMEOUT_MS, take, &listing, err);
	if (code == HV_OK && listing.is_cut)
		code = hv_oom(err);
	if (code != HV_OK)
		return code;
	for (size_t i = 0; i < listing.rules.count; i++)
		hv_rule_apply(attacher, &listing.rules.items[i], &listing.places[i]);
	if (listing.ids.count > 0)
		qsort(listing.ids.items, listing.ids.count, sizeof(char *), compare_ids);
	hv_rules_keep(&attacher->rules, &listing.ids);
	for (size_t i = 0; i < listing.ids.count; i++)
		hv_rules_set_known(&attacher->rules, listing.ids.items[i]);
	return HV_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "wire/clock.h"
#include "wire/lock.h"

enum {
	KNOWN_MAX = 65536,
	KNOWN_STEP = 256,
	MISSES_MAX = 1024, /* of one rule */
	ID_DIGITS = 16,
};

struct hv_rule_entry {
	struct hv_rule_record record;
	struct hv_selector selector;
	struct hv_rule_misses misses;
	bool is_ending;
	char *problem; /* or NULL */
};

static void miss_done(struct hv_rule_miss *miss)
{
	free(miss->container_id);
	free(miss->container_name);
	hv_error_done(&miss->err);
	*miss = (struct hv_rule_miss){0};
}

void hv_rule_misses_done(struct hv_rule_misses *misses)
{
	for (size_t i = 0; i < misses->count; i++)
		miss_done(&misses->items[i]);
	free(misses->items);
	*misses = (struct hv_rule_misses){0};
}

static void free_entry(struct hv_rule_entry *entry)
{
	hv_rule_record_done(&entry->record);
	hv_selector_done(&entry->selector);
	hv_rule_misses_done(&entry->misses);
	free(entry->problem);
	free(entry);
}

void hv_rules_init(struct hv_rules *rules)
{
	pthread_mutex_init(&rules->lock, NULL);
	pthread_cond_init(&rules->changed, NULL);
}

void hv_rules_done(struct hv_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free_entry(rules->items[i]);
	free(rules->items);
	free(rules->known);
	pthread_cond_destroy(&rules->changed);
	pthread_mutex_destroy(&rules->lock);
}

/* With the lock. */
static struct hv_rule_entry *find(struct hv_rules *rules, const char *id)
{
	for (size_t i = 0; i < rules->count; i++)
		if (strcmp(rules->items[i]->record.id, id) == 0)
			return rules->items[i];
	return NULL;
}

static enum hv_code append(
	struct hv_rules *rules, struct hv_rule_entry *entry, struct hv_error *err)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	struct hv_rule_entry **items =
		reallocarray(rules->items, rules->count + 1, sizeof(struct hv_rule_entry *));

	if (!items)
		return hv_oom(err);
	rules->items = items;
	items[rules->count++] = entry;
	rules->are_any = true;
	return HV_OK;
}

enum hv_code hv_rules_add(
	struct hv_rules *rules, struct hv_rule_record *record, struct hv_error *err)
{
	struct hv_rule_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return hv_oom(err);
	entry->record = *record;
	*record = (struct hv_rule_record){0};
	if (hv_selector_parse(entry->record.selector, &entry->selector, err) == HV_OK &&
		append(rules, entry, err) == HV_OK)
		return HV_OK;
	free_entry(entry);
	return err->code;
}

void hv_rules_remove(struct hv_rules *rules, const char *id)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);

	for (size_t i = 0; i < rules->count; i++) {
		if (strcmp(rules->items[i]->record.id, id) != 0)
			continue;
		free_entry(rules->items[i]);
		rules->count--;
		memmove(rules->items + i, rules->items + i + 1,
			(rules->count - i) * sizeof(struct hv_rule_entry *));
		break;
	}
	rules->are_any = rules->count > 0;
}

enum hv_code hv_rules_get(
	struct hv_rules *rules, const char *id, struct hv_rule_record *ret, struct hv_error *err)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	const struct hv_rule_entry *entry = find(rules, id);

	return entry ? hv_rule_record_copy(&entry->record, ret, err) : HV_NO_SUCH_ATTACHMENT;
}

enum hv_code hv_rules_find(struct hv_rules *rules, const char *selector, const char *target,
	struct hv_rule_record *ret, struct hv_error *err)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);

	for (size_t i = 0; i < rules->count; i++) {
		const struct hv_rule_record *record = &rules->items[i]->record;

		if (strcmp(record->selector, selector) == 0 && strcmp(record->target, target) == 0)
			return hv_rule_record_copy(record, ret, err);
	}
	return HV_NO_SUCH_ATTACHMENT;
}

enum hv_code hv_rules_match(struct hv_rules *rules, const struct hv_opts *labels,
	struct hv_rule_records *ret, struct hv_error *err)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);

	ret->items = calloc(rules->count + 1, sizeof(*ret->items));
	if (!ret->items)
		return hv_oom(err);
	for (size_t i = 0; i < rules->count; i++) {
		const struct hv_rule_entry *entry = rules->items[i];

		if (labels && !hv_selector_match(&entry->selector, labels))
			continue;
		if (hv_rule_record_copy(&entry->record, &ret->items[ret->count], err) != HV_OK)
			return err->code;
		ret->count++;
	}
	return HV_OK;
}

void hv_rules_set_ending(struct hv_rules *rules, const char *id, bool is_ending)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	struct hv_rule_entry *entry = find(rules, id);

	if (!entry)
		return;
	entry->is_ending = is_ending;
	if (!is_ending) {
		free(entry->problem);
		entry->problem = NULL;
	}
}

bool hv_rules_set_problem(struct hv_rules *rules, const char *id, const char *text)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	struct hv_rule_entry *entry = find(rules, id);

	if (!entry || (entry->problem && strcmp(entry->problem, text) == 0))
		return false;
	free(entry->problem);
	entry->problem = strdup(text);
	return true;
}

enum hv_code hv_rules_problem(
	struct hv_rules *rules, const char *id, char **ret, struct hv_error *err)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	const struct hv_rule_entry *entry = find(rules, id);

	*ret = entry && entry->problem ? strdup(entry->problem) : NULL;
	return entry && entry->problem && !*ret ? hv_oom(err) : HV_OK;
}

bool hv_rules_allow(struct hv_rules *rules, const char *id)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	const struct hv_rule_entry *entry = find(rules, id);

	return entry && !entry->is_ending;
}

bool hv_rules_has(struct hv_rules *rules, const char *id)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);

	return find(rules, id) != NULL;
}

/* --- notes --- */

static struct hv_rule_miss *find_miss(const struct hv_rule_misses *misses, const char *container_id)
{
	for (size_t i = 0; i < misses->count; i++)
		if (strcmp(misses->items[i].container_id, container_id) == 0)
			return &misses->items[i];
	return NULL;
}

static void remove_miss(struct hv_rule_misses *misses, struct hv_rule_miss *miss)
{
	miss_done(miss);
	*miss = misses->items[--misses->count];
}

static bool copy_miss(const struct hv_rule_miss *from, struct hv_rule_misses *ret)
{
	struct hv_rule_miss *items = reallocarray(ret->items, ret->count + 1, sizeof(*items));
	struct hv_rule_miss *to;

	if (!items)
		return false;
	ret->items = items;
	to = &items[ret->count++];
	*to = (struct hv_rule_miss){
		.container_id = strdup(from->container_id),
		.container_name = strdup(from->container_name),
		.is_skipped = from->is_skipped,
	};
	hv_fail(&to->err, from->err.code, "%s", hv_error_text(&from->err));
	if (from->err.hint)
		hv_hint(&to->err, "%s", from->err.hint);
	if (to->container_id && to->container_name)
		return true;
	miss_done(to);
	ret->count--;
	return false;
}

bool hv_rules_note(struct hv_rules *rules, const char *id, const struct hv_rule_miss *miss)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	struct hv_rule_entry *entry = find(rules, id);
	struct hv_rule_miss *known = entry ? find_miss(&entry->misses, miss->container_id) : NULL;
	bool is_known = known && known->is_skipped == miss->is_skipped &&
			strcmp(hv_error_text(&known->err), hv_error_text(&miss->err)) == 0;

	if (!entry || is_known)
		return false;
	if (known)
		remove_miss(&entry->misses, known);
	return entry->misses.count >= MISSES_MAX || copy_miss(miss, &entry->misses);
}

bool hv_rules_have_miss(struct hv_rules *rules, const char *container_id)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);

	for (size_t i = 0; i < rules->count; i++) {
		const struct hv_rule_miss *miss = find_miss(&rules->items[i]->misses, container_id);

		if (miss && !miss->is_skipped)
			return true;
	}
	return false;
}

void hv_rules_forget(struct hv_rules *rules, const char *id, const char *container_id)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	struct hv_rule_entry *entry = find(rules, id);
	struct hv_rule_miss *known = entry ? find_miss(&entry->misses, container_id) : NULL;

	if (known)
		remove_miss(&entry->misses, known);
}

static int compare_texts(const void *text, const void *item)
{
	return strcmp(text, *(char *const *)item);
}

void hv_rules_keep(struct hv_rules *rules, const struct hv_texts *containers)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);

	for (size_t i = 0; i < rules->count; i++) {
		struct hv_rule_misses *misses = &rules->items[i]->misses;

		for (size_t at = misses->count; at-- > 0;)
			if (containers->count == 0 ||
				!bsearch(misses->items[at].container_id, containers->items,
					containers->count, sizeof(char *), compare_texts))
				remove_miss(misses, &misses->items[at]);
	}
}

enum hv_code hv_rules_misses(
	struct hv_rules *rules, const char *id, struct hv_rule_misses *ret, struct hv_error *err)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	const struct hv_rule_entry *entry = find(rules, id);

	for (size_t i = 0; entry && i < entry->misses.count; i++)
		if (!copy_miss(&entry->misses.items[i], ret))
			return hv_oom(err);
	return HV_OK;
}

/* --- known containers --- */

static unsigned long long number_of(const char *container_id)
{
	char digits[ID_DIGITS + 1] = "";

	strncpy(digits, container_id, ID_DIGITS);
	return strtoull(digits, NULL, 16);
}

/* With the lock. */
static bool is_known(const struct hv_rules *rules, unsigned long long number)
{
	for (size_t i = 0; i < rules->known_count; i++)
		if (rules->known[i] == number)
			return true;
	return false;
}

/* Returns false without memory: then it is waited for a little at each start. */
static bool make_room(struct hv_rules *rules)
{
	unsigned long long *known;

	if (rules->known_count % KNOWN_STEP != 0)
		return true;
	known = reallocarray(rules->known, rules->known_count + KNOWN_STEP, sizeof(*known));
	if (known)
		rules->known = known;
	return known;
}

void hv_rules_set_known(struct hv_rules *rules, const char *container_id)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	unsigned long long number = number_of(container_id);

	if (!is_known(rules, number)) {
		if (rules->known_count == KNOWN_MAX)
			rules->known[rules->known_next++ % KNOWN_MAX] = number;
		else if (make_room(rules))
			rules->known[rules->known_count++] = number;
	}
	pthread_cond_broadcast(&rules->changed);
}

bool hv_rules_is_known(struct hv_rules *rules, const char *container_id)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);

	return is_known(rules, number_of(container_id));
}

bool hv_rules_wait_known(struct hv_rules *rules, const char *container_id, long long until_ms)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&rules->lock);
	unsigned long long number = number_of(container_id);

	while (!is_known(rules, number) && hv_clock_ms() < until_ms)
		(void)hv_wait_until(&rules->changed, lock, until_ms);
	return is_known(rules, number);
}

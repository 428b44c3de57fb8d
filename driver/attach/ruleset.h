/* SPDX-License-Identifier: Apache-2.0 */
/* The rules in memory, and notes on the containers that they may select. */
#ifndef ATTACH_RULE_SET_H
#define ATTACH_RULE_SET_H

#include <pthread.h>
#include <stdatomic.h>

#include "attach/rules.h"
#include "store/store.h"
#include "wire/selector.h"

struct hv_rule_entry;

/* Zeroed but for hv_rules_init(). */
struct hv_rules {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	struct hv_rule_entry **items; /* oldest first */
	size_t count;
	atomic_bool are_any;
	atomic_bool is_told; /* the Engine tells which containers it creates */
	/* The containers that the rules were applied to, by the first 64 bits of their IDs: a ring
	 * of KNOWN_MAX, once there are so many. */
	unsigned long long *known;
	size_t known_count;
	size_t known_next;
};

void hv_rules_init(struct hv_rules *rules);
void hv_rules_done(struct hv_rules *rules);

/* Take over a rule, and leave it empty.  Returns HV_OK, HV_BAD_REQUEST (its selector) or
 * HV_INTERNAL. */
enum hv_code hv_rules_add(
	struct hv_rules *rules, struct hv_rule_record *record, struct hv_error *err);
void hv_rules_remove(struct hv_rules *rules, const char *id);

/* A copy of the rule of this ID, or of this selector at this target.  Returns HV_OK,
 * HV_NO_SUCH_ATTACHMENT without a sentence, or HV_INTERNAL. */
enum hv_code hv_rules_get(
	struct hv_rules *rules, const char *id, struct hv_rule_record *ret, struct hv_error *err);
enum hv_code hv_rules_find(struct hv_rules *rules, const char *selector, const char *target,
	struct hv_rule_record *ret, struct hv_error *err);

/* Copies of those that select a container with these labels (NULL: of all), oldest first. */
enum hv_code hv_rules_match(struct hv_rules *rules, const struct hv_opts *labels,
	struct hv_rule_records *ret, struct hv_error *err);

/* It is about to end: nothing is attached for it any more; or not, after all. */
void hv_rules_set_ending(struct hv_rules *rules, const char *id, bool is_ending);

/* Why it is about to end still, until that changes.  Returns whether that is news. */
bool hv_rules_set_problem(struct hv_rules *rules, const char *id, const char *text);
/* The same, copied; NULL if there is none. */
enum hv_code hv_rules_problem(
	struct hv_rules *rules, const char *id, char **ret, struct hv_error *err);

/* Whether something may be attached for it. */
bool hv_rules_allow(struct hv_rules *rules, const char *id);

/* Whether there is one of that ID. */
bool hv_rules_has(struct hv_rules *rules, const char *id);

/* Why it is not attached in a container.  Returns whether that is news. */
bool hv_rules_note(struct hv_rules *rules, const char *id, const struct hv_rule_miss *miss);
/* Whether there is such a note on the container, and not for what is skipped. */
bool hv_rules_have_miss(struct hv_rules *rules, const char *container_id);
/* It is attached there. */
void hv_rules_forget(struct hv_rules *rules, const char *id, const char *container_id);
/* Forget all notes on containers that are not among these, sorted. */
void hv_rules_keep(struct hv_rules *rules, const struct hv_texts *containers);
/* All of it, copied, appended to `ret`. */
enum hv_code hv_rules_misses(
	struct hv_rules *rules, const char *id, struct hv_rule_misses *ret, struct hv_error *err);

/* The rules were applied to it. */
void hv_rules_set_known(struct hv_rules *rules, const char *container_id);
bool hv_rules_is_known(struct hv_rules *rules, const char *container_id);
/* Wait for that; returns whether it came. */
bool hv_rules_wait_known(struct hv_rules *rules, const char *container_id, long long until_ms);

#endif

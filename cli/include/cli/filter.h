/* SPDX-License-Identifier: Apache-2.0 */
/* --filter KEY=VALUE, as docker has it: the attachments that a list shows, and events. */
#ifndef CLI_FILTER_H
#define CLI_FILTER_H

#include <stdbool.h>

#include "cli/flags.h"

struct json_object;

enum hv_filter_key {
	HV_FILTER_ACTION,
	HV_FILTER_CONTAINER, /* a name, or the beginning of an ID */
	HV_FILTER_STATE,
	HV_FILTER_TARGET,
	HV_FILTER_VOLUME,
	HV_FILTER_KEYS,
};

/* The words of the keys, by their numbers. */
extern const char *const hv_filter_keys[HV_FILTER_KEYS];

/* The keys that a command knows. */
struct hv_filter_set {
	bool has[HV_FILTER_KEYS];
	const char *list; /* in a sentence */
};
extern const struct hv_filter_set hv_filters_of_ls, hv_filters_of_events;

struct hv_filter {
	enum hv_filter_key key;
	char *value; /* owned */
};

struct hv_filters {
	struct hv_filter items[HV_VALUES_MAX];
	size_t count;
};

/* Read the values of --filter.
 * Returns HV_OK, or HV_BAD_REQUEST with the sentence, and a hint where a known word is near: no
 * KEY=VALUE, no value, a key that is not in `set`, an unknown action or state; HV_INTERNAL on
 * ENOMEM.  The caller frees `ret` with hv_filters_done() whatever is returned. */
enum hv_code hv_filters_parse(const struct hv_filter_set *set, const struct hv_values *values,
	struct hv_filters *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Whether the attachment or event, as the API shows it, has one of the values of each key that is
 * given. */
bool hv_filters_match(const struct hv_filters *filters, struct json_object *item)
	__attribute__((nonnull(1)));

/* Those of the array that match, in a new array, to be put; NULL on ENOMEM. */
struct json_object *hv_filters_select(const struct hv_filters *filters, struct json_object *list)
	__attribute__((nonnull));

void hv_filters_done(struct hv_filters *filters) __attribute__((nonnull));
#define hv_auto_filters HV_AUTO(hv_filters_done)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The containers that a rule is for, by their labels: label:KEY[=VALUE], compose:PROJECT[/SERVICE]
 * or service:NAME. */
#ifndef WIRE_SELECTOR_H
#define WIRE_SELECTOR_H

#include <stdbool.h>

#include "wire/error.h"
#include "wire/opts.h"

#define HV_SELECTOR_FORM "label:KEY[=VALUE], compose:PROJECT[/SERVICE] or service:NAME"

enum { HV_SELECTOR_MAX = 1024, HV_SELECTOR_LABELS = 2 };

struct hv_selector {
	struct {
		char *key;
		char *value; /* NULL: any */
	} labels[HV_SELECTOR_LABELS];
	size_t count;
};

/* Whether `text`, perhaps with a target behind it, is meant for a selector, and not for a
 * container: "label:x", but not "label:/x", which is a target in a container named label. */
bool hv_selector_is_meant(const char *text) __attribute__((nonnull));

/* The number of bytes before the target in SELECTOR:TARGET[:MODE]: up to the last ":/".  0: there
 * is no target. */
size_t hv_selector_length(const char *text) __attribute__((nonnull));

/* Read a selector alone.  There is one text for each, so that equal ones are equal texts.
 * Returns HV_OK, or HV_BAD_REQUEST with sentence and hint.  The caller frees `ret` with
 * hv_selector_done() whatever is returned.  Any thread. */
enum hv_code hv_selector_parse(const char *text, struct hv_selector *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Whether a container with these labels is selected.  A keeper (wire/keeper.h) never is. */
bool hv_selector_match(const struct hv_selector *selector, const struct hv_opts *labels)
	__attribute__((nonnull));

/* The first label of the selector that a container with these labels has with another value:
 * `ret_at` is its place in the selector.  Returns the value, borrowed from `labels`, or NULL: the
 * container does not have the label, or is selected, or a keeper. */
const char *hv_selector_miss(const struct hv_selector *selector, const struct hv_opts *labels,
	size_t *ret_at) __attribute__((nonnull));

void hv_selector_done(struct hv_selector *selector) __attribute__((nonnull));
#define hv_auto_selector HV_AUTO(hv_selector_done)

#endif

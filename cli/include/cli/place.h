/* SPDX-License-Identifier: Apache-2.0 */
/* Where a volume goes, as the command line writes it: CONTAINER:TARGET[:MODE], or with a selector
 * of containers (wire/selector.h) in place of one. */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include <stdbool.h>

#include "wire/error.h"
#include "wire/mode.h"

/* Strings are owned. */
struct hv_place {
	char *container;
	char *selector; /* instead; NULL: there is a container */
	char *target;
	struct hv_mode mode;
};

/* Split at the first colon: a container's name has none; behind a selector at the last ":/".  With
 * `target` from the command line, `text` is the container alone.  The target itself is the daemon's
 * to judge. Returns HV_OK, or HV_BAD_REQUEST with sentence and hint.  The caller frees `ret` with
 * hv_place_done() whatever is returned. */
enum hv_code hv_place_parse(const char *text, const char *target, struct hv_place *ret,
	struct hv_error *err) __attribute__((nonnull(1, 3, 4), warn_unused_result));

/* Take the mode off the end of place->target, where there is one.
 * Returns HV_OK, or HV_BAD_REQUEST for what `docker run -v` knows there and this command does not:
 * taken as a part of the path it would be a surprise. */
enum hv_code hv_place_mode_parse(struct hv_place *place, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Whether --ro and the mode in `place` together mean read-only.
 * Returns HV_OK, or HV_BAD_REQUEST when they contradict each other. */
enum hv_code hv_place_read_only(const struct hv_place *place, bool is_flag_set, bool *ret_read_only,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Write the path as the daemon has it, in place: no slash or dot too many. */
void hv_target_clean(char *target) __attribute__((nonnull));

void hv_place_done(struct hv_place *place) __attribute__((nonnull));
#define hv_auto_place HV_AUTO(hv_place_done)

/* Whether `text` has the form of the ID of an attachment or a rule: 12 hex digits. */
bool hv_attachment_id_is(const char *text) __attribute__((nonnull));

#endif

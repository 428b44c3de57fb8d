/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a rule. */
#ifndef ATTACH_RULE_END_H
#define ATTACH_RULE_END_H

#include "ruleset.h"

struct hv_rule_end_how {
	bool is_lazy;
	long long wait_seconds;
	enum hv_phase phase; /* of its volume from then on, if it is the volume's own */
	bool is_undo;        /* it was never acknowledged */
};

/* Detach all attachments of the rule, side by side, and delete it; `ret` (may be NULL) has them as
 * they were.  If one cannot be detached the rule stays, and is applied again; with is_undo it is
 * about to end until hv_rules_end_undone() could do it. */
enum hv_code hv_rule_end(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	const struct hv_rule_end_how *how, struct hv_rule_view *ret, struct hv_error *err);

/* The key in attacher->locks under which rules of that selector and target are made and ended; NULL
 * on ENOMEM. */
char *hv_rule_key(const struct hv_rule_record *rule);

/* Copy the texts of a rule. */
enum hv_code hv_rule_view_fill(
	struct hv_rule_view *ret, const struct hv_rule_record *rule, struct hv_error *err);

#endif

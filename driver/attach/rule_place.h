/* SPDX-License-Identifier: Apache-2.0 */
/* The containers that a rule selects, and the result of applying it there. */
#ifndef ATTACH_RULE_PLACE_H
#define ATTACH_RULE_PLACE_H

#include "ruleset.h"

/* A container that a rule selects; strings are owned. */
struct hv_rule_place {
	char *id;
	char *name;
	bool is_created; /* or stopped: it does not run, and is not asked for */
	/* Of hv_rule_apply(). */
	struct hv_attachment attachment; /* there; its ID is NULL: there is none */
	bool is_new;                     /* and was not before */
	bool is_skipped;                 /* else: something else is wanted at the target */
	bool is_gone;                    /* the container is, meanwhile */
	struct hv_error err;             /* why there is none */
};

struct hv_rule_places {
	struct hv_rule_place *items;
	size_t count;
};

/* Append one, with copies.  Returns 0 or -ENOMEM. */
int hv_rule_places_add(struct hv_rule_places *places, const char *id, const char *name);
void hv_rule_places_done(struct hv_rule_places *places);
#define hv_auto_rule_places HV_AUTO(hv_rule_places_done)

/* Read the request of a rule, with this container (NULL: none); free with
 * hv_attach_request_done(). */
enum hv_code hv_rule_request(const struct hv_rule_record *rule, const char *container,
	struct hv_attach_request *ret, struct hv_error *err);

/* Attach in all of these places, side by side, where nothing is recorded yet, and note with the
 * rule why it is not done. */
void hv_rule_apply(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	struct hv_rule_places *places);

/* Whether something else is wanted at the target of the rule in that container: HV_OK, or
 * HV_TARGET_EXISTS and which.  `ret` is the rule's own attachment there; its ID is NULL: there is
 * none yet. */
enum hv_code hv_rule_look(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	const struct hv_rule_place *place, struct hv_attachment *ret, struct hv_error *err);

/* The containers that the selector selects, as the Engine lists them.  `ret_near`: if it selects
 * none, a sentence on those that come nearest, else or if none does NULL (near.h); owned. */
enum hv_code hv_rule_list_places(struct hv_attacher *attacher, const char *selector,
	struct hv_rule_places *ret, char **ret_near, struct hv_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: a volume in each container that a selector selects, now and for each that is created
 * later.
 *
 * A rule is a record of what is wanted.  For each container that it selects it has an attachment
 * made (attach/attach.h), which is kept true as any other: for a container that is just created
 * that is before its first start.  An attachment at the same target that is of no rule wins over a
 * rule, an older rule over a younger one. */
#ifndef ATTACH_RULES_H
#define ATTACH_RULES_H

#include "attach/attach.h"
#include "wire/opts.h"

/* A container that a rule selects, and has no attachment in. */
struct hv_rule_miss {
	char *container_id;
	char *container_name;
	bool is_skipped;     /* something else is wanted at its target there */
	struct hv_error err; /* why */
};

struct hv_rule_misses {
	struct hv_rule_miss *items;
	size_t count;
};
void hv_rule_misses_done(struct hv_rule_misses *misses) __attribute__((nonnull));

/* A rule with the containers that it selects. */
struct hv_rule_view {
	char *id;
	char *selector;
	char *volume;
	char *target;
	char *request; /* of the attach: JSON */
	char *since;
	char *near; /* hv_rule_attach(): if none is selected, the values that come nearest; or NULL
		     */
	char *problem; /* hv_rules_list(): it attaches to nothing new, and why it has not ended;
			* or NULL */
	struct hv_attachment *attachments;
	size_t count;
	struct hv_rule_misses misses;
};
void hv_rule_view_done(struct hv_rule_view *view) __attribute__((nonnull));
#define hv_auto_rule_view HV_AUTO(hv_rule_view_done)

/* Make the rule of a request that has a selector, and attach to all containers that it selects,
 * side by side.  If one of them refuses, all attachments are taken out again, and the rule is not
 * kept, unless request->each.  The same request again attaches where that is missing.
 * `ret` is filled on success, also if no container is selected; the caller frees it with
 * hv_rule_view_done() either way.
 * Returns HV_OK, HV_BAD_REQUEST, HV_TARGET_EXISTS (another rule for the selector and target), or as
 * hv_attach().  Any thread. */
enum hv_code hv_rule_attach(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_rule_view *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* End a rule by its ID, or by selector and target, with all its attachments, which `ret` has as
 * they were.  If one of those cannot be detached, the rule stays, and attaches the others again.
 * Returns HV_OK, HV_BAD_REQUEST, HV_NO_SUCH_ATTACHMENT, or as hv_detach(). */
enum hv_code hv_rule_detach(struct hv_attacher *attacher, const struct hv_detach_request *request,
	struct hv_rule_view *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Whether there is a rule of that ID.  Any thread. */
bool hv_rule_is_there(struct hv_attacher *attacher, const char *id) __attribute__((nonnull));

/* All rules, oldest first; each attachment in its last known state.  Free with
 * hv_rule_views_free(). */
enum hv_code hv_rules_list(struct hv_attacher *attacher, struct hv_rule_view **ret,
	size_t *ret_count, struct hv_error *err) __attribute__((nonnull, warn_unused_result));
void hv_rule_views_free(struct hv_rule_view *views, size_t count);

/* hv_attach_check() for a request that has a selector: the steps of each container, with the
 * container's name before that of the step. */
enum hv_code hv_rule_check(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_check **ret, size_t *ret_count, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* End the rules that are of the volume's own option attach, since the volume is to be removed.
 * Returns HV_OK, also if there is none, or as hv_rule_detach(). */
enum hv_code hv_rules_end_own(struct hv_attacher *attacher, const char *volume,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* End the rules that could not be undone when their attach failed, as far as that works now.  Needs
 * no Engine. */
void hv_rules_end_undone(struct hv_attacher *attacher) __attribute__((nonnull));

/* Whether there is any rule: from memory.  Any thread. */
bool hv_rules_are_any(struct hv_attacher *attacher) __attribute__((nonnull));

/* Whether a rule could not be applied to that container: something has happened to it.  Any
 * thread. */
bool hv_rules_miss(struct hv_attacher *attacher, const char *container_id) __attribute__((nonnull));

/* The Engine tells from now on which containers it creates, or no longer. */
void hv_rules_set_told(struct hv_attacher *attacher, bool is_told) __attribute__((nonnull));

/* A container was created with these labels: whether a rule selects it.  If none does, that is
 * noted.  From memory. */
bool hv_rules_select(struct hv_attacher *attacher, const char *container_id,
	const struct hv_opts *labels) __attribute__((nonnull));

/* Write what the rules want in a container that was just created, without the Engine.  A failure is
 * noted with the rule. */
void hv_rules_apply_created(struct hv_attacher *attacher, const char *container_id,
	const char *name, const struct hv_opts *labels) __attribute__((nonnull));

/* Apply the rules to all containers that the Engine lists: attach what is missing.  Failures are
 * noted with the rules.  Returns HV_OK, or why the Engine or the store does not tell. */
enum hv_code hv_rules_apply(struct hv_attacher *attacher, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Whether a rule may want something in a container that is about to start, which is not known yet,
 * but soon. */
bool hv_rules_may_want(struct hv_attacher *attacher, const char *container_id)
	__attribute__((nonnull));

/* Wait until that is known, until `until_ms` (CLOCK_MONOTONIC) at the latest; it is not waited for
 * again then. */
void hv_rules_wait(struct hv_attacher *attacher, const char *container_id, long long until_ms)
	__attribute__((nonnull));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Start a container again whose start was refused (refuse.c).
 *
 * Sequence: once for each refusal, ask the Engine whether that container is one to be started
 * again; if not it is left alone.  Then, a second later and each second: is what it requires
 * there?  If so, ask the Engine once more, and have it start the container.  That start is held and
 * looked at as any other. */
#include "restart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mountcore/host.h"
#include "volume/explain.h"

#include "attachment.h"
#include "attachments.h"
#include "container.h"
#include "siblings.h"

static const char promise[] = "; the container is started again as soon as it can be attached";

static enum hv_refusal refusal_of(const struct hv_records *siblings)
{
	enum hv_refusal refusal = HV_REFUSAL_NONE;

	for (struct hv_record *record = NULL; (record = hv_records_next(siblings, record));)
		if (record->refusal == HV_REFUSAL_NEW || refusal == HV_REFUSAL_NONE)
			refusal = record->refusal;
	return refusal;
}

/* Write it with each that the start lacked; its problem tells it. */
static enum hv_code write_refusal(struct hv_attacher *attacher, struct hv_record *record,
	enum hv_refusal refusal, struct hv_error *err)
{
	const char *problem = record->view.problem ? record->view.problem : "";
	const char *end = strstr(problem, promise);
	int length = end ? (int)(end - problem) : (int)strlen(problem);

	record->refusal = refusal;
	if (*problem && hv_record_set_problem(record, record->problem, err, "%.*s%s", length,
				problem, refusal == HV_REFUSAL_AWAITED ? promise : "") != HV_OK)
		return err->code;
	return hv_store_attachment_note(attacher->store, record, err);
}

static enum hv_code set_refusal(struct hv_attacher *attacher, const char *container_id,
	enum hv_refusal refusal, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};

	HV_HOLD(hold, &attacher->locks, container_id);
	if (hv_siblings_read(attacher, container_id, &siblings, err) != HV_OK)
		return err->code;
	for (struct hv_record *record = NULL; (record = hv_records_next(&siblings, record));)
		if (record->refusal != HV_REFUSAL_NONE &&
			write_refusal(attacher, record, refusal, err) != HV_OK)
			return err->code;
	return HV_OK;
}

static bool has_policy(const struct hv_container *container)
{
	static const char *const policies[] = {"always", "unless-stopped", "on-failure"};

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
		if (container->restart_policy &&
			strcmp(container->restart_policy, policies[i]) == 0)
			return true;
	return false;
}

/* Whether the container is to be started again, by the Engine's word.  Docker keeps the error of a
 * start that failed until one succeeds, and Podman calls the container "created" until then: one
 * that somebody stopped since is neither.  `is_told`: it must be by now. */
static enum hv_code ask(struct hv_attacher *attacher, const char *container_id, bool is_told,
	bool *ret_is_wanted, struct hv_error *err)
{
	hv_auto_container struct hv_container container = {0};
	enum hv_code code =
		hv_container_find(attacher, container_id, HV_ENGINE_TIMEOUT_MS, &container, err);
	bool has_failed = container.is_created || (container.start_error && *container.start_error);

	*ret_is_wanted = code == HV_OK && !container.is_running && has_policy(&container) &&
			 (has_failed || !is_told);
	if (code != HV_NO_SUCH_CONTAINER)
		return code;
	hv_error_done(err); /* the repair has the last word on its records */
	return HV_OK;
}

enum hv_code hv_volume_check_ready(struct hv_attacher *attacher, const struct hv_volume *volume,
	const char *subpath, struct hv_error *err)
{
	HV_AUTO(hv_volume_release) struct hv_volume_ref use = {0};
	struct hv_error_subject names = {.volume = volume->name, .subpath = subpath ? subpath : ""};
	char path[PATH_MAX], resolved[PATH_MAX];
	struct mc_err cause = {0};
	int rc;

	if (hv_volume_check_mount(attacher->volumes, volume, err) != HV_OK ||
		hv_volume_acquire(attacher->volumes, volume, &use, err) != HV_OK)
		return err->code;
	names.source = volume->source;
	names.asked = hv_opts_get(&volume->opts, "path");
	snprintf(path, sizeof(path), "%s%s%s", names.source, *names.subpath ? "/" : "",
		names.subpath);
	rc = mc_host_resolve(attacher->core, path, resolved, NULL, &cause);
	if (rc == 0 || (rc == -ENOTDIR && *names.subpath)) /* a subpath may be a file */
		return HV_OK;
	return hv_error_from_mount(err, &cause, &names);
}

static bool is_ready(struct hv_attacher *attacher, const struct hv_attachment *view)
{
	hv_auto_volume struct hv_volume volume = {0};
	hv_auto_error struct hv_error ignored = {0};

	return hv_store_volume_get(attacher->store, view->volume, &volume, &ignored) == HV_OK &&
	       hv_volume_check_ready(attacher, &volume, view->subpath, &ignored) == HV_OK;
}

static bool is_all_ready(struct hv_attacher *attacher, const struct hv_records *siblings)
{
	for (struct hv_record *record = NULL; (record = hv_records_next(siblings, record));)
		if (record->view.required && record->is_done && !hv_attachment_has_ended(record) &&
			!is_ready(attacher, &record->view))
			return false;
	return true;
}

enum hv_code hv_attachments_restart(struct hv_attacher *attacher, const char *container_id,
	struct hv_restart *ret, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};
	enum hv_refusal refusal;
	bool is_new, is_wanted;

	*ret = (struct hv_restart){.is = HV_RESTART_OVER};
	if (hv_siblings_read(attacher, container_id, &siblings, err) != HV_OK)
		return err->code;
	if (siblings.count > 0)
		snprintf(ret->name, sizeof(ret->name), "%s", siblings.items[0].view.container_name);
	refusal = refusal_of(&siblings);
	if (refusal == HV_REFUSAL_NONE)
		return HV_OK;
	ret->is = HV_RESTART_WAITING;
	is_new = refusal == HV_REFUSAL_NEW;
	if (!is_new && !is_all_ready(attacher, &siblings))
		return HV_OK;
	/* The start of a new one may not have failed yet, as the Engine sees it: only the policy
	 * counts. */
	if (ask(attacher, container_id, !is_new, &is_wanted, err) != HV_OK)
		return err->code;
	if (!is_wanted) {
		ret->is = HV_RESTART_LEFT;
		if (set_refusal(attacher, container_id, HV_REFUSAL_NONE, err) == HV_OK)
			hv_attacher_notify(attacher, container_id, false); /* a lease may be over */
		return err->code;
	}
	if (is_new)
		return set_refusal(attacher, container_id, HV_REFUSAL_AWAITED, err);
	ret->is = HV_RESTART_DONE;
	return hv_engine_start(attacher->engine, container_id, HV_ENGINE_TIMEOUT_START_MS, err);
}

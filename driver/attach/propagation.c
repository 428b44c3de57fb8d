/* SPDX-License-Identifier: Apache-2.0 */
#include "propagation.h"

#include <stdio.h>
#include <string.h>

#include "mountcore/host.h"
#include "mountcore/source_look.h"

#include "attachment.h"
#include "attachments.h"

enum hv_code hv_propagation_check_request(
	const struct hv_attach_request *request, struct hv_error *err)
{
	const struct {
		bool is_said;
		const char *field;
		const char *flag;
	} words[] = {
		{request->read_only, "ReadOnly", "--ro"},
		{request->no_suid == HV_TRUE, "NoSuid", "--nosuid"},
		{request->no_dev, "NoDev", "--nodev"},
		{request->no_exec, "NoExec", "--noexec"},
		{request->as && *request->as, "As", "--as"},
		{request->id_map && strcmp(request->id_map, "always") == 0, "IDMap",
			"--idmap always"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!words[i].is_said)
			continue;
		hv_fail(err, HV_BAD_REQUEST,
			"\"%s\" contradicts \"Propagation\" slave: mounts that the host makes below the source later would not be so",
			words[i].field);
		return hv_hint(err, "leave out %s, or --propagation slave", words[i].flag);
	}
	return HV_OK;
}

/* A promise that a later mount would not keep, and how to do without it; NULL: there is none. */
static const char *find_promise(
	const struct hv_attachment *view, struct mc_attr attr, const char **ret_hint)
{
	const struct {
		bool is_promised;
		const char *promise;
		const char *hint;
	} promises[] = {
		{view->read_only, "read-only", "leave out --propagation slave, or ro"},
		{view->as, "with another owner shown (as)",
			"leave out --propagation slave, or the other owner (as)"},
		{view->is_mapped, "with owners mapped for the container's user namespace",
			"leave out --propagation slave, or attach with --idmap never"},
		{view->no_suid || view->no_dev || view->no_exec || attr.set || attr.clear,
			"with other mount options than the host has (nosuid, nodev, noexec and the like)",
			"leave out --propagation slave, or those options"},
	};

	for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		if (!promises[i].is_promised)
			continue;
		*ret_hint = promises[i].hint;
		return promises[i].promise;
	}
	return NULL;
}

enum hv_code hv_propagation_check(
	const struct hv_mount_op *attempt, struct mc_attr attr, struct hv_error *err)
{
	const struct hv_attachment *view = &attempt->record.view;
	const char *hint = NULL;
	const char *promise = view->is_slave ? find_promise(view, attr, &hint) : NULL;

	if (!promise)
		return HV_OK;
	hv_fail(err, HV_UNSUPPORTED,
		"volume '%s' cannot be attached %s at %s in container '%s' with propagation slave: mounts that the host makes below its directory later would not be so",
		view->volume, promise, view->target, view->container_name);
	return hv_hint(err, "%s", hint);
}

void hv_propagation_find_source(
	struct hv_attacher *attacher, const struct hv_attachment *view, char ret[static PATH_MAX])
{
	const struct hv_volume volume = {.source = view->source};
	const struct mc_source_args args = {
		.source = view->source,
		.beneath = hv_volume_allowed_root(attacher->volumes, &volume),
		.subpath = view->subpath,
		.is_look = true,
	};
	struct mc_source_look *look = NULL;

	hv_attachment_host_path(view, ret);
	if (!view->is_slave || !view->subpath || mc_host_is_slow(attacher->core, ret) ||
		mc_source_look(attacher->core, &args, &look, NULL) < 0)
		return; /* then a mount of the host may be taken for another's */
	snprintf(ret, PATH_MAX, "%s", mc_source_look_path(look));
	mc_source_look_free(look);
}

bool hv_propagation_is_passed_on(struct hv_attacher *attacher, const struct hv_sight *sight,
	const struct hv_record *record, const struct mc_mount *cover)
{
	char source[PATH_MAX];
	struct mc_mount top;

	if (!record->view.is_slave || cover->parent_id != record->mountinfo_id)
		return false;
	hv_propagation_find_source(attacher, &record->view, source);
	return mc_mounts_find_at(attacher->core, sight->mounts, cover->target, source, &top) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Check and clean a request to attach. */
#include "request.h"

#include <string.h>

#include "mountcore/path.h"

#include "propagation.h"

static enum hv_code read_target(
	const struct hv_attach_request *request, struct hv_mount_op *ret, struct hv_error *err)
{
	const char *asked = request->target;
	int rc = mc_path_clean(asked, ret->target, sizeof(ret->target));

	if (asked[0] != '/') {
		hv_fail(err, HV_BAD_REQUEST, "the target '%s' is not an absolute path", asked);
		return hv_hint(err, "write it from the container's root: /%s", asked);
	}
	if (rc < 0)
		return hv_fail(err, HV_BAD_REQUEST, "the target path is too long");
	for (const char *at = ret->target; *at; at += strcspn(at, "/"))
		if (strcspn(++at, "/") > NAME_MAX)
			return hv_fail(err, HV_BAD_REQUEST,
				"the target path has a name in it that is longer than %d bytes",
				NAME_MAX);
	for (const char *at = asked; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return hv_fail(err, HV_BAD_REQUEST,
				"the target path has a control character in it");
	if (mc_path_is_refused(ret->target)) {
		hv_fail(err, HV_TARGET_REFUSED, "nothing may be mounted at %s in a container",
			ret->target);
		return hv_hint(err, "choose a path other than / and outside /proc, /sys and /dev");
	}
	return HV_OK;
}

/* Of a source that is a path of the host, its clean form. */
static enum hv_code read_source(
	const struct hv_attach_request *request, struct hv_mount_op *ret, struct hv_error *err)
{
	const char *path = request->path;

	if (path && path[0] != '/') {
		hv_fail(err, HV_BAD_REQUEST, "the path '%.255s' of the host is not absolute", path);
		return hv_hint(err, "write it from the host's root, such as /srv/data");
	}
	if (path && mc_path_clean(path, ret->path, sizeof(ret->path)) < 0)
		return hv_fail(err, HV_BAD_REQUEST, "the path of the host is too long");
	if (!request->make_source || path || ret->subpath[0])
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST,
		"\"MakeSource\" needs a path of the host, or a \"Subpath\": a volume exists already");
	return hv_hint(err, "leave out --mkdir: directories of the target are made without it");
}

static bool is_text(const char *value, const char *text)
{
	return value && strcmp(value, text) == 0;
}

static enum hv_code read_rest(
	const struct hv_attach_request *request, struct hv_mount_op *ret, struct hv_error *err)
{
	const char *propagation = request->propagation, *replace = request->replace;
	const char *id_map = request->id_map;

	ret->must_map = is_text(id_map, "always");
	ret->may_map = ret->must_map || !id_map || !*id_map || is_text(id_map, "auto");
	if (!ret->may_map && !is_text(id_map, "never"))
		return hv_fail(err, HV_BAD_REQUEST,
			"\"IDMap\" must be auto, always or never, not \"%.64s\"", id_map);
	if (request->as && *request->as && !hv_as_parse(request->as, &ret->as)) {
		hv_fail(err, HV_BAD_REQUEST, "\"As\" must be " HV_AS_FORM ", not \"%.64s\"",
			request->as);
		return hv_hint(err,
			"give the numbers, since names differ between containers: docker exec CONTAINER id");
	}
	ret->is_slave = is_text(propagation, "slave");
	if (!ret->is_slave && propagation && *propagation && !is_text(propagation, "private"))
		return hv_fail(err, HV_BAD_REQUEST, "\"Propagation\" must be private or slave");
	if (ret->is_slave && hv_propagation_check_request(request, err) != HV_OK)
		return err->code;
	if (is_text(replace, "true"))
		ret->record.replace = HV_REPLACE_ATOMIC;
	else if (is_text(replace, "nonatomic"))
		ret->record.replace = HV_REPLACE_NONATOMIC;
	else if (replace && *replace)
		return hv_fail(
			err, HV_BAD_REQUEST, "\"Replace\" must be true, false or \"nonatomic\"");
	if (request->required && !request->persist) {
		hv_fail(err, HV_BAD_REQUEST,
			"\"Required\" contradicts \"Persist\" false: no start needs what ends with the container");
		return hv_hint(err, "leave out --once, or --required");
	}
	return HV_OK;
}

static enum hv_code read_lease(const struct hv_attach_request *request, struct hv_error *err)
{
	long long lease = request->lease_seconds, grace = request->grace_seconds;

	if (lease < 0 || lease > HV_LEASE_MAX_SECONDS)
		return hv_fail(err, HV_BAD_REQUEST, "\"For\" must be from 1 to %d seconds",
			HV_LEASE_MAX_SECONDS);
	if (grace == HV_GRACE_UNSAID)
		return HV_OK;
	if (grace < 0 || grace > HV_LEASE_MAX_SECONDS)
		return hv_fail(err, HV_BAD_REQUEST, "\"Grace\" must be from 0 to %d seconds",
			HV_LEASE_MAX_SECONDS);
	if (lease > 0)
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST, "\"Grace\" says nothing without \"For\"");
	return hv_hint(err, "say how long the volume is to be attached: --for 2h");
}

enum hv_code hv_mount_op_read(struct hv_mount_op *attempt, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;

	if (read_target(request, attempt, err) != HV_OK ||
		hv_volume_read_subpath(
			request->subpath ? request->subpath : "", attempt->subpath, err) != HV_OK ||
		read_source(request, attempt, err) != HV_OK || read_lease(request, err) != HV_OK)
		return err->code;
	return read_rest(request, attempt, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The missing directories of a subpath are made on the host, in a helper: a symlink in the volume
 * may lead anywhere, so the path is resolved first, and made only below the volume's directory and
 * without another symlink in it.  After a crash, an empty directory stays. */
#include "subpath.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mountcore/host.h"
#include "mountcore/path.h"

#include "attachments.h"

bool hv_mount_op_wants_subpath(const struct hv_mount_op *attempt)
{
	return attempt->request && attempt->request->make_source && attempt->subpath[0];
}

/* Whether directories are missing, and where they would be. */
static bool find_missing(const struct hv_mount_op *attempt, char ret[static PATH_MAX])
{
	const char *source = attempt->volume.source;
	char whole[PATH_MAX];
	unsigned missing = 0;

	ret[0] = '\0';
	if ((size_t)snprintf(whole, sizeof(whole), "%s/%s", source, attempt->subpath) >=
		sizeof(whole))
		return false;
	return mc_host_resolve(attempt->attacher->core, whole, ret, &missing, NULL) == -ENOENT &&
	       ret[0] && missing > 0 && mc_path_is_below(ret, source);
}

bool hv_mount_op_lacks_source(const struct hv_mount_op *attempt)
{
	char ignored[PATH_MAX];

	if (attempt->volume.phase == HV_VOLUME_CREATING && attempt->volume.missing > 0)
		return true;
	return hv_mount_op_wants_subpath(attempt) && find_missing(attempt, ignored);
}

static enum hv_code fail(const struct hv_mount_op *attempt, int rc, struct hv_error *err)
{
	return hv_fail(err, rc == -ETIMEDOUT ? HV_TIMEOUT : HV_SOURCE_REFUSED,
		"the subpath %s of volume '%s' cannot be made: %s", attempt->subpath,
		attempt->volume.name, strerrordesc_np(-rc));
}

/* As the volume's directory, each of those that were made. */
static int own(const struct hv_mount_op *attempt)
{
	struct mc_core *core = attempt->attacher->core;
	char path[PATH_MAX];
	struct mc_owner owner;
	int rc = mc_host_owner(core, attempt->volume.source, &owner, NULL);

	memcpy(path, attempt->made_source, sizeof(path));
	for (unsigned left = attempt->made_in_source.count; rc == 0 && left > 0; left--) {
		rc = mc_host_own(core, path, &owner, NULL);
		*strrchr(path, '/') = '\0';
	}
	return rc;
}

enum hv_code hv_mount_op_make_subpath(struct hv_mount_op *attempt, struct hv_error *err)
{
	char real[PATH_MAX], made[PATH_MAX] = "";
	int rc;

	if (!hv_mount_op_wants_subpath(attempt) || !find_missing(attempt, real))
		return HV_OK;
	if (attempt->volume.read_only)
		return hv_fail(err, HV_SOURCE_REFUSED,
			"the subpath %s is missing, and volume '%s' is read-only", attempt->subpath,
			attempt->volume.name);
	rc = mc_host_make(
		attempt->attacher->core, real, true, made, &attempt->made_in_source, NULL);
	if (rc < 0)
		return fail(attempt, rc, err);
	memcpy(attempt->made_source, real, sizeof(real));
	rc = own(attempt);
	return rc < 0 ? fail(attempt, rc, err) : HV_OK;
}

void hv_mount_op_unmake_subpath(struct hv_mount_op *attempt)
{
	if (attempt->made_source[0] && !attempt->is_mounted)
		mc_host_unmake(
			attempt->attacher->core, attempt->made_source, &attempt->made_in_source);
	attempt->made_source[0] = '\0';
}

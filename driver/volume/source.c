/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mountcore/host.h"
#include "mountcore/path.h"

#include "directory.h"
#include "volumes.h"

enum hv_code hv_source_find_inside(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	char subpath[PATH_MAX], whole[PATH_MAX], real[PATH_MAX] = "";
	unsigned missing = 0;
	struct mc_err cause = {0};
	int rc;

	if (hv_volume_read_subpath(options->subpath, subpath, err) != HV_OK)
		return err->code;
	if ((size_t)snprintf(whole, sizeof(whole), "%s/%s", ret->source, subpath) >= sizeof(whole))
		return hv_fail(err, HV_BAD_REQUEST, "the subpath is too long");
	rc = mc_host_resolve(volumes->core, whole, real, &missing, &cause);
	if (rc < 0 && !(rc == -ENOENT && real[0] && options->mkdir))
		return hv_directory_explain(&cause, name, whole, err);
	if (!mc_path_is_below(real, ret->source))
		return hv_fail(err, HV_SOURCE_REFUSED,
			"the subpath %s of volume '%s' leads out of %s", subpath, name,
			ret->source);
	memcpy(ret->source, real, sizeof(real));
	ret->missing = missing;
	return HV_OK;
}

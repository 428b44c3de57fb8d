/* SPDX-License-Identifier: Apache-2.0 */
/* HOSTVOL_ALLOW: symlinks in its directories are resolved before they are compared with sources,
 * which are resolved too. */
#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/host.h"
#include "mountcore/path.h"

#include "kind.h"
#include "volumes.h"

const char *const *hv_allowed(const struct hv_volumes *volumes)
{
	return volumes->allow_real ? (const char *const *)volumes->allow_real : volumes->allow;
}

void hv_allow_done(struct hv_volumes *volumes)
{
	for (char **at = volumes->allow_real; at && *at; at++)
		free(*at);
	free(volumes->allow_real);
	volumes->allow_real = NULL;
}

/* Resolve symlinks in `path`; a path that does not exist yet is resolved as far as it exists. */
static char *resolve(struct hv_volumes *volumes, const char *path)
{
	char real[PATH_MAX] = "";
	int rc = strcmp(path, "/") == 0 ? -EINVAL /* nothing to resolve */
					: mc_host_resolve(volumes->core, path, real, NULL, NULL);

	return strdup(rc == 0 || (rc == -ENOENT && real[0]) ? real : path);
}

int hv_allow_resolve(struct hv_volumes *volumes)
{
	size_t count = 0;

	hv_allow_done(volumes);
	while (volumes->allow[count])
		count++;
	volumes->allow_real = calloc(count + 1, sizeof(*volumes->allow_real));
	for (size_t i = 0; volumes->allow_real && i < count; i++) {
		volumes->allow_real[i] = resolve(volumes, volumes->allow[i]);
		if (!volumes->allow_real[i]) {
			hv_allow_done(volumes);
			break;
		}
	}
	return volumes->allow_real ? 0 : -ENOMEM;
}

enum hv_code hv_policy_check(
	const struct hv_volumes *volumes, const char *source, struct hv_error *err)
{
	if (mc_path_is_below(source, volumes->state_host))
		return hv_fail(err, HV_SOURCE_REFUSED,
			"%s belongs to hostvol itself (it is in %s) and cannot be a volume", source,
			volumes->state_host);
	for (const char *const *allowed = hv_allowed(volumes); *allowed; allowed++)
		if (mc_path_is_below(source, *allowed))
			return HV_OK;
	hv_fail(err, HV_SOURCE_REFUSED, "%s is not in a directory that volumes may be in", source);
	return hv_hint(err, "ask the administrator to add the directory to HOSTVOL_ALLOW");
}

enum hv_code hv_source_check_allowed(
	const struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	if (hv_kind_of(volumes, volume)->may_be_in_state &&
		mc_path_is_below(volume->source, volumes->state_host))
		return HV_OK; /* our own directory, or another name for it */
	return hv_policy_check(volumes, volume->source, err);
}

const char *hv_volume_allowed_root(const struct hv_volumes *volumes, const struct hv_volume *volume)
{
	if (mc_path_is_below(volume->source, volumes->state_host)) /* our own directory */
		return NULL;
	for (const char *const *allowed = hv_allowed(volumes); *allowed; allowed++)
		if (mc_path_is_below(volume->source, *allowed))
			return *allowed;
	return "/.not-allowed";
}

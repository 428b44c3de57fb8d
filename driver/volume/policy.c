/* HOSTVOL_ALLOW: what is compared with sources has no symlink in it, as they have none. */
#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/host.h"

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

/* One that is not there yet is what it would be. */
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

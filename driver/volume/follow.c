/* SPDX-License-Identifier: Apache-2.0 */
/* The directory that the path of a volume leads to now, for attachments that follow it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/chain.h"
#include "mountcore/path.h"
#include "store/store.h"
#include "volume/volume.h"

#include "directory.h"
#include "kind.h"
#include "options.h"
#include "overlap.h"
#include "policy.h"
#include "volumes.h"

enum hv_code hv_volume_follows(
	struct hv_volumes *volumes, const struct hv_volume *volume, bool *ret, struct hv_error *err)
{
	struct hv_volume_options options = {0};

	*ret = false;
	if (!hv_opts_get(&volume->opts, "follow") || hv_kind_of(volumes, volume)->is_hidden)
		return HV_OK;
	if (hv_kind_check(volumes, volume, err) != HV_OK ||
		hv_volume_read_options(&volume->opts, &options, err) != HV_OK)
		return err->code;
	*ret = options.follow;
	return HV_OK;
}

/* The path of the user, and the part of it below which no symlink leads out; NULL: there is no such
 * path, or its directory is the volume's own. */
static const char *find_asked(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_options *options)
{
	hv_auto_error struct hv_error ignored = {0};

	if (hv_kind_of(volumes, volume)->is_hidden)
		return hv_opts_get(&volume->opts, "path");
	if (hv_volume_read_options(&volume->opts, options, &ignored) != HV_OK ||
		options->on_remove == HV_ON_REMOVE_PURGE)
		return NULL;
	return options->path;
}

void hv_volume_asked(
	struct hv_volumes *volumes, const struct hv_volume *volume, char ret[static PATH_MAX])
{
	struct hv_volume_options options = {0};
	const char *asked = find_asked(volumes, volume, &options);

	if (!asked || snprintf(ret, PATH_MAX, "%s%s%s", asked, options.subpath ? "/" : "",
			      options.subpath ? options.subpath : "") >= PATH_MAX)
		snprintf(ret, PATH_MAX, "%s", volume->source);
}

static enum hv_code explain(const struct hv_volume *volume, const char *path,
	const struct mc_err *cause, struct hv_error *err)
{
	if (cause->step == MC_STEP_SOURCE && (cause->code == -ENOENT || cause->code == -ENOTDIR))
		return hv_fail(err, HV_SOURCE_MISSING, "%s is not there any more", path);
	return hv_directory_explain(cause, volume->name, path, err);
}

static enum hv_code walk(struct hv_volumes *volumes, const struct hv_volume *volume,
	const char *path, bool is_look, struct mc_chain *ret, struct hv_error *err)
{
	struct mc_chain_args args = {.path = path, .inotify = MC_FD_NONE, .is_look = is_look};
	struct mc_err cause = {0};
	int rc = mc_chain_walk(volumes->core, &args, ret, &cause);

	args.may_wait = rc == 0 && ret->waits_at;
	args.waits_at = args.may_wait ? ret->waits_at : 0;
	if (args.may_wait)
		rc = mc_chain_walk(volumes->core, &args, ret, &cause);
	if (rc == 0 && ret->found < 0)
		cause = (struct mc_err){.step = MC_STEP_SOURCE, .code = ret->found};
	return rc == 0 && ret->found == 0 ? HV_OK : explain(volume, path, &cause, err);
}

enum hv_code hv_volume_follow(
	struct hv_volumes *volumes, struct hv_volume *volume, bool is_look, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	const char *asked = find_asked(volumes, volume, &options);
	hv_auto_free struct mc_chain *chain = NULL;
	char whole[PATH_MAX];
	char *source;

	if (!asked)
		return HV_OK;
	chain = malloc(sizeof(*chain));
	if (!chain)
		return hv_oom(err);
	if (walk(volumes, volume, asked, is_look, chain, err) != HV_OK)
		return err->code;
	source = chain->real;
	if (options.subpath) {
		char base[PATH_MAX];

		memcpy(base, chain->real, sizeof(base));
		hv_volume_asked(volumes, volume, whole);
		if (walk(volumes, volume, whole, is_look, chain, err) != HV_OK)
			return err->code;
		if (!mc_path_is_below(chain->real, base))
			return hv_fail(err, HV_SOURCE_REFUSED, "%s leads out of %s", whole, base);
	}
	if (hv_policy_check(volumes, source, err) != HV_OK ||
		hv_overlap_check_path(volumes, source, err) != HV_OK)
		return err->code;
	source = strdup(source);
	if (!source)
		return hv_oom(err);
	free(volume->source);
	volume->source = source;
	return HV_OK;
}

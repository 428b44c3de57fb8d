/* The directory that a volume stands for: found, made, taken back. */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mountcore/attach.h"
#include "mountcore/host.h"
#include "mountcore/path.h"

#include "directory.h"
#include "fs_check.h"
#include "kind.h"
#include "managed_dir.h"
#include "overlap.h"
#include "policy.h"
#include "record.h"
#include "volumes.h"

/* The directory of a `path` volume, there or to be made. */
static enum hv_code find_path(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	struct mc_err cause = {0};
	int rc = mc_host_resolve(volumes->core, options->path, ret->source, &ret->missing, &cause);
	bool is_missing = rc == -ENOENT && ret->source[0];

	if (rc < 0 && !(is_missing && options->mkdir))
		return hv_directory_explain(&cause, name, options->path, err);
	if (hv_policy_check(volumes, ret->source, err) != HV_OK)
		return err->code;
	return hv_overlap_check_path(volumes, ret->source, err);
}

/* Make what is missing of a `path` volume's directory, where it was looked for and nowhere else. */
static enum hv_code make_path(
	struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	char real[PATH_MAX] = "";
	struct mc_made made;
	struct mc_err cause = {0};
	int rc = mc_host_make(volumes->core, volume->source, true, real, &made, &cause);

	if (rc == -ELOOP)
		return hv_fail(err, HV_SOURCE_REFUSED,
			"a part of %s was replaced by a symlink while volume '%s' was created",
			volume->source, volume->name);
	if (rc < 0)
		return hv_directory_explain(&cause, volume->name, volume->source, err);
	if (made.count > 0) {
		volume->made_dev = made.ids[made.count - 1].dev;
		volume->made_ino = made.ids[made.count - 1].ino;
		return HV_OK;
	}
	if (!hv_purge_is_wanted(volumes, volume))
		return HV_OK;
	volume->missing = 0; /* nothing of it is ours to take back */
	return hv_fail(err, HV_SOURCE_REFUSED,
		"%s was made by somebody else while volume '%s' was created, and would not be purged with it",
		volume->source, volume->name);
}

/* That of the volume which this one is to be another name for; both names are held. */
static enum hv_code find_other(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	const struct hv_volume_kind *kind;
	struct hv_volume other = {0};
	enum hv_code code = hv_store_volume_get(volumes->store, options->from, &other, err);

	if (code == HV_NO_SUCH_VOLUME) {
		hv_error_done(err);
		hv_fail(err, code, "there is no volume '%s' that '%s' could be another name for",
			options->from, name);
		hv_hint(err, "docker volume ls lists the volumes and their drivers");
	}
	if (code == HV_OK && other.phase != HV_THERE) { /* it may come to nothing */
		hv_fail(err, HV_BUSY, "volume '%s' is just being created", options->from);
		code = hv_hint(err, "try again when it is there");
	}
	if (code == HV_OK)
		snprintf(ret->source, sizeof(ret->source), "%s", other.source);
	ret->read_only = code == HV_OK && other.read_only;
	if (code == HV_OK)
		code = hv_volume_data_kind(volumes, &other, &kind, err);
	ret->is_fs = code == HV_OK && kind->mounted_while_used;
	hv_volume_done(&other);
	if (code == HV_OK && ret->is_fs)
		code = hv_fs_check_owner(name, options->from, &options->owner, err);
	return code;
}

/* Option subpath: a directory inside of what was found, which no symlink leads out of. */
static enum hv_code find_inside(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	char subpath[PATH_MAX], whole[PATH_MAX], real[PATH_MAX] = "";
	unsigned missing = 0;
	struct mc_err cause = {0};
	enum hv_code code = hv_volume_read_subpath(options->subpath, subpath, err);
	int rc;

	if (code != HV_OK)
		return code;
	if (ret->is_fs) {
		hv_fail(err, HV_BAD_REQUEST,
			"option subpath cannot name a directory of volume '%s', whose file system is mounted only while it is used",
			options->from);
		return hv_hint(err,
			"docker hostvol attach --subpath, or docker run --mount with volume-subpath, does it when it is used");
	}
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

/* Option on-remove=purge: of a directory that hostvol is about to make. */
static enum hv_code check_purge(struct hv_volumes *volumes, const struct hv_volume_options *options,
	const struct hv_source *found, struct hv_error *err)
{
	if (options->on_remove != HV_ON_REMOVE_PURGE)
		return HV_OK;
	if (mc_host_is_remote(volumes->core, found->source))
		return hv_fail(err, HV_SOURCE_REFUSED,
			"%s is on a file system that a server stands behind, where hostvol deletes no directories: on-remove=purge is for local ones",
			found->source);
	if (found->missing > 0)
		return HV_OK;
	hv_fail(err, HV_SOURCE_REFUSED,
		"%s was not made for this volume, and would not be purged with it", found->source);
	return hv_hint(err,
		"on-remove=purge goes with mkdir=true and a directory that does not exist yet; leave it out to keep the data");
}

enum hv_code hv_source_find(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	if (options->path || options->from) {
		enum hv_code code = options->path ? find_path(volumes, name, options, ret, err)
						  : find_other(volumes, name, options, ret, err);

		if (code == HV_OK && options->subpath)
			code = find_inside(volumes, name, options, ret, err);
		return code == HV_OK ? check_purge(volumes, options, ret, err) : code;
	}
	if (options->type || options->size_bytes > 0) {
		enum hv_code code =
			options->type ? hv_fs_check(volumes, name, options, err) : HV_OK;

		if (code == HV_OK)
			code = hv_managed_check_empty(
				volumes, name, options->type ? "type" : "size", err);
		if (code != HV_OK)
			return code;
	}
	return hv_managed_find(volumes, name, ret, err);
}

enum hv_code hv_source_make(
	struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	const struct hv_volume_kind *kind = hv_kind_of(volumes, volume);
	enum hv_code code = HV_OK;

	if (kind->own_directory) {
		code = hv_managed_make(volumes, volume->name, err);
		if (code == HV_OK)
			code = hv_source_limit(volumes, volume, err);
		if (code == HV_OK)
			hv_managed_settle(volumes, volume);
	} else if (volume->missing > 0) {
		code = make_path(volumes, volume, err);
	}
	if (code != HV_OK || kind->mounted_while_used)
		return code; /* its owner is that of what will be mounted */
	return hv_volume_own(volumes, volume, err);
}

void hv_source_unmake(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	struct mc_made made = {
		.count = volume->missing < MC_MADE_MAX ? volume->missing : MC_MADE_MAX};

	if (hv_kind_of(volumes, volume)->own_directory) {
		hv_source_unlimit(volumes, volume);
		hv_managed_unmake(volumes, volume->name);
	} else {
		mc_host_unmake(volumes->core, volume->source, &made);
	}
}

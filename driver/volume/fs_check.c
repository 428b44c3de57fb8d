/* SPDX-License-Identifier: Apache-2.0 */
#include "fs_check.h"

#include <string.h>

#include "mountcore/path.h"
#include "volume/explain.h"

#include "fs_source.h"
#include "overlap.h"
#include "volumes.h"

/* Types that show nothing of the host: the only ones allowed where HOSTVOL_ALLOW says which
 * directories volumes may be in. */
static bool is_harmless(const struct hv_volume_options *options)
{
	static const char *const types[] = {"tmpfs", "nfs", "nfs4", "cifs", "smb3", "ceph"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(options->type, types[i]) == 0)
			return strstr(options->o, "=/") == NULL;
	return false;
}

static bool is_restricted(const struct hv_volumes *volumes)
{
	for (const char *const *allowed = volumes->allow; *allowed; allowed++)
		if (strcmp(*allowed, "/") == 0)
			return false;
	return true;
}

/* The kernel follows a symlink before it, which a look at the text does not. */
static bool goes_up(const char *path)
{
	for (const char *at = path; (at = strstr(at, "/..")); at += 3)
		if (at[3] == '/' || !at[3])
			return true;
	return false;
}

static enum hv_code check_host_path(struct hv_volumes *volumes, const char *name, const char *key,
	const char *path, struct hv_error *err)
{
	const struct hv_error_subject names = {.volume = name, .source = path, .target = path};
	char real[PATH_MAX];
	struct mc_err cause = {0};
	mode_t mode;

	if (goes_up(path)) {
		hv_fail(err, HV_BAD_REQUEST, "option %s of volume '%s' has '..' in %s", key, name,
			path);
		return hv_hint(err, "give the path without '..': realpath %s", path);
	}
	if (mc_host_find(volumes->core, path, real, &mode, &cause) < 0) {
		if (cause.step != MC_STEP_SOURCE)
			return hv_error_from_mount(err, &cause, &names);
		hv_fail(err, HV_SOURCE_MISSING,
			"%s, which option %s of volume '%s' names, is not on the host: %s", path,
			key, name, strerrordesc_np(-cause.code));
		return hv_hint(err, "create it first: it is mounted when the volume is used");
	}
	if (mc_path_is_below(real, volumes->state_host))
		return hv_fail(err, HV_SOURCE_REFUSED,
			"%s belongs to hostvol itself (it is in %s) and cannot be a volume", real,
			volumes->state_host);
	return hv_overlap_check_path(volumes, real, err);
}

static enum hv_code check_layer(
	struct hv_volumes *volumes, const char *name, const char *path, struct hv_error *err)
{
	if (*path == '/' && !strchr(path, '\\'))
		return check_host_path(volumes, name, "o", path, err);
	/* A relative one would be looked for from the mount's working directory, which is in
	 * hostvol's own; behind a backslash the kernel reads another path than this. */
	hv_fail(err, HV_BAD_REQUEST, "option o of volume '%s' has '%s', which is no absolute path",
		name, path);
	return hv_hint(
		err, "write lowerdir, upperdir and workdir as absolute paths without a backslash");
}

struct check {
	struct hv_volumes *volumes;
	const char *name;
};

static enum hv_code check_one(
	void *context, const char *key, const char *path, struct hv_error *err)
{
	const struct check *check = context;

	return strcmp(key, "o") == 0 ? check_layer(check->volumes, check->name, path, err)
				     : check_host_path(check->volumes, check->name, key, path, err);
}

enum hv_code hv_fs_check(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_error *err)
{
	struct check check = {volumes, name};

	if (is_restricted(volumes) && !is_harmless(options)) {
		hv_fail(err, HV_SOURCE_REFUSED,
			"a file system of type %s on %s cannot be a volume here: it could show host files outside HOSTVOL_ALLOW",
			options->type, options->device);
		return hv_hint(err, "ask the administrator to change HOSTVOL_ALLOW");
	}
	return hv_fs_each_path(options, check_one, &check, err);
}

enum hv_code hv_fs_check_owner(
	const char *name, const char *from, const struct mc_owner *owner, struct hv_error *err)
{
	if (owner->uid < 0 && owner->gid < 0 && owner->mode < 0)
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST,
		"options uid, gid and mode go without from=%s in volume '%s': they are of the file system, which has one owner under all its names",
		from, name);
	return hv_hint(err,
		"set them on the other volume: docker hostvol set %s uid=… gid=… mode=…", from);
}

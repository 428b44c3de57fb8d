#include "overlap.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/host.h"
#include "mountcore/mounts.h"
#include "mountcore/path.h"

#include "kind.h"
#include "record.h"

struct look {
	struct hv_volumes *volumes;
	struct mc_mounts *mounts; /* of the host */
	const char *directory;    /* to be deleted */
	bool found;
};

/* A path that a file system is mounted from, by itself or by what a symlink leads to. */
static enum hv_code look_at(void *context, const char *key, const char *path, struct hv_error *err)
{
	struct look *look = context;
	struct mc_core *core = look->volumes->core;
	char real[PATH_MAX];
	mode_t mode;

	(void)key;
	(void)err;
	if (look->found || mc_path_is_below(path, "/dev"))
		return HV_OK;
	look->found =
		mc_mounts_overlap(look->mounts, path, look->directory) ||
		(!mc_host_is_slow(core, path) && mc_host_find(core, path, real, &mode, NULL) == 0 &&
			mc_mounts_overlap(look->mounts, real, look->directory));
	return HV_OK;
}

/* Whether the volume has something in the directory, or the directory is in what it has. */
static bool has_inside(struct look *look, const struct hv_volume *volume)
{
	const struct hv_volume_kind *kind = hv_kind_of(look->volumes, volume);
	struct hv_error ignored = {0};

	look->found = mc_mounts_overlap(look->mounts, volume->source, look->directory);
	if (!look->found && kind->each_host_path)
		(void)!kind->each_host_path(volume, look_at, look, &ignored);
	hv_error_done(&ignored);
	return look->found;
}

static enum hv_code read_mounts(struct look *look, struct hv_error *err)
{
	int rc = look->mounts ? 0 : mc_mounts_read_host(look->volumes->core, &look->mounts);

	return rc == 0 ? HV_OK
		       : hv_fail(err, HV_INTERNAL, "the mounts of the host cannot be read: %s",
				 strerrordesc_np(-rc));
}

static const struct hv_volume *find_in(struct look *look, const struct hv_volume *volume,
	const struct hv_volume *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].name, volume->name) != 0 && list[i].phase != HV_REMOVING &&
			has_inside(look, &list[i]))
			return &list[i];
	return NULL;
}

enum hv_code hv_overlap_find(struct hv_volumes *volumes, const struct hv_volume *volume,
	char **ret_name, struct hv_error *err)
{
	struct look look = {.volumes = volumes, .directory = volume->source};
	struct hv_volume *there = NULL, *making = NULL;
	const struct hv_volume *found = NULL;
	size_t there_count = 0, making_count = 0;
	enum hv_code code = hv_store_volume_unfinished(volumes->store, &making, &making_count, err);

	if (code == HV_OK) /* last: a volume finished meanwhile is in one of the two lists */
		code = hv_store_volume_list(volumes->store, &there, &there_count, err);
	if (code == HV_OK)
		code = read_mounts(&look, err);
	if (code == HV_OK)
		found = find_in(&look, volume, making, making_count);
	if (code == HV_OK && !found)
		found = find_in(&look, volume, there, there_count);
	*ret_name = found ? strdup(found->name) : NULL;
	if (found && !*ret_name)
		code = hv_oom(err);
	mc_mounts_free(look.mounts);
	hv_volumes_free(making, making_count);
	hv_volumes_free(there, there_count);
	return code;
}

static bool has_path(struct look *look, const struct hv_volume *volume, const char *path)
{
	if (path)
		return mc_mounts_overlap(look->mounts, path, look->directory);
	return volume && has_inside(look, volume);
}

/* Of a volume, or of a path. */
static enum hv_code check_begun(struct hv_volumes *volumes, const struct hv_volume *volume,
	const char *path, struct hv_error *err)
{
	struct look look = {.volumes = volumes};
	struct hv_volume *list = NULL;
	size_t count = 0;
	enum hv_code code = hv_store_volume_unfinished(volumes->store, &list, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++) {
		if (!hv_purge_is_begun(volumes, &list[i]))
			continue;
		look.directory = list[i].source;
		code = read_mounts(&look, err);
		if (code != HV_OK || !has_path(&look, volume, path))
			continue;
		hv_fail(err, HV_SOURCE_REFUSED, "%s is being deleted, with volume '%s'",
			list[i].source, list[i].name);
		code = hv_hint(err, "try again when the directory is deleted");
	}
	mc_mounts_free(look.mounts);
	hv_volumes_free(list, count);
	return code;
}

enum hv_code hv_overlap_check_path(
	struct hv_volumes *volumes, const char *path, struct hv_error *err)
{
	return check_begun(volumes, NULL, path, err);
}

enum hv_code hv_overlap_check(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	return check_begun(volumes, volume, NULL, err);
}

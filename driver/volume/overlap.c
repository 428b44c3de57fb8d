/* SPDX-License-Identifier: Apache-2.0 */
#include "overlap.h"

#include <limits.h>
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/path.h"

#include "kind.h"
#include "mount_table.h"
#include "record.h"
#include "volumes.h"

struct look {
	struct hv_volumes *volumes;
	struct mc_mounts *host; /* borrowed */
	const char *directory;  /* to be deleted */
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
		mc_mounts_overlap(look->host, path, look->directory) ||
		(!mc_host_is_slow(core, path) && mc_host_find(core, path, real, &mode, NULL) == 0 &&
			mc_mounts_overlap(look->host, real, look->directory));
	return HV_OK;
}

/* Whether `source` and the directory overlap, or one of the paths that the volume (NULL: none) is
 * mounted from and the directory. */
static bool has_inside(struct look *look, const char *source, const struct hv_volume *volume)
{
	const struct hv_volume_kind *kind = volume ? hv_kind_of(look->volumes, volume) : NULL;
	hv_auto_error struct hv_error ignored = {0};

	look->found = mc_mounts_overlap(look->host, source, look->directory);
	if (!look->found && kind && kind->each_host_path)
		(void)!kind->each_host_path(volume, look_at, look, &ignored);
	return look->found;
}

static const struct hv_volume *find_in(
	struct look *look, const struct hv_volume *volume, const struct hv_volume_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct hv_volume *item = &list->items[i];

		if (strcmp(item->name, volume->name) != 0 && item->phase != HV_REMOVING &&
			has_inside(look, item->source, item))
			return item;
	}
	return NULL;
}

enum hv_code hv_overlap_find(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, char **ret_name, struct hv_error *err)
{
	hv_auto_volume_list struct hv_volume_list making = {0}, there = {0};
	struct look look = {.volumes = volumes, .directory = volume->source};
	const struct hv_volume *found;

	/* In this order: a volume finished meanwhile is in one of the two lists. */
	if (hv_store_volume_unfinished(volumes->store, &making.items, &making.count, err) !=
			HV_OK ||
		hv_store_volume_list(volumes->store, &there.items, &there.count, err) != HV_OK ||
		hv_table_read_host(volumes, host, err) != HV_OK)
		return err->code;
	look.host = *host;
	found = find_in(&look, volume, &making);
	if (!found)
		found = find_in(&look, volume, &there);
	*ret_name = found ? strdup(found->name) : NULL;
	return found && !*ret_name ? hv_oom(err) : HV_OK;
}

static enum hv_code check_begun(struct hv_volumes *volumes, const char *source,
	const struct hv_volume *volume, struct hv_error *err)
{
	hv_auto_volume_list struct hv_volume_list list = {0};
	mc_auto_mounts host = NULL;
	struct look look = {.volumes = volumes};

	if (hv_store_volume_unfinished(volumes->store, &list.items, &list.count, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < list.count; i++) {
		if (!hv_purge_is_begun(volumes, &list.items[i]))
			continue;
		if (hv_table_read_host(volumes, &host, err) != HV_OK)
			return err->code;
		look.host = host;
		look.directory = list.items[i].source;
		if (!has_inside(&look, source, volume))
			continue;
		hv_fail(err, HV_SOURCE_REFUSED, "%s is being deleted, with volume '%s'",
			look.directory, list.items[i].name);
		return hv_hint(err, "try again when the directory is deleted");
	}
	return HV_OK;
}

enum hv_code hv_overlap_check_path(
	struct hv_volumes *volumes, const char *path, struct hv_error *err)
{
	return check_begun(volumes, path, NULL, err);
}

enum hv_code hv_overlap_check(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	return check_begun(volumes, volume->source, volume, err);
}

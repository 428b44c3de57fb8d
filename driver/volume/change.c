/* Changing a volume that is there. */
#include <string.h>

#include "volume/volume.h"

#include "fs.h"
#include "inside.h"
#include "options.h"
#include "purge.h"
#include "source.h"

static bool can_change(const char *key)
{
	static const char *const keys[] = {
		"uid", "gid", "mode", "ro", "require-mount", "size", "on-remove"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static enum hv_code check_keys(const struct hv_opts *changes, struct hv_error *err)
{
	if (changes->count == 0)
		return hv_fail(err, HV_BAD_REQUEST, "no option to change is named");
	for (size_t i = 0; i < changes->count; i++) {
		if (can_change(changes->items[i].key))
			continue;
		hv_fail(err, HV_BAD_REQUEST, "option '%.64s' of a volume cannot be changed",
			changes->items[i].key);
		return hv_hint(err,
			"these can: uid, gid, mode, ro, require-mount, size and on-remove; for another one create another volume (its data can be the same: -o from, -o path)");
	}
	return HV_OK;
}

static enum hv_code add(
	struct hv_opts *opts, const char *key, const char *value, struct hv_error *err)
{
	return hv_opts_add(opts, key, value) == 0 ? HV_OK
						  : hv_fail(err, HV_INTERNAL, "out of memory");
}

/* The options that it has now, with the changes. */
static enum hv_code merge(const struct hv_opts *now, const struct hv_opts *changes,
	struct hv_opts *ret, struct hv_error *err)
{
	enum hv_code code = HV_OK;

	for (size_t i = 0; code == HV_OK && i < now->count; i++)
		if (!hv_opts_get(changes, now->items[i].key))
			code = add(ret, now->items[i].key, now->items[i].value, err);
	for (size_t i = 0; code == HV_OK && i < changes->count; i++)
		if (*changes->items[i].value)
			code = add(ret, changes->items[i].key, changes->items[i].value, err);
	return code;
}

/* Who has it writable, or read-only, would have it otherwise from one moment to the next. */
static enum hv_code check_unused(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = name};
	struct hv_record *records = NULL;
	size_t count = 0;
	long long references = 0;
	enum hv_code code =
		hv_store_attachment_list(volumes->store, &filter, &records, &count, err);

	hv_records_free(records, count);
	if (code == HV_OK)
		code = hv_store_ref_total(volumes->store, name, &references, err);
	if (code != HV_OK || (count == 0 && references == 0))
		return code;
	hv_fail(err, HV_VOLUME_IN_USE, "option ro of volume '%s' cannot be changed while %s", name,
		count > 0 ? "it is attached" : "a container uses it");
	return hv_hint(err,
		"docker hostvol ls --volume %s and docker ps --filter volume=%s tell where", name,
		name);
}

static enum hv_code change_read_only(struct hv_volumes *volumes, struct hv_volume *volume,
	const struct hv_volume_options *options, struct hv_error *err)
{
	struct hv_volume origin = {0};
	bool read_only = options->read_only;
	enum hv_code code = HV_OK;

	if (hv_opts_get(&volume->opts, "from")) {
		code = hv_volume_origin(volumes, volume, &origin, err);
		read_only = read_only || origin.read_only;
		hv_volume_done(&origin);
	}
	if (code != HV_OK || read_only == volume->read_only)
		return code;
	volume->read_only = read_only;
	code = hv_volume_check_aliases(volumes, volume->name, "be given another ro", err);
	return code == HV_OK ? check_unused(volumes, volume->name, err) : code;
}

/* Of a file system it is done at the mount, and by its first name only. */
static enum hv_code change_owner(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct hv_volume_options *options, struct hv_error *err)
{
	struct hv_volume origin = {0};
	bool is_fs = strcmp(volume->kind, "filesystem") == 0;
	enum hv_code code = HV_OK;

	if (options->from) {
		code = hv_volume_origin(volumes, volume, &origin, err);
		is_fs = code == HV_OK && strcmp(origin.kind, "filesystem") == 0;
		hv_volume_done(&origin);
	}
	if (code == HV_OK && options->from && is_fs)
		return hv_fs_check_owner(volume->name, options->from, &options->owner, err);
	return code == HV_OK && !is_fs ? hv_volume_own(volumes, volume, err) : code;
}

/* Data that is there belongs to no project, and would not be counted. */
static enum hv_code change_size(struct hv_volumes *volumes, const struct hv_volume *volume,
	const char *before, uint64_t bytes, struct hv_error *err)
{
	const char *now = hv_opts_get(&volume->opts, "size");
	int rc;

	if (strcmp(now ? now : "", before ? before : "") == 0)
		return HV_OK;
	rc = before ? 1 : hv_source_is_empty(volumes, volume->name);
	if (rc < 0)
		return hv_fail(err, HV_INTERNAL, "the directory of volume '%s' cannot be read: %s",
			volume->name, strerrordesc_np(-rc));
	if (rc == 0)
		return hv_fail(err, HV_VOLUME_IN_USE,
			"volume '%s' has data, and was created without a size: what is in it would not be counted",
			volume->name);
	return hv_volume_limit(volumes, volume, bytes, err);
}

/* With the name held; `volume` is as it was, with the new options. */
static enum hv_code change(struct hv_volumes *volumes, struct hv_volume *volume,
	const struct hv_opts *before, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	enum hv_code code = hv_volume_read_options(&volume->opts, &options, err);

	if (code == HV_OK && options.on_remove == HV_ON_REMOVE_PURGE &&
		!hv_source_is_ours(volume) && volume->made_ino == 0)
		code = hv_fail(err, HV_SOURCE_REFUSED,
			"%s was not made for volume '%s', and will not be purged with it",
			volume->source, volume->name);
	if (code == HV_OK)
		code = change_read_only(volumes, volume, &options, err);
	if (code == HV_OK)
		code = change_owner(volumes, volume, &options, err);
	if (code == HV_OK)
		code = change_size(
			volumes, volume, hv_opts_get(before, "size"), options.size_bytes, err);
	return code == HV_OK ? hv_store_volume_set_opts(volumes->store, volume, err) : code;
}

enum hv_code hv_volume_set(struct hv_volumes *volumes, const char *name, const struct hv_opts *opts,
	struct hv_error *err)
{
	struct hv_volume volume = {0};
	struct hv_opts merged = {0};
	enum hv_code code = check_keys(opts, err);

	if (code != HV_OK)
		return code;
	HV_HOLD(hold, &volumes->locks, name);
	code = hv_store_volume_get(volumes->store, name, &volume, err);
	if (code == HV_OK)
		code = merge(&volume.opts, opts, &merged, err);
	if (code == HV_OK) {
		struct hv_opts before = volume.opts;

		volume.opts = merged;
		merged = before;
		code = change(volumes, &volume, &before, err);
	}
	hv_opts_done(&merged);
	hv_volume_done(&volume);
	return code;
}

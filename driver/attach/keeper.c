/* SPDX-License-Identifier: Apache-2.0 */
/* A volume of another driver is kept from `docker volume rm` and the prunes while it is attached,
 * by containers that have it, are created, and are never started.
 *
 * Keepers there are as long as the record of the borrowed volume is.  They are made after the
 * record and before the first attachment, and removed after the record.  A request that lost the
 * record to another one borrows again, and makes them again.  Somebody may remove or prune them:
 * then the Engine's event has them made again.  `docker system prune --volumes` removes containers
 * first, one after the other, and then volumes.  So there are several: the first is made again, and
 * not in the list of that prune, while the others are removed.
 *
 * The Engine creates a volume that it does not have for a container: the volume is looked up
 * before. */
#include "keeper.h"

#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "attachments.h"
#include "container.h"

static const char *const prefixes[] = {"hostvol-keeps-", "hostvol-keeps2-", "hostvol-keeps3-"};
enum {
	KEEPERS = sizeof(prefixes) / sizeof(prefixes[0]),
	PASSES_MAX = 4, /* over all of them, until they are seen */
	NAME_SIZE = 300,
};

static bool has(const struct hv_keepers *keepers, const char *name, const char *volume)
{
	for (size_t i = 0; i < keepers->count; i++)
		if (strcmp(keepers->items[i].name, name) == 0 &&
			strcmp(keepers->items[i].volume, volume) == 0)
			return true;
	return false;
}

static unsigned count_missing(const struct hv_keepers *keepers, const char *volume)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < KEEPERS; i++) {
		char name[NAME_SIZE];

		snprintf(name, sizeof(name), "%s%s", prefixes[i], volume);
		missing += !has(keepers, name, volume);
	}
	return missing;
}

/* Create those that are not there.  `ret_missing`: how many were not. */
static enum hv_code create_missing(struct hv_attacher *attacher, const struct hv_volume *volume,
	const char *image, unsigned *ret_missing, struct hv_error *err)
{
	hv_auto_keepers struct hv_keepers keepers = {0};
	char name[NAME_SIZE];
	const struct hv_keeper_args args = {.name = name,
		.volume = volume->name,
		.driver = hv_opts_get(&volume->opts, "driver"),
		.image = image};

	if (hv_engine_keepers(
		    attacher->engine, volume->name, HV_ENGINE_TIMEOUT_MS, &keepers, err) != HV_OK)
		return err->code;
	*ret_missing = count_missing(&keepers, volume->name);
	for (unsigned i = 0; *ret_missing > 0 && i < KEEPERS; i++) {
		snprintf(name, sizeof(name), "%s%s", prefixes[i], volume->name);
		if (has(&keepers, name, volume->name))
			continue;
		if (!image)
			return hv_fail(err, HV_INTERNAL,
				"the Docker Engine does not tell an image of the container");
		if (hv_engine_keeper_create(attacher->engine, &args, HV_ENGINE_TIMEOUT_MS, err) !=
			HV_OK)
			return err->code;
	}
	return HV_OK;
}

/* Whether the Engine has the volume that was borrowed: it would create one otherwise. */
static enum hv_code check_volume(
	struct hv_attacher *attacher, const struct hv_volume *volume, struct hv_error *err)
{
	hv_auto_engine_volume struct hv_engine_volume now = {0};
	const char *driver = hv_opts_get(&volume->opts, "driver");
	enum hv_code code =
		hv_engine_volume(attacher->engine, volume->name, HV_ENGINE_TIMEOUT_MS, &now, err);

	if (code != HV_OK && code != HV_NO_SUCH_VOLUME)
		return code;
	if (code == HV_OK && driver && strcmp(now.driver, driver) == 0)
		return HV_OK;
	hv_fail(err, HV_SOURCE_REFUSED, "volume '%s' was removed meanwhile", volume->name);
	return hv_hint(err, "try again");
}

/* With its keepers locked. */
static enum hv_code hold(struct hv_attacher *attacher, const struct hv_volume *volume,
	const char *image, struct hv_error *err)
{
	unsigned missing = 0;

	/* Again, to see them: one may be removed meanwhile, or its name be in use. */
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		if (check_volume(attacher, volume, err) != HV_OK ||
			create_missing(attacher, volume, image, &missing, err) != HV_OK)
			return err->code;
		if (missing == 0)
			return HV_OK;
	}
	hv_fail(err, HV_INTERNAL, "a container named %s%s, or like that, is not hostvol's",
		prefixes[0], volume->name);
	return hv_hint(
		err, "rename or remove it; find it: docker ps -a --filter name=hostvol-keeps");
}

enum hv_code hv_keeper_hold(struct hv_attacher *attacher, const struct hv_volume *volume,
	const char *image, struct hv_error *err)
{
	hv_auto_error struct hv_error cause = {0};

	HV_HOLD(lock, &attacher->keeper_locks, volume->name);
	attacher->may_have_keepers = true;
	if (hold(attacher, volume, image, &cause) == HV_OK)
		return HV_OK;
	if (cause.code != HV_INTERNAL) {
		*err = cause;
		cause = (struct hv_error){0};
		return err->code;
	}
	hv_fail(err, HV_UNSUPPORTED,
		"volume '%s' cannot be kept from removal while it is attached: %s", volume->name,
		hv_error_text(&cause));
	return hv_hint(err, "%s",
		cause.hint
			? cause.hint
			: "attach its directory instead: docker volume inspect shows the mountpoint");
}

/* An image that the Engine has: of a container that the volume is attached to. */
static enum hv_code find_image(struct hv_attacher *attacher, const char *volume,
	struct hv_container *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = volume};
	hv_auto_records struct hv_records records = {0};
	enum hv_code code = HV_NO_SUCH_CONTAINER;

	if (hv_records_list(attacher, &filter, &records, err) != HV_OK)
		return err->code;
	for (struct hv_record *record = NULL;
		code != HV_OK && (record = hv_records_next(&records, record));) {
		hv_error_done(err);
		hv_container_done(ret);
		code = hv_container_find(
			attacher, record->view.container_id, HV_ENGINE_TIMEOUT_MS, ret, err);
	}
	return code;
}

/* Whether it has a name of ours too: a container of somebody else's with the label stays. */
static bool is_ours(const struct hv_keeper *keeper, const char *volume)
{
	for (unsigned i = 0; i < KEEPERS; i++) {
		char name[NAME_SIZE];

		snprintf(name, sizeof(name), "%s%s", prefixes[i], volume);
		if (strcmp(keeper->volume, volume) == 0 && strcmp(keeper->name, name) == 0)
			return true;
	}
	return false;
}

static enum hv_code remove_all(
	struct hv_attacher *attacher, const char *volume, struct hv_error *err)
{
	hv_auto_keepers struct hv_keepers keepers = {0};

	if (hv_engine_keepers(attacher->engine, NULL, HV_ENGINE_TIMEOUT_REMOVE_MS, &keepers, err) !=
		HV_OK)
		return err->code;
	for (size_t i = 0; i < keepers.count; i++)
		if (is_ours(&keepers.items[i], volume) &&
			hv_engine_keeper_remove(attacher->engine, &keepers.items[i],
				HV_ENGINE_TIMEOUT_MS, err) != HV_OK)
			return err->code;
	return HV_OK;
}

enum hv_code hv_keeper_check(struct hv_attacher *attacher, const char *volume, struct hv_error *err)
{
	hv_auto_volume struct hv_volume borrowed = {0};
	hv_auto_container struct hv_container container = {0};
	bool is_attached = false;
	enum hv_code code;

	HV_HOLD(lock, &attacher->keeper_locks, volume);
	code = hv_store_volume_get(attacher->store, volume, &borrowed, err);
	if (code == HV_NO_SUCH_VOLUME) {
		hv_error_done(err);
		return remove_all(attacher, volume, err);
	}
	if (code != HV_OK)
		return code;
	if (!hv_opts_get(&borrowed.opts, "driver")) /* one of hostvol's has the name by now */
		return remove_all(attacher, volume, err);
	if (hv_store_volume_is_attached(attacher->store, volume, &is_attached, err) != HV_OK)
		return err->code;
	if (!is_attached) /* a request is at work on it, or the next start is */
		return HV_OK;
	code = find_image(attacher, volume, &container, err);
	if (code == HV_OK)
		code = hold(attacher, &borrowed, container.image, err);
	/* Its container is gone, and the record will be; or it was removed by force. */
	if (code != HV_NO_SUCH_CONTAINER && code != HV_SOURCE_REFUSED)
		return code;
	hv_error_done(err);
	return HV_OK;
}

/* Keep the first failure. */
static void check_one(struct hv_attacher *attacher, const char *volume, struct hv_error *err)
{
	struct hv_error cause = {0};

	if (hv_keeper_check(attacher, volume, &cause) == HV_OK || err->code != HV_OK)
		hv_error_done(&cause);
	else
		*err = cause;
}

static bool is_in(const struct hv_texts *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

enum hv_code hv_keepers_check(struct hv_attacher *attacher, struct hv_error *err)
{
	hv_auto_texts struct hv_texts kept = {0};
	hv_auto_keepers struct hv_keepers keepers = {0};

	if (hv_store_volumes_with_opt(attacher->store, "driver", &kept, err) != HV_OK)
		return err->code;
	if (kept.count == 0 && !attacher->may_have_keepers)
		return HV_OK;
	attacher->may_have_keepers = false; /* before the list: a request may need some now */
	if (hv_engine_keepers(attacher->engine, NULL, HV_ENGINE_TIMEOUT_MS, &keepers, err) !=
		HV_OK) {
		attacher->may_have_keepers = true;
		return err->code;
	}
	if (kept.count > 0 || keepers.count > 0)
		attacher->may_have_keepers = true;
	for (size_t i = 0; i < kept.count; i++)
		if (count_missing(&keepers, kept.items[i]) > 0)
			check_one(attacher, kept.items[i], err);
	for (size_t i = 0; i < keepers.count; i++)
		if (!is_in(&kept, keepers.items[i].volume))
			check_one(attacher, keepers.items[i].volume, err);
	return err->code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A volume of another driver is kept from `docker volume rm` and the prunes while it is attached,
 * by a container that has it and runs: the prunes remove only containers that do not.
 *
 * A keeper there is as long as the record of the borrowed volume is.  It is made after the record
 * and before the first attachment, and removed after the record.  A request that lost the record
 * to another one borrows again, and makes it again.  Somebody may stop or remove it: then the
 * Engine's event has it started or made again.  Docker starts it at its own start.
 *
 * The Engine creates a volume that it does not have for a container: the volume is looked up
 * before. */
#include "keeper.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attachment.h"
#include "attachments.h"
#include "container.h"

#define PREFIX "hostvol-keeps-"

enum {
	PASSES_MAX = 8,
	PASSES_AT_ONCE = 3, /* create, start, see */
	WAIT_MS = 50,       /* before each other pass, and as much longer each time */
	NS_PER_MS = 1000000,
	NAME_SIZE = 300,
};

/* Of a keeper, at the last look. */
enum sight { MISSING, STOPPED, RUNNING };

/* Whether it has a name of ours too: a container of somebody else's with the label stays. */
static bool is_ours(const struct hv_keeper *keeper, const char *volume)
{
	return strcmp(keeper->volume, volume) == 0 &&
	       strncmp(keeper->name, PREFIX, sizeof(PREFIX) - 1) == 0 &&
	       strcmp(keeper->name + sizeof(PREFIX) - 1, volume) == 0;
}

static const struct hv_keeper *find(const struct hv_keepers *keepers, const char *volume)
{
	for (size_t i = 0; i < keepers->count; i++)
		if (is_ours(&keepers->items[i], volume))
			return &keepers->items[i];
	return NULL;
}

static enum hv_code create(
	struct hv_attacher *attacher, const struct hv_volume *volume, struct hv_error *err)
{
	char name[NAME_SIZE];
	const struct hv_keeper_args args = {.name = name,
		.volume = volume->name,
		.driver = hv_opts_get(&volume->opts, "driver")};

	snprintf(name, sizeof(name), "%s%s", PREFIX, volume->name);
	if (hv_engine_keeper_image_import(attacher->engine, HV_ENGINE_TIMEOUT_MS, err) != HV_OK)
		return err->code;
	return hv_engine_keeper_create(attacher->engine, &args, HV_ENGINE_TIMEOUT_MS, err);
}

/* The list may be of before an event that was told already; an inspect waits for the Engine's work
 * on the container. */
static enum hv_code start_stopped(
	struct hv_attacher *attacher, const char *id, enum sight *ret_sight, struct hv_error *err)
{
	hv_auto_container struct hv_container container = {0};
	enum hv_code code =
		hv_engine_inspect(attacher->engine, id, HV_ENGINE_TIMEOUT_MS, &container, err);

	if (code == HV_OK && container.is_running && container.pid > 0) {
		*ret_sight = RUNNING;
		return HV_OK;
	}
	if (code == HV_OK)
		code = hv_engine_start(attacher->engine, id, HV_ENGINE_TIMEOUT_MS, err);
	if (code != HV_NO_SUCH_CONTAINER)
		return code;
	hv_error_done(err); /* it was removed meanwhile */
	return HV_OK;
}

/* One step further, to one that runs.  `ret_sight`: before it. */
static enum hv_code advance(struct hv_attacher *attacher, const struct hv_volume *volume,
	enum sight *ret_sight, struct hv_error *err)
{
	hv_auto_keepers struct hv_keepers keepers = {0};
	const struct hv_keeper *keeper;

	if (hv_engine_keepers(
		    attacher->engine, volume->name, HV_ENGINE_TIMEOUT_MS, &keepers, err) != HV_OK)
		return err->code;
	keeper = find(&keepers, volume->name);
	*ret_sight = keeper ? STOPPED : MISSING;
	return keeper ? start_stopped(attacher, keeper->id, ret_sight, err)
		      : create(attacher, volume, err);
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

static enum hv_code fail_hold(const char *volume, enum sight sight, struct hv_error *err)
{
	if (sight == STOPPED)
		return hv_fail(
			err, HV_INTERNAL, "container %s%s does not go on running", PREFIX, volume);
	hv_fail(err, HV_INTERNAL, "a container named %s%s is not hostvol's", PREFIX, volume);
	return hv_hint(err, "rename or remove it: docker rename %s%s NEW", PREFIX, volume);
}

/* As long as the Engine removes or restarts the former one. */
static void wait_for_engine(int pass)
{
	const long ms = (pass - PASSES_AT_ONCE + 1L) * WAIT_MS;
	const struct timespec step = {.tv_nsec = ms * NS_PER_MS};

	if (pass >= PASSES_AT_ONCE)
		nanosleep(&step, NULL);
}

/* With its keeper locked. */
static enum hv_code hold(
	struct hv_attacher *attacher, const struct hv_volume *volume, struct hv_error *err)
{
	enum sight sight = MISSING;

	/* Again, until it is seen: anything may happen to it meanwhile. */
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		wait_for_engine(pass);
		if (check_volume(attacher, volume, err) != HV_OK ||
			advance(attacher, volume, &sight, err) != HV_OK)
			return err->code;
		if (sight == RUNNING)
			return HV_OK;
	}
	return fail_hold(volume->name, sight, err);
}

enum hv_code hv_keeper_hold(
	struct hv_attacher *attacher, const struct hv_volume *volume, struct hv_error *err)
{
	hv_auto_error struct hv_error cause = {0};

	HV_HOLD(lock, &attacher->keeper_locks, volume->name);
	attacher->may_have_keepers = true;
	if (hold(attacher, volume, &cause) == HV_OK)
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

/* The image goes with the last keeper of all. */
static enum hv_code remove_keeper(
	struct hv_attacher *attacher, const char *volume, struct hv_error *err)
{
	hv_auto_keepers struct hv_keepers keepers = {0};
	const struct hv_keeper *keeper;

	if (hv_engine_keepers(attacher->engine, NULL, HV_ENGINE_TIMEOUT_REMOVE_MS, &keepers, err) !=
		HV_OK)
		return err->code;
	keeper = find(&keepers, volume);
	if (keeper && hv_engine_keeper_remove(
			      attacher->engine, keeper, HV_ENGINE_TIMEOUT_MS, err) != HV_OK)
		return err->code;
	if (keepers.count == (keeper ? 1 : 0)) /* it may have been imported for nothing */
		hv_engine_keeper_image_remove(attacher->engine, HV_ENGINE_TIMEOUT_REMOVE_MS);
	return HV_OK;
}

enum hv_code hv_keeper_check(struct hv_attacher *attacher, const char *volume, struct hv_error *err)
{
	hv_auto_volume struct hv_volume borrowed = {0};
	bool is_attached = false;
	enum hv_code code;

	HV_HOLD(lock, &attacher->keeper_locks, volume);
	code = hv_store_volume_get(attacher->store, volume, &borrowed, err);
	if (code == HV_NO_SUCH_VOLUME) {
		hv_error_done(err);
		return remove_keeper(attacher, volume, err);
	}
	if (code != HV_OK)
		return code;
	if (!hv_opts_get(&borrowed.opts, "driver")) /* one of hostvol's has the name by now */
		return remove_keeper(attacher, volume, err);
	if (hv_store_volume_is_attached(attacher->store, volume, &is_attached, err) != HV_OK)
		return err->code;
	if (!is_attached) /* a request is at work on it, or the next start is */
		return HV_OK;
	code = hold(attacher, &borrowed, err);
	if (code != HV_SOURCE_REFUSED) /* it was removed by force */
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

static bool is_kept(const struct hv_keepers *keepers, const char *volume)
{
	const struct hv_keeper *keeper = find(keepers, volume);

	return keeper && hv_keeper_is_running(keeper);
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
		if (!is_kept(&keepers, kept.items[i]))
			check_one(attacher, kept.items[i], err);
	for (size_t i = 0; i < keepers.count; i++)
		if (!is_in(&kept, keepers.items[i].volume))
			check_one(attacher, keepers.items[i].volume, err);
	return err->code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the host, or a volume of another driver.  The Engine is asked once where a volume
 * has its data, with no lock held: it may ask this daemon for that name meanwhile. */
#include "foreign.h"

#include <string.h>

#include "mountcore/path.h"

#include "attachments.h"
#include "name.h"

/* The record is of a borrowed volume even if that fails: it is given back then. */
static enum hv_code borrow(
	struct hv_mount_op *attempt, const struct hv_foreign *foreign, struct hv_error *err)
{
	attempt->record.is_borrowed = true;
	return hv_volume_borrow(
		attempt->attacher->volumes, foreign, attempt->only_check, &attempt->volume, err);
}

enum hv_code hv_mount_op_borrow_path(struct hv_mount_op *attempt, struct hv_error *err)
{
	const struct hv_foreign foreign = {.name = attempt->path,
		.path = attempt->path,
		.mkdir = attempt->request->make_source,
		.follow = attempt->request->follow};

	return borrow(attempt, &foreign, err);
}

/* Whether option o has the word `bind` or `rbind`. */
static bool is_bind(const char *o)
{
	for (const char *end; o; o = *end ? end + 1 : NULL) {
		size_t length;

		end = strchrnul(o, ',');
		length = (size_t)(end - o);
		if ((length == 4 && memcmp(o, "bind", 4) == 0) ||
			(length == 5 && memcmp(o, "rbind", 5) == 0))
			return true;
	}
	return false;
}

/* The place of its data: the local driver has it in a directory, in one of the user's (bind), or
 * mounts a file system while a container uses it, as other drivers do. */
static void find_place(const struct hv_engine_volume *volume, struct hv_foreign *ret)
{
	const char *device = hv_opts_get(&volume->opts, "device");
	const char *o = hv_opts_get(&volume->opts, "o");
	bool is_local = strcmp(volume->driver, "local") == 0;

	ret->path = volume->mountpoint;
	if (is_local && device && is_bind(o)) {
		ret->path = device;
		ret->o = o;
		return;
	}
	ret->is_mounted = !is_local || device || hv_opts_get(&volume->opts, "type");
}

static enum hv_code borrow_known(
	struct hv_mount_op *attempt, const struct hv_engine_volume *volume, struct hv_error *err)
{
	struct hv_foreign foreign = {.name = attempt->request->volume,
		.driver = volume->driver,
		.follow = attempt->request->follow};
	char place[PATH_MAX];

	find_place(volume, &foreign);
	if (!foreign.path || mc_path_clean(foreign.path, place, sizeof(place)) < 0) {
		hv_fail(err, HV_SOURCE_MISSING,
			"volume '%s' of the driver %s has no place on the host now", foreign.name,
			foreign.driver);
		return hv_hint(err, "attach it while a container uses it");
	}
	foreign.path = place;
	return borrow(attempt, &foreign, err);
}

/* It may be a volume of another driver: only the Engine knows. */
static enum hv_code refuse_unasked(
	const char *name, const struct hv_error *cause, struct hv_error *err)
{
	enum hv_code code = cause->code;

	hv_fail(err, code,
		"hostvol has no volume '%s', and whether another driver has is unknown: %s", name,
		cause->message ? cause->message : "out of memory");
	return cause->hint ? hv_hint(err, "%s", cause->hint) : code;
}

enum hv_code hv_mount_op_borrow_volume(struct hv_mount_op *attempt, struct hv_error *err)
{
	const char *name = attempt->request->volume;
	hv_auto_engine_volume struct hv_engine_volume volume = {0};
	hv_auto_error struct hv_error cause = {0};
	enum hv_code code;

	if (name[0] == '/')
		return hv_volume_explain_unknown(attempt->request, attempt->target, err);
	code = hv_engine_volume(
		attempt->attacher->engine, name, HV_ENGINE_TIMEOUT_WHO_MS, &volume, &cause);
	if (code == HV_NO_SUCH_VOLUME || (code == HV_OK && strcmp(volume.name, name) != 0))
		return hv_volume_explain_unknown(attempt->request, attempt->target, err);
	if (code != HV_OK)
		return refuse_unasked(name, &cause, err);
	hv_error_done(err);
	return borrow_known(attempt, &volume, err);
}

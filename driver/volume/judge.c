/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <errno.h>

#include "explain_source.h"

static const char *const names[HV_HEALTH_COUNT] = {
	[HV_HEALTH_UNKNOWN] = "unknown",
	[HV_HEALTH_GOOD] = "good",
	[HV_HEALTH_SILENT] = "silent",
	[HV_HEALTH_DEAD] = "dead",
	[HV_HEALTH_UNMOUNTED] = "unmounted",
	[HV_HEALTH_MISSING] = "missing",
	[HV_HEALTH_REFUSED] = "refused",
	[HV_HEALTH_REPLACED] = "replaced",
	[HV_HEALTH_READ_ONLY] = "read-only",
	[HV_HEALTH_NEARLY_FULL] = "nearly-full",
};

const char *hv_health_name(enum hv_health health)
{
	return (unsigned)health < HV_HEALTH_COUNT ? names[health] : "";
}

static bool is_silent(const struct mc_err *cause)
{
	return cause->step == MC_STEP_HELPER &&
	       (cause->code == -ETIMEDOUT || cause->code == -EALREADY);
}

/* Of a path that cannot be looked at.  A failure of our own says nothing. */
static enum hv_health judge_failure(const struct mc_err *cause)
{
	if (cause->code == 0)
		return HV_HEALTH_GOOD;
	if (is_silent(cause))
		return HV_HEALTH_SILENT;
	if (cause->step != MC_STEP_SOURCE || cause->code == -ENOMEM || cause->code == -ENFILE ||
		cause->code == -EMFILE)
		return HV_HEALTH_UNKNOWN;
	if (mc_err_is_dead(cause->code))
		return HV_HEALTH_DEAD;
	return cause->code == -ENOENT ? HV_HEALTH_MISSING : HV_HEALTH_REFUSED;
}

static bool is_nearly_full(unsigned percent, enum hv_health before)
{
	return percent >= HV_NEARLY_FULL - (before == HV_HEALTH_NEARLY_FULL);
}

enum hv_health hv_health_judge(const struct hv_health_facts *facts, enum hv_health before)
{
	enum hv_health health = judge_failure(&facts->source);

	if (facts->away && (health == HV_HEALTH_GOOD || health >= HV_HEALTH_MISSING))
		return HV_HEALTH_UNMOUNTED;
	if (health != HV_HEALTH_GOOD)
		return health;
	if (facts->is_taken_out)
		return HV_HEALTH_UNMOUNTED;
	health = judge_failure(&facts->device);
	if (health != HV_HEALTH_GOOD)
		return health;
	if (facts->is_other)
		return HV_HEALTH_REPLACED;
	if (facts->has_become_read_only)
		return HV_HEALTH_READ_ONLY;
	return is_nearly_full(facts->space_percent, before) ||
			       is_nearly_full(facts->inodes_percent, before)
		       ? HV_HEALTH_NEARLY_FULL
		       : HV_HEALTH_GOOD;
}

static void explain_silent(const char *path, const char *volume, struct hv_error *err)
{
	hv_fail(err, HV_TIMEOUT, "the file system of %s, of volume '%s', does not answer", path,
		volume);
	hv_hint(err, "check that its server is running; find the mount: findmnt -T %s", path);
}

static void explain_device(
	const struct hv_health_facts *facts, const struct hv_volume *volume, struct hv_error *err)
{
	if (is_silent(&facts->device)) {
		explain_silent(facts->device_path, volume->name, err);
		return;
	}
	hv_fail(err, HV_SOURCE_MISSING,
		"%s, which the file system of volume '%s' is mounted from, is not there: %s",
		facts->device_path, volume->name, hv_explain_reason(&facts->device));
	hv_hint(err, "put it back: it is needed when the volume is used next");
}

static void explain_unmounted(
	const struct hv_health_facts *facts, const struct hv_volume *volume, struct hv_error *err)
{
	if (!facts->away) {
		hv_fail(err, HV_SOURCE_MISSING,
			"the file system of volume '%s' was unmounted from %s while the volume is used",
			volume->name, volume->source);
		hv_hint(err,
			"restart the containers that use the volume, which mounts it again; list them: docker ps --filter volume=%s",
			volume->name);
		return;
	}
	hv_fail(err, HV_SOURCE_MISSING,
		"the disk of volume '%s' is not mounted: nothing is at %s, where the file system of its directory %s was",
		volume->name, facts->away, volume->source);
	hv_hint(err, "mount it again: mount %s", facts->away);
}

static void explain_full(
	const struct hv_health_facts *facts, const struct hv_volume *volume, struct hv_error *err)
{
	bool is_space = facts->space_percent >= facts->inodes_percent;

	hv_fail(err, HV_INTERNAL, "volume '%s' is nearly full: %u %% of the %s of %s %s in use",
		volume->name, is_space ? facts->space_percent : facts->inodes_percent,
		is_space ? "space" : "inodes", volume->source, is_space ? "is" : "are");
	hv_hint(err, "delete files that are not needed, or enlarge it; see the numbers: df %s%s",
		is_space ? "-h " : "-i ", volume->source);
}

void hv_health_explain(enum hv_health health, const struct hv_health_facts *facts,
	const struct hv_volume *volume, struct hv_error *err)
{
	const struct hv_error_subject source = {.volume = volume->name,
		.source = volume->source,
		.target = volume->source,
		.asked = hv_opts_get(&volume->opts, "path")};

	if (health == HV_HEALTH_UNMOUNTED) {
		explain_unmounted(facts, volume, err);
	} else if (facts->source.code == 0 && facts->device.code != 0) {
		explain_device(facts, volume, err);
	} else if (health == HV_HEALTH_SILENT) {
		explain_silent(volume->source, volume->name, err);
	} else if (facts->source.code != 0) {
		hv_error_from_mount(err, &facts->source, &source);
	} else if (health == HV_HEALTH_REPLACED) {
		hv_fail(err, HV_SOURCE_MISSING,
			"the directory %s of volume '%s' was replaced by another one",
			volume->source, volume->name);
		hv_hint(err,
			"put the first one back; or restart the containers that use the volume, which takes the new one");
	} else if (health == HV_HEALTH_READ_ONLY) {
		hv_fail(err, HV_SOURCE_REFUSED,
			"the file system of %s, of volume '%s', has become read-only",
			volume->source, volume->name);
		hv_hint(err, "look for errors of its disk: dmesg");
	} else {
		explain_full(facts, volume, err);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Warn of everything that a mount at a target hides: in a check, and in the answer to an attach. */
#include "hidden.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/cover.h"
#include "mountcore/path.h"

#include "attachments.h"

/* A container's program may mount as much as it likes. */
enum { WARNINGS_MAX = 16, USERS_MAX = 8 };

/* The attachment whose mount it is, or NULL. */
static const struct hv_record *find_own(
	const struct hv_mount_op *attempt, const struct mc_mount *mount)
{
	const struct hv_target *container = &attempt->container;

	return hv_siblings_find_mount(
		attempt->siblings, container->container.pid, container->ns.ino, mount);
}

/* Whether it stands on a mount of ours: then it came with the volume, and is moved with that. */
static bool is_on_own(
	const struct hv_mount_op *attempt, struct mc_mounts *mounts, const struct mc_mount *mount)
{
	struct mc_mount at = *mount;

	for (size_t left = mc_mounts_count(mounts); left > 0; left--) {
		if (mc_mounts_find(mounts, at.parent_id, &at) < 0)
			return false;
		if (find_own(attempt, &at))
			return true;
	}
	return false;
}

/* Left out if there is no memory. */
static __attribute__((format(printf, 2, 3))) void warn(
	struct hv_mount_op *attempt, const char *format, ...)
{
	char text[2 * PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)!hv_texts_add(&attempt->record.view.warnings, text);
}

static void warn_of_mount(
	struct hv_mount_op *attempt, struct mc_mounts *mounts, const struct mc_mount *mount)
{
	const struct hv_record *own = find_own(attempt, mount);
	const char *volume = attempt->volume.name;

	if (own)
		warn(attempt,
			"volume '%s' at %s is taken out and attached again on top of volume '%s'",
			own->view.volume, own->view.target, volume);
	else if (!is_on_own(attempt, mounts, mount))
		warn(attempt,
			"the mount at %s (%s) is hidden until volume '%s' is detached from %s",
			mount->target, mount->fstype, volume, attempt->target);
}

static const char *what_it_has(enum mc_busy_why why)
{
	switch (why) {
	case MC_BUSY_CWD:
		return "its working directory";
	case MC_BUSY_ROOT:
		return "its root directory";
	case MC_BUSY_FILE:
	case MC_BUSY_MAPPING:
		break;
	}
	return "an open file";
}

static void warn_of_covered(struct hv_mount_op *attempt, struct mc_mounts *mounts)
{
	const char *volume = attempt->volume.name, *target = attempt->target;
	struct mc_cover cover;
	unsigned entries;

	mc_cover_look(attempt->mount, mounts, &cover);
	for (unsigned i = 0; i < cover.users.count && i < USERS_MAX; i++) {
		const struct mc_busy_entry *user = &cover.users.entries[i];

		warn(attempt,
			"process %d (%s) has %s in what volume '%s' covers at %s, and goes on using that",
			user->pid, user->command, what_it_has(user->why), volume, target);
	}
	if (cover.users.count > USERS_MAX)
		warn(attempt, "more processes go on using what is covered at %s", target);
	entries = cover.entries;
	if (entries > 0)
		warn(attempt, "%s%u %s of the directory %s %s hidden until volume '%s' is detached",
			entries > MC_COVER_ENTRIES_MAX ? "more than " : "",
			entries > MC_COVER_ENTRIES_MAX ? MC_COVER_ENTRIES_MAX : entries,
			entries == 1 ? "entry" : "entries", target, entries == 1 ? "is" : "are",
			volume);
}

void hv_mount_op_find_hidden(struct hv_mount_op *attempt)
{
	const struct mc_attach_info *info = mc_attach_info(attempt->mount);
	const struct hv_texts *warnings = &attempt->record.view.warnings;
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount, cover;
	size_t max;

	if (info->to_make > 0)
		return; /* the target does not exist yet */
	if (mc_cover_mounts(attempt->mount, &mounts) < 0)
		return;
	warn_of_covered(attempt, mounts);
	if (!mounts)
		return;
	max = warnings->count + WARNINGS_MAX;
	for (size_t at = 0; warnings->count < max && mc_mounts_next(mounts, &at, &mount);)
		if (mc_path_is_below(mount.target, info->path) &&
			strcmp(mount.target, info->path) != 0 &&
			!mc_mounts_find_cover(mounts, mount.id, &cover))
			warn_of_mount(attempt, mounts, &mount);
}

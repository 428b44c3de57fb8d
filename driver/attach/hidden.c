/* Warn of everything that a mount at a target hides: in a check, and in the answer to an attach. */
#include "hidden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/cover.h"
#include "mountcore/path.h"

/* A container's program may mount as much as it likes. */
enum { WARNINGS_MAX = 16, USERS_MAX = 8 };

/* The attachment whose mount it is, or NULL.  The number of one that is gone may be another's. */
static const struct hv_record *find_own(
	const struct hv_attempt *attempt, const struct mc_mount *mount)
{
	const struct hv_siblings *siblings = attempt->siblings;

	for (size_t i = 0; siblings && i < siblings->count; i++)
		if (siblings->records[i].pid > 0 &&
			siblings->records[i].ns_ino == attempt->container.ns.ino &&
			siblings->records[i].mountinfo_id == mount->id &&
			strcmp(siblings->records[i].path, mount->target) == 0)
			return &siblings->records[i];
	return NULL;
}

/* Whether it stands on a mount of ours: then it came with the volume, and is moved with that. */
static bool is_on_own(
	const struct hv_attempt *attempt, struct mc_mounts *mounts, const struct mc_mount *mount)
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

/* Returns 0 or -ENOMEM. */
static int add(struct hv_attempt *attempt, struct mc_mounts *mounts, const struct mc_mount *mount,
	struct hv_texts *ret)
{
	const struct hv_record *own = find_own(attempt, mount);
	const char *volume = attempt->volume.name;
	char text[2 * PATH_MAX];

	if (own)
		snprintf(text, sizeof(text),
			"volume '%s' at %s is taken out and attached again on top of volume '%s'",
			own->view.volume, own->view.target, volume);
	else if (is_on_own(attempt, mounts, mount))
		return 0;
	else
		snprintf(text, sizeof(text),
			"the mount at %s (%s) is hidden until volume '%s' is detached from %s",
			mount->target, mount->fstype, volume, attempt->target);
	return hv_texts_add(ret, text);
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

/* Returns 0 or -ENOMEM. */
static int add_user(
	const struct hv_attempt *attempt, const struct mc_busy_entry *user, struct hv_texts *ret)
{
	char text[2 * PATH_MAX];

	snprintf(text, sizeof(text),
		"process %d (%s) has %s in what volume '%s' covers at %s, and goes on using that",
		user->pid, user->command, what_it_has(user->why), attempt->volume.name,
		attempt->target);
	return hv_texts_add(ret, text);
}

static int add_covered(
	const struct hv_attempt *attempt, const struct mc_cover *cover, struct hv_texts *ret)
{
	const char *volume = attempt->volume.name, *target = attempt->target;
	unsigned entries = cover->entries;
	char text[2 * PATH_MAX];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < cover->users.count && i < USERS_MAX; i++)
		rc = add_user(attempt, &cover->users.entries[i], ret);
	if (rc == 0 && cover->users.count > USERS_MAX) {
		snprintf(text, sizeof(text), "more processes go on using what is covered at %s",
			target);
		rc = hv_texts_add(ret, text);
	}
	if (rc < 0 || entries == 0)
		return rc;
	snprintf(text, sizeof(text),
		"%s%u %s of the directory %s %s hidden until volume '%s' is detached",
		entries > MC_COVER_ENTRIES_MAX ? "more than " : "",
		entries > MC_COVER_ENTRIES_MAX ? MC_COVER_ENTRIES_MAX : entries,
		entries == 1 ? "entry" : "entries", target, entries == 1 ? "is" : "are", volume);
	return hv_texts_add(ret, text);
}

static int find_covered(
	const struct hv_attempt *attempt, struct mc_mounts *mounts, struct hv_texts *ret)
{
	struct mc_cover cover;

	mc_cover_look(attempt->mount, mounts, &cover);
	return add_covered(attempt, &cover, ret);
}

void hv_attempt_find_hidden(struct hv_attempt *attempt, struct hv_texts *ret)
{
	const char *path = mc_attach_info(attempt->mount)->path;
	size_t max = WARNINGS_MAX;
	struct mc_mounts *mounts = NULL;
	struct mc_mount mount, cover;
	int rc =
		mc_mounts_read(attempt->attacher->core, attempt->container.ns.ns_fd, &mounts, NULL);

	if (rc == 0)
		rc = find_covered(attempt, mounts, ret);
	max += ret->count;
	for (size_t at = 0; rc == 0 && ret->count < max && mc_mounts_next(mounts, &at, &mount);)
		if (mc_path_is_below(mount.target, path) && strcmp(mount.target, path) != 0 &&
			!mc_mounts_find_cover(mounts, mount.id, &cover))
			rc = add(attempt, mounts, &mount, ret);
	mc_mounts_free(mounts);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"

#include <stdio.h>

#include "mountcore/host.h"
#include "mountcore/user.h"

#include "attachments.h"

/* To make a file in a directory, by its owner's bits. */
enum { WRITE_BITS = 0300, GROUP_SHIFT = 3, OTHER_SHIFT = 6 };

/* An owner, as the container sees it. */
struct seen {
	uint32_t uid;
	uint32_t gid;
	int mode;
};

/* Owner and mode of a path of the host, before the volume's owner appears as another. */
static int read_owner(const struct hv_mount_op *attempt, const char *path, struct seen *ret)
{
	struct mc_core *core = attempt->attacher->core;
	struct mc_owner owner;
	int rc = mc_host_owner(core, path, &owner, NULL);

	if (rc < 0)
		return rc;
	*ret = (struct seen){(uint32_t)owner.uid, (uint32_t)owner.gid, owner.mode};
	if (attempt->record.view.is_mapped) /* the number on disk is the container's */
		return 0;
	return mc_user_numbers(core, attempt->container.container.pid, &ret->uid, &ret->gid);
}

/* `id`, if `is` and `as` are exchanged. */
static uint32_t swap(uint32_t id, uint32_t is, uint64_t as)
{
	if (as && id == is)
		return (uint32_t)(as - 1);
	return as && id == (uint32_t)(as - 1) ? is : id;
}

static int see(const struct hv_mount_op *attempt, struct seen *ret)
{
	const char *source = attempt->volume.source, *subpath = attempt->record.view.subpath;
	const char *text = attempt->record.view.as;
	struct hv_as as = {0};
	struct seen root = {0};
	char path[2 * PATH_MAX];
	int rc;

	if (text && !hv_as_parse(text, &as))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s%s%s", source, subpath ? "/" : "", subpath ? subpath : "");
	rc = read_owner(attempt, source, &root);
	if (rc == 0)
		rc = read_owner(attempt, path, ret);
	if (rc < 0)
		return rc;
	ret->uid = swap(ret->uid, root.uid, as.uid);
	ret->gid = swap(ret->gid, root.gid, as.gid);
	return 0;
}

static bool has_group(const struct mc_user *user, uint32_t gid)
{
	for (unsigned i = 0; i < user->group_count; i++)
		if (user->groups[i] == gid)
			return true;
	return false;
}

static bool can_write(const struct mc_user *user, const struct seen *directory)
{
	int bits = WRITE_BITS >> OTHER_SHIFT;

	if (user->uid == 0)
		return true;
	if (user->uid == directory->uid)
		bits = WRITE_BITS;
	else if (has_group(user, directory->gid))
		bits = WRITE_BITS >> GROUP_SHIFT;
	return (directory->mode & bits) == bits;
}

char *hv_mount_op_describe_writer(const struct hv_mount_op *attempt)
{
	const pid_t pid = attempt->container.container.pid;
	struct seen directory = {0};
	struct mc_user user = {0};
	char help[64] = "", *text;

	if (!attempt->mount || !mc_attach_info(attempt->mount)->is_dir ||
		attempt->record.view.read_only ||
		mc_user_of(attempt->attacher->core, pid, &user) < 0 ||
		see(attempt, &directory) < 0 || can_write(&user, &directory))
		return NULL;
	if ((directory.mode & WRITE_BITS) == WRITE_BITS)
		snprintf(help, sizeof(help), "; attach with --as %u:%u", user.uid, user.groups[0]);
	if (asprintf(&text,
		    "the container's user %u cannot write in a directory of %u:%u with mode %o%s",
		    user.uid, directory.uid, directory.gid, (unsigned)directory.mode, help) < 0)
		return NULL;
	return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "core.h"
#include "fstype.h"
#include "inode.h"
#include "job.h"
#include "lines.h"
#include "sys.h"
#include "table.h"

struct kind {
	uint64_t mountinfo_id;
	uint64_t dev;
	bool is_slow;
	bool is_overlay;
};

static int take_line(struct mc_line *line, void *context)
{
	struct kind *kind = context;

	if (line->id != kind->mountinfo_id)
		return 0;
	kind->dev = line->dev;
	kind->is_slow = mc_fstype_is_slow(line->fstype);
	kind->is_overlay = strcmp(line->fstype, "overlay") == 0;
	return 1;
}

/* From the mount's own superblock, which no file system is asked for; before 6.8 from the table. */
static int find_kind(const struct mc_core *core, const struct mc_stat *stat, struct kind *ret)
{
	struct mc_statmount mount = {0};
	int rc;

	ret->mountinfo_id = stat->mountinfo_id;
	if (!(core->features & MC_FEATURE_STATMOUNT)) {
		rc = mc_lines_visit(core, take_line, ret);
		return rc == 0 ? -ENOENT : rc < 0 ? rc : 0;
	}
	rc = mc_sys_statmount(stat->mount_id, MC_STATMOUNT_SB_BASIC, &mount);
	ret->dev = makedev(mount.sb_dev_major, mount.sb_dev_minor);
	ret->is_slow = mc_magic_is_slow(mount.sb_magic);
	ret->is_overlay = mount.sb_magic == OVERLAYFS_SUPER_MAGIC;
	return rc;
}

int mc_is_local(const struct mc_core *core, const struct mc_job *job, bool may_mount,
	const struct mc_stat *stat)
{
	struct kind kind = {.dev = 0};
	int rc = find_kind(core, stat, &kind);

	if (rc < 0) /* a mount that is gone, or out of reach, is not one to rely on */
		return rc == -ENOENT || rc == -EPERM ? 0 : rc;
	if (kind.is_overlay)
		return mc_table_has_overlay(job->table, job->is_table_old, kind.dev);
	return !may_mount && !kind.is_slow;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence: unshare(mount namespace) mount(/, private, recursive) mount(tmpfs) move_mount(tree into
 * it): then only the tree is below its path; for attributes read(mountinfo) mount(remount, bind) on
 * each mount of the tree, and once more read(mountinfo) to see that each has them. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>

#include "mountcore/path.h"

#include "core.h"
#include "lines.h"
#include "sys.h"

struct visit {
	const char *path;
	const struct mc_attr *attr;
	bool is_check;
	unsigned seen;
};

int mc_stage(int tree, bool is_dir, unsigned long propagation)
{
	int rc = mc_sys_unshare(CLONE_NEWNS);

	if (rc == 0)
		rc = mc_sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE);
	if (rc == 0)
		rc = mc_sys_mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC);
	if (rc == 0)
		rc = is_dir ? mc_sys_mkdirat(AT_FDCWD, MC_STAGE_PATH, 0700)
			    : mc_sys_create(AT_FDCWD, MC_STAGE_PATH, 0600);
	if (rc >= 0)
		rc = mc_sys_move_mount_to(tree, MC_STAGE_PATH);
	/* The clone of a shared mount is in its peer group. */
	return rc < 0 ? rc : mc_sys_mount(NULL, MC_STAGE_PATH, NULL, MS_REC | propagation);
}

/* "rw,nosuid,relatime": names that are no attribute (rw, idmapped) say nothing. */
static struct mc_attr parse_options(char *options)
{
	struct mc_attr attr = {0};

	for (char *name = options, *end; name; name = end) {
		end = strchr(name, ',');
		if (end)
			*end++ = '\0';
		(void)!mc_attr_add(&attr, name);
	}
	return attr;
}

static int visit_mount(struct mc_line *line, void *context)
{
	struct visit *visit = context;
	const uint64_t is_set = visit->attr->set, is_clear = visit->attr->clear;
	struct mc_attr now;
	unsigned long flags = 0;
	int rc;

	if (!mc_path_is_below(line->target, visit->path))
		return 0;
	if (line->is_cut)
		return -ENAMETOOLONG;
	visit->seen++;
	now = parse_options(line->options);
	if (visit->is_check)
		return (now.set & (is_clear | is_set)) == is_set ? 0 : -ESTALE;
	now.set = (now.set & ~is_clear) | is_set;
	rc = mc_attr_to_ms(&now, &flags);
	return rc < 0 ? rc : mc_sys_mount(NULL, line->target, NULL, MS_REMOUNT | MS_BIND | flags);
}

int mc_stage_attr(const struct mc_core *core, const char *path, const struct mc_attr *attr)
{
	struct visit apply = {.path = path, .attr = attr};
	struct visit check = {.path = path, .attr = attr, .is_check = true};
	int rc = mc_lines_visit(core, visit_mount, &apply);

	if (rc == 0)
		rc = mc_lines_visit(core, visit_mount, &check);
	return rc == 0 && check.seen != apply.seen ? -ESTALE : rc;
}

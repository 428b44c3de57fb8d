/* Sequence: unshare(mount namespace) mount(/, private, recursive) mount(tmpfs) move_mount(tree into
 * it): what is below its path then is the tree and nothing else; for attributes
 * read(mountinfo) mount(remount, bind) on each mount of the tree, and once more read(mountinfo) to
 * see that each has them. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>

#include "mountcore/path.h"

#include "core.h"
#include "sys.h"

enum { OPTIONS_MAX = 256, CHUNK = 4096 };

/* The columns of one line of mountinfo that are of interest, as they come. */
enum { COLUMN_TARGET = 4, COLUMN_OPTIONS = 5, COLUMNS = 6 };

struct line {
	unsigned column;
	size_t length;
	bool is_cut;
	char target[PATH_MAX];
	char options[OPTIONS_MAX];
};

struct visit {
	const char *path;
	const struct mc_attr *attr;
	bool is_check;
	unsigned seen;
};

int mc_stage(int tree, bool is_dir)
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
	return rc < 0 ? rc : mc_sys_mount(NULL, MC_STAGE_PATH, NULL, MS_REC | MS_PRIVATE);
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

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* "\040" and the like (proc_pid_mountinfo(5)). */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) &&
			is_octal(text[3])) {
			*to = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

static int visit_mount(struct visit *visit, struct line *line)
{
	const uint64_t is_set = visit->attr->set, is_clear = visit->attr->clear;
	struct mc_attr now;
	unsigned long flags = 0;
	int rc;

	unescape(line->target);
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

static void take_char(struct line *line, char c)
{
	bool is_target = line->column == COLUMN_TARGET;
	size_t size = is_target ? sizeof(line->target) : sizeof(line->options);
	char *to = is_target ? line->target : line->options;

	if (c == ' ') {
		line->column++;
		line->length = 0;
	} else if (line->column != COLUMN_TARGET && line->column != COLUMN_OPTIONS) {
		return;
	} else if (line->length + 1 < size) {
		to[line->length++] = c;
		to[line->length] = '\0';
	} else {
		line->is_cut = true;
	}
}

static int visit_all(const struct mc_core *core, struct visit *visit)
{
	char chunk[CHUNK];
	struct line line = {0};
	ssize_t size;
	int rc = 0, fd = mc_sys_openat(core->proc, "thread-self/mountinfo", O_RDONLY);

	if (fd < 0)
		return fd;
	do {
		size = mc_sys_read(fd, chunk, sizeof(chunk));
		for (ssize_t i = 0; i < size && rc == 0; i++) {
			if (chunk[i] != '\n') {
				take_char(&line, chunk[i]);
				continue;
			}
			if (line.column >= COLUMNS)
				rc = visit_mount(visit, &line);
			line = (struct line){0};
		}
	} while (size > 0 && rc == 0);
	mc_sys_close(fd);
	return size < 0 ? (int)size : rc;
}

int mc_stage_attr(const struct mc_core *core, const char *path, const struct mc_attr *attr)
{
	struct visit apply = {.path = path, .attr = attr};
	struct visit check = {.path = path, .attr = attr, .is_check = true};
	int rc = visit_all(core, &apply);

	if (rc == 0)
		rc = visit_all(core, &check);
	return rc == 0 && check.seen != apply.seen ? -ESTALE : rc;
}

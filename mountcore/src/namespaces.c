/* The mounts of every mount namespace.
 *
 * Sequence: for each process in our procfs: readlink(ns/mnt) readlink(root); with a pair that was
 * not seen yet: read mountinfo as text; a table without the file system that is asked about is not
 * parsed.  A process that is chrooted sees only a part of its namespace's mounts, which is why its
 * root counts too.  No file system is asked, so nothing here waits for one.
 *
 * The calls for each process are libc's own and not those of sys.h: what fails
 * with one of them is that process's end. */
#include "mountcore/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "lines.h"
#include "mounts.h"
#include "procfs.h"

enum {
	TEXT_FIRST = 1 << 16,
	TEXT_MAX = 1 << 28,
	LINK_SIZE = 64,
	FILE_SIZE = 32, /* "4194304/mountinfo" */
};

/* A mount as a line of mountinfo tells it; the strings are in the table's text. */
struct line {
	uint64_t id;
	uint64_t parent_id;
	uint64_t dev;
	const char *root;
	const char *target;
};

/* A view of a namespace: its inode, and the root directory of who looks. */
struct view {
	uint64_t ns_ino;
	char root[LINK_SIZE]; /* cut: two that differ further behind count as one more view */
};

struct scan;

/* Called for each mount of the file system that is asked about and for each mount on it.  `on`: the
 * directory or file that it is mounted on.  Another result than 0 ends the scan. */
typedef int (*visit_fn)(struct scan *scan, const struct line *line, const struct mc_spot *on);

struct scan {
	const struct mc_core *core;
	uint64_t dev;
	visit_fn visit;
	void *context;
	uint64_t but_ns;
	struct view now;
	pid_t pid;
	struct view *seen;
	size_t seen_count;
	char *text;
	size_t text_size;
	struct line *lines;
	size_t line_count, line_room;
};

static void read_link(int proc, const char *pid, const char *name, char ret[static LINK_SIZE])
{
	char file[FILE_SIZE];
	ssize_t size;

	snprintf(file, sizeof(file), "%.10s/%s", pid, name);
	size = readlinkat(proc, file, ret, LINK_SIZE - 1);
	ret[size > 0 ? size : 0] = '\0';
}

/* Whether the process shows a view that was not looked at yet; remembers it.  One that cannot be
 * told (a process that is about to end, or that we may not trace) is always new. */
static int is_new(struct scan *scan, int proc, const char *pid)
{
	char link[LINK_SIZE];
	struct view *seen;

	read_link(proc, pid, "ns/mnt", link); /* "mnt:[4026531841]" */
	scan->now.ns_ino = link[0] ? strtoull(link + strcspn(link, "0123456789"), NULL, 10) : 0;
	read_link(proc, pid, "root", scan->now.root);
	if (!scan->now.ns_ino)
		return 1;
	if (scan->now.ns_ino == scan->but_ns)
		return 0;
	for (size_t i = 0; i < scan->seen_count; i++)
		if (scan->seen[i].ns_ino == scan->now.ns_ino &&
			strcmp(scan->seen[i].root, scan->now.root) == 0)
			return 0;
	seen = reallocarray(scan->seen, scan->seen_count + 1, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	scan->seen = seen;
	seen[scan->seen_count++] = scan->now;
	return 1;
}

static int grow(struct scan *scan)
{
	size_t size = scan->text_size ? 2 * scan->text_size : TEXT_FIRST;
	char *text = size > TEXT_MAX ? NULL : realloc(scan->text, size);

	if (!text)
		return size > TEXT_MAX ? -E2BIG : -ENOMEM;
	scan->text = text;
	scan->text_size = size;
	return 0;
}

/* The whole mount table of a process as text.  Returns 0 also for one that is gone: with none. */
static int read_text(struct scan *scan, int proc, const char *pid)
{
	char file[FILE_SIZE];
	size_t used = 0;
	ssize_t size = 1;
	mc_auto_fd fd = MC_FD_NONE;

	snprintf(file, sizeof(file), "%.10s/mountinfo", pid);
	fd = openat(proc, file, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && size > 0) {
		if (used + 1 >= scan->text_size) {
			int rc = grow(scan);

			if (rc < 0)
				return rc;
		}
		size = read(fd, scan->text + used, scan->text_size - used - 1);
		used += size > 0 ? (size_t)size : 0;
	}
	if (scan->text)
		scan->text[used] = '\0';
	return 0;
}

/* "36 35 98:0 /root /target rw …": cuts `text` into the line's columns.  Returns false for a line
 * that is none. */
static bool parse(char *text, struct line *ret)
{
	char *columns[5], *end;
	unsigned long major, minor;

	for (int i = 0; i < 5; i++) {
		columns[i] = strsep(&text, " ");
		if (!columns[i] || !text)
			return false;
	}
	major = strtoul(columns[2], &end, 10);
	if (*end != ':')
		return false;
	minor = strtoul(end + 1, NULL, 10);
	mc_unescape(columns[3]);
	mc_unescape(columns[4]);
	*ret = (struct line){
		.id = strtoull(columns[0], NULL, 10),
		.parent_id = strtoull(columns[1], NULL, 10),
		.dev = makedev((unsigned)major, (unsigned)minor),
		.root = columns[3],
		.target = columns[4],
	};
	return true;
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t one = ((const struct line *)a)->id, two = ((const struct line *)b)->id;

	return one < two ? -1 : one > two;
}

static int parse_all(struct scan *scan)
{
	char *rest = scan->text, *text;

	scan->line_count = 0;
	while ((text = strsep(&rest, "\n"))) {
		if (scan->line_count == scan->line_room) {
			size_t room = scan->line_room ? 2 * scan->line_room : 64;
			struct line *lines = reallocarray(scan->lines, room, sizeof(*lines));

			if (!lines)
				return -ENOMEM;
			scan->lines = lines;
			scan->line_room = room;
		}
		if (parse(text, &scan->lines[scan->line_count]))
			scan->line_count++;
	}
	if (scan->line_count > 0)
		qsort(scan->lines, scan->line_count, sizeof(*scan->lines), compare_ids);
	return 0;
}

static const struct line *parent_of(const struct scan *scan, const struct line *line)
{
	const struct line wanted = {.id = line->parent_id};

	if (line->parent_id == line->id)
		return NULL;
	return bsearch(&wanted, scan->lines, scan->line_count, sizeof(*scan->lines), compare_ids);
}

/* A path that is too long is told without its end: a part of it is all that is compared. */
static void find_on(const struct line *line, const struct line *parent, struct mc_spot *ret)
{
	const struct mc_mount below = {.root = parent ? parent->root : "", .target = ""};
	struct mc_mount mount = below;

	ret->dev = 0;
	ret->path[0] = '\0';
	if (!parent || !mc_path_is_below(line->target, parent->target))
		return; /* the root of what the process sees */
	mount.target = parent->target;
	(void)!mc_mount_part(&mount, line->target, ret->path);
	ret->dev = parent->dev;
}

static int visit_lines(struct scan *scan)
{
	struct mc_spot on;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < scan->line_count; i++) {
		const struct line *line = &scan->lines[i];
		const struct line *parent = parent_of(scan, line);

		if (line->dev != scan->dev && !(parent && parent->dev == scan->dev))
			continue;
		find_on(line, parent, &on);
		rc = scan->visit(scan, line, &on);
	}
	return rc;
}

static int look_at(struct scan *scan, int proc, const char *pid)
{
	char column[LINK_SIZE];
	int rc = is_new(scan, proc, pid);

	if (rc > 0)
		rc = read_text(scan, proc, pid);
	else
		return rc;
	scan->pid = (pid_t)strtol(pid, NULL, 10);
	snprintf(column, sizeof(column), " %u:%u ", major(scan->dev), minor(scan->dev));
	if (rc < 0 || !scan->text || !strstr(scan->text, column))
		return rc;
	rc = parse_all(scan);
	return rc < 0 ? rc : visit_lines(scan);
}

/* Returns what ended it, or 0. */
static int run(struct scan *scan)
{
	mc_auto_dir proc = mc_procfs_open(scan->core->proc, ".");
	const struct dirent *entry;
	int rc = proc ? 0 : -errno;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (proc && rc == 0 && (entry = readdir(proc)))
		if (mc_procfs_is_process(entry->d_name))
			rc = look_at(scan, dirfd(proc), entry->d_name);
	free(scan->seen);
	free(scan->text);
	free(scan->lines);
	return rc;
}

int mc_spot_of(struct mc_mounts *mounts, const char *path, struct mc_spot *ret)
{
	struct mc_mount mount;
	int rc = mc_mounts_of(mounts, path, &mount);

	if (rc < 0)
		return rc;
	ret->dev = mount.dev;
	return mc_mount_part(&mount, path, ret->path);
}

bool mc_spot_is_below(const struct mc_spot *spot, const struct mc_spot *top)
{
	return spot->dev == top->dev && mc_path_is_below(spot->path, top->path);
}

struct others {
	const struct mc_spot *spot;
	struct mc_spot_others *ret;
};

static int visit_other(struct scan *scan, const struct line *line, const struct mc_spot *on)
{
	const struct others *others = scan->context;

	others->ret->has_fs |= line->dev == scan->dev;
	if (mc_spot_is_below(others->spot, on) && strlen(on->path) > others->ret->taken)
		others->ret->taken = strlen(on->path);
	return 0;
}

int mc_spot_find_others(const struct mc_core *core, const struct mc_spot *spot, uint64_t but_ns,
	struct mc_spot_others *ret)
{
	struct others others = {spot, ret};
	struct scan scan = {
		.core = core,
		.dev = spot->dev,
		.visit = visit_other,
		.context = &others,
		.but_ns = but_ns,
	};

	*ret = (struct mc_spot_others){0};
	return run(&scan);
}

struct user {
	const struct mc_spot *data;
	const struct mc_spot *own;
	size_t own_count;
	struct mc_spot_user *ret;
};

static bool is_own(const struct user *user, const struct mc_spot *on)
{
	for (size_t i = 0; i < user->own_count; i++)
		if (mc_spot_is_below(on, &user->own[i]))
			return true;
	return false;
}

/* A mount of a directory that was deleted keeps that, and nothing of what is there now. */
static bool is_deleted(const struct line *line)
{
	return mc_mount_is_deleted(&(struct mc_mount){.root = line->root});
}

static int visit_user(struct scan *scan, const struct line *line, const struct mc_spot *on)
{
	const struct user *user = scan->context;
	char comm[FILE_SIZE];
	bool shows_it = line->dev == scan->dev && !is_deleted(line) &&
			mc_path_is_below(line->root, user->data->path);

	if (is_own(user, on) || (!shows_it && !mc_spot_is_below(on, user->data)))
		return 0;
	user->ret->pid = scan->pid;
	user->ret->is_host = scan->now.ns_ino == scan->core->host_ino ||
			     scan->now.ns_ino == scan->core->home_ino;
	snprintf(user->ret->target, sizeof(user->ret->target), "%s", line->target);
	snprintf(comm, sizeof(comm), "%d/comm", (int)scan->pid);
	mc_procfs_command(scan->core->proc, comm, user->ret->command);
	return 1;
}

int mc_spot_find_user(const struct mc_core *core, const struct mc_spot *data,
	const struct mc_spot *own, size_t own_count, struct mc_spot_user *ret)
{
	struct user user = {data, own, own_count, ret};
	struct scan scan = {
		.core = core,
		.dev = data->dev,
		.visit = visit_user,
		.context = &user,
	};

	return run(&scan);
}

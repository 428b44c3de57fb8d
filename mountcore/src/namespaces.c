/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of every mount namespace.
 *
 * Sequence: for each process in our procfs: readlink(ns/mnt); for a new namespace: read mountinfo
 * as text; a table without the wanted file system is not parsed.  A chrooted process sees only a
 * part of its namespace's mounts: that table is opened from inside of the namespace.  Where the
 * kernel lists namespaces (6.11), those without a process are looked at too; and if nothing is
 * found in any of the list, no process is looked at.  No file system is asked, so nothing here
 * waits for one.
 *
 * A process that ends meanwhile is left out; another process in its namespace reports that.  Any
 * other error ends the look: an unseen mount may not pass for a missing one.
 *
 * The calls for each process are libc's own and not those of sys.h. */
#include "mountcore/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "lines.h"
#include "mounts.h"
#include "procfs.h"
#include "sys.h"

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

/* struct mnt_ns_info of ioctl_nsfs(2). */
struct ns_info {
	uint32_t size;
	uint32_t mount_count;
	uint64_t id;
};

/* ioctl_nsfs(2) of 6.11: the namespace behind or before this one, as a descriptor.  7.2
 * answers EFAULT where there is no room for what it tells of that one; older kernels do not. */
#define NEXT_NS _IOR(0xb7, 11, struct ns_info)
#define PREVIOUS_NS _IOR(0xb7, 12, struct ns_info)

struct scan;

/* A file system that is asked about. */
struct mc_asked {
	uint64_t dev;
	void *context;
	struct mc_asked *next;
};

/* Called for each mount of a file system that is asked about and for each mount on it.  `on`: the
 * directory or file that it is mounted on.  Another result than 0 ends the scan. */
typedef int (*visit_fn)(struct scan *scan, const struct mc_asked *question, const struct line *line,
	const struct mc_spot *on);

struct scan {
	struct mc_core *core;
	const struct mc_asked *questions;
	visit_fn visit;
	bool is_strict;  /* a namespace in the list that cannot be looked at ends the look */
	uint64_t ns_ino; /* that is looked at; 0: cannot be told */
	pid_t pid;
	uint64_t *seen;
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

static uint64_t read_ns(int proc, const char *pid)
{
	char link[LINK_SIZE];

	read_link(proc, pid, "ns/mnt", link); /* "mnt:[4026531841]" */
	return strtoull(link + strcspn(link, "0123456789"), NULL, 10);
}

/* An unknown namespace (of a process that is about to end, or that we may not trace) is always
 * new. */
static bool is_new(const struct scan *scan, uint64_t ns_ino)
{
	if (!ns_ino)
		return true;
	for (size_t i = 0; i < scan->seen_count; i++)
		if (scan->seen[i] == ns_ino)
			return false;
	return true;
}

static int remember(struct scan *scan, uint64_t ns_ino)
{
	uint64_t *seen = reallocarray(scan->seen, scan->seen_count + 1, sizeof(*seen));

	if (!seen)
		return -ENOMEM;
	scan->seen = seen;
	seen[scan->seen_count++] = ns_ino;
	return 0;
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

static int read_text(struct scan *scan, int fd)
{
	size_t used = 0;
	ssize_t size;

	do {
		int rc = used + 1 < scan->text_size ? 0 : grow(scan);

		if (rc < 0)
			return rc;
		size = read(fd, scan->text + used, scan->text_size - used - 1);
		if (size < 0)
			return -errno;
		used += (size_t)size;
	} while (size > 0);
	scan->text[used] = '\0';
	return 0;
}

static int open_of(int proc, const char *pid, const char *name)
{
	char file[FILE_SIZE];
	int fd;

	snprintf(file, sizeof(file), "%.10s/%s", pid, name);
	fd = openat(proc, file, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The mount table of a process, the whole one also of one that is chrooted. */
static int open_table(struct scan *scan, int proc, const char *pid)
{
	char root[LINK_SIZE];
	mc_auto_fd ns = MC_FD_NONE;
	int rc;

	read_link(proc, pid, "root", root);
	if (!root[0] || !root[1])
		return open_of(proc, pid, "mountinfo");
	ns = open_of(proc, pid, "ns/mnt");
	rc = ns < 0 ? ns : mc_mountinfo_open(scan->core, ns, NULL);
	return rc == -EPERM || rc == -EACCES ? open_of(proc, pid, "mountinfo") : rc;
}

/* Of a process that ended, or that nobody may look at. */
static bool is_gone(int rc)
{
	return rc == -ENOENT || rc == -ESRCH || rc == -EINVAL || rc == -EPERM || rc == -EACCES;
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

static int visit_line(struct scan *scan, const struct line *line)
{
	const struct line *parent = parent_of(scan, line);
	struct mc_spot on;
	bool is_found = false;
	int rc = 0;

	for (const struct mc_asked *at = scan->questions; rc == 0 && at; at = at->next) {
		if (line->dev != at->dev && !(parent && parent->dev == at->dev))
			continue;
		if (!is_found)
			find_on(line, parent, &on);
		is_found = true;
		rc = scan->visit(scan, at, line, &on);
	}
	return rc;
}

static int visit_lines(struct scan *scan)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < scan->line_count; i++)
		rc = visit_line(scan, &scan->lines[i]);
	return rc;
}

static bool is_asked_about(const struct scan *scan)
{
	char column[LINK_SIZE];

	for (const struct mc_asked *at = scan->questions; at; at = at->next) {
		snprintf(column, sizeof(column), " %u:%u ", major(at->dev), minor(at->dev));
		if (strstr(scan->text, column))
			return true;
	}
	return false;
}

static int visit_text(struct scan *scan)
{
	int rc;

	if (!is_asked_about(scan))
		return 0;
	rc = parse_all(scan);
	return rc < 0 ? rc : visit_lines(scan);
}

static int look_at(struct scan *scan, int proc, const char *pid)
{
	uint64_t ns_ino = read_ns(proc, pid);
	mc_auto_fd fd = MC_FD_NONE;
	int rc;

	if (!is_new(scan, ns_ino))
		return 0;
	fd = open_table(scan, proc, pid);
	if (fd < 0)
		return is_gone(fd) ? 0 : fd;
	rc = read_text(scan, fd);
	if (rc == 0 && ns_ino && read_ns(proc, pid) == ns_ino) /* it did not leave meanwhile */
		rc = remember(scan, ns_ino);
	scan->pid = (pid_t)strtol(pid, NULL, 10);
	scan->ns_ino = ns_ino;
	return rc < 0 ? rc : visit_text(scan);
}

static int look_at_processes(struct scan *scan)
{
	mc_auto_dir proc = mc_procfs_open(scan->core->proc, ".");
	const struct dirent *entry;
	int rc = 0;

	if (!proc)
		return -errno;
	do {
		errno = 0;
		entry = readdir(proc); /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		if (!entry)
			return -errno;
		if (mc_procfs_is_process(entry->d_name))
			rc = look_at(scan, dirfd(proc), entry->d_name);
	} while (rc == 0);
	return rc;
}

static int look_at_namespace(struct scan *scan, int ns_fd)
{
	mc_auto_fd fd = MC_FD_NONE;
	struct stat stat;
	int rc;

	if (fstat(ns_fd, &stat) < 0)
		return -errno;
	if (!is_new(scan, stat.st_ino))
		return 0;
	fd = mc_mountinfo_open(scan->core, ns_fd, NULL);
	if (fd < 0)
		return fd;
	rc = read_text(scan, fd);
	scan->pid = 0;
	scan->ns_ino = stat.st_ino;
	return rc < 0 ? rc : visit_text(scan);
}

/* Those on one side of our own.  ENOENT: that was the last.  An older kernel lists none (ENOTTY),
 * nor does any to who may not see them (EPERM). */
static int look_at_list(struct scan *scan, unsigned long direction)
{
	mc_auto_fd ns = fcntl(scan->core->home_ns, F_DUPFD_CLOEXEC, 0);
	struct ns_info unused = {0};
	int rc = ns < 0 ? -errno : 0;

	while (rc == 0) {
		int next = mc_sys_ioctl(ns, direction, &unused);

		if (next < 0)
			return next == -ENOENT ? 0 : next;
		mc_close_fd(&ns);
		ns = next;
		rc = look_at_namespace(scan, ns);
		if (is_gone(rc) && !scan->is_strict)
			rc = 0;
	}
	return rc;
}

/* All that the kernel lists: those without a process as well.  A new one comes last. */
static int look_at_namespaces(struct scan *scan)
{
	int rc = look_at_namespace(scan, scan->core->home_ns);

	if (rc == 0)
		rc = look_at_list(scan, PREVIOUS_NS);
	return rc == 0 ? look_at_list(scan, NEXT_NS) : rc;
}

static void scan_done(struct scan *scan)
{
	free(scan->seen);
	free(scan->text);
	free(scan->lines);
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
	struct mc_asked question;
	const struct mc_spot *spot;
	uint64_t but_ns;
	struct mc_spot_others *ret;
	int rc;
	bool is_answered;
};

static int visit_other(struct scan *scan, const struct mc_asked *question, const struct line *line,
	const struct mc_spot *on)
{
	const struct others *others = question->context;

	if (scan->ns_ino && scan->ns_ino == others->but_ns)
		return 0;
	others->ret->has_fs |= line->dev == question->dev;
	if (mc_spot_is_below(others->spot, on) && strlen(on->path) > others->ret->taken)
		others->ret->taken = strlen(on->path);
	return 0;
}

static int find_others(struct mc_core *core, const struct mc_asked *questions)
{
	MC_AUTO(struct scan, scan_done)
	scan = {.core = core, .questions = questions, .visit = visit_other};
	int rc = look_at_processes(&scan);

	if (rc == 0)
		rc = look_at_namespaces(&scan);
	return is_gone(rc) || rc == -ENOTTY ? 0 : rc; /* then those with a process are all */
}

/* With the lock, which is let go meanwhile: answer all that was asked by now. */
static void answer(struct mc_core *core)
{
	const struct mc_asked *questions = core->questions;
	int rc;

	core->questions = NULL;
	core->is_looking = true;
	pthread_mutex_unlock(&core->lock);
	rc = find_others(core, questions);
	pthread_mutex_lock(&core->lock);
	for (const struct mc_asked *next; questions; questions = next) {
		struct others *others = questions->context;

		next = questions->next;
		others->rc = rc;
		others->is_answered = true;
	}
	core->is_looking = false;
	pthread_cond_broadcast(&core->looked);
}

/* A look at a hundred namespaces takes milliseconds of the processor.  So those who ask during one
 * share the next, which begins after all of their questions. */
int mc_spot_find_others(struct mc_core *core, const struct mc_spot *spot, uint64_t but_ns,
	struct mc_spot_others *ret)
{
	struct others self = {.spot = spot, .but_ns = but_ns, .ret = ret};

	self.question = (struct mc_asked){.dev = spot->dev, .context = &self};
	*ret = (struct mc_spot_others){0};
	pthread_mutex_lock(&core->lock);
	self.question.next = core->questions;
	core->questions = &self.question;
	while (core->is_looking && !self.is_answered)
		pthread_cond_wait(&core->looked, &core->lock);
	if (!self.is_answered)
		answer(core);
	pthread_mutex_unlock(&core->lock);
	return self.rc;
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

static int visit_user(struct scan *scan, const struct mc_asked *question, const struct line *line,
	const struct mc_spot *on)
{
	const struct user *user = question->context;
	const struct mc_mount mount = {.root = line->root};
	char comm[FILE_SIZE];
	/* A mount of a directory that was deleted shows nothing of what is there now. */
	bool shows_it = line->dev == question->dev && !mc_mount_is_deleted(&mount) &&
			mc_path_is_below(line->root, user->data->path);

	if (is_own(user, on) || (!shows_it && !mc_spot_is_below(on, user->data)))
		return 0;
	user->ret->pid = scan->pid;
	user->ret->is_host =
		scan->ns_ino == scan->core->host_ino || scan->ns_ino == scan->core->home_ino;
	snprintf(user->ret->target, sizeof(user->ret->target), "%s", line->target);
	snprintf(comm, sizeof(comm), "%d/comm", (int)scan->pid);
	mc_procfs_command(scan->core->proc, comm, user->ret->command);
	return 1;
}

int mc_spot_find_user(struct mc_core *core, const struct mc_spot *data, const struct mc_spot *own,
	size_t own_count, struct mc_spot_user *ret)
{
	struct user user = {data, own, own_count, ret};
	const struct mc_asked question = {.dev = data->dev, .context = &user};
	MC_AUTO(struct scan, scan_done)
	scan = {
		.core = core,
		.questions = &question,
		.visit = visit_user,
		.is_strict = true,
	};

	/* There are fewer namespaces than processes, but only a process can be told. */
	return look_at_namespaces(&scan) == 0 ? 0 : look_at_processes(&scan);
}

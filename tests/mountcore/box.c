/* SPDX-License-Identifier: Apache-2.0 */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 512 };

static const char content[] = "from the host\n";
static const char box_root[] = "/tmp/box";

struct order {
	box_fn fn; /* the box is a fork: the same address there */
	char text[TEXT_MAX];
};

static int negative(int rc)
{
	return rc < 0 ? -errno : 0;
}

int in_mount_tmpfs(const char *path)
{
	return negative(mount("later", path, "tmpfs", 0, NULL));
}

int in_umount(const char *path)
{
	return negative(umount2(path, 0));
}

int in_share(const char *path)
{
	return negative(mount("none", path, NULL, MS_SHARED, NULL));
}

int in_hold(const char *path)
{
	static int fd = -1;

	if (fd >= 0)
		close(fd);
	fd = *path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	return *path && fd < 0 ? -errno : 0;
}

int in_stand(const char *path)
{
	return negative(chdir(path));
}

int in_remount_read_only(const char *path)
{
	return negative(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

int in_remount_writable(const char *path)
{
	return negative(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int in_unshare(const char *text)
{
	(void)text;
	return negative(unshare(CLONE_NEWUSER | CLONE_NEWNS));
}

static int in_become_root(const char *text)
{
	(void)text;
	return negative(setresgid(0, 0, 0)) + negative(setresuid(0, 0, 0));
}

static int move_in(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	if (mount("box", box_root, "tmpfs", 0, "mode=755") < 0 || chdir(box_root) < 0)
		return -1;
	if (mkdir("proc", 0755) < 0 || mkdir("dev", 0755) < 0 || mkdir("sys", 0755) < 0 ||
		mkdir("mnt", 0755) < 0)
		return -1;
	if (mount("proc", "proc", "proc", 0, NULL) < 0)
		return -1;
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

static void live_in_box(int control)
{
	struct order order;
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rc = negative(move_in());
	while (write(control, &rc, sizeof(rc)) == (ssize_t)sizeof(rc) &&
		read(control, &order, sizeof(order)) == (ssize_t)sizeof(order))
		rc = order.fn(order.text);
	_exit(0);
}

static int receive(int control)
{
	int rc = -EIO;

	assert_int_equal(read(control, &rc, sizeof(rc)), sizeof(rc));
	return rc;
}

void box_open(struct fake_container *ret)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_true(mkdir(box_root, 0755) == 0 || errno == EEXIST);
	fflush(NULL);
	ret->pid = fork();
	assert_true(ret->pid >= 0);
	if (ret->pid == 0) {
		close(pair[0]);
		live_in_box(pair[1]);
	}
	close(pair[1]);
	ret->control = pair[0];
	assert_int_equal(receive(ret->control), 0);
}

void box_close(struct fake_container *box)
{
	close(box->control);
	assert_int_equal(waitpid(box->pid, NULL, 0), box->pid);
}

int box_run(const struct fake_container *box, box_fn fn, const char *text)
{
	struct order order = {.fn = fn};

	snprintf(order.text, sizeof(order.text), "%s", text);
	assert_int_equal(write(box->control, &order, sizeof(order)), sizeof(order));
	return receive(box->control);
}

const char *box_path(const struct fake_container *box, const char *path)
{
	static char room[4][PATH_MAX];
	static unsigned next;
	char *ret = room[next++ % 4];

	snprintf(ret, PATH_MAX, "/proc/%d/root%s", (int)box->pid, path);
	return ret;
}

bool box_has_file(const struct fake_container *box, const char *path)
{
	char text[sizeof(content)] = "";
	int fd = open(box_path(box, path), O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	return size == (ssize_t)strlen(content) && memcmp(text, content, strlen(content)) == 0;
}

static unsigned visited;

static int visit(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)path;
	(void)stat;
	(void)type;
	(void)ftw;
	visited++;
	return 0;
}

unsigned box_count_files(const struct fake_container *box)
{
	visited = 0;
	assert_int_equal(nftw(box_path(box, "/"), visit, 16, FTW_MOUNT | FTW_PHYS), 0);
	return visited;
}

char *read_mounts(pid_t pid)
{
	enum { ROOM = 1 << 18, LINE_ROOM = 8192 };
	char name[64], line[LINE_ROOM], *text = calloc(1, ROOM);
	size_t used = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/mountinfo", (int)pid);
	file = fopen(name, "re");
	assert_non_null(file);
	assert_non_null(text);
	/* Not those of containers that come and go on the machine: our copies go with them. */
	while (fgets(line, sizeof(line), file)) {
		if (strstr(line, "/docker/"))
			continue;
		assert_true(used + strlen(line) < ROOM);
		memcpy(text + used, line, strlen(line) + 1);
		used += strlen(line);
	}
	fclose(file);
	return text;
}

void mount_options(pid_t pid, const char *target, char ret[static 256])
{
	char *text = read_mounts(pid), *next = text;

	ret[0] = '\0';
	for (char *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
		char at[256], options[256];

		if (sscanf(line, "%*u %*u %*s %*s %255s %255s", at, options) == 2 &&
			strcmp(at, target) == 0)
			memcpy(ret, options, sizeof(options));
	}
	free(text);
}

static void make_source(void)
{
	FILE *file;

	assert_true(mkdir(SOURCE, 0755) == 0 || errno == EEXIST);
	file = fopen(SOURCE "/file", "we");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Not as a part of another name: "mount_id" is one of "unique_mount_id". */
static bool is_named(const char *names, const char *name)
{
	size_t length = strlen(name);

	for (; *names; names += strcspn(names, ",") + (names[strcspn(names, ",")] == ','))
		if (strcspn(names, ",") == length && strncmp(names, name, length) == 0)
			return true;
	return false;
}

/* The features named in HOSTVOL_WITHOUT ("openat2,mount_id"). */
static unsigned features_to_do_without(void)
{
	const char *names = getenv("HOSTVOL_WITHOUT");
	unsigned without = 0;

	for (unsigned bit = 1; names && mc_feature_name(bit); bit <<= 1)
		if (is_named(names, mc_feature_name(bit)))
			without |= bit;
	return without;
}

struct mc_core_args scene_core_args(void)
{
	return (struct mc_core_args){
		.workers = 1,
		.helper_timeout_ms = 10000,
		.without = features_to_do_without(),
		.legacy = getenv("HOSTVOL_LEGACY") != NULL,
	};
}

pid_t fork_host(void (*inside)(void))
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bool is_apart = unshare(CLONE_NEWNS) == 0;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (is_apart && inside)
			inside();
		(void)!write(ends[1], is_apart ? "y" : "n", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	close(ends[0]);
	close(ends[1]);
	return pid;
}

struct mc_core *scene_core(unsigned workers, unsigned timeout_ms)
{
	const struct mc_core_args args = {.workers = workers, .helper_timeout_ms = timeout_ms};
	struct mc_core *core = NULL;
	struct mc_err err = {0};

	assert_int_equal(mc_core_open(&args, &core, &err), 0);
	return core;
}

void scene_open(struct attach_fixture *ret)
{
	const struct mc_core_args args = scene_core_args();

	memset(ret, 0, sizeof(*ret));
	make_source();
	box_open(&ret->box);
	assert_int_equal(mc_core_open(&args, &ret->core, &ret->err), 0);
	assert_int_equal(mc_ns_open(ret->core, ret->box.pid, &ret->ns, &ret->err), 0);
}

static void write_map(const struct fake_container *box, const char *name)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)box->pid, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fprintf(file, "0 %d 65536\n", BOX_ROOT_ID) > 0);
	assert_int_equal(fclose(file), 0);
}

void scene_map_users(struct attach_fixture *scene)
{
	assert_int_equal(chown(box_path(&scene->box, "/"), BOX_ROOT_ID, BOX_ROOT_ID), 0);
	assert_int_equal(chown(box_path(&scene->box, "/mnt"), BOX_ROOT_ID, BOX_ROOT_ID), 0);
	assert_int_equal(box_run(&scene->box, in_unshare, ""), 0);
	write_map(&scene->box, "uid_map");
	write_map(&scene->box, "gid_map");
	assert_int_equal(box_run(&scene->box, in_become_root, ""), 0);
	mc_ns_close(&scene->ns);
	assert_int_equal(mc_ns_open(scene->core, scene->box.pid, &scene->ns, &scene->err), 0);
}

void scene_close(struct attach_fixture *scene)
{
	mc_ns_close(&scene->ns);
	mc_core_close(scene->core);
	box_close(&scene->box);
}

static struct mc_place place_of(const struct attach_fixture *scene)
{
	return (struct mc_place){
		.ns_fd = scene->ns.ns_fd,
		.root_fd = -1,
		.userns_fd = scene->ns.userns_fd,
		.uid = scene->ns.uid,
		.gid = scene->ns.gid,
		.key = scene->ns.ino,
		.may_mount = scene->may_mount,
		.pid = (uint64_t)scene->box.pid,
	};
}

struct mc_attach_args scene_args(const struct attach_fixture *scene, const char *target)
{
	return (struct mc_attach_args){
		.source = SOURCE,
		.place = place_of(scene),
		.target = target,
		.mkdir = true,
	};
}

int scene_attach_args(struct attach_fixture *scene, const struct mc_attach_args *args)
{
	struct mc_attach *attach = NULL;
	int rc;

	scene->err = (struct mc_err){0};
	rc = mc_attach_prepare(scene->core, args, &attach, &scene->err);
	if (rc < 0) {
		assert_null(attach);
		return rc;
	}
	rc = mc_attach_commit(attach, &scene->err);
	if (rc == 0)
		scene->info = *mc_attach_info(attach);
	mc_attach_free(attach);
	return rc;
}

int scene_attach(struct attach_fixture *scene, const char *target)
{
	const struct mc_attach_args args = scene_args(scene, target);

	return scene_attach_args(scene, &args);
}

int scene_detach(struct attach_fixture *scene, bool lazy)
{
	const struct mc_detach_args args = {
		.place = place_of(scene),
		.path = scene->info.path,
		.mount_id = scene->info.mount_id,
		.root = scene->info.source,
		.mountinfo_id = scene->info.mountinfo_id,
		.lazy = lazy,
		.made = &scene->info.made,
	};

	scene->err = (struct mc_err){0};
	return mc_detach(scene->core, &args, NULL, &scene->err);
}

void scene_expect_refused(struct attach_fixture *scene, const struct mc_attach_args *args,
	enum mc_step step, int code)
{
	unsigned files = box_count_files(&scene->box), fds = hv_count_fds();
	char *before = read_mounts(scene->box.pid), *after;

	assert_int_equal(scene_attach_args(scene, args), code);
	assert_string_equal(mc_step_name(scene->err.step), mc_step_name(step));
	assert_int_equal(scene->err.code, code);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	assert_int_equal(box_count_files(&scene->box), files);
	assert_int_equal(hv_count_fds(), fds);
	free(before);
	free(after);
}

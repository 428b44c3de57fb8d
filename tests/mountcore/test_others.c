/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of others on a directory or file created for a target stay, and with them the directory:
 * rmdir and unlink would unmount them.  Each kind of place, each way to end. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/host.h"
#include "mountcore/mounts.h"
#include "mountcore/namespaces.h"

#include "box.h"
#include "disk.h"
#include "scratch.h"

#define SHARED "/tmp/shared"

/* A process with a copy of a mount namespace, in which it mounts on one place when it is told to.
 * The orders are in shared memory: a helper process, which has no descriptor of ours, gives them.
 */
struct neighbour {
	pid_t pid;
	atomic_int *order;
	const char *jail; /* NULL, or where it is chrooted to once it has mounted */
	char path[PATH_MAX];
};

enum { ORDER_NONE, ORDER_READY, ORDER_MOUNT, ORDER_DONE, ORDER_FAILED };

/* A file to bind is in no namespace of a box: it makes one. */
static int cover(const char *path, bool is_file)
{
	umount2(path, MNT_DETACH); /* the copied mount */
	if (!is_file)
		return mount("neighbour", path, "tmpfs", 0, NULL);
	if (mount("neighbour", "/sys", "tmpfs", 0, NULL) < 0 ||
		close(open("/sys/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) < 0)
		return -1;
	return mount("/sys/file", path, NULL, MS_BIND, NULL);
}

static void wait_for(atomic_int *order, int past)
{
	while (atomic_load(order) <= past)
		sched_yield();
}

static void live_beside(const struct neighbour *self, int ns_fd, bool is_file)
{
	bool is_done;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if ((ns_fd >= 0 && setns(ns_fd, CLONE_NEWNS) < 0) || unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(1);
	atomic_store(self->order, ORDER_READY);
	wait_for(self->order, ORDER_READY);
	is_done = cover(self->path, is_file) == 0 && (!self->jail || chroot(self->jail) == 0);
	atomic_store(self->order, is_done ? ORDER_DONE : ORDER_FAILED);
	for (;;)
		pause();
}

/* In a copy of the box's namespace, or (ns_fd < 0) of ours. */
static void move_in(struct neighbour *ret, int ns_fd, const char *path, bool is_file)
{
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	ret->order = mmap(NULL, sizeof(*ret->order), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(ret->order, MAP_FAILED);
	fflush(NULL);
	ret->pid = fork();
	assert_true(ret->pid >= 0);
	if (ret->pid == 0)
		live_beside(ret, ns_fd, is_file);
	wait_for(ret->order, ORDER_NONE);
}

static void let_mount(const struct neighbour *neighbour)
{
	atomic_store(neighbour->order, ORDER_MOUNT);
	wait_for(neighbour->order, ORDER_MOUNT);
}

static bool still_has(const struct neighbour *neighbour)
{
	char path[PATH_MAX], options[256], *space;

	assert_int_equal(atomic_load(neighbour->order), ORDER_DONE);
	snprintf(path, sizeof(path), "%s", neighbour->path);
	while ((space = strchr(path, ' '))) { /* as in mountinfo */
		memmove(space + 4, space + 1, strlen(space));
		memcpy(space, "\\040", 4);
	}
	mount_options(neighbour->pid, path, options);
	return options[0] != '\0';
}

static void move_out(const struct neighbour *neighbour)
{
	kill(neighbour->pid, SIGKILL);
	assert_int_equal(waitpid(neighbour->pid, NULL, 0), neighbour->pid);
	munmap(neighbour->order, sizeof(*neighbour->order));
}

/* A box where the target is: its own root, its own tmpfs, a directory that it shares with us. */
enum where { ON_ROOT, ON_TMPFS, ON_SHARED };

static const char *const tops[] = {"/opt", "/mnt", "/s"};

static void put_shared(struct attach_fixture *scene)
{
	struct mc_attach_args args = scene_args(scene, "/s");

	assert_true(mkdir(SHARED, 0755) == 0 || errno == EEXIST);
	args.source = SHARED;
	assert_int_equal(scene_attach_args(scene, &args), 0);
}

static void open_at(struct attach_fixture *scene, enum where where)
{
	scene_open(scene);
	if (where == ON_ROOT)
		scratch_mkdir(box_path(&scene->box, "/opt"));
	if (where == ON_TMPFS)
		assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	if (where == ON_SHARED)
		put_shared(scene);
}

static struct mc_attach_args args_at(
	const struct attach_fixture *scene, const char *target, bool is_file)
{
	struct mc_attach_args args = scene_args(scene, target);

	args.subpath = is_file ? "file" : NULL;
	args.may_be_file = is_file;
	return args;
}

/* The other namespace with a mount on it: none, a copy of the box's, our own. */
enum who { NOBODY, INSIDER, OUTSIDER };

static void detach_case(enum where where, enum who who, bool is_file)
{
	struct attach_fixture scene;
	struct neighbour neighbour = {0};
	struct mc_attach_args args;
	char target[64], outside[PATH_MAX];

	open_at(&scene, where);
	snprintf(target, sizeof(target), "%s/a b/x", tops[where]);
	args = args_at(&scene, target, is_file);
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	snprintf(outside, sizeof(outside), "%s/a b/x", SHARED);
	if (who != NOBODY) {
		move_in(&neighbour, who == INSIDER ? scene.ns.ns_fd : -1,
			who == INSIDER ? target : outside, is_file);
		let_mount(&neighbour);
	}
	assert_int_equal(scene_detach(&scene, false), 0);
	if (who != NOBODY) {
		assert_true(still_has(&neighbour));
		move_out(&neighbour);
	}
	assert_int_equal(
		scratch_exists(box_path(&scene.box, target)), who != NOBODY || where == ON_SHARED);
	if (where == ON_SHARED)
		(void)!system("rm -rf " SHARED);
	scene_close(&scene);
}

static void detach_on(enum where where)
{
	for (int is_file = 0; is_file < 2; is_file++) {
		detach_case(where, NOBODY, is_file);
		detach_case(where, INSIDER, is_file);
		if (where == ON_SHARED)
			detach_case(where, OUTSIDER, is_file);
	}
}

NS_TEST(a_detach_on_the_container_s_root_leaves_what_others_have_mounted_on)
{
	detach_on(ON_ROOT);
}

NS_TEST(a_detach_on_a_tmpfs_of_its_own_leaves_what_others_have_mounted_on)
{
	detach_on(ON_TMPFS);
}

NS_TEST(a_detach_on_a_directory_of_the_host_leaves_what_was_made)
{
	detach_on(ON_SHARED);
}

/* A disk that the host has unmounted since: no other namespace has it, and it may be mounted again.
 */
NS_TEST(a_detach_on_a_volume_that_nobody_else_has_leaves_what_was_made)
{
	struct attach_fixture scene;
	struct mc_attach_args args;

	disk_open();
	scene_open(&scene);
	args = scene_args(&scene, "/s");
	args.source = DISK_SOURCE;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(umount2(DISK, MNT_DETACH), 0);
	assert_int_equal(scene_attach(&scene, "/s/x"), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_true(scratch_exists(box_path(&scene.box, "/s/x")));
	scene_close(&scene);
}

/* Somebody mounts on what was just made, and then the move fails. */
static const struct neighbour *before_move;

int __real_mc_sys_move_mount(int from_fd, int to_fd, unsigned flags);
int __wrap_mc_sys_move_mount(int from_fd, int to_fd, unsigned flags);

int __wrap_mc_sys_move_mount(int from_fd, int to_fd, unsigned flags)
{
	if (!before_move)
		return __real_mc_sys_move_mount(from_fd, to_fd, flags);
	let_mount(before_move);
	return -ENOSPC;
}

static void commit_case(enum where where, bool is_seen, bool is_file)
{
	struct attach_fixture scene;
	struct neighbour neighbour = {0};
	struct mc_attach_args args;
	const char *elsewhere = is_file ? "/tmp/elsewhere file" : "/tmp/elsewhere";
	const char *inside = where == ON_SHARED ? SHARED "/a/x" : NULL;
	char target[64];

	open_at(&scene, where);
	snprintf(target, sizeof(target), "%s/a/x", tops[where]);
	args = args_at(&scene, target, is_file);
	if (is_file)
		scratch_write(elsewhere);
	else
		scratch_mkdir(elsewhere);
	if (is_seen)
		move_in(&neighbour, inside ? -1 : scene.ns.ns_fd, inside ? inside : target,
			is_file);
	else
		move_in(&neighbour, -1, elsewhere, is_file);
	before_move = &neighbour;
	assert_int_equal(scene_attach_args(&scene, &args), -ENOSPC);
	before_move = NULL;
	assert_true(still_has(&neighbour));
	assert_int_equal(
		scratch_exists(box_path(&scene.box, target)), is_seen || where == ON_SHARED);
	move_out(&neighbour);
	if (where == ON_SHARED)
		(void)!system("rm -rf " SHARED);
	remove(elsewhere);
	scene_close(&scene);
}

NS_TEST(an_attach_that_fails_leaves_what_others_have_mounted_on)
{
	for (int where = ON_ROOT; where <= ON_SHARED; where++)
		for (int is_file = 0; is_file < 2; is_file++) {
			commit_case((enum where)where, false, is_file);
			commit_case((enum where)where, true, is_file);
		}
}

/* A tmpfs that another namespace has too is no longer the container's alone. */
NS_TEST(what_was_made_on_a_tmpfs_that_others_have_stays)
{
	struct attach_fixture scene;
	struct neighbour neighbour = {0};

	open_at(&scene, ON_TMPFS);
	assert_int_equal(scene_attach(&scene, "/mnt/a"), 0);
	move_in(&neighbour, scene.ns.ns_fd, "/sys", false);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_true(scratch_exists(box_path(&scene.box, "/mnt/a")));
	move_out(&neighbour);
	scene_close(&scene);
}

/* One directory of those that were made is taken: it stays with what it is in, the rest goes. */
NS_TEST(of_the_directories_made_those_below_a_taken_one_go)
{
	struct attach_fixture scene;
	struct neighbour neighbour = {0};

	open_at(&scene, ON_ROOT);
	assert_int_equal(scene_attach(&scene, "/opt/a/b/c"), 0);
	assert_int_equal(box_run(&scene.box, in_umount, "/opt/a/b/c"), 0);
	move_in(&neighbour, scene.ns.ns_fd, "/opt/a", false);
	let_mount(&neighbour);
	assert_int_equal(scene_detach(&scene, false), -ENOENT);
	assert_true(still_has(&neighbour));
	assert_true(scratch_exists(box_path(&scene.box, "/opt/a")));
	assert_false(scratch_exists(box_path(&scene.box, "/opt/a/b")));
	move_out(&neighbour);
	scene_close(&scene);
}

/* Directories made on the host. */
SCENE_TEST(a_directory_of_the_host_that_others_have_mounted_on_stays)
{
	struct neighbour neighbour = {0};
	struct mc_made made;
	char real[PATH_MAX];

	assert_int_equal(mc_host_make(scene->core, "/tmp/m/a/b", true, real, &made, NULL), 0);
	move_in(&neighbour, -1, "/tmp/m/a", false);
	let_mount(&neighbour);
	mc_host_unmake(scene->core, real, &made);
	assert_true(still_has(&neighbour));
	assert_false(scratch_exists("/tmp/m/a/b"));
	move_out(&neighbour);
	made.count = 2;
	mc_host_unmake(scene->core, "/tmp/m/a", &made);
	assert_false(scratch_exists("/tmp/m"));
}

static struct mc_spot spot_of(const struct attach_fixture *scene, const char *path)
{
	struct mc_mounts *mounts = NULL;
	struct mc_spot spot;

	assert_int_equal(mc_mounts_read_host(scene->core, &mounts), 0);
	assert_int_equal(mc_spot_of(mounts, path, &spot), 0);
	mc_mounts_free(mounts);
	return spot;
}

SCENE_TEST(who_has_a_directory_mounted_is_found_in_any_namespace)
{
	struct mc_spot data, own[1];
	struct mc_spot_user user;
	struct mc_attach_args args;

	scratch_mkdir("/tmp/data");
	scratch_mkdir("/tmp/data/in side");
	scratch_mkdir("/tmp/data2");
	scratch_mkdir("/tmp/own");
	data = spot_of(scene, "/tmp/data");
	own[0] = spot_of(scene, "/tmp/own");
	assert_int_equal(mc_spot_find_user(scene->core, &data, own, 1, &user), 0);
	args = scene_args(scene, "/mnt/a b");
	args.source = "/tmp/data2";
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(mc_spot_find_user(scene->core, &data, own, 1, &user), 0);
	assert_int_equal(scene_detach(scene, false), 0);
	args.source = "/tmp/data/in side";
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(mc_spot_find_user(scene->core, &data, own, 1, &user), 1);
	assert_int_equal(user.pid, scene->box.pid);
	assert_string_equal(user.target, "/mnt/a b");
	assert_string_not_equal(user.command, "");
	assert_false(user.is_host);
	assert_int_equal(scene_detach(scene, false), 0);
	scratch_mkdir("/tmp/own/x");
	scratch_bind("/tmp/data", "/tmp/own/x");
	assert_int_equal(mc_spot_find_user(scene->core, &data, own, 1, &user), 0);
	assert_int_equal(mc_spot_find_user(scene->core, &data, NULL, 0, &user), 1);
	assert_true(user.is_host);
	scratch_umount("/tmp/own/x");
	scratch_mount_tmpfs("/tmp/data/in side"); /* something on it */
	assert_int_equal(mc_spot_find_user(scene->core, &data, own, 1, &user), 1);
	assert_string_equal(user.target, "/tmp/data/in side");
	scratch_umount("/tmp/data/in side");
	assert_int_equal(mc_spot_find_user(scene->core, &data, own, 1, &user), 0);
}

/* The mount shows a directory that is no more; another one of the name is nobody's. */
SCENE_TEST(a_mount_of_a_deleted_directory_keeps_no_other_one)
{
	struct mc_spot data;
	struct mc_spot_user user;
	struct mc_attach_args args;

	scratch_mkdir("/tmp/data");
	data = spot_of(scene, "/tmp/data");
	args = scene_args(scene, "/mnt");
	args.source = "/tmp/data";
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(rmdir("/tmp/data"), 0);
	scratch_mkdir("/tmp/data");
	assert_int_equal(mc_spot_find_user(scene->core, &data, NULL, 0, &user), 0);
}

/* A chrooted process sees a part of the mounts: others of its namespace are examined as well. */
NS_TEST(a_chrooted_process_hides_nothing_of_its_namespace)
{
	struct attach_fixture scene;
	struct mc_spot data;
	struct mc_spot_user user;
	pid_t pid;

	scene_open(&scene);
	scratch_mkdir("/tmp/jail");
	scratch_mkdir("/tmp/data");
	scratch_mkdir("/tmp/seen");
	data = spot_of(&scene, "/tmp/data");
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chroot("/tmp/jail") == 0)
			for (;;)
				pause();
		_exit(1);
	}
	scratch_bind("/tmp/data", "/tmp/seen");
	assert_int_equal(mc_spot_find_user(scene.core, &data, NULL, 0, &user), 1);
	assert_string_equal(user.target, "/tmp/seen");
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	scene_close(&scene);
}

/* The only process of the neighbour's namespace sees a part of its mounts. */
SCENE_TEST(what_is_mounted_in_the_namespace_of_a_chrooted_process_stays)
{
	struct neighbour neighbour = {.jail = "/tmp/jail"};
	struct mc_made made;
	char real[PATH_MAX];

	assert_int_equal(mc_host_make(scene->core, "/tmp/jail/a/b", true, real, &made, NULL), 0);
	move_in(&neighbour, -1, "/tmp/jail/a/b", false);
	let_mount(&neighbour);
	assert_int_equal(atomic_load(neighbour.order), ORDER_DONE);
	mc_host_unmake(scene->core, real, &made);
	assert_true(scratch_exists("/tmp/jail/a/b"));
	move_out(&neighbour);
}

/* From 6.11 on the kernel lists namespaces.  The one that is last has none behind it. */
static bool can_list_namespaces(int ns_fd)
{
	int next = ioctl(ns_fd, _IOR(0xb7, 11, uint64_t[2]), NULL);
	bool can = next >= 0 || errno == ENOENT;

	if (next >= 0)
		close(next);
	return can;
}

/* A namespace that only a descriptor keeps. */
SCENE_TEST(what_is_mounted_in_a_namespace_without_a_process_stays)
{
	struct neighbour neighbour = {0};
	struct mc_made made;
	char real[PATH_MAX], path[64];
	int ns_fd;

	assert_int_equal(mc_host_make(scene->core, "/tmp/m/a/b", true, real, &made, NULL), 0);
	move_in(&neighbour, -1, "/tmp/m/a/b", false);
	let_mount(&neighbour);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)neighbour.pid);
	ns_fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(ns_fd >= 0);
	move_out(&neighbour);
	if (can_list_namespaces(ns_fd)) {
		mc_host_unmake(scene->core, real, &made);
		assert_true(scratch_exists("/tmp/m/a/b"));
	}
	close(ns_fd);
	/* Another scan of all namespaces may keep this one a moment longer. */
	for (int tries = 0; scratch_exists("/tmp/m") && tries < 1000; tries++) {
		mc_host_unmake(scene->core, real, &made);
		usleep(10000);
	}
	assert_false(scratch_exists("/tmp/m"));
}

struct asker {
	pthread_t thread;
	struct mc_core *core;
	struct mc_spot spot;
	uint64_t but_ns;
	struct mc_spot_others wanted; /* the answer to one who asks alone */
	bool has_other;               /* it had another one */
};

static void *ask(void *argument)
{
	enum { ROUNDS = 3 };
	struct asker *self = argument;
	struct mc_spot_others others;

	for (int i = 0; i < ROUNDS; i++)
		self->has_other |=
			mc_spot_find_others(self->core, &self->spot, self->but_ns, &others) != 0 ||
			others.has_fs != self->wanted.has_fs || others.taken != self->wanted.taken;
	return NULL;
}

/* They share looks, and each has the answer to its own question. */
SCENE_TEST(those_who_ask_at_once_have_the_answers_of_those_who_ask_alone)
{
	enum { KINDS = 3, ASKERS = 4 * KINDS };
	struct neighbour neighbour = {0};
	struct asker askers[ASKERS];
	char path[PATH_MAX];
	struct stat ns;

	scratch_mkdir("/tmp/data");
	scratch_mkdir("/tmp/free");
	move_in(&neighbour, -1, "/tmp/data", false);
	let_mount(&neighbour);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)neighbour.pid);
	assert_int_equal(stat(path, &ns), 0);
	for (int i = 0; i < ASKERS; i++) {
		struct asker *asker = &askers[i];

		*asker = (struct asker){.core = scene->core};
		asker->spot = spot_of(scene, i % KINDS == 1 ? "/tmp/free" : "/tmp/data");
		asker->but_ns = i % KINDS == 2 ? ns.st_ino : 0;
		assert_int_equal(mc_spot_find_others(
					 scene->core, &asker->spot, asker->but_ns, &asker->wanted),
			0);
	}
	assert_true(askers[0].wanted.taken > askers[1].wanted.taken);
	assert_true(askers[0].wanted.taken > askers[2].wanted.taken);
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
	for (int i = 0; i < ASKERS; i++) {
		assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
		assert_false(askers[i].has_other);
	}
	move_out(&neighbour);
}

/* Without a descriptor nobody can tell: that is not the same as that there is none. */
SCENE_TEST(a_look_without_a_descriptor_left_fails)
{
	struct neighbour neighbour = {0};
	struct mc_spot spot;
	struct mc_spot_others others;
	struct mc_spot_user user;
	struct rlimit before, none;
	int next;

	scratch_mkdir("/tmp/data");
	spot = spot_of(scene, "/tmp/data");
	move_in(&neighbour, -1, "/tmp/data", false);
	let_mount(&neighbour);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	next = dup(STDIN_FILENO);
	assert_true(next >= 0);
	close(next);
	none = (struct rlimit){.rlim_cur = (rlim_t)next + 1, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(mc_spot_find_others(scene->core, &spot, 0, &others), -EMFILE);
	assert_int_equal(mc_spot_find_user(scene->core, &spot, NULL, 0, &user), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(mc_spot_find_user(scene->core, &spot, NULL, 0, &user), 1);
	move_out(&neighbour);
}

TEST_MAIN_PRIVILEGED()

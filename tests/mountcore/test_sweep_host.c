/* SPDX-License-Identifier: Apache-2.0 */
/* Failure sweeps of what is done on the host.  The tables say what is tolerated by design. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/chain.h"
#include "mountcore/cleanup.h"
#include "mountcore/fs.h"
#include "mountcore/host.h"
#include "mountcore/mount_root.h"
#include "mountcore/mounts.h"
#include "mountcore/source.h"

#include "scratch.h"
#include "sweep.h"

static const struct sweep_exception no_exceptions[] = {{0}};

static void nothing_to_check(const struct attach_fixture *scene, int rc)
{
	(void)scene;
	(void)rc;
}

static int open_core(struct attach_fixture *scene)
{
	const struct mc_core_args args = scene_core_args();
	struct mc_core *core = NULL;
	int rc = mc_core_open(&args, &core, &scene->err);

	mc_core_close(core);
	return rc;
}

NS_TEST(opening_the_core_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		{"open_tree", 0, "a probe: the feature is missing", false},
		{"move_mount", 0, "a probe", false},
		{"openat2", 0, "a probe", false},
		{"close", 0, "a descriptor is closed even so", false},
		{"mount_setattr", 0, "a probe", false},
		{"open_tree_attr", 0, "a probe", false},
		{"statx", 0, "a probe", false},
		{"statmount", 0, "a probe", false},
		{0},
	};
	const struct sweep sweep = {round_nothing, open_core, nothing_to_check, round_nothing,
		exceptions, .removed = NULL};

	sweep_run(&sweep, 14);
}

static int open_ns(struct attach_fixture *scene)
{
	struct mc_ns ns = MC_NS_NONE;
	int rc = mc_ns_open(scene->core, scene->box.pid, &ns, &scene->err);

	mc_ns_close(&ns);
	return rc;
}

NS_TEST(opening_a_namespace_survives_each_failing_call)
{
	const struct sweep sweep = {round_nothing, open_ns, nothing_to_check, round_nothing,
		no_exceptions, .removed = NULL};

	sweep_run(&sweep, 3);
}

static int resolve(struct attach_fixture *scene)
{
	char real[PATH_MAX];

	return mc_host_resolve(scene->core, SOURCE, real, NULL, &scene->err);
}

NS_TEST(resolving_a_host_path_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {HELPER_EXCEPTIONS, {0}};
	const struct sweep sweep = {round_nothing, resolve, nothing_to_check, round_nothing,
		exceptions, .removed = NULL};

	sweep_run(&sweep, 12);
}

static int walk_chain(struct attach_fixture *scene)
{
	static struct mc_chain chain;
	mc_auto_fd inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int rc = mc_chain_walk(scene->core,
		&(struct mc_chain_args){.path = "/tmp/../tmp/link/file", .inotify = inotify},
		&chain, &scene->err);

	if (rc ==
		0) /* a failed call is told as the reason why it leads nowhere, or is not watched */
		rc = mc_err_set(&scene->err, MC_STEP_SOURCE, chain.found);
	return rc < 0 ? rc : mc_err_set(&scene->err, MC_STEP_SOURCE, chain.watched);
}

static void make_link(struct attach_fixture *scene)
{
	(void)scene;
	(void)!unlink("/tmp/link"); /* of the round before */
	assert_int_equal(symlink(SOURCE, "/tmp/link"), 0);
}

NS_TEST(walking_a_chain_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		{"close", 0, "a descriptor is closed even so", false}, {0}};
	const struct sweep sweep = {make_link, walk_chain, nothing_to_check, round_nothing,
		exceptions, .removed = NULL};

	sweep_run(&sweep, 12);
}

static int resolve_and_make(struct attach_fixture *scene)
{
	char real[PATH_MAX];

	return mc_host_make(scene->core, "/tmp/a/b/c", true, real, NULL, &scene->err);
}

static void check_made(const struct attach_fixture *scene, int rc)
{
	(void)scene;
	assert_int_equal(scratch_exists("/tmp/a"), rc == 0);
	assert_int_equal(scratch_exists("/tmp/a/b/c"), rc == 0);
}

static void remove_made(struct attach_fixture *scene)
{
	(void)scene;
	assert_int_equal(rmdir("/tmp/a/b/c") | rmdir("/tmp/a/b") | rmdir("/tmp/a"), 0);
}

NS_TEST(making_a_host_path_survives_each_failing_call_and_leaves_none)
{
	static const struct sweep_exception exceptions[] = {HELPER_EXCEPTIONS, {0}};
	const struct sweep sweep = {round_nothing, resolve_and_make, check_made, remove_made,
		exceptions, .removed = NULL};

	sweep_run(&sweep, 20);
}

static int own(struct attach_fixture *scene)
{
	const struct mc_owner owner = {.uid = 7, .gid = 8, .mode = 0751};

	return mc_host_own(scene->core, SOURCE, &owner, &scene->err);
}

NS_TEST(giving_an_owner_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {HELPER_EXCEPTIONS, {0}};
	const struct sweep sweep = {
		round_nothing, own, nothing_to_check, round_nothing, exceptions, .removed = NULL};

	sweep_run(&sweep, 10);
}

/* An image file: the loop device is a part of it. */
#define FS_DIR "/tmp/fs"
#define FS_IMAGE "/tmp/fs.img"

static void make_fs(struct attach_fixture *scene)
{
	(void)scene;
	(void)umount2(FS_DIR, MNT_DETACH); /* of the round before */
	(void)mkdir(FS_DIR, 0755);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a fixed command */
	assert_int_equal(system("PATH=$PATH:/usr/sbin:/sbin; truncate -s 16M " FS_IMAGE
				" && mkfs.ext4 -q -F " FS_IMAGE),
		0);
}

static int mount_fs(struct attach_fixture *scene)
{
	struct mc_fs fs;
	char refused[MC_FS_OPTION_SIZE];
	int rc = mc_fs_read("ext4", FS_IMAGE, "noatime", &fs, refused);

	if (rc == 0)
		rc = mc_host_mount(scene->core, &fs, FS_DIR, &scene->err);
	return rc == 1 ? 0 : rc;
}

static bool fs_is_mounted(void)
{
	return scratch_exists(FS_DIR "/lost+found");
}

static void check_fs(const struct attach_fixture *scene, int rc)
{
	if (scene->err.step !=
		MC_STEP_HELPER) /* else it is not known, and can be asked for again */
		assert_int_equal(fs_is_mounted(), rc == 0);
}

static void unmount_fs(struct attach_fixture *scene)
{
	assert_int_equal(mc_host_unmount(scene->core, "ext4", FS_IMAGE, FS_DIR, NULL), 0);
	assert_false(fs_is_mounted());
}

NS_TEST(mounting_a_file_system_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		HELPER_EXCEPTIONS, {"openat", -ENOTBLK, "no loop device can be had", false}, {0}};
	const struct sweep sweep = {
		make_fs, mount_fs, check_fs, unmount_fs, exceptions, .removed = NULL};

	sweep_run(&sweep, 20);
}

static void make_and_mount_fs(struct attach_fixture *scene)
{
	make_fs(scene);
	assert_int_equal(mount_fs(scene), 0);
}

static int try_unmount_fs(struct attach_fixture *scene)
{
	return mc_host_unmount(scene->core, "ext4", FS_IMAGE, FS_DIR, &scene->err);
}

static void check_unmounted(const struct attach_fixture *scene, int rc)
{
	if (scene->err.step != MC_STEP_HELPER)
		assert_int_equal(fs_is_mounted(), rc != 0);
}

NS_TEST(unmounting_a_file_system_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {HELPER_EXCEPTIONS,
		{"setns", 0, "the host's table cannot be read: whose server it is is not known",
			false},
		{"openat", 0, "the same", false}, {0}};
	const struct sweep sweep = {make_and_mount_fs, try_unmount_fs, check_unmounted,
		round_nothing, exceptions, .removed = NULL};

	sweep_run(&sweep, 8);
}

static int read_table(struct attach_fixture *scene)
{
	struct mc_mounts *mounts = NULL;
	int rc = mc_mounts_read(scene->core, scene->ns.ns_fd, &mounts, &scene->err);

	mc_mounts_free(mounts);
	return rc;
}

NS_TEST(reading_a_mount_table_survives_each_failing_call)
{
	const struct sweep sweep = {round_nothing, read_table, nothing_to_check, round_nothing,
		no_exceptions, .removed = NULL};

	sweep_run(&sweep, 3);
}

static char silent[64];

/* A directory for each round: the rounds share the sandbox. */
static void mount_silent(struct attach_fixture *scene)
{
	snprintf(silent, sizeof(silent), "/tmp/silent.%d", (int)getpid());
	scratch_mkdir(silent);
	assert_false(mc_host_is_slow(scene->core, silent));
	assert_true(scratch_mount_silent(silent) >= 0); /* open until the round ends */
}

/* A table that could not be read is not one without slow mounts, neither now nor the next time. */
static int ask_twice(struct attach_fixture *scene)
{
	bool first = mc_host_is_slow(scene->core, silent);
	bool second = mc_host_is_slow(scene->core, silent);

	return first && second ? 0 : mc_err_set(&scene->err, MC_STEP_SETUP, -EINVAL);
}

static void sweep_is_slow(void)
{
	static const struct sweep_exception exceptions[] = {
		{"poll_pri", 0, "unsure is slow", false},
		{0},
	};
	const struct sweep sweep = {mount_silent, ask_twice, nothing_to_check, round_nothing,
		exceptions, .removed = NULL};

	sweep_run(&sweep, 2);
}

TEST(a_slow_mount_is_known_whatever_call_fails)
{
	if (access("/dev/fuse", R_OK | W_OK) < 0)
		skip();
	hv_in_namespace(sweep_is_slow);
}

static int compare_source(struct attach_fixture *scene)
{
	const struct mc_source_args args = {.source = SOURCE};
	enum mc_source_is is = MC_SOURCE_OTHER;
	struct mc_own own;
	int rc = mc_source_compare_own(scene->core, &args, SOURCE, &is, &own, &scene->err);

	assert_true(rc < 0 || is == MC_SOURCE_SAME);
	return rc;
}

static void mount_on_itself(struct attach_fixture *scene)
{
	(void)scene;
	scratch_bind(SOURCE, SOURCE);
}

static void unmount_again(struct attach_fixture *scene)
{
	(void)scene;
	scratch_umount(SOURCE);
}

NS_TEST(comparing_a_source_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		HELPER_EXCEPTIONS,
		{"poll_pri", 0, "the table is read anew", false},
		{"openat", 0, "whether a server is there is not known: a helper", false},
		{"setns", 0, "the same", false},
		{0},
	};
	const struct sweep sweep = {mount_on_itself, compare_source, nothing_to_check,
		unmount_again, exceptions, .removed = NULL};

	sweep_run(&sweep, 8);
}

/* The mount root, where our own namespace is the host's. */
#define ROOT "/tmp/volumes"

static struct mc_mount_root *root;

static void make_root(struct attach_fixture *scene)
{
	(void)scene;
	while (umount2(ROOT, MNT_DETACH) == 0) /* of the round before */
		continue;
	(void)mkdir(ROOT, 0755);
	scratch_bind(ROOT, ROOT);
	scratch_make_shared(ROOT);
	root = NULL;
}

static int open_root(struct attach_fixture *scene)
{
	return mc_mount_root_open(scene->core, ROOT, &root, &scene->err);
}

static void check_root(const struct attach_fixture *scene, int rc)
{
	(void)scene;
	assert_int_equal(root != NULL, rc == 0);
}

static void close_root(struct attach_fixture *scene)
{
	(void)scene;
	mc_mount_root_close(root);
}

NS_TEST(opening_the_mount_root_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		{"close", 0, "a descriptor is closed even so", false},
		{"openat2", 0, "its place on the host is not known, and is looked for later",
			false},
		{"statx", 0, "the same", false},
		{0},
	};
	const struct sweep sweep = {
		make_root, open_root, check_root, close_root, exceptions, .removed = NULL};

	sweep_run(&sweep, 8);
}

static void make_volume(struct attach_fixture *scene)
{
	make_root(scene);
	assert_int_equal(open_root(scene), 0);
	scratch_mkdir(ROOT "/data");
	assert_int_equal(mount("data", ROOT "/data", "tmpfs", 0, NULL), 0);
}

static int prove(struct attach_fixture *scene)
{
	int rc = mc_mount_root_check(root, "data", false);

	scene->err = (struct mc_err){.code = rc, .step = MC_STEP_SETUP}; /* the call gives none */
	return rc;
}

static int mend(struct attach_fixture *scene)
{
	int rc = mc_mount_root_heal(root, "data", false);

	scene->err = (struct mc_err){.code = rc, .step = MC_STEP_SETUP};
	return rc;
}

static void sweep_root(int (*operation)(struct attach_fixture *scene))
{
	static const struct sweep_exception exceptions[] = {
		{"close", 0, "a descriptor is closed even so", false},
		{"openat2", 0, "it is looked for at other places", false},
		{"statx", 0, "the same", false},
		{0},
	};
	const struct sweep sweep = {make_volume, operation, nothing_to_check, round_nothing,
		exceptions, .removed = NULL};

	sweep_run(&sweep, 3);
}

static void sweep_root_check(void)
{
	sweep_root(prove);
}

static void sweep_root_heal(void)
{
	sweep_root(mend);
}

TEST(proving_the_mount_root_survives_each_failing_call)
{
	hv_in_namespace(sweep_root_check);
	hv_in_namespace(sweep_root_heal);
}

/* A host of which ROOT is no peer of ours, so that it is given a clone of the tmpfs. */
struct apart {
	pid_t host;
	int ready[2];
	struct mc_core *core;
};

static struct apart apart;

static void be_host(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) == 0 && mount("none", ROOT, NULL, MS_PRIVATE, NULL) == 0)
		(void)!write(apart.ready[1], "", 1);
	for (;;)
		pause();
}

static void open_apart_core(void)
{
	struct mc_core_args args = scene_core_args();

	args.host_pid = apart.host;
	assert_int_equal(mc_core_open(&args, &apart.core, NULL), 0);
}

static void start_host(struct attach_fixture *scene)
{
	char byte;

	make_root(scene);
	assert_int_equal(pipe2(apart.ready, O_CLOEXEC), 0);
	apart.host = fork();
	if (apart.host == 0)
		be_host();
	assert_int_equal(read(apart.ready[0], &byte, 1), 1);
}

/* As a daemon does that starts, and mounts a volume. */
static void start_daemon(void)
{
	open_apart_core();
	assert_int_equal(mc_mount_root_open(apart.core, ROOT, &root, NULL), 0);
	if (scratch_exists(ROOT "/data/file"))
		return;
	(void)mkdir(ROOT "/data", 0755);
	assert_int_equal(mount("data", ROOT "/data", "tmpfs", 0, NULL), 0);
	scratch_write(ROOT "/data/file");
}

static void set_apart(struct attach_fixture *scene)
{
	start_host(scene);
	start_daemon();
}

/* How many mounts the host has at and below ROOT; one is its own. */
static unsigned count_at_host(const char *target)
{
	char *table = read_mounts(apart.host), *line, *rest = table, found[128];
	unsigned count = 0;

	while ((line = strsep(&rest, "\n")))
		count += sscanf(line, "%*s %*s %*s %*s %127s", found) == 1 &&
			 strcmp(found, target) == 0;
	free(table);
	return count;
}

static void expect_at_host(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root" ROOT "/data/file", (int)apart.host);
	assert_true(scratch_exists(path));
	assert_int_equal(count_at_host(ROOT), 2);
	assert_int_equal(count_at_host(ROOT "/data"), 1);
}

/* It has copies of the box's descriptors, which would not end. */
static void stop_host(void)
{
	assert_int_equal(kill(apart.host, SIGKILL), 0);
	assert_int_equal(waitpid(apart.host, NULL, 0), apart.host);
}

static void expect_whole_or_nothing(void)
{
	const unsigned mounts = count_at_host(ROOT);

	assert_true(mounts == 1 || mounts == 2);
	assert_int_equal(count_at_host(ROOT "/data"), mounts - 1);
}

static void check_apart(const struct attach_fixture *scene, int rc)
{
	(void)scene;
	expect_whole_or_nothing();
	assert_true(scratch_exists(ROOT "/data/file"));
	if (rc < 0)
		assert_int_equal(mc_mount_root_heal(root, "data", false), 0);
	expect_at_host();
	stop_host();
}

NS_TEST(giving_the_mount_root_to_the_host_survives_each_failing_call)
{
	static const struct sweep_exception exceptions[] = {
		{"close", 0, "a descriptor is closed even so", false},
		{"openat2", 0, "it is looked for at other places", false},
		{"statx", 0, "the same", false},
		{"rmdirat", 0, "what is in use stays", false},
		{"openat", 0, "no mountpoint without a mount is looked for", false},
		{0},
	};
	const struct sweep sweep = {
		set_apart, mend, check_apart, round_nothing, exceptions, .removed = NULL};

	sweep_run(&sweep, 15);
}

static int start_and_mend(struct attach_fixture *scene)
{
	start_daemon();
	return mend(scene);
}

/* The next daemon is in a new mount namespace, made of the host's. */
static void be_next(void)
{
	struct attach_fixture scene;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)apart.host);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(unshare(CLONE_FS), 0); /* from a thread of a sanitizer */
	assert_int_equal(setns(fd, CLONE_NEWNS) | unshare(CLONE_NEWNS), 0);
	close(fd);
	start_daemon();
	_exit(mend(&scene) == 0 ? 0 : 1);
}

static void check_killed(const struct attach_fixture *scene, int rc)
{
	int status = -1;
	pid_t pid;

	(void)scene;
	expect_whole_or_nothing();
	assert_true(rc < 0 || count_at_host(ROOT) == 2);
	pid = fork();
	if (pid == 0)
		be_next();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	expect_at_host();
	stop_host();
}

NS_TEST(a_daemon_killed_at_giving_it_leaves_it_whole_or_not_at_all)
{
	const struct sweep sweep = {start_host, start_and_mend, check_killed, round_nothing,
		no_exceptions, .removed = NULL};

	sweep_kill(&sweep, 40);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* A process that stands for the host, and we as the plugin: a directory of the host is bound on
 * itself and shared, as dockerd does, and bound into our namespace, as runc does. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/core.h"
#include "mountcore/mount_root.h"
#include "support/hv_test.h"

#include "scratch.h"

#define RAW "/tmp/raw"      /* on the host */
#define ROOT "/tmp/volumes" /* with us */

enum { PEER = 1, PRIVATE = 0 };

struct plugin {
	pid_t host;
	struct mc_core *core;
	struct mc_mount_root *root;
};

/* Have the host do it.  Returns 0 or an errno. */
static int on_host(const struct plugin *plugin, int (*fn)(const char *path), const char *path)
{
	char name[64];
	int status = -1;
	pid_t pid;

	snprintf(name, sizeof(name), "/proc/%d/ns/mnt", plugin->host);
	pid = fork();
	if (pid == 0) {
		int fd = open(name, O_RDONLY | O_CLOEXEC);

		/* A sanitizer has a thread of its own, which shares the working directory. */
		_exit(unshare(CLONE_FS) < 0 || setns(fd, CLONE_NEWNS) < 0 ? 99 : fn(path));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static int do_umount(const char *path)
{
	return umount2(path, MNT_DETACH) < 0 ? errno : 0;
}

static int do_look(const char *path)
{
	return access(path, F_OK) < 0 ? errno : 0;
}

static int do_make_private(const char *path)
{
	return mount("none", path, NULL, MS_PRIVATE, NULL) < 0 ? errno : 0;
}

/* Start it: with the mount of dockerd that it was made from there, or gone before runc bound it. */
static void start(struct plugin *plugin, int is_peer)
{
	struct mc_core_args args = {.workers = 1, .helper_timeout_ms = 10000};

	*plugin = (struct plugin){.host = fork()};
	if (plugin->host == 0)
		for (prctl(PR_SET_PDEATHSIG, SIGKILL);;)
			pause();
	scratch_mkdir(ROOT);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	if (!is_peer) {
		scratch_umount(RAW);
		assert_int_equal(on_host(plugin, do_umount, RAW), 0);
	}
	scratch_bind(RAW, ROOT);
	if (is_peer)
		scratch_umount(RAW);
	else
		scratch_make_shared(ROOT);
	args.host_pid = plugin->host;
	assert_int_equal(mc_core_open(&args, &plugin->core, NULL), 0);
}

static void open_root(struct plugin *plugin)
{
	assert_int_equal(mc_mount_root_open(plugin->core, ROOT, &plugin->root, NULL), 0);
}

static void stop(struct plugin *plugin)
{
	mc_mount_root_close(plugin->root);
	mc_core_close(plugin->core);
	kill(plugin->host, SIGKILL);
	waitpid(plugin->host, NULL, 0);
}

static void make_raw(void)
{
	scratch_mkdir(RAW);
	scratch_bind(RAW, RAW);
	scratch_make_shared(RAW);
}

/* As Mount does. */
static void publish(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), ROOT "/%s", name);
	scratch_mkdir(path);
	assert_int_equal(mount("data", path, "tmpfs", 0, NULL), 0);
	snprintf(path, sizeof(path), ROOT "/%s/file", name);
	scratch_write(path);
}

NS_TEST(what_is_mounted_is_seen_by_the_host)
{
	struct plugin plugin;
	int dir;

	make_raw();
	start(&plugin, PEER);
	open_root(&plugin);
	assert_string_equal(mc_mount_root_place(plugin.root), RAW);
	assert_int_equal(mc_mount_root_check(plugin.root, NULL, false), 0);
	publish("al1");
	assert_int_equal(mc_mount_root_check(plugin.root, "al1", false), 0);
	assert_int_equal(mc_mount_root_check(plugin.root, "al1", true), 0);
	assert_int_equal(mc_mount_root_check(plugin.root, "al2", false), -ENOENT);
	assert_int_equal(mc_mount_root_check(plugin.root, "al2", true), -ENOENT);
	assert_int_equal(on_host(&plugin, do_look, RAW "/al1/file"), 0);
	dir = mc_mount_root_dir(plugin.root);
	assert_true(dir >= 0);
	close(dir);
	stop(&plugin);
}

NS_TEST(a_mount_root_that_the_host_does_not_see_is_given_to_it)
{
	struct plugin plugin;

	make_raw();
	start(&plugin, PRIVATE);
	open_root(&plugin);
	assert_int_equal(mc_mount_root_check(plugin.root, NULL, false), -ENOENT);
	publish("al1");
	assert_int_equal(mc_mount_root_check(plugin.root, "al1", false), -ENOENT);
	/* No directory that a container could be given. */
	assert_int_equal(on_host(&plugin, do_look, RAW "/al1"), ENOENT);
	assert_int_equal(mc_mount_root_heal(plugin.root, NULL, false), 0);
	assert_int_equal(mc_mount_root_check(plugin.root, "al1", false), 0);
	assert_int_equal(on_host(&plugin, do_look, RAW "/al1/file"), 0);
	publish("al2");
	assert_int_equal(on_host(&plugin, do_look, RAW "/al2/file"), 0);
	assert_int_equal(umount2(ROOT "/al2", MNT_DETACH), 0);
	assert_int_equal(on_host(&plugin, do_look, RAW "/al2/file"), ENOENT);
	stop(&plugin);
}

/* Unmount every mount of the place, however many, as dockerd cleans up a former plugin. */
NS_TEST(a_mount_root_that_is_taken_from_the_host_is_given_to_it_again)
{
	struct plugin plugin;
	int dir;

	make_raw();
	start(&plugin, PEER);
	open_root(&plugin);
	publish("al1");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(on_host(&plugin, do_umount, RAW), 0);
		while (on_host(&plugin, do_umount, RAW) == 0)
			continue;
		assert_int_equal(mc_mount_root_check(plugin.root, "al1", false), -ENOENT);
		assert_int_equal(on_host(&plugin, do_look, RAW "/al1"), ENOENT);
		dir = mc_mount_root_dir(plugin.root);
		assert_true(dir >= 0);
		close(dir);
		assert_int_equal(mc_mount_root_heal(plugin.root, NULL, false), 0);
		/* The mount may have gone with it; its directory is not to be seen then. */
		assert_int_equal(on_host(&plugin, do_look, RAW "/al1/file"),
			on_host(&plugin, do_look, RAW "/al1"));
		if (mc_mount_root_check(plugin.root, "al1", false) < 0)
			publish("al1");
		assert_int_equal(mc_mount_root_check(plugin.root, "al1", false), 0);
		assert_int_equal(on_host(&plugin, do_look, RAW "/al1/file"), 0);
	}
	stop(&plugin);
}

NS_TEST(a_mount_root_that_was_made_private_on_the_host_is_given_to_it)
{
	struct plugin plugin;

	make_raw();
	start(&plugin, PEER);
	open_root(&plugin);
	assert_int_equal(on_host(&plugin, do_make_private, RAW), 0);
	publish("al1");
	assert_int_equal(mc_mount_root_check(plugin.root, NULL, false), 0);
	assert_int_equal(mc_mount_root_check(plugin.root, "al1", false), -ENOENT);
	assert_int_equal(mc_mount_root_check(plugin.root, "al1", true), -ENOENT);
	assert_int_equal(mc_mount_root_heal(plugin.root, "al1", false), 0);
	assert_int_equal(on_host(&plugin, do_look, RAW "/al1/file"), 0);
	stop(&plugin);
}

NS_TEST(that_of_the_plugin_before_is_used_again)
{
	struct plugin plugin;
	struct mc_mount_root *first;

	make_raw();
	start(&plugin, PEER);
	open_root(&plugin);
	publish("al1");
	first = plugin.root;
	open_root(&plugin); /* dockerd bound what the plugin before has left */
	assert_int_equal(mc_mount_root_check(plugin.root, "al1", false), 0);
	assert_true(scratch_exists(ROOT "/al1/file"));
	mc_mount_root_close(first);
	stop(&plugin);
}

NS_TEST(what_an_older_one_left_below_is_reached_and_not_shown)
{
	struct plugin plugin;

	make_raw();
	scratch_mkdir(RAW "/old");
	scratch_write(RAW "/old/lost");
	start(&plugin, PEER);
	assert_int_equal(mount("old", ROOT "/old", "tmpfs", 0, NULL), 0);
	open_root(&plugin);
	assert_false(scratch_exists(ROOT "/old"));
	assert_int_equal(on_host(&plugin, do_look, RAW "/old"), ENOENT);
	assert_int_equal(faccessat(mc_mount_root_below(plugin.root), "old/lost", F_OK, 0), 0);
	stop(&plugin);
}

TEST_MAIN_PRIVILEGED()

/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that come and go in a box, as the kernel tells them.  Before Linux 6.15 there is nothing
 * to test but the refusal, and HOSTVOL_WITHOUT makes every kernel one of those. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"
#include "mountcore/watch.h"

#include "box.h"
#include "scratch.h"

enum { EVENTS_MAX = 64, QUEUE_MAX = 16384 };

struct watched {
	struct attach_fixture scene;
	struct mc_watch *watch;
	struct mc_watch_event events[EVENTS_MAX];
	int count;
};

/* Returns whether the kernel can; if it can, the box is watched. */
static bool watched_open(struct watched *ret)
{
	memset(ret, 0, sizeof(*ret));
	scene_open(&ret->scene);
	if (!(mc_core_features(ret->scene.core) & MC_FEATURE_MOUNT_WATCH)) {
		assert_int_equal(mc_watch_open(ret->scene.core, &ret->watch), -ENOSYS);
		assert_null(ret->watch);
		scene_close(&ret->scene);
		return false;
	}
	assert_int_equal(mc_watch_open(ret->scene.core, &ret->watch), 0);
	assert_int_equal(mc_watch_add(ret->watch, ret->scene.ns.ns_fd), 0);
	return true;
}

static void watched_close(struct watched *watched)
{
	mc_watch_close(watched->watch);
	scene_close(&watched->scene);
}

/* WATCH_TEST(name) { ... }: with `watched`, where the kernel can. */
#define WATCH_TEST(name)                                                                           \
	static void name##_with(struct watched *watched);                                          \
	NS_TEST(name)                                                                              \
	{                                                                                          \
		struct watched watched;                                                            \
                                                                                                   \
		if (!watched_open(&watched))                                                       \
			return;                                                                    \
		name##_with(&watched);                                                             \
		watched_close(&watched);                                                           \
	}                                                                                          \
	static void name##_with(struct watched *watched)

static bool is_readable(const struct watched *watched)
{
	struct pollfd fd = {.fd = mc_watch_fd(watched->watch), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void read_all(struct watched *watched)
{
	watched->count = mc_watch_read(watched->watch, watched->events, EVENTS_MAX);
	assert_true(watched->count >= 0);
}

static void expect(const struct watched *watched, int at, unsigned what, uint64_t mount_id)
{
	const struct mc_watch_event *event = &watched->events[at];

	assert_true(at < watched->count);
	assert_int_equal(event->what, what);
	if (mount_id)
		assert_int_equal(event->mount_id, mount_id);
}

static void expect_by_box(const struct watched *watched, int at)
{
	char path[64], command[MC_COMMAND_SIZE] = "";
	FILE *file;

	assert_int_equal(watched->events[at].pid, watched->scene.box.pid);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)watched->scene.box.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%15[^\n]", command), 1);
	fclose(file);
	assert_string_equal(watched->events[at].command, command);
}

WATCH_TEST(an_attach_and_an_unmount_inside_are_told_with_their_processes)
{
	struct attach_fixture *scene = &watched->scene;

	assert_false(is_readable(watched));
	read_all(watched);
	assert_int_equal(watched->count, 0);
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	assert_true(is_readable(watched));
	read_all(watched);
	assert_int_equal(watched->count, 1);
	expect(watched, 0, MC_WATCH_CAME, scene->info.mount_id);
	assert_int_equal(watched->events[0].pid, getpid());
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt/data"), 0);
	read_all(watched);
	assert_int_equal(watched->count, 1);
	expect(watched, 0, MC_WATCH_WENT, scene->info.mount_id);
	expect_by_box(watched, 0);
	assert_false(is_readable(watched));
}

WATCH_TEST(a_mount_on_top_is_told_and_can_be_named)
{
	struct attach_fixture *scene = &watched->scene;
	mc_auto_mounts mounts = NULL;
	struct mc_mount top;
	bool is_same = false;

	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	read_all(watched);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt/data"), 0);
	read_all(watched);
	assert_int_equal(watched->count, 1);
	expect(watched, 0, MC_WATCH_CAME, 0);
	expect_by_box(watched, 0);
	assert_int_equal(mc_mounts_read(scene->core, scene->ns.ns_fd, &mounts, NULL), 0);
	assert_true(mc_mounts_find_cover(mounts, scene->info.mountinfo_id, &top));
	assert_int_equal(mc_mount_has_id(scene->core, scene->ns.ns_fd, top.id,
				 watched->events[0].mount_id, &is_same),
		0);
	assert_true(is_same);
}

static int in_move(const char *path)
{
	return mount(path, "/mnt", NULL, MS_MOVE, NULL) < 0 ? -errno : 0;
}

static int in_remount(const char *path)
{
	return in_remount_read_only(path) + in_remount_writable(path);
}

WATCH_TEST(a_move_is_both_and_a_remount_is_nothing)
{
	struct attach_fixture *scene = &watched->scene;

	assert_int_equal(scene_attach(scene, "/tmp/data"), 0);
	read_all(watched);
	assert_int_equal(box_run(&scene->box, in_remount, "/tmp/data"), 0);
	read_all(watched);
	assert_int_equal(watched->count, 0);
	assert_int_equal(box_run(&scene->box, in_move, "/tmp/data"), 0);
	read_all(watched);
	assert_int_equal(watched->count, 1);
	expect(watched, 0, MC_WATCH_CAME | MC_WATCH_WENT, scene->info.mount_id);
}

static int in_umount_lazily(const char *path)
{
	return umount2(path, MNT_DETACH) < 0 ? -errno : 0;
}

WATCH_TEST(a_lazy_unmount_tells_each_mount_of_the_tree)
{
	struct attach_fixture *scene = &watched->scene;

	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	assert_int_equal(scene_attach(scene, "/mnt/data"), 0);
	read_all(watched);
	assert_int_equal(box_run(&scene->box, in_umount_lazily, "/mnt"), 0);
	read_all(watched);
	assert_int_equal(watched->count, 2);
	assert_true(watched->events[0].mount_id == scene->info.mount_id ||
		    watched->events[1].mount_id == scene->info.mount_id);
	expect(watched, 0, MC_WATCH_WENT, 0);
	expect(watched, 1, MC_WATCH_WENT, 0);
}

WATCH_TEST(a_namespace_that_is_removed_is_not_told_any_more)
{
	struct attach_fixture *scene = &watched->scene;

	assert_int_equal(mc_watch_add(watched->watch, scene->ns.ns_fd), 0); /* again */
	assert_int_equal(mc_watch_remove(watched->watch, scene->ns.ns_fd), 0);
	assert_int_equal(mc_watch_remove(watched->watch, scene->ns.ns_fd), -ENOENT);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	assert_false(is_readable(watched));
	assert_int_equal(mc_watch_add(watched->watch, -1), -EBADF);
}

/* With a mount table of its own, as a box has it, a container of another user namespace. */
WATCH_TEST(a_container_with_a_user_namespace_is_watched_too)
{
	struct attach_fixture *scene = &watched->scene;

	scene_map_users(scene);
	assert_int_equal(mc_watch_add(watched->watch, scene->ns.ns_fd), 0);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	read_all(watched);
	assert_true(watched->count >= 1);
	expect(watched, watched->count - 1, MC_WATCH_CAME, 0);
	expect_by_box(watched, watched->count - 1);
}

WATCH_TEST(the_end_of_a_namespace_ends_its_mark)
{
	struct attach_fixture *scene = &watched->scene;
	struct fake_container other;
	struct mc_ns ns;

	box_open(&other);
	assert_int_equal(mc_ns_open(scene->core, other.pid, &ns, NULL), 0);
	assert_int_equal(mc_watch_add(watched->watch, ns.ns_fd), 0);
	mc_ns_close(&ns);
	box_close(&other);
	/* Of its root, and of procfs: the last process frees the namespace a moment after its end.
	 */
	for (int left = 1000; left > 0 && !is_readable(watched); left--)
		usleep(10000);
	read_all(watched);
	assert_true(watched->count >= 1);
	expect(watched, 0, MC_WATCH_WENT, 0);
}

static int in_storm(const char *path)
{
	for (int i = 0; i < QUEUE_MAX; i++)
		if (mount("later", path, "tmpfs", 0, NULL) < 0 || umount2(path, 0) < 0)
			return -errno;
	return 0;
}

WATCH_TEST(more_events_than_the_kernel_keeps_are_told_as_lost)
{
	struct attach_fixture *scene = &watched->scene;
	int total = 0, lost = 0;

	assert_int_equal(box_run(&scene->box, in_storm, "/mnt"), 0);
	for (read_all(watched); watched->count > 0; read_all(watched)) {
		total += watched->count;
		for (int i = 0; i < watched->count; i++)
			lost += watched->events[i].what == MC_WATCH_LOST;
	}
	assert_int_equal(lost, 1);
	assert_int_equal(total, QUEUE_MAX + 1);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	read_all(watched);
	assert_int_equal(watched->count, 1);
}

WATCH_TEST(one_event_at_a_time_is_enough_room)
{
	struct attach_fixture *scene = &watched->scene;

	assert_int_equal(mc_watch_read(watched->watch, watched->events, 0), -EINVAL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(mc_watch_read(watched->watch, watched->events, 1), 1);
	assert_int_equal(mc_watch_read(watched->watch, watched->events, 1), 0);
}

WATCH_TEST(a_watch_leaves_no_descriptor)
{
	unsigned fds = hv_count_fds();

	mc_watch_close(watched->watch);
	assert_int_equal(hv_count_fds(), fds - 1);
	assert_int_equal(mc_watch_open(watched->scene.core, &watched->watch), 0);
	assert_int_equal(hv_count_fds(), fds);
	mc_watch_close(NULL);
}

TEST_MAIN_PRIVILEGED()

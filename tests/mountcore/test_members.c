/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a control group.  Includes the library's private headers. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/core.h"

#include "box.h"
#include "members.h"

enum { DEADLINE_MS = 10000, GROUPS = 70, SEEN_MAX = 8 };

struct seen {
	size_t count;
	pid_t pids[SEEN_MAX];
};

/* A group of the test's own, in a hierarchy that is mounted where the library looks for it. */
struct scene {
	struct mc_core *core;
	char group[128];
};

static void see(void *context, pid_t pid)
{
	struct seen *seen = context;

	assert_true(seen->count < SEEN_MAX);
	seen->pids[seen->count++] = pid;
}

static bool has(const struct seen *seen, pid_t pid)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->pids[i] == pid)
			return true;
	return false;
}

static void path_of(const struct scene *scene, const char *name, char ret[static 256])
{
	snprintf(ret, 256, "%s%s", scene->group, name);
}

static void make_group(const struct scene *scene, const char *name)
{
	char path[256];

	path_of(scene, name, path);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void remove_group(const struct scene *scene, const char *name)
{
	char path[256];

	path_of(scene, name, path);
	assert_int_equal(rmdir(path), 0);
}

/* A process in that group. */
static pid_t start_in(const struct scene *scene, const char *name)
{
	char path[256];
	FILE *file;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "%s%s/cgroup.procs", scene->group, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fprintf(file, "%d\n", (int)pid) > 0);
	assert_int_equal(fclose(file), 0);
	return pid;
}

/* The group is empty only once it was reaped. */
static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void open_scene(struct scene *ret)
{
	assert_int_equal(mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL), 0);
	snprintf(ret->group, sizeof(ret->group), "/sys/fs/cgroup/hostvol-test-%d", (int)getpid());
	ret->core = scene_core(1, DEADLINE_MS);
	make_group(ret, "");
}

static void close_scene(struct scene *scene)
{
	remove_group(scene, "");
	mc_core_close(scene->core);
}

NS_TEST(the_members_of_a_group_and_of_those_below_are_seen)
{
	struct scene scene;
	struct seen seen = {0};
	pid_t first, second, below, other;

	open_scene(&scene);
	make_group(&scene, "/x-abc");
	make_group(&scene, "/x-abc/.b");
	make_group(&scene, "/c");
	make_group(&scene, "/x-abc/init");
	first = start_in(&scene, "/x-abc/init");
	second = start_in(&scene, "/x-abc");
	below = start_in(&scene, "/x-abc/.b");
	other = start_in(&scene, "/c");
	/* Those beside it and below it, from wherever one begins. */
	assert_int_equal(mc_members_visit(scene.core, first, "abc", see, &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_true(has(&seen, first) && has(&seen, second) && has(&seen, below));
	seen.count = 0;
	assert_int_equal(mc_members_visit(scene.core, below, "abc", see, &seen), 0);
	assert_int_equal(seen.count, 3);
	seen.count = 0;
	assert_int_equal(mc_members_visit(scene.core, below, "hostvol-test-", see, &seen), 0);
	assert_int_equal(seen.count, 4);
	assert_true(has(&seen, other));
	seen.count = 0;
	assert_int_equal(mc_members_visit(scene.core, below, "none", see, &seen), -ENOENT);
	assert_int_equal(seen.count, 0);
	end(first);
	end(second);
	end(below);
	end(other);
	remove_group(&scene, "/x-abc/init");
	remove_group(&scene, "/x-abc/.b");
	remove_group(&scene, "/x-abc");
	remove_group(&scene, "/c");
	close_scene(&scene);
}

NS_TEST(a_group_of_another_name_and_one_with_too_many_below_are_refused)
{
	struct scene scene;
	struct seen seen = {0};
	char name[32];
	pid_t pid;

	open_scene(&scene);
	pid = start_in(&scene, "/..");
	assert_int_equal(mc_members_visit(scene.core, pid, "hostvol-test-", see, &seen), -ENOENT);
	assert_int_equal(seen.count, 0);
	end(pid);
	pid = start_in(&scene, "");
	for (int i = 0; i < GROUPS; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		make_group(&scene, name);
	}
	assert_int_equal(mc_members_visit(scene.core, pid, "hostvol-test-", see, &seen), -E2BIG);
	for (int i = 0; i < GROUPS; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		remove_group(&scene, name);
	}
	end(pid);
	assert_int_equal(mc_members_visit(scene.core, pid, "hostvol-test-", see, &seen), -ESRCH);
	close_scene(&scene);
}

NS_TEST(a_group_that_is_not_mounted_is_not_found)
{
	struct scene scene;
	struct seen seen = {0};
	pid_t pid;

	open_scene(&scene);
	pid = start_in(&scene, "");
	assert_int_equal(mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL), 0);
	assert_int_equal(mc_members_visit(scene.core, pid, "hostvol-test-", see, &seen), -ENOENT);
	assert_int_equal(umount("/sys/fs/cgroup"), 0);
	end(pid);
	close_scene(&scene);
}

TEST_MAIN_PRIVILEGED()

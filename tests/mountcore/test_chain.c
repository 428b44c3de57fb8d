/* SPDX-License-Identifier: Apache-2.0 */
/* The names that a path leads over, with the real inotify. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/chain.h"
#include "mountcore/cleanup.h"

#include "box.h"
#include "scratch.h"

static struct mc_chain chain;

static void walk(struct attach_fixture *scene, const char *path, int inotify)
{
	const struct mc_chain_args args = {.path = path, .inotify = inotify};

	assert_int_equal(mc_chain_walk(scene->core, &args, &chain, &scene->err), 0);
}

/* Whether an event of a name of the chain has come; all that came are read. */
static bool is_told(int inotify)
{
	_Alignas(struct inotify_event) char buffer[4096];
	bool told = false;
	ssize_t size;

	while ((size = read(inotify, buffer, sizeof(buffer))) > 0) {
		for (const char *at = buffer; at < buffer + size;) {
			const struct inotify_event *event = (const void *)at;

			for (unsigned i = 0; i < chain.count; i++)
				told |= chain.links[i].wd == event->wd &&
					(event->len == 0 ||
						strcmp(chain.links[i].name, event->name) == 0);
			at += sizeof(*event) + event->len;
		}
	}
	return told;
}

static void link_to(const char *target, const char *path)
{
	assert_int_equal(symlink(target, path), 0);
}

/* /tmp/a/link -> /tmp/b/../c/current -> release */
static void make_tree(void)
{
	scratch_mkdir("/tmp/a");
	scratch_mkdir("/tmp/b");
	scratch_mkdir("/tmp/c");
	scratch_mkdir("/tmp/c/release");
	scratch_write("/tmp/c/release/file");
	link_to("/tmp/b/../c/current", "/tmp/a/link");
	link_to("release", "/tmp/c/current");
}

SCENE_TEST(mc_chain_walk_follows_symlinks_to_the_real_path)
{
	struct stat stat_of;

	make_tree();
	walk(scene, "/tmp/a/link/file", MC_FD_NONE);
	assert_int_equal(chain.found, 0);
	assert_string_equal(chain.real, "/tmp/c/release/file");
	assert_int_equal(stat(chain.real, &stat_of), 0);
	assert_int_equal(chain.id.ino, stat_of.st_ino);
	assert_false(chain.is_dir);
	assert_int_equal(chain.count, 0); /* nothing is watched */
	walk(scene, "/", MC_FD_NONE);
	assert_int_equal(chain.found, 0);
	assert_string_equal(chain.real, "/");
}

SCENE_TEST(mc_chain_walk_of_a_path_to_nowhere_says_why)
{
	make_tree();
	link_to("loop", "/tmp/loop");
	walk(scene, "/tmp/a/none/x", MC_FD_NONE);
	assert_int_equal(chain.found, -ENOENT);
	walk(scene, "/tmp/a/link/file/x", MC_FD_NONE);
	assert_int_equal(chain.found, -ENOTDIR);
	walk(scene, "/tmp/loop", MC_FD_NONE);
	assert_int_equal(chain.found, -ELOOP);
	assert_int_equal(mc_chain_walk(scene->core, &(struct mc_chain_args){.path = "tmp"}, &chain,
				 &scene->err),
		-EINVAL);
}

static void link_of(uid_t owner, const char *target, const char *path)
{
	link_to(target, path);
	assert_int_equal(lchown(path, owner, owner), 0);
}

SCENE_TEST(mc_chain_walk_of_a_symlink_that_anybody_could_make_is_refused)
{
	enum { OWNER = 1000, OTHER = 1001 };

	scratch_mkdir("/tmp/to");
	scratch_mkdir("/tmp/shared");
	assert_int_equal(chown("/tmp/shared", OWNER, OWNER), 0);
	assert_int_equal(chmod("/tmp/shared", 01777), 0);
	link_of(0, "/tmp/to", "/tmp/shared/of_root");
	link_of(OWNER, "/tmp/to", "/tmp/shared/of_owner");
	link_of(OTHER, "/tmp/to", "/tmp/shared/of_other");
	walk(scene, "/tmp/shared/of_root", MC_FD_NONE);
	assert_int_equal(chain.found, 0);
	walk(scene, "/tmp/shared/of_owner", MC_FD_NONE);
	assert_int_equal(chain.found, 0);
	walk(scene, "/tmp/shared/of_other", MC_FD_NONE);
	assert_int_equal(chain.found, -EACCES);
	walk(scene, "/tmp/shared/of_other/below", MC_FD_NONE);
	assert_int_equal(chain.found, -EACCES);
	assert_int_equal(chmod("/tmp/shared", 0777), 0); /* they may rename each other's anyway */
	walk(scene, "/tmp/shared/of_other", MC_FD_NONE);
	assert_int_equal(chain.found, 0);
}

static void move(const char *from, const char *to)
{
	assert_int_equal(rename(from, to), 0);
}

SCENE_TEST(mc_chain_walk_watches_each_name_on_the_way)
{
	static const char *const names[] = {"/tmp/a", "/tmp/a/link", "/tmp/b", "/tmp/c",
		"/tmp/c/current", "/tmp/c/release", "/tmp/c/release/file"};
	mc_auto_fd inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	unsigned fds = hv_count_fds();

	make_tree();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		walk(scene, "/tmp/a/link/file", inotify);
		assert_int_equal(chain.found, 0);
		assert_int_equal(chain.watched, 0);
		assert_false(is_told(inotify));
		move(names[i], "/tmp/away");
		if (!is_told(inotify))
			fail_msg("%s is not watched", names[i]);
		walk(scene, "/tmp/a/link/file", inotify);
		assert_int_equal(chain.found, -ENOENT);
		move("/tmp/away", names[i]); /* it comes back */
		if (!is_told(inotify))
			fail_msg("%s is not waited for", names[i]);
	}
	assert_int_equal(hv_count_fds(), fds);
}

SCENE_TEST(mc_chain_walk_is_not_told_of_other_names)
{
	mc_auto_fd inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	make_tree();
	walk(scene, "/tmp/a/link/file", inotify);
	scratch_write("/tmp/other");
	scratch_write("/tmp/c/other");
	scratch_write("/tmp/c/release/other");
	assert_false(is_told(inotify));
	move("/tmp/c/release/other", "/tmp/c/release/file"); /* as an editor does */
	assert_true(is_told(inotify));
}

SCENE_TEST(mc_chain_walk_watches_a_directory_once)
{
	mc_auto_fd inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct mc_chain first;

	make_tree();
	walk(scene, "/tmp/a/link/file", inotify);
	first = chain;
	walk(scene, "/tmp/a/link/file", inotify);
	assert_int_equal(chain.count, first.count);
	for (unsigned i = 0; i < chain.count; i++)
		assert_int_equal(chain.links[i].wd, first.links[i].wd);
}

SCENE_TEST(mc_chain_walk_of_too_many_names_is_not_watched)
{
	mc_auto_fd inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[4 * MC_CHAIN_MAX + 16] = "/tmp", *end = path + strlen(path);

	for (int i = 0; i < MC_CHAIN_MAX; i++) {
		end += snprintf(end, 3, "/d");
		scratch_mkdir(path);
	}
	walk(scene, path, inotify);
	assert_int_equal(chain.found, 0);
	assert_int_equal(chain.watched, -E2BIG);
}

TEST_MAIN_PRIVILEGED()

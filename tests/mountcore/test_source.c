/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a mount is what its source leads to now. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/host.h"
#include "mountcore/source.h"

#include "box.h"
#include "disk.h"
#include "scratch.h"

#define SUB SOURCE "/sub" /* a directory with a mount on it where a case says so */

static void replace_directory(void)
{
	assert_int_equal(unlink(SOURCE "/file"), 0);
	assert_int_equal(rmdir(SOURCE), 0);
	scratch_mkdir(SOURCE); /* the next free inode number may be the one of then */
	scratch_write(SOURCE "/file");
}

static void rename_directory(void)
{
	assert_int_equal(rename(SOURCE, SOURCE ".old"), 0);
}

static void rename_and_make(void)
{
	rename_directory();
	scratch_mkdir(SOURCE);
}

static void rename_there_and_back(void)
{
	rename_directory();
	assert_int_equal(rename(SOURCE ".old", SOURCE), 0);
}

static void make_file(void)
{
	assert_int_equal(unlink(SOURCE "/file"), 0);
	assert_int_equal(rmdir(SOURCE), 0);
	scratch_write(SOURCE);
}

static void mount_over(void)
{
	scratch_mount_tmpfs(SOURCE);
}

static void make_sub(void)
{
	scratch_mkdir(SUB);
}

static void mount_sub(void)
{
	scratch_mkdir(SUB);
	scratch_mount_tmpfs(SUB);
}

static void mount_deep(void)
{
	mount_sub();
	scratch_mkdir(SUB "/deep");
	scratch_mount_tmpfs(SUB "/deep");
}

static void umount_sub(void)
{
	scratch_umount(SUB);
}

static void exchange_sub(void)
{
	scratch_umount(SUB);
	scratch_mount_tmpfs(SUB);
}

static void umount_deep(void)
{
	scratch_umount(SUB "/deep");
}

static void mount_unbindable(void)
{
	mount_sub();
	scratch_make_unbindable(SUB);
}

static void write_in_it(void)
{
	scratch_write(SOURCE "/more");
}

static const struct change {
	const char *name;
	void (*before)(void); /* the attach */
	void (*after)(void);
	int rc;
	enum mc_source_is is;
} changes[] = {
	{"nothing", NULL, NULL, 0, MC_SOURCE_SAME},
	{"a file written", NULL, write_in_it, 0, MC_SOURCE_SAME},
	{"renamed and back", NULL, rename_there_and_back, 0, MC_SOURCE_SAME},
	{"deleted and made again", NULL, replace_directory, 0, MC_SOURCE_OTHER},
	{"renamed", NULL, rename_directory, -ENOENT, MC_SOURCE_SAME},
	{"renamed, another made", NULL, rename_and_make, 0, MC_SOURCE_OTHER},
	{"a file now", NULL, make_file, 0, MC_SOURCE_OTHER},
	{"mounted over", NULL, mount_over, 0, MC_SOURCE_OTHER},
	{"with a mount in it", mount_sub, NULL, 0, MC_SOURCE_SAME},
	{"with mounts in it", mount_deep, NULL, 0, MC_SOURCE_SAME},
	{"with one that no clone has", mount_unbindable, NULL, 0, MC_SOURCE_SAME},
	{"a mount in it", NULL, mount_sub, 0, MC_SOURCE_MOUNTS},
	{"a mount in it gone", mount_sub, umount_sub, 0, MC_SOURCE_MOUNTS},
	{"a mount in it exchanged", mount_sub, exchange_sub, 0, MC_SOURCE_MOUNTS},
	{"a deep one gone", mount_deep, umount_deep, 0, MC_SOURCE_MOUNTS},
	{"a directory in it", NULL, make_sub, 0, MC_SOURCE_SAME},
};

static int compare(
	struct attach_fixture *scene, const char *subpath, bool has_others, enum mc_source_is *ret)
{
	struct mc_source_args args = {
		.source = SOURCE,
		.subpath = subpath,
		.is_look = true,
		.root = scene->info.source,
		.mountinfo_id = scene->info.mountinfo_id,
		.has_others = has_others,
	};
	int rc = mc_mounts_read(scene->core, scene->ns.ns_fd, &args.mounts, NULL);

	assert_int_equal(rc, 0);
	scene->err = (struct mc_err){0};
	rc = mc_source_compare(scene->core, &args, ret, &scene->err);
	mc_mounts_free(args.mounts);
	return rc;
}

static const struct change *now;

static void change_source(void)
{
	struct attach_fixture scene;
	enum mc_source_is is = MC_SOURCE_SAME;

	scene_open(&scene);
	if (now->before)
		now->before();
	assert_int_equal(scene_attach(&scene, "/mnt/a"), 0);
	if (now->after)
		now->after();
	assert_int_equal(compare(&scene, NULL, false, &is), now->rc);
	assert_int_equal(is, now->is);
	scene_close(&scene);
}

TEST(each_change_of_the_source_is_told)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		now = &changes[i];
		print_message("%s\n", now->name);
		hv_in_namespace(change_source);
	}
}

/* ext4 gives a new directory the number of one that was just removed. */
SCENE_TEST(a_mount_keeps_the_number_of_its_deleted_directory)
{
	struct mc_attach_args args;
	struct mc_source_args compared = {.source = DISK_SOURCE};
	enum mc_source_is is = MC_SOURCE_SAME;
	struct stat before, after;

	disk_open();
	args = scene_args(scene, "/mnt/a");
	args.source = DISK_SOURCE;
	assert_int_equal(unlink(DISK_SOURCE "/file"), 0);
	assert_int_equal(stat(DISK_SOURCE, &before), 0);
	assert_int_equal(rmdir(DISK_SOURCE), 0);
	scratch_mkdir(DISK_SOURCE);
	assert_int_equal(stat(DISK_SOURCE, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino); /* the number is reused */
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(rmdir(DISK_SOURCE), 0);
	scratch_mkdir(DISK_SOURCE);
	compared.root = scene->info.source;
	compared.mountinfo_id = scene->info.mountinfo_id;
	assert_int_equal(mc_mounts_read(scene->core, scene->ns.ns_fd, &compared.mounts, NULL), 0);
	assert_int_equal(mc_source_compare(scene->core, &compared, &is, NULL), 0);
	assert_int_equal(is, MC_SOURCE_OTHER);
	mc_mounts_free(compared.mounts);
	assert_int_equal(scene_detach(scene, true), 0);
	disk_close();
}

/* Files are replaced by a rename, as editors do. */
SCENE_TEST(a_file_that_was_renamed_over_is_told)
{
	struct mc_attach_args args;
	enum mc_source_is is = MC_SOURCE_OTHER;

	args = scene_args(scene, "/mnt/conf");
	args.subpath = "file";
	args.may_be_file = true;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(compare(scene, "file", false, &is), 0);
	assert_int_equal(is, MC_SOURCE_SAME);
	scratch_write(SOURCE "/new");
	assert_int_equal(rename(SOURCE "/new", SOURCE "/file"), 0);
	assert_int_equal(compare(scene, "file", false, &is), 0);
	assert_int_equal(is, MC_SOURCE_OTHER);
	assert_int_equal(unlink(SOURCE "/file"), 0);
	assert_int_equal(compare(scene, "file", false, &is), -ENOENT);
	assert_int_equal(scene->err.step, MC_STEP_SUBPATH);
}

SCENE_TEST(what_the_container_mounts_below_is_no_change_of_the_source)
{
	enum mc_source_is is = MC_SOURCE_OTHER;

	scratch_mkdir(SUB);
	assert_int_equal(scene_attach(scene, "/mnt/a"), 0);
	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt/a/sub"), 0);
	assert_int_equal(compare(scene, NULL, true, &is), 0);
	assert_int_equal(is, MC_SOURCE_SAME);
	assert_int_equal(compare(scene, NULL, false, &is), 0);
	assert_int_equal(is, MC_SOURCE_MOUNTS);
	scratch_mount_tmpfs(SUB);
	assert_int_equal(compare(scene, NULL, true, &is), 0);
	assert_int_equal(is, MC_SOURCE_MOUNTS);
}

/* Its root is deleted: the kernel's path of it has a word more. */
SCENE_TEST(a_mount_whose_directory_was_deleted_is_replaced_and_detached)
{
	static const enum mc_replace ways[] = {MC_REPLACE_ATOMIC, MC_REPLACE_ANYHOW};
	struct mc_attach_args args;
	struct mc_own own;

	args = scene_args(scene, "/mnt/a (deleted)");
	args.own = &own;
	args.own_count = 1;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i] == MC_REPLACE_ATOMIC && !scratch_kernel_goes_beneath())
			continue;
		args.replace = MC_REPLACE_NO;
		own = (struct mc_own){.mount_id = 0};
		assert_int_equal(scene_attach_args(scene, &args), 0);
		replace_directory();
		assert_int_equal(scene_attach_args(scene, &args), -EBUSY);
		assert_int_equal(scene->err.step, MC_STEP_OCCUPIED);
		args.replace = ways[i];
		own = (struct mc_own){scene->info.mount_id, scene->info.source};
		assert_int_equal(scene_attach_args(scene, &args), 0);
		assert_string_equal(scene->info.path, "/mnt/a (deleted)");
		assert_int_equal(access(box_path(&scene->box, "/mnt/a (deleted)/file"), F_OK), 0);
		replace_directory();
		assert_int_equal(scene_detach(scene, false), 0);
	}
}

SCENE_TEST(a_server_that_ended_is_not_attached)
{
	struct mc_source_args args = {.source = SOURCE};
	struct mc_own own;
	enum mc_source_is is = MC_SOURCE_SAME;
	char real[PATH_MAX];
	int server, dead;

	assert_int_equal(scene_attach(scene, "/mnt/a"), 0);
	server = scratch_mount_silent(SOURCE);
	if (server < 0)
		print_message("this machine has no FUSE\n");
	if (server >= 0) {
		assert_int_equal(compare(scene, NULL, false, &is), -ETIMEDOUT);
		close(server);
		/* It is not asked again so soon, by who only looks. */
		assert_int_equal(compare(scene, NULL, false, &is), -ETIMEDOUT);
		dead = scratch_dead_code(SOURCE);
		assert_int_equal(scene_attach(scene, "/mnt/b"), dead);
		assert_true(mc_err_is_dead(scene->err.code));
		assert_int_equal(scene->err.step, MC_STEP_SOURCE);
		assert_int_equal(mc_host_resolve(scene->core, SOURCE, real, NULL, NULL), dead);
		assert_int_equal(
			mc_source_compare_own(scene->core, &args, SOURCE, &is, &own, NULL), dead);
		scratch_umount(SOURCE);
		assert_int_equal(compare(scene, NULL, false, &is), 0);
		assert_int_equal(is, MC_SOURCE_SAME);
	}
}

SCENE_TEST(a_mount_of_our_own_namespace_is_compared_by_its_path)
{
	struct mc_source_args args = {.source = SOURCE};
	struct mc_own own;
	enum mc_source_is is = MC_SOURCE_SAME;

	scratch_mkdir("/tmp/own");
	assert_int_equal(mc_source_compare_own(scene->core, &args, "/tmp/own", &is, &own, NULL), 0);
	assert_int_equal(is, MC_SOURCE_NONE);
	scratch_bind(SOURCE, "/tmp/own");
	assert_int_equal(mc_source_compare_own(scene->core, &args, "/tmp/own", &is, &own, NULL), 0);
	assert_int_equal(is, MC_SOURCE_SAME);
	scratch_mkdir(SUB);
	scratch_mount_tmpfs(SUB);
	assert_int_equal(mc_source_compare_own(scene->core, &args, "/tmp/own", &is, &own, NULL), 0);
	assert_int_equal(is, MC_SOURCE_MOUNTS);
	scratch_umount(SUB);
	assert_int_equal(rmdir(SUB), 0);
	replace_directory();
	assert_int_equal(mc_source_compare_own(scene->core, &args, "/tmp/own", &is, &own, NULL), 0);
	assert_int_equal(is, MC_SOURCE_OTHER);
	rename_directory();
	assert_int_equal(
		mc_source_compare_own(scene->core, &args, "/tmp/own", &is, &own, NULL), -ENOENT);
	scratch_umount("/tmp/own");
	assert_int_equal(mc_source_compare_own(scene->core, &args, "/tmp/own", &is, &own, NULL), 0);
	assert_int_equal(is, MC_SOURCE_NONE);
}

TEST_MAIN_PRIVILEGED()

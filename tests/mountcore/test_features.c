/* SPDX-License-Identifier: Apache-2.0 */
/* Files, subpaths, read-only roots. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "box.h"
#include "scratch.h"

static struct mc_attach_args file_args(const struct attach_fixture *scene, const char *target)
{
	struct mc_attach_args args = scene_args(scene, target);

	args.source = SOURCE "/file";
	args.may_be_file = true;
	return args;
}

static bool is_content(const struct attach_fixture *scene, const char *path)
{
	return box_has_file(&scene->box, path);
}

SCENE_TEST(a_file_goes_onto_a_file_that_stays)
{
	struct mc_attach_args args;

	scratch_write(box_path(&scene->box, "/mnt/own"));
	args = file_args(scene, "/mnt/own");
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_false(scene->info.is_dir);
	assert_int_equal(scene->info.made.count, 0);
	assert_true(is_content(scene, "/mnt/own"));
	assert_int_equal(scene_detach(scene, false), 0);
	assert_true(scratch_exists(box_path(&scene->box, "/mnt/own")));
	assert_false(is_content(scene, "/mnt/own"));
}

NS_TEST(a_missing_file_is_made_and_removed_again)
{
	struct attach_fixture scene;
	struct mc_attach_args args;
	struct stat made;
	unsigned files;

	umask(077);
	scene_open(&scene);
	files = box_count_files(&scene.box);
	args = file_args(&scene, "/mnt/a/new");
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(is_content(&scene, "/mnt/a/new"));
	assert_int_equal(scene.info.made.count, 2);
	assert_true(scene.info.made.is_file);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_int_equal(box_count_files(&scene.box), files);

	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(box_run(&scene.box, in_umount, "/mnt/a/new"), 0);
	assert_int_equal(stat(box_path(&scene.box, "/mnt/a/new"), &made), 0);
	assert_int_equal(made.st_mode, S_IFREG | 0644);
	assert_int_equal(made.st_size, 0);
	assert_int_equal(made.st_ino, scene.info.made.ids[1].ino);
	assert_int_equal(scene_detach(&scene, false), -ENOENT);
	assert_int_equal(scene.err.step, MC_STEP_IDENTITY);
	assert_int_equal(box_count_files(&scene.box), files);
	scene_close(&scene);
}

SCENE_TEST(a_made_file_that_someone_wrote_into_stays)
{
	struct mc_attach_args args;

	args = file_args(scene, "/mnt/a/new");
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(box_run(&scene->box, in_umount, "/mnt/a/new"), 0);
	assert_int_equal(truncate(box_path(&scene->box, "/mnt/a/new"), 1), 0);
	assert_int_equal(scene_detach(scene, false), -ENOENT);
	assert_true(scratch_exists(box_path(&scene->box, "/mnt/a/new")));
}

SCENE_TEST(a_socket_can_be_attached_and_connected_to)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOURCE "/socket"};
	struct mc_attach_args args;
	struct stat found;
	mc_auto_fd server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mc_auto_fd client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server, 1), 0);
	args = scene_args(scene, "/mnt/socket");
	args.source = SOURCE "/socket";
	args.may_be_file = true;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(stat(box_path(&scene->box, "/mnt/socket"), &found), 0);
	assert_true(S_ISSOCK(found.st_mode));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		box_path(&scene->box, "/mnt/socket"));
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(scene_detach(scene, false), 0);
	assert_false(scratch_exists(box_path(&scene->box, "/mnt/socket")));
}

SCENE_TEST(a_file_and_a_directory_do_not_go_together)
{
	struct mc_attach_args args;

	scratch_write(box_path(&scene->box, "/mnt/own"));
	args = scene_args(scene, "/mnt/own");
	scene_expect_refused(scene, &args, MC_STEP_TYPE, -ENOTDIR);
	args = file_args(scene, "/mnt");
	scene_expect_refused(scene, &args, MC_STEP_TYPE, -EISDIR);
	args = file_args(scene, "/mnt/own/below");
	scene_expect_refused(scene, &args, MC_STEP_TARGET, -ENOTDIR);
	args = file_args(scene, "/mnt/new");
	args.may_be_file = false;
	scene_expect_refused(scene, &args, MC_STEP_SOURCE, -ENOTDIR);
	args = file_args(scene, "/mnt/new");
	args.mkdir = false;
	scene_expect_refused(scene, &args, MC_STEP_TARGET, -ENOENT);
}

static struct mc_attach_args sub_args(const struct attach_fixture *scene, const char *subpath)
{
	struct mc_attach_args args = scene_args(scene, "/mnt");

	args.subpath = subpath;
	return args;
}

NS_TEST(a_subpath_stays_in_the_source)
{
	static const struct {
		const char *subpath;
		int code;
	} refused[] = {
		{"out", -EXDEV},
		{"up", -EXDEV},
		{"..", -EXDEV},
		{"sub/../..", -EXDEV},
		{"missing", -ENOENT},
		{"file/below", -ENOTDIR},
		{"round", -ELOOP},
	};
	struct attach_fixture scene;
	struct mc_attach_args args;

	scene_open(&scene);
	scratch_mkdir(SOURCE "/sub");
	scratch_mkdir(SOURCE "/sub/deep");
	scratch_write(SOURCE "/sub/deep/there");
	assert_int_equal(symlink("sub/deep", SOURCE "/in"), 0);
	assert_int_equal(symlink("/etc", SOURCE "/out"), 0);
	assert_int_equal(symlink("../..", SOURCE "/up"), 0);
	assert_int_equal(symlink("round", SOURCE "/round"), 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		args = sub_args(&scene, refused[i].subpath);
		scene_expect_refused(&scene, &args, MC_STEP_SUBPATH, refused[i].code);
	}
	args = sub_args(&scene, "sub/deep");
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(scratch_exists(box_path(&scene.box, "/mnt/there")));
	assert_int_equal(scene_detach(&scene, false), 0);
	args = sub_args(&scene, "in");
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(scratch_exists(box_path(&scene.box, "/mnt/there")));
	assert_int_equal(scene_detach(&scene, false), 0);
	scene_close(&scene);
}

NS_TEST(a_source_beneath_a_directory_is_not_reached_over_a_link)
{
	struct attach_fixture scene;
	struct mc_attach_args args;

	scratch_mkdir("/tmp/base");
	scratch_mkdir("/tmp/base/real");
	scratch_mkdir("/tmp/base/real/deep");
	scratch_mkdir("/tmp/base.not");
	assert_int_equal(symlink("/tmp/source", "/tmp/base/link"), 0);
	assert_int_equal(symlink("real", "/tmp/base/near"), 0);
	scene_open(&scene);
	args = scene_args(&scene, "/mnt");
	args.beneath = "/tmp/base";
	scene_expect_refused(&scene, &args, MC_STEP_SOURCE, -EINVAL);
	args.source = "/tmp/base.not";
	scene_expect_refused(&scene, &args, MC_STEP_SOURCE, -EINVAL);
	args.source = "/tmp/base/link";
	scene_expect_refused(&scene, &args, MC_STEP_SOURCE, -ELOOP);
	args.source = "/tmp/base/near/deep";
	scene_expect_refused(&scene, &args, MC_STEP_SOURCE, -ELOOP);
	args.source = "/tmp/base/../source";
	scene_expect_refused(&scene, &args, MC_STEP_SOURCE, -EXDEV);
	args.source = "/tmp/base/missing";
	scene_expect_refused(&scene, &args, MC_STEP_SOURCE, -ENOENT);
	args.source = "/tmp/base/real/deep";
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	args.source = "/tmp/base";
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(scratch_exists(box_path(&scene.box, "/mnt/real/deep")));
	assert_int_equal(scene_detach(&scene, false), 0);
	scene_close(&scene);
}

static void check_read_only(struct attach_fixture *scene, const struct mc_attach_args *args)
{
	unsigned files = box_count_files(&scene->box);
	char *before = read_mounts(scene->box.pid), *after;

	assert_int_equal(scene_attach_args(scene, args), 0);
	assert_int_equal(scene->info.made.count, 3);
	assert_int_equal(scratch_try_write(box_path(&scene->box, "/x")), -EROFS);
	assert_int_equal(scratch_try_write(box_path(&scene->box, "/opt/x")), -EROFS);
	assert_int_equal(scene_detach(scene, false), 0);
	assert_int_equal(box_count_files(&scene->box), files);
	assert_int_equal(scratch_try_write(box_path(&scene->box, "/x")), -EROFS);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

SCENE_TEST(a_read_only_root_gets_directories_and_another_mount_does_not)
{
	struct mc_attach_args args;

	assert_int_equal(box_run(&scene->box, in_mount_tmpfs, "/mnt"), 0);
	assert_int_equal(box_run(&scene->box, in_remount_read_only, "/mnt"), 0);
	assert_int_equal(box_run(&scene->box, in_remount_read_only, "/"), 0);
	args = scene_args(scene, "/opt/a/b");
	check_read_only(scene, &args);
	args = file_args(scene, "/opt/a/file");
	check_read_only(scene, &args);
	args = scene_args(scene, "/mnt/new/below");
	scene_expect_refused(scene, &args, MC_STEP_MKDIR, -EROFS);
	args = file_args(scene, "/mnt/new");
	scene_expect_refused(scene, &args, MC_STEP_MKDIR, -EROFS);
}

TEST_MAIN_PRIVILEGED()

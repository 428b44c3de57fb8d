/* Files, subpaths, replacing, read-only roots. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "box.h"
#include "scratch.h"

static void expect(
	struct scene *scene, const struct mc_attach_args *args, enum mc_step step, int code)
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

static struct mc_attach_args file_args(const struct scene *scene, const char *target)
{
	struct mc_attach_args args = scene_args(scene, target);

	args.source = SOURCE "/file";
	args.may_be_file = true;
	return args;
}

static bool is_content(const struct scene *scene, const char *path)
{
	return box_has_file(&scene->box, path);
}

static void file_on_file(void)
{
	struct scene scene;
	struct mc_attach_args args;

	scene_open(&scene);
	scratch_write(box_path(&scene.box, "/mnt/own"));
	args = file_args(&scene, "/mnt/own");
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_false(scene.info.is_dir);
	assert_int_equal(scene.info.made.count, 0);
	assert_true(is_content(&scene, "/mnt/own"));
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_true(scratch_exists(box_path(&scene.box, "/mnt/own")));
	assert_false(is_content(&scene, "/mnt/own"));
	scene_close(&scene);
}

static void a_file_goes_onto_a_file_that_stays(void **state)
{
	(void)state;
	hv_in_namespace(file_on_file);
}

static void file_on_missing(void)
{
	struct scene scene;
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

static void a_missing_file_is_made_and_removed_again(void **state)
{
	(void)state;
	hv_in_namespace(file_on_missing);
}

static void file_written(void)
{
	struct scene scene;
	struct mc_attach_args args;

	scene_open(&scene);
	args = file_args(&scene, "/mnt/a/new");
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(box_run(&scene.box, in_umount, "/mnt/a/new"), 0);
	assert_int_equal(truncate(box_path(&scene.box, "/mnt/a/new"), 1), 0);
	assert_int_equal(scene_detach(&scene, false), -ENOENT);
	assert_true(scratch_exists(box_path(&scene.box, "/mnt/a/new")));
	scene_close(&scene);
}

static void a_made_file_that_someone_wrote_into_stays(void **state)
{
	(void)state;
	hv_in_namespace(file_written);
}

static void socket_source(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOURCE "/socket"};
	struct scene scene;
	struct mc_attach_args args;
	struct stat found;
	mc_auto_fd server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mc_auto_fd client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	scene_open(&scene);
	assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server, 1), 0);
	args = scene_args(&scene, "/mnt/socket");
	args.source = SOURCE "/socket";
	args.may_be_file = true;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(stat(box_path(&scene.box, "/mnt/socket"), &found), 0);
	assert_true(S_ISSOCK(found.st_mode));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		box_path(&scene.box, "/mnt/socket"));
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_false(scratch_exists(box_path(&scene.box, "/mnt/socket")));
	scene_close(&scene);
}

static void a_socket_can_be_attached_and_connected_to(void **state)
{
	(void)state;
	hv_in_namespace(socket_source);
}

static void mismatches(void)
{
	struct scene scene;
	struct mc_attach_args args;

	scene_open(&scene);
	scratch_write(box_path(&scene.box, "/mnt/own"));
	args = scene_args(&scene, "/mnt/own");
	expect(&scene, &args, MC_STEP_TYPE, -ENOTDIR);
	args = file_args(&scene, "/mnt");
	expect(&scene, &args, MC_STEP_TYPE, -EISDIR);
	args = file_args(&scene, "/mnt/own/below");
	expect(&scene, &args, MC_STEP_TARGET, -ENOTDIR);
	args = file_args(&scene, "/mnt/new");
	args.may_be_file = false;
	expect(&scene, &args, MC_STEP_SOURCE, -ENOTDIR);
	args = file_args(&scene, "/mnt/new");
	args.mkdir = false;
	expect(&scene, &args, MC_STEP_TARGET, -ENOENT);
	scene_close(&scene);
}

static void a_file_and_a_directory_do_not_go_together(void **state)
{
	(void)state;
	hv_in_namespace(mismatches);
}

static struct mc_attach_args sub_args(const struct scene *scene, const char *subpath)
{
	struct mc_attach_args args = scene_args(scene, "/mnt");

	args.subpath = subpath;
	return args;
}

static void subpaths(void)
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
	struct scene scene;
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
		expect(&scene, &args, MC_STEP_SUBPATH, refused[i].code);
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

static void a_subpath_stays_in_the_source(void **state)
{
	(void)state;
	hv_in_namespace(subpaths);
}

static void beneath(void)
{
	struct scene scene;
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
	expect(&scene, &args, MC_STEP_SOURCE, -EINVAL);
	args.source = "/tmp/base.not";
	expect(&scene, &args, MC_STEP_SOURCE, -EINVAL);
	args.source = "/tmp/base/link";
	expect(&scene, &args, MC_STEP_SOURCE, -ELOOP);
	args.source = "/tmp/base/near/deep";
	expect(&scene, &args, MC_STEP_SOURCE, -ELOOP);
	args.source = "/tmp/base/../source";
	expect(&scene, &args, MC_STEP_SOURCE, -EXDEV);
	args.source = "/tmp/base/missing";
	expect(&scene, &args, MC_STEP_SOURCE, -ENOENT);
	args.source = "/tmp/base/real/deep";
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	args.source = "/tmp/base";
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	assert_true(scratch_exists(box_path(&scene.box, "/mnt/real/deep")));
	assert_int_equal(scene_detach(&scene, false), 0);
	scene_close(&scene);
}

static void a_source_beneath_a_directory_is_not_reached_over_a_link(void **state)
{
	(void)state;
	hv_in_namespace(beneath);
}

/* The reader of the box: opens a file until that fails, which ends it. */
static pid_t reader;

static int in_start_reader(const char *path)
{
	int started[2], fd;
	char byte = 0;

	if (pipe(started) < 0)
		return -errno;
	reader = fork();
	if (reader > 0) {
		close(started[1]);
		fd = read(started[0], &byte, 1) == 1 ? 0 : -EIO;
		close(started[0]);
		return fd;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (bool first = true; (fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0; first = false) {
		close(fd);
		if (first && write(started[1], &byte, 1) != 1)
			break;
	}
	_exit(1);
}

static int in_stop_reader(const char *text)
{
	int status = 0;

	(void)text;
	kill(reader, SIGTERM);
	if (waitpid(reader, &status, 0) != reader)
		return -ECHILD;
	return WIFSIGNALED(status) ? 0 : -EIO;
}

static unsigned count_mounts_at(const struct scene *scene, const char *target)
{
	char *text = read_mounts(scene->box.pid), *next = text;
	unsigned count = 0;

	for (char *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
		char at[256];

		if (sscanf(line, "%*u %*u %*s %*s %255s", at) == 1)
			count += strcmp(at, target) == 0;
	}
	free(text);
	return count;
}

static void replace_many(enum mc_replace replace, bool has_reader)
{
	static const char *const sources[] = {SOURCE, "/tmp/other"};
	struct scene scene;
	struct mc_attach_args args;
	struct mc_own own;

	scene_open(&scene);
	scratch_mkdir("/tmp/other");
	scratch_write("/tmp/other/file");
	assert_int_equal(scene_attach(&scene, "/mnt"), 0);
	args = scene_args(&scene, "/mnt");
	args.source = sources[1];
	expect(&scene, &args, MC_STEP_OCCUPIED, -EBUSY);
	args.replace = replace;
	if (has_reader)
		assert_int_equal(box_run(&scene.box, in_start_reader, "/mnt/file"), 0);
	for (unsigned i = 1; i <= 101; i++) {
		own = (struct mc_own){scene.info.mount_id, scene.info.source};
		args.own = &own;
		args.own_count = 1;
		args.source = sources[i % 2];
		assert_int_equal(scene_attach_args(&scene, &args), 0);
		assert_int_not_equal(scene.info.mount_id, own.mount_id);
		assert_int_equal(box_has_file(&scene.box, "/mnt/file"), i % 2 == 0);
		assert_int_equal(count_mounts_at(&scene, "/mnt"), 1);
	}
	if (has_reader)
		assert_int_equal(box_run(&scene.box, in_stop_reader, ""), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_int_equal(count_mounts_at(&scene, "/mnt"), 0);
	scene_close(&scene);
}

/* Before 6.5 an atomic replacement is refused, and the old mount stays. */
static bool refuses_to_go_beneath(void)
{
	struct scene scene;
	struct mc_attach_args args;
	struct mc_own own;

	if (scratch_kernel_goes_beneath())
		return false;
	scene_open(&scene);
	assert_int_equal(scene_attach(&scene, "/mnt"), 0);
	own = (struct mc_own){scene.info.mount_id, scene.info.source};
	args = scene_args(&scene, "/mnt");
	args.replace = MC_REPLACE_ATOMIC;
	args.own = &own;
	args.own_count = 1;
	expect(&scene, &args, MC_STEP_REPLACE, -EOPNOTSUPP);
	assert_int_equal(count_mounts_at(&scene, "/mnt"), 1);
	scene_close(&scene);
	return true;
}

static void replace_atomically(void)
{
	if (!refuses_to_go_beneath())
		replace_many(MC_REPLACE_ATOMIC, true);
}

static void an_atomic_replacement_is_never_seen_missing(void **state)
{
	(void)state;
	hv_in_namespace(replace_atomically);
}

static void replace_anyhow(void)
{
	replace_many(MC_REPLACE_ANYHOW, false);
}

static void a_replacement_anyhow_takes_the_old_mount_out(void **state)
{
	(void)state;
	hv_in_namespace(replace_anyhow);
}

/* What is below a mount that is covered: seen again when the one on it is detached. */
static void replace_foreign(void)
{
	struct scene scene;
	struct mc_attach_args args;

	scene_open(&scene);
	for (int replace = MC_REPLACE_ATOMIC; replace <= MC_REPLACE_ANYHOW; replace++) {
		args = scene_args(&scene, "/mnt/new");
		args.replace = (enum mc_replace)replace;
		assert_int_equal(scene_attach_args(&scene, &args), 0);
		assert_false(scene.info.is_covering);
		assert_int_equal(scene_detach(&scene, false), 0);
		assert_false(scratch_exists(box_path(&scene.box, "/mnt/new")));
	}
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	scratch_write(box_path(&scene.box, "/mnt/below"));
	for (int replace = MC_REPLACE_ATOMIC; replace <= MC_REPLACE_ANYHOW; replace++) {
		args.target = "/mnt"; /* the container's own */
		args.replace = (enum mc_replace)replace;
		assert_int_equal(scene_attach_args(&scene, &args), 0);
		assert_true(scene.info.is_covering);
		assert_true(is_content(&scene, "/mnt/file"));
		assert_int_equal(count_mounts_at(&scene, "/mnt"), 2);
		assert_int_equal(scene_detach(&scene, false), 0);
		assert_int_equal(count_mounts_at(&scene, "/mnt"), 1);
		assert_true(scratch_exists(box_path(&scene.box, "/mnt/below")));
	}
	scene_close(&scene);
}

static void replacing_covers_what_the_container_mounted(void **state)
{
	(void)state;
	hv_in_namespace(replace_foreign);
}

static void replace_on_foreign(void)
{
	static const char *const sources[] = {SOURCE, "/tmp/other"};
	int first = scratch_kernel_goes_beneath() ? MC_REPLACE_ATOMIC : MC_REPLACE_ANYHOW;
	struct scene scene;
	struct mc_attach_args args;
	struct mc_own own;

	scene_open(&scene);
	scratch_mkdir("/tmp/other");
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	scratch_write(box_path(&scene.box, "/mnt/below"));
	args = scene_args(&scene, "/mnt");
	args.replace = MC_REPLACE_ATOMIC;
	assert_int_equal(scene_attach_args(&scene, &args), 0);
	for (int replace = first; replace <= MC_REPLACE_ANYHOW; replace++) {
		own = (struct mc_own){scene.info.mount_id, scene.info.source};
		args.own = &own;
		args.own_count = 1;
		args.replace = (enum mc_replace)replace;
		args.source = sources[replace % 2];
		assert_int_equal(scene_attach_args(&scene, &args), 0);
		assert_false(scene.info.is_covering);
		assert_int_equal(count_mounts_at(&scene, "/mnt"), 2);
	}
	assert_int_equal(scene_detach(&scene, false), 0);
	assert_true(scratch_exists(box_path(&scene.box, "/mnt/below")));
	/* A mount of its own that shares with others is nobody's place. */
	assert_int_equal(box_run(&scene.box, in_share, "/mnt"), 0);
	args.own_count = 0;
	expect(&scene, &args, MC_STEP_SHARED, -EINVAL);
	scene_close(&scene);
}

static void replacing_ones_own_leaves_what_is_below_it(void **state)
{
	(void)state;
	hv_in_namespace(replace_on_foreign);
}

static void check_read_only(struct scene *scene, const struct mc_attach_args *args)
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

static void read_only_root(void)
{
	struct scene scene;
	struct mc_attach_args args;

	scene_open(&scene);
	assert_int_equal(box_run(&scene.box, in_mount_tmpfs, "/mnt"), 0);
	assert_int_equal(box_run(&scene.box, in_remount_read_only, "/mnt"), 0);
	assert_int_equal(box_run(&scene.box, in_remount_read_only, "/"), 0);
	args = scene_args(&scene, "/opt/a/b");
	check_read_only(&scene, &args);
	args = file_args(&scene, "/opt/a/file");
	check_read_only(&scene, &args);
	args = scene_args(&scene, "/mnt/new/below");
	expect(&scene, &args, MC_STEP_MKDIR, -EROFS);
	args = file_args(&scene, "/mnt/new");
	expect(&scene, &args, MC_STEP_MKDIR, -EROFS);
	scene_close(&scene);
}

static void a_read_only_root_gets_directories_and_another_mount_does_not(void **state)
{
	(void)state;
	hv_in_namespace(read_only_root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_goes_onto_a_file_that_stays),
		cmocka_unit_test(a_missing_file_is_made_and_removed_again),
		cmocka_unit_test(a_made_file_that_someone_wrote_into_stays),
		cmocka_unit_test(a_socket_can_be_attached_and_connected_to),
		cmocka_unit_test(a_file_and_a_directory_do_not_go_together),
		cmocka_unit_test(a_subpath_stays_in_the_source),
		cmocka_unit_test(a_source_beneath_a_directory_is_not_reached_over_a_link),
		cmocka_unit_test(an_atomic_replacement_is_never_seen_missing),
		cmocka_unit_test(a_replacement_anyhow_takes_the_old_mount_out),
		cmocka_unit_test(replacing_covers_what_the_container_mounted),
		cmocka_unit_test(replacing_ones_own_leaves_what_is_below_it),
		cmocka_unit_test(a_read_only_root_gets_directories_and_another_mount_does_not),
	};

	return RUN_PRIVILEGED(tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Creating volumes: managed, with a path, refused. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mountcore/host.h"
#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"
#include "world.h"

static char *source_of(struct volume_fixture *world, const char *name)
{
	struct hv_volume volume = {0};
	char *source;

	assert_int_equal(hv_store_volume_get(world->store, name, &volume, &world->err), HV_OK);
	source = volume.source;
	volume.source = NULL;
	hv_volume_done(&volume);
	return source;
}

static void expect_source(struct volume_fixture *world, const char *name, const char *where)
{
	char *source = source_of(world, name), *path = scratch_path(world->dir, where);

	assert_string_equal(source, path);
	free(source);
	free(path);
}

static mode_t mode_of(struct volume_fixture *world, const char *name)
{
	char *path = scratch_path(world->dir, name);
	struct stat stat;

	assert_int_equal(lstat(path, &stat), 0);
	free(path);
	return stat.st_mode & 07777;
}

static void link_to(struct volume_fixture *world, const char *to, const char *name)
{
	char *target = scratch_path(world->dir, to), *path = scratch_path(world->dir, name);

	assert_int_equal(symlink(target, path), 0);
	free(target);
	free(path);
}

static void remove_file(struct volume_fixture *world, const char *name)
{
	char *path = scratch_path(world->dir, name);

	assert_int_equal(unlink(path), 0);
	free(path);
}

WORLD_TEST(a_volume_without_options_gets_a_directory)
{
	mode_t old = umask(077);

	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	umask(old);
	expect_source(world, "data", "state/volumes/data/_data");
	assert_int_equal(mode_of(world, "state/volumes/data/_data"), 0755);
	assert_int_equal(world_create(world, "read.only-1_x", "ro=true", NULL), HV_OK);
	assert_true(world_has(world, "state/volumes/read.only-1_x/_data"));
}

static char synced[256]; /* the directories in their order, each " NAME" */

/* The call of the code under test lands here: the program's own symbol goes before libc's. */
__attribute__((visibility("default"))) int fsync(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t length;
	struct stat is;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length > 0 && fstat(fd, &is) == 0 && S_ISDIR(is.st_mode)) {
		path[length] = '\0';
		strncat(synced, " ", sizeof(synced) - strlen(synced) - 1);
		strncat(synced, strrchr(path, '/') + 1, sizeof(synced) - strlen(synced) - 1);
	}
	return (int)syscall(SYS_fsync, fd);
}

/* A power cut after the answer leaves the volume its directory. */
WORLD_TEST(create_of_managed_volume_syncs_each_directory_once)
{
	assert_int_equal(world_create(world, "first", NULL, NULL), HV_OK); /* with volumes/ */
	synced[0] = '\0';
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_string_equal(synced, " _data data volumes");
	world_mkdir(world, "state/volumes/half");
	synced[0] = '\0';
	assert_int_equal(world_create(world, "half", NULL, NULL), HV_OK);
	assert_string_equal(synced, " _data half");
	assert_int_equal(mode_of(world, "state/volumes/data"), 0711);
}

WORLD_TEST(the_same_again_is_fine_and_other_options_are_not)
{
	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "data", "path=%s/srv", "ro=true"), HV_OK);
	assert_int_equal(world_create(world, "data", "ro=true", "path=%s/srv"), HV_OK);
	assert_int_equal(world_create(world, "data", "path=%s/srv", NULL), HV_VOLUME_EXISTS);
	assert_true(world_told(world, "'data' exists already with other options"));
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_VOLUME_EXISTS);
	assert_false(world_has(world, "state/volumes/data"));
	expect_source(world, "data", "srv");
}

WORLD_TEST(bad_names_are_refused_before_anything_is_made)
{
	static const char *const names[] = {"", "a", "..", ".", "../x", "a/b", "-rf", "_a",
		".hidden", "a b", "a\nb", "\xc3\xbc\xc3\xbc", "a:b"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(world_create(world, names[i], NULL, NULL), HV_BAD_REQUEST);
	assert_int_equal(row_count_volumes(world->store), 0);
	assert_false(world_has(world, "state/volumes"));
}

WORLD_TEST(a_name_of_255_bytes_works_through_its_whole_life)
{
	char name[257];

	memset(name, 'a', 256);
	name[256] = '\0';
	assert_int_equal(world_create(world, name, NULL, NULL), HV_BAD_REQUEST);
	name[255] = '\0';
	assert_int_equal(world_create(world, name, NULL, NULL), HV_OK);
	assert_int_equal(world_mount(world, name, "id"), HV_OK);
	assert_int_equal(world_unmount(world, name, "id"), HV_OK);
	assert_int_equal(world_remove(world, name), HV_OK);
}

WORLD_TEST(a_path_is_recorded_with_its_symlinks_resolved)
{
	world_mkdir(world, "srv/real");
	link_to(world, "srv", "link");
	assert_int_equal(world_create(world, "data", "path=%s/link/./real/", NULL), HV_OK);
	expect_source(world, "data", "srv/real");
}

WORLD_TEST(a_path_that_is_no_directory_is_refused)
{
	world_write(world, "file", "");
	link_to(world, "nowhere", "dangling");
	assert_int_equal(world_create(world, "data", "path=%s/nowhere", NULL), HV_SOURCE_MISSING);
	assert_true(world_told(world, "/nowhere"));
	assert_true(world_told(world, "mkdir=true"));
	assert_int_equal(world_create(world, "data", "path=%s/dangling", NULL), HV_SOURCE_MISSING);
	assert_int_equal(world_create(world, "data", "path=%s/file", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(world_create(world, "data", "path=%s/file/x", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(world_create(world, "data", "path=srv", NULL), HV_BAD_REQUEST);
	assert_int_equal(world_create(world, "data", "path=", NULL), HV_BAD_REQUEST);
	assert_int_equal(row_count_volumes(world->store), 0);
}

WORLD_TEST(mkdir_makes_the_path_with_its_parents)
{
	assert_int_equal(world_create(world, "data", "path=%s/a/b/c", "mkdir=true"), HV_OK);
	assert_int_equal(mode_of(world, "a/b/c"), 0755);
	expect_source(world, "data", "a/b/c");
	assert_int_equal(world_create(world, "more", "path=%s/a/b/c", "mkdir=true"), HV_OK);
	assert_int_equal(world_create(world, "data2", "mkdir=true", NULL), HV_BAD_REQUEST);
}

/* With files limited to a byte: directories can be made, the record cannot be written. */
static enum hv_code create_unrecorded(
	struct volume_fixture *world, const char *name, const char *first, const char *second)
{
	struct rlimit before, limit;
	enum hv_code code;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){.rlim_cur = 1, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	code = world_create(world, name, first, second);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	return code;
}

WORLD_TEST(a_managed_directory_of_a_create_that_failed_is_gone)
{
	assert_int_equal(create_unrecorded(world, "data", NULL, NULL), HV_STATE_UNREADABLE);
	assert_false(world_has(world, "state/volumes/data"));
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
}

WORLD_TEST(a_path_made_for_a_create_that_failed_is_gone)
{
	assert_int_equal(
		create_unrecorded(world, "data", "path=%s/new", "mkdir=true"), HV_STATE_UNREADABLE);
	assert_false(world_has(world, "new"));
	assert_int_equal(world_create(world, "data", "path=%s/new", "mkdir=true"), HV_OK);
}

WORLD_TEST(a_removal_that_was_begun_does_not_hold_its_name)
{
	assert_int_equal(row_add_volume(world->store, "data"), HV_OK);
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "data", HV_REMOVING, &world->err), HV_OK);
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_true(world_has(world, "state/volumes/data/_data"));
}

WORLD_TEST(only_allowed_directories_can_be_volumes)
{
	char *first = scratch_path(world->dir, "srv"), *second = scratch_path(world->dir, "data/a");

	world_mkdir(world, "srv/in");
	world_mkdir(world, "srvx");
	world_mkdir(world, "data/a");
	world_mkdir(world, "data/b");
	world->allow[0] = first;
	world->allow[1] = second;
	assert_int_equal(world_create(world, "in1", "path=%s/srv", NULL), HV_OK);
	assert_int_equal(world_create(world, "in2", "path=%s/srv/in", NULL), HV_OK);
	assert_int_equal(world_create(world, "in3", "path=%s/data/a", NULL), HV_OK);
	assert_int_equal(world_create(world, "in4", "path=%s/srv/new/er", "mkdir=true"), HV_OK);
	assert_int_equal(world_create(world, "own", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "out", "path=%s/srvx", NULL), HV_SOURCE_REFUSED);
	assert_true(world_told(world, "HOSTVOL_ALLOW"));
	assert_int_equal(world_create(world, "out", "path=%s/data", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(world_create(world, "out", "path=%s/data/b", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(world_create(world, "out", "path=/", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(
		world_create(world, "out", "path=%s/srv/../srvx", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(
		world_create(world, "out", "path=%s/srvx/new", "mkdir=true"), HV_SOURCE_REFUSED);
	assert_false(world_has(world, "srvx/new"));
	free(first);
	free(second);
}

WORLD_TEST(a_symlink_does_not_lead_out_of_what_is_allowed)
{
	char *allowed = scratch_path(world->dir, "srv");

	world_mkdir(world, "srv");
	world_mkdir(world, "secret/inner");
	link_to(world, "secret", "srv/link");
	world->allow[0] = allowed;
	assert_int_equal(world_create(world, "out", "path=%s/srv/link", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(
		world_create(world, "out", "path=%s/srv/link/inner", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(world_create(world, "out", "path=%s/srv/link/new/er", "mkdir=true"),
		HV_SOURCE_REFUSED);
	assert_false(world_has(world, "secret/new"));
	free(allowed);
}

WORLD_TEST(an_allowed_directory_may_be_a_symlink)
{
	char *link = scratch_path(world->dir, "link"),
	     *later = scratch_path(world->dir, "link/new");
	char *plain = scratch_path(world->dir, "plain");

	world_mkdir(world, "disk/in");
	world_mkdir(world, "plain");
	world_mkdir(world, "other");
	link_to(world, "disk", "link");
	world->allow[0] = plain;
	world->allow[1] = link;
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	assert_int_equal(world_create(world, "in1", "path=%s/link/in", NULL), HV_OK);
	assert_int_equal(world_create(world, "in2", "path=%s/disk/in", NULL), HV_OK);
	assert_int_equal(world_create(world, "in3", "path=%s/plain", NULL), HV_OK);
	assert_int_equal(world_mount(world, "in1", "a"), HV_OK);
	assert_int_equal(world_create(world, "out", "path=%s/other", NULL), HV_SOURCE_REFUSED);
	world->allow[0] = later; /* not there yet */
	world->allow[1] = NULL;
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	assert_int_equal(world_create(world, "in4", "path=%s/link/new", "mkdir=true"), HV_OK);
	assert_int_equal(world_create(world, "out", "path=%s/link/in", NULL), HV_SOURCE_REFUSED);
	free(link);
	free(later);
	free(plain);
}

WORLD_TEST(hostvols_own_directory_is_no_source)
{
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	link_to(world, "state", "link");
	assert_int_equal(world_create(world, "out", "path=%s/state", NULL), HV_SOURCE_REFUSED);
	assert_true(world_told(world, "belongs to hostvol"));
	assert_int_equal(world_create(world, "out", "path=%s/state/volumes/data/_data", NULL),
		HV_SOURCE_REFUSED);
	assert_int_equal(
		world_create(world, "out", "path=%s/link/volumes", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(
		world_create(world, "out", "path=%s/link/new", "mkdir=true"), HV_SOURCE_REFUSED);
	assert_false(world_has(world, "state/new"));
	world_mkdir(world, "state2");
	assert_int_equal(world_create(world, "in", "path=%s/state2", NULL), HV_OK);
}

WORLD_TEST(data_that_was_kept_is_not_hidden_by_another_volume)
{
	assert_int_equal(world_create(world, "db", "on-remove=keep", NULL), HV_OK);
	world_write(world, "state/volumes/db/_data/file", "text");
	assert_int_equal(world_remove(world, "db"), HV_OK);
	assert_int_equal(
		world_create(world, "db", "type=tmpfs", "device=tmpfs"), HV_SOURCE_REFUSED);
	assert_true(world_told(world, "option type") && world_told(world, "volume rm db"));
	assert_int_equal(world_create(world, "db", "size=1g", NULL), HV_SOURCE_REFUSED);
	assert_true(world_told(world, "option size"));
	assert_true(world_has(world, "state/volumes/db/_data/file"));
	assert_int_equal(world_create(world, "db", "on-remove=keep", NULL), HV_OK);
	remove_file(world, "state/volumes/db/_data/file");
	assert_int_equal(world_remove(world, "db"), HV_OK);
	assert_int_equal(world_create(world, "db", "type=tmpfs", "device=tmpfs"), HV_OK);
}

/* The root file system's /tmp stands for a disk's mountpoint. */
WORLD_TEST(another_name_requires_the_mount_too)
{
	char *disk = scratch_new(), *option = NULL;

	assert_true(asprintf(&option, "path=%s", disk) >= 0);
	assert_int_equal(mount("disk", disk, "tmpfs", 0, NULL), 0);
	assert_int_equal(world_create(world, "base", option, "require-mount=true"), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=base", NULL), HV_OK);
	assert_int_equal(world_create(world, "second", "from=alias", NULL), HV_OK);
	assert_int_equal(umount(disk), 0);
	if (mc_host_is_on_mount(world->core, disk) == 0) {
		assert_int_equal(world_mount(world, "second", "a"), HV_SOURCE_MISSING);
		assert_true(world_told(world, "'base' requires"));
		assert_int_equal(
			world_create(world, "third", "from=alias", NULL), HV_SOURCE_MISSING);
	}
	scratch_free(disk);
	free(option);
}

/* With option attach it may come to nothing. */
WORLD_TEST(a_volume_that_is_being_created_has_no_other_name)
{
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "data", HV_ATTACHING, &world->err), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=data", NULL), HV_BUSY);
	assert_true(world_told(world, "'data' is just being created"));
}

WORLD_TEST(unknown_options_are_named)
{
	assert_int_equal(world_create(world, "data", "colour=red", NULL), HV_BAD_REQUEST);
	assert_true(world_told(world, "'colour'"));
	assert_false(world_has(world, "state/volumes/data"));
}

TEST_MAIN_IN_NAMESPACE()

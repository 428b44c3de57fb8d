/* SPDX-License-Identifier: Apache-2.0 */
/* A volume's data when the volume is deleted. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"
#include "world.h"

enum { MANY = 300 };

/* Show the directory `what` at `where`, as an administrator does with a disk. */
static void bind(struct volume_fixture *world, const char *what, const char *where)
{
	char *from = scratch_path(world->dir, what), *to = scratch_path(world->dir, where);

	assert_int_equal(mount(from, to, NULL, MS_BIND, NULL), 0);
	free(from);
	free(to);
}

static void unbind(struct volume_fixture *world, const char *where)
{
	char *path = scratch_path(world->dir, where);

	assert_int_equal(umount(path), 0);
	free(path);
}

static void move(struct volume_fixture *world, const char *what, const char *where)
{
	char *from = scratch_path(world->dir, what), *to = scratch_path(world->dir, where);

	assert_int_equal(rename(from, to), 0);
	free(from);
	free(to);
}

WORLD_TEST(what_is_in_the_trash_is_in_nobodys_way)
{
	world_mkdir(world, "state/trash/data/disk");
	world_mkdir(world, "precious");
	world_write(world, "precious/file", "text");
	bind(world, "precious", "state/trash/data/disk"); /* it cannot be deleted */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
		world_write(world, "state/volumes/data/_data/file", "text");
		assert_int_equal(world_remove(world, "data"), HV_OK);
		assert_false(world_has(world, "state/volumes/data"));
	}
	assert_true(world_has(world, "precious/file"));
	unbind(world, "state/trash/data/disk");
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	world_wait_for_trash(world);
}

WORLD_TEST(data_is_deleted_after_a_restart_if_not_before)
{
	char name[64];

	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "state/volumes/data/_data/%d/dir/dir", i);
		world_mkdir(world, name);
	}
	assert_int_equal(world_remove(world, "data"), HV_OK);
	world_restart(world); /* which does not wait for the end */
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	world_wait_for_trash(world);
	assert_false(world_has(world, "state/volumes/data"));
}

/* The disk that an administrator mounted inside is not ours to empty, nor to unmount. */
WORLD_TEST(a_volume_with_a_mount_inside_is_not_removed)
{
	static const char *const places[] = {
		"state/volumes/data", "state/volumes/data/_data", "state/volumes/data/_data/disk"};

	world_mkdir(world, "precious/_data");
	world_write(world, "precious/file", "text");
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	world_mkdir(world, "state/volumes/data/_data/disk");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		bind(world, "precious", places[i]);
		assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
		assert_true(world_told(world, places[i]) && world_told(world, "umount"));
		unbind(world, places[i]);
	}
	assert_true(world_has(world, "state/volumes/data/_data/disk"));
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_true(world_has(world, "precious/file"));
}

WORLD_TEST(a_file_system_with_a_mount_inside_is_not_removed)
{
	world_mkdir(world, "precious");
	assert_int_equal(world_create(world, "ram", "type=tmpfs", "device=tmpfs"), HV_OK);
	assert_int_equal(world_mount(world, "ram", "a"), HV_OK);
	world_mkdir(world, "state/volumes/ram/_data/disk");
	bind(world, "precious", "state/volumes/ram/_data/disk");
	assert_int_equal(world_remove(world, "ram"), HV_VOLUME_IN_USE);
	assert_int_equal(world_count_mounts(world, "ram"), 1);
	unbind(world, "state/volumes/ram/_data/disk");
	assert_int_equal(world_remove(world, "ram"), HV_OK); /* its own mount is none */
	assert_false(world_has(world, "state/volumes/ram"));
}

WORLD_TEST(what_is_beneath_a_file_system_is_never_deleted)
{
	assert_int_equal(world_create(world, "ram", "type=tmpfs", "device=tmpfs"), HV_OK);
	world_write(world, "state/volumes/ram/_data/file", "of an older version's");
	assert_int_equal(world_mount(world, "ram", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "ram", "a"), HV_OK);
	assert_int_equal(world_remove(world, "ram"), HV_OK);
	assert_true(world_has(world, "state/volumes/ram/_data/file"));
}

/* The managed plugin sees its state directory without the mounts inside. */
WORLD_TEST(what_the_host_has_elsewhere_is_refused)
{
	char *local = scratch_path(world->dir, "local");

	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	world_mkdir(world, "local");
	world_use_state(world, world->state, local);
	assert_int_equal(world_create(world, "new", NULL, NULL), HV_STATE_UNREADABLE);
	assert_true(world_told(world, "mounted at") && world_told(world, "state/volumes"));
	assert_false(world_has(world, "local/volumes/new"));
	assert_int_equal(world_remove(world, "data"), HV_STATE_UNREADABLE);
	assert_true(row_has_volume(world->store, "data"));
	world_use_state(world, world->state, world->state);
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_false(world_has(world, "state/volumes/data"));
	free(local);
}

/* Another device, as a disk has after a boot. */
WORLD_TEST(a_directory_on_another_device_is_not_purged_silently)
{
	char *other = scratch_path(world->dir, "p");
	struct hv_opts opts = {0};

	assert_int_equal(hv_opts_add(&opts, "mkdir", "true"), 0);
	assert_int_equal(hv_opts_add(&opts, "on-remove", "purge"), 0);
	assert_int_equal(hv_opts_add(&opts, "path", other), 0);
	assert_int_equal(hv_volume_create(world->volumes, "data", &opts, &world->err), HV_OK);
	hv_opts_done(&opts);
	world_write(world, "p/file", "text");
	assert_int_equal(mount("other", other, "tmpfs", 0, NULL), 0);
	assert_int_equal(world_remove(world, "data"), HV_SOURCE_REFUSED);
	assert_true(world_told(world, "device") && world_told(world, "on-remove=keep"));
	assert_int_equal(umount(other), 0);
	move(world, "p", "moved");
	world_mkdir(world, "p");
	world_write(world, "p/other", "text");
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_true(world_has(world, "p/other") && world_has(world, "moved/file"));
	free(other);
}

/* Volume data, whose directory made/p was made for it, with a file in it. */
static void create_to_be_purged(struct volume_fixture *world)
{
	struct hv_opts opts = {0};
	char *path = scratch_path(world->dir, "made/p");

	assert_int_equal(hv_opts_add(&opts, "mkdir", "true"), 0);
	assert_int_equal(hv_opts_add(&opts, "on-remove", "purge"), 0);
	assert_int_equal(hv_opts_add(&opts, "path", path), 0);
	assert_int_equal(hv_volume_create(world->volumes, "data", &opts, &world->err), HV_OK);
	hv_opts_done(&opts);
	free(path);
	world_mkdir(world, "made/p/dir/dir");
	world_write(world, "made/p/file", "text");
}

/* As far as a removal is when a crash cuts it short. */
static void begin_removal(struct volume_fixture *world)
{
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "data", HV_REMOVING, &world->err), HV_OK);
}

WORLD_TEST(a_purge_that_was_begun_is_finished_after_the_start)
{
	const struct timespec step = {.tv_nsec = 2000000};

	create_to_be_purged(world);
	begin_removal(world);
	world_restart(world);
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	for (int i = 0; i < 5000 && world_has(world, "made"); i++)
		nanosleep(&step, NULL);
	assert_false(world_has(world, "made"));
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
}

/* The directory is gone, the parent that was made with it is not. */
WORLD_TEST(a_purge_that_was_nearly_done_is_finished_after_the_start)
{
	const struct timespec step = {.tv_nsec = 2000000};
	char *inner = scratch_path(world->dir, "made/p");

	create_to_be_purged(world);
	begin_removal(world);
	scratch_free(inner);
	assert_true(world_has(world, "made"));
	world_restart(world);
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	for (int i = 0; i < 5000 && world_has(world, "made"); i++)
		nanosleep(&step, NULL);
	assert_false(world_has(world, "made"));
}

WORLD_TEST(what_is_being_purged_is_no_place_for_a_volume)
{
	create_to_be_purged(world);
	begin_removal(world);
	assert_int_equal(world_create(world, "new", "path=%s/made/p/dir", NULL), HV_SOURCE_REFUSED);
	assert_true(world_told(world, "being deleted, with volume 'data'"));
	assert_int_equal(world_create(world, "new", "path=%s/made", NULL), HV_SOURCE_REFUSED);
	assert_false(row_has_volume(world->store, "new"));
}

WORLD_TEST(what_another_volume_came_to_use_is_not_purged)
{
	const struct timespec step = {.tv_nsec = 2000000};

	create_to_be_purged(world);
	assert_int_equal(world_create(world, "other", "path=%s/made/p/dir", NULL), HV_OK);
	begin_removal(world);
	world_restart(world);
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	for (int i = 0; i < 5000 && !row_has_volume(world->store, "data"); i++)
		nanosleep(&step, NULL);
	assert_true(row_has_volume(world->store, "data"));
	assert_true(world_has(world, "made/p/file") && world_has(world, "made/p/dir/dir"));
	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
	assert_true(world_told(world, "it is shared with volume other"));
}

/* An image, a layer, and the directory by another path. */
WORLD_TEST(what_other_volumes_live_on_is_not_purged)
{
	create_to_be_purged(world);
	world_mkdir(world, "elsewhere");
	assert_int_equal(world_create(world, "image", "type=ext4", "device=%s/made/p/file"), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
	assert_true(world_told(world, "it is shared with volume image"));
	assert_int_equal(world_remove(world, "image"), HV_OK);
	bind(world, "made/p/dir", "elsewhere");
	assert_int_equal(world_create(world, "bound", "path=%s/elsewhere/dir", NULL), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
	assert_true(world_told(world, "it is shared with volume bound"));
	assert_true(world_has(world, "made/p/file") && world_has(world, "made/p/dir/dir"));
	begin_removal(world);
	assert_int_equal(world_create(world, "new", "path=%s/elsewhere", NULL), HV_SOURCE_REFUSED);
	assert_int_equal(world_create(world, "new", "type=ext4", "device=%s/made/p/file"),
		HV_SOURCE_REFUSED);
	unbind(world, "elsewhere");
}

/* A symlink is followed; the same path on a server is another directory. */
WORLD_TEST(what_only_looks_like_another_s_is_purged)
{
	char *made = scratch_path(world->dir, "made"), *images = scratch_path(world->dir, "images");

	create_to_be_purged(world);
	assert_int_equal(symlink(made, images), 0);
	assert_int_equal(
		world_create(world, "image", "type=ext4", "device=%s/images/p/file"), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
	assert_int_equal(world_remove(world, "image"), HV_OK);
	assert_int_equal(world_create(world, "nas", "type=nfs", "device=nas:/"), HV_OK);
	assert_int_equal(world_create(world, "ram", "type=tmpfs", "device=tmpfs"), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_false(world_has(world, "made"));
	free(made);
	free(images);
}

WORLD_TEST(a_name_is_free_when_its_directory_is_deleted)
{
	const struct timespec step = {.tv_nsec = 2000000};
	enum hv_code code = HV_BUSY;

	create_to_be_purged(world);
	begin_removal(world);
	for (int i = 0; i < 5000 && code == HV_BUSY; i++) {
		code = world_create(world, "data", NULL, NULL);
		assert_true(code == HV_OK || world_told(world, "is still being deleted"));
		nanosleep(&step, NULL);
	}
	assert_int_equal(code, HV_OK);
	assert_false(world_has(world, "made"));
}

/* A volume being created has a record, but clients do not see it yet. */
WORLD_TEST(what_a_volume_is_being_made_in_is_not_purged)
{
	create_to_be_purged(world);
	assert_int_equal(world_create(world, "other", "path=%s/made/p/dir", NULL), HV_OK);
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "other", HV_VOLUME_CREATING, &world->err),
		HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
	assert_true(world_has(world, "made/p/file"));
}

/* Whether it exists is not known. */
WORLD_TEST(what_a_damaged_volume_is_in_is_not_purged)
{
	create_to_be_purged(world);
	assert_int_equal(world_create(world, "other", "path=%s/made/p/dir", NULL), HV_OK);
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "other", (enum hv_phase)4, &world->err),
		HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
	assert_true(world_told(world, "it is shared with volume other"));
	assert_true(world_has(world, "made/p/file"));
}

/* Its removal was begun by an older version, or the state was edited. */
WORLD_TEST(remove_of_half_removed_volume_with_other_name_is_refused)
{
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	world_write(world, "state/volumes/data/_data/file", "text");
	assert_int_equal(world_create(world, "alias", "from=data", NULL), HV_OK);
	begin_removal(world);
	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
	assert_true(world_told(world, "'alias' is another name for its data"));
	assert_true(world_has(world, "state/volumes/data/_data/file"));
	assert_int_equal(world_remove(world, "alias"), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_false(world_has(world, "state/volumes/data"));
	assert_int_equal(world_remove(world, "data"), HV_NO_SUCH_VOLUME);
}

WORLD_TEST(the_last_other_name_takes_the_file_system_with_it)
{
	assert_int_equal(world_create(world, "ram", "type=tmpfs", "device=tmpfs"), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=ram", NULL), HV_OK);
	assert_int_equal(world_mount(world, "alias", "lost"), HV_OK);
	world_write(world, "state/volumes/ram/_data/file", "text");
	assert_int_equal(world_remove(world, "alias"), HV_OK);
	assert_false(world_has(world, "state/volumes/ram/_data/file"));
}

TEST_MAIN_IN_NAMESPACE()

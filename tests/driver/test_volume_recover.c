/* SPDX-License-Identifier: Apache-2.0 */
/* Repairs at start, and their limits. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"
#include "world.h"

static void recover(struct volume_fixture *world)
{
	world_restart(world);
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
}

/* Unmount as disabling the plugin does. */
static void unmount(struct volume_fixture *world, const char *name)
{
	char *path = scratch_path(world->dir, name);

	assert_int_equal(umount2(path, MNT_DETACH), 0);
	free(path);
}

static void make_tmpfs(struct volume_fixture *world, const char *user)
{
	assert_int_equal(world_create(world, "ram", "type=tmpfs", "device=tmpfs"), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=ram", NULL), HV_OK);
	assert_int_equal(world_mount(world, user, "a"), HV_OK);
	world_write(world, "state/volumes/ram/_data/file", "text");
}

static void keeps_the_file_system(struct volume_fixture *world, const char *user)
{
	char *mountpoint = scratch_path("mounts", user);

	make_tmpfs(world, user);
	unmount(world, mountpoint);
	free(mountpoint);
	recover(world);
	recover(world); /* nor does a daemon that is killed next */
	assert_true(world_has(world, "state/volumes/ram/_data/file"));
	assert_int_equal(world_mount(world, "ram", "b"), HV_OK);
	assert_true(world_has(world, "mounts/ram/file"));
	assert_int_equal(world_unmount(world, "ram", "b"), HV_OK);
	assert_true(world_has(world, "state/volumes/ram/_data/file"));
	assert_int_equal(world_unmount(world, user, "a"), HV_OK); /* by its last user */
	assert_false(world_has(world, "state/volumes/ram/_data/file"));
	assert_int_equal(world_count_mounts(world, "ram"), 0);
}

WORLD_TEST(a_file_system_stays_for_who_had_it_before_the_plugin_was_disabled)
{
	keeps_the_file_system(world, "ram");
}

WORLD_TEST(a_file_system_stays_for_who_had_it_by_another_name)
{
	keeps_the_file_system(world, "alias");
}

WORLD_TEST(a_file_system_that_was_kept_goes_with_its_volume)
{
	make_tmpfs(world, "ram");
	unmount(world, "mounts/ram");
	recover(world);
	assert_int_equal(world_remove(world, "alias"), HV_OK);
	assert_int_equal(world_remove(world, "ram"), HV_OK);
	assert_false(world_has(world, "state/volumes/ram"));
}

WORLD_TEST(after_a_boot_nobody_refers_to_a_file_system)
{
	make_tmpfs(world, "ram");
	unmount(world, "mounts/ram");
	unmount(world, "state/volumes/ram/_data");
	recover(world);
	assert_int_equal(row_ref(world->store, "ram", "x", -1), 0);
}

WORLD_TEST(a_file_system_that_nobody_refers_to_is_unmounted)
{
	make_tmpfs(world, "ram");
	assert_int_equal(row_ref(world->store, "ram", "a", -1), 0);
	recover(world);
	assert_false(world_has(world, "state/volumes/ram/_data/file"));
	assert_int_equal(world_count_mounts(world, "ram"), 0);
}

WORLD_TEST(a_volume_that_cannot_be_finished_is_in_nobodys_way)
{
	struct hv_store *store = world->store;

	assert_int_equal(world_create(world, "bad", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "half", NULL, NULL), HV_OK);
	assert_int_equal(hv_store_volume_set_phase(store, "bad", HV_REMOVING, &world->err), HV_OK);
	assert_int_equal(
		hv_store_volume_set_phase(store, "half", HV_VOLUME_CREATING, &world->err), HV_OK);
	world_write(world, "state/trash", "not a directory");
	recover(world);
	assert_true(world_has(world, "state/volumes/bad/_data"));
	assert_false(world_has(world, "state/volumes/half"));
}

/* Its data is nobody's to delete, and the others are served. */
WORLD_TEST(a_volume_whose_record_is_damaged_is_in_nobodys_way)
{
	struct hv_store *store = world->store;

	assert_int_equal(world_create(world, "bad", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "half", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "good", NULL, NULL), HV_OK);
	assert_int_equal(world_mount(world, "bad", "a"), HV_OK);
	world_write(world, "state/volumes/bad/_data/file", "text");
	assert_int_equal(
		hv_store_volume_set_phase(store, "bad", (enum hv_phase)4, &world->err), HV_OK);
	assert_int_equal(
		hv_store_volume_set_phase(store, "half", HV_VOLUME_CREATING, &world->err), HV_OK);
	recover(world);
	assert_false(world_has(world, "state/volumes/half"));
	assert_int_equal(world_mount(world, "good", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "good", "a"), HV_OK);
	assert_int_equal(world_create(world, "new", NULL, NULL), HV_OK);
	assert_int_equal(world_remove(world, "good"), HV_OK);
	assert_int_equal(world_create(world, "bad", NULL, NULL), HV_STATE_UNREADABLE);
	assert_int_equal(world_mount(world, "bad", "b"), HV_STATE_UNREADABLE);
	assert_int_equal(world_unmount(world, "bad", "a"), HV_OK); /* Docker would stop there */
	assert_int_equal(world_count_mounts(world, "bad"), 0);
	assert_int_equal(world_remove(world, "bad"), HV_STATE_UNREADABLE);
	assert_true(world_told(world, "column phase of volume 'bad'"));
	assert_true(world_has(world, "state/volumes/bad/_data/file"));
}

WORLD_TEST(a_volume_whose_attachment_is_damaged_is_in_nobodys_way)
{
	struct hv_record record = row_record("0123456789ab", "bad", "c1");
	struct hv_store *store = world->store;

	assert_int_equal(world_create(world, "bad", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "half", NULL, NULL), HV_OK);
	record.problem = (enum hv_problem)(HV_PROBLEM_LAST + 1);
	assert_int_equal(hv_store_attachment_put(store, &record, &world->err), HV_OK);
	hv_record_done(&record);
	assert_int_equal(hv_store_volume_set_phase(store, "bad", HV_ATTACHING, &world->err), HV_OK);
	assert_int_equal(
		hv_store_volume_set_phase(store, "half", HV_VOLUME_CREATING, &world->err), HV_OK);
	recover(world);
	assert_false(world_has(world, "state/volumes/half"));
	assert_int_equal(world_remove(world, "bad"), HV_STATE_UNREADABLE);
	assert_true(world_told(world, "column problem_kind of attachment '0123456789ab'"));
	assert_true(world_has(world, "state/volumes/bad/_data"));
}

/* By an administrator, to a bigger disk; and the daemon is told so. */
WORLD_TEST(the_state_may_be_moved)
{
	char *before = world->state, *after = scratch_path(world->dir, "moved");
	struct hv_volume volume = {0};

	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "name", "from=data", NULL), HV_OK);
	assert_int_equal(world_create(world, "ram", "type=tmpfs", "device=tmpfs"), HV_OK);
	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "path", "path=%s/srv", NULL), HV_OK);
	world_write(world, "state/volumes/data/_data/file", "text");
	assert_int_equal(rename(before, after), 0);
	world->state = after;
	world_restart(world);
	recover(world);
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "data" : "name";

		assert_int_equal(
			hv_store_volume_get(world->store, name, &volume, &world->err), HV_OK);
		assert_int_equal(strncmp(volume.source, after, strlen(after)), 0);
		hv_volume_done(&volume);
		volume = (struct hv_volume){0};
		assert_int_equal(world_mount(world, name, "a"), HV_OK);
		assert_true(world_has(world, i == 0 ? "mounts/data/file" : "mounts/name/file"));
		assert_int_equal(world_unmount(world, name, "a"), HV_OK);
	}
	assert_int_equal(world_mount(world, "ram", "a"), HV_OK);
	assert_int_equal(world_mount(world, "path", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "ram", "a"), HV_OK);
	assert_int_equal(world_remove(world, "name"), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_false(world_has(world, "moved/volumes/data"));
	free(before);
}

/* A disk that comes late. */
WORLD_TEST(with_a_disk_over_the_state_nothing_is_made_or_deleted)
{
	assert_int_equal(world_create(world, "own", NULL, NULL), HV_OK);
	world_write(world, "state/volumes/own/_data/file", "text");
	recover(world);
	assert_int_equal(mount("disk", world->state, "tmpfs", 0, NULL), 0);
	assert_int_equal(world_create(world, "new", NULL, NULL), HV_STATE_UNREADABLE);
	assert_true(world_told(world, "something was mounted at"));
	assert_true(world_told(world, world->state));
	assert_int_equal(world_remove(world, "own"), HV_STATE_UNREADABLE);
	assert_false(world_has(world, "state/volumes"));
	assert_false(world_has(world, "state/trash"));
	unmount(world, "state");
	assert_true(world_has(world, "state/volumes/own/_data/file"));
	assert_int_equal(world_create(world, "new", NULL, NULL), HV_OK);
	assert_int_equal(world_remove(world, "own"), HV_OK);
}

int __real_mc_sys_fork(void);
int __wrap_mc_sys_fork(void);
static atomic_uint forks;

int __wrap_mc_sys_fork(void)
{
	forks++;
	return __real_mc_sys_fork();
}

WORLD_TEST(a_start_asks_the_mount_table_what_is_to_be_unmounted)
{
	char name[16];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "ram%d", i);
		assert_int_equal(world_create(world, name, "type=tmpfs", "device=tmpfs"), HV_OK);
	}
	forks = 0;
	recover(world);
	assert_int_equal(forks, 0);
}

TEST_MAIN_IN_NAMESPACE()

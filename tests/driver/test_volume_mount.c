/* SPDX-License-Identifier: Apache-2.0 */
/* Mount, Unmount, Remove and the repairs at start. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "mountcore/detach.h"
#include "mountcore/mounts.h"
#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"
#include "world.h"

/* A volume "data" for the directory srv with a file in it. */
static void make_data(struct volume_fixture *world)
{
	world_mkdir(world, "srv");
	world_write(world, "srv/file", "text");
	assert_int_equal(world_create(world, "data", "path=%s/srv", NULL), HV_OK);
}

WORLD_TEST(a_volume_is_mounted_once_and_counted)
{
	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_true(world_has(world, "mounts/data/file"));
	assert_int_equal(world_mount(world, "data", "b"), HV_OK);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK); /* docker cp: the ID again */
	assert_int_equal(world_count_mounts(world, "data"), 1);
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "data", "unknown"), HV_OK);
	assert_int_equal(world_unmount(world, "data", "b"), HV_OK);
	assert_int_equal(world_unmount(world, "data", "b"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 1);
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
	assert_false(world_has(world, "mounts/data"));
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_true(world_has(world, "srv/file"));
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 1);
}

/* Whether `name` in the world has this owner. */
static bool is_owned(struct volume_fixture *world, const char *name, uid_t uid, gid_t gid)
{
	char *path = scratch_path(world->dir, name);
	struct stat is;

	assert_int_equal(lstat(path, &is), 0);
	free(path);
	return is.st_uid == uid && is.st_gid == gid;
}

static bool ignores_suid(struct volume_fixture *world, const char *name)
{
	char *path = scratch_path(world->mounts, name);
	struct statvfs is;

	assert_int_equal(statvfs(path, &is), 0);
	free(path);
	return is.f_flag & ST_NOSUID;
}

/* tmpfs can be mapped from 6.3 on. */
static bool is_mapped(struct volume_fixture *world, const char *name)
{
	enum hv_code code = world_mount(world, name, "a");

	if (code == HV_OK)
		return true;
	assert_int_equal(code, HV_UNSUPPORTED);
	assert_true(world_told(world, "cannot be shown as") || world_told(world, "this kernel"));
	assert_int_equal(world_count_mounts(world, name), 0);
	return false;
}

WORLD_TEST(as_shows_another_owner_and_ignores_set_user_id)
{
	world_mkdir(world, "srv");
	world_write(world, "srv/file", "text");
	assert_int_equal(world_create(world, "data", "path=%s/srv", "as=1000:1001"), HV_OK);
	if (!is_mapped(world, "data"))
		return;
	assert_true(is_owned(world, "mounts/data", 1000, 1001));
	assert_true(is_owned(world, "mounts/data/file", 1000, 1001));
	assert_true(is_owned(world, "srv/file", 0, 0));
	world_write(world, "mounts/data/new", "text"); /* by root */
	assert_true(is_owned(world, "mounts/data/new", 0, 0));
	assert_true(is_owned(world, "srv/new", 1000, 1001));
	assert_true(ignores_suid(world, "data"));
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
}

WORLD_TEST(as_of_an_alias_is_its_own_or_its_volume_s)
{
	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "data", "path=%s/srv", "as=1000"), HV_OK);
	assert_int_equal(world_create(world, "same", "from=data", NULL), HV_OK);
	assert_int_equal(world_create(world, "other", "from=same", "as=2000:2000"), HV_OK);
	if (!is_mapped(world, "data"))
		return;
	assert_true(is_mapped(world, "same") && is_mapped(world, "other"));
	assert_true(is_owned(world, "mounts/data", 1000, 0));
	assert_true(is_owned(world, "mounts/same", 1000, 0));
	assert_true(is_owned(world, "mounts/other", 2000, 2000));
}

WORLD_TEST(as_counts_the_users_of_remapped_containers)
{
	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "data", "path=%s/srv", "as=1000:1000"), HV_OK);
	hv_volumes_set_remap(world->volumes, 100000, 200000);
	if (!is_mapped(world, "data"))
		return;
	assert_true(is_owned(world, "mounts/data", 101000, 201000));
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_set(world, "data", "as=4294967294", NULL), HV_OK);
	assert_int_equal(world_mount(world, "data", "a"), HV_BAD_REQUEST);
	assert_int_equal(world_count_mounts(world, "data"), 0);
}

WORLD_TEST(as_with_suid_in_o_keeps_set_user_id)
{
	char options[PATH_MAX];
	struct hv_opts opts = {0};

	world_mkdir(world, "srv");
	snprintf(options, sizeof(options), "%s/srv", world->dir);
	assert_int_equal(hv_opts_add(&opts, "type", "none"), 0);
	assert_int_equal(hv_opts_add(&opts, "device", options), 0);
	assert_int_equal(hv_opts_add(&opts, "o", "bind,suid"), 0);
	assert_int_equal(hv_opts_add(&opts, "as", "1000"), 0);
	assert_int_equal(hv_volume_create(world->volumes, "data", &opts, &world->err), HV_OK);
	hv_opts_done(&opts);
	if (!is_mapped(world, "data"))
		return;
	assert_true(is_owned(world, "mounts/data", 1000, 0));
	assert_false(ignores_suid(world, "data"));
}

/* The owner by the options is the one that appears as another. */
WORLD_TEST(as_of_a_volume_with_an_owner_shows_that)
{
	assert_int_equal(world_create(world, "own", "uid=5", "as=1000"), HV_OK);
	if (!is_mapped(world, "own"))
		return;
	assert_true(is_owned(world, "mounts/own", 1000, 0));
	assert_true(is_owned(world, "state/volumes/own/_data", 5, 0));
}

char *__real_hv_volume_mountpoint(const struct hv_volumes *volumes, const char *name);
char *__wrap_hv_volume_mountpoint(const struct hv_volumes *volumes, const char *name);
static int failing; /* the call, from now on, that finds no memory; 0: none */

char *__wrap_hv_volume_mountpoint(const struct hv_volumes *volumes, const char *name)
{
	if (failing > 0 && --failing == 0)
		return NULL;
	return __real_hv_volume_mountpoint(volumes, name);
}

WORLD_TEST(a_mount_without_memory_counts_no_reference)
{
	enum hv_code code = HV_INTERNAL;

	make_data(world);
	for (int at = 1; code != HV_OK; at++) {
		long long references = -1;

		failing = at;
		code = world_mount(world, "data", "a");
		failing = 0;
		assert_true(code == HV_INTERNAL || (code == HV_OK && at > 1));
		assert_int_equal(
			hv_store_ref_total(world->store, "data", &references, &world->err), HV_OK);
		assert_int_equal(references, code == HV_OK);
		assert_int_equal(world_count_mounts(world, "data"), code == HV_OK);
	}
}

int __real_mc_sys_fork(void);
int __wrap_mc_sys_fork(void);
static unsigned forks;

int __wrap_mc_sys_fork(void)
{
	forks++;
	return __real_mc_sys_fork();
}

/* A second container on the volume: stuck helpers do not matter to it. */
WORLD_TEST(a_volume_in_use_is_mounted_without_a_helper)
{
	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	forks = 0;
	assert_int_equal(world_mount(world, "data", "b"), HV_OK);
	assert_int_equal(forks, 0);
}

int __real_mc_mounts_read(
	struct mc_core *core, int ns_fd, struct mc_mounts **ret, struct mc_err *err);
int __wrap_mc_mounts_read(
	struct mc_core *core, int ns_fd, struct mc_mounts **ret, struct mc_err *err);
int __real_mc_detach(struct mc_core *core, const struct mc_detach_args *args,
	struct mc_busy *ret_busy, struct mc_err *err);
int __wrap_mc_detach(struct mc_core *core, const struct mc_detach_args *args,
	struct mc_busy *ret_busy, struct mc_err *err);
static unsigned jobs; /* each looks for a mount at a mountpoint */

int __wrap_mc_mounts_read(
	struct mc_core *core, int ns_fd, struct mc_mounts **ret, struct mc_err *err)
{
	jobs++;
	return __real_mc_mounts_read(core, ns_fd, ret, err);
}

int __wrap_mc_detach(struct mc_core *core, const struct mc_detach_args *args,
	struct mc_busy *ret_busy, struct mc_err *err)
{
	jobs++;
	return __real_mc_detach(core, args, ret_busy, err);
}

/* With a record of a mount, which each volume of an older version has, and without. */
WORLD_TEST(remove_of_unmounted_volume_needs_no_job)
{
	struct hv_mounted_roots roots = {.count = 0};

	world_mkdir(world, "srv");
	for (size_t count = 0; count < 2; count++) {
		assert_int_equal(world_create(world, "data", "path=%s/srv", NULL), HV_OK);
		roots.count = count;
		assert_int_equal(
			hv_store_mounted_set(world->store, "data", &roots, &world->err), HV_OK);
		if (count > 0)
			world_mkdir(world, "mounts/data");
		jobs = 0;
		assert_int_equal(world_remove(world, "data"), HV_OK);
		assert_int_equal(jobs, 0);
		assert_false(world_has(world, "mounts/data"));
		assert_int_equal(
			hv_store_mounted_get(world->store, "data", &roots, &world->err), HV_OK);
		assert_int_equal(roots.count, 0);
	}
}

WORLD_TEST(unknown_volumes_cannot_be_mounted_but_unmounted)
{
	assert_int_equal(world_mount(world, "nobody", "a"), HV_NO_SUCH_VOLUME);
	assert_int_equal(world_unmount(world, "nobody", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "../srv", "a"), HV_OK);
	assert_int_equal(world_remove(world, "nobody"), HV_NO_SUCH_VOLUME);
	assert_false(world_has(world, "mounts/nobody"));
}

WORLD_TEST(a_read_only_volume_cannot_be_written)
{
	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "data", "path=%s/srv", "ro=true"), HV_OK);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(chdir(world->mounts), 0);
	assert_int_equal(symlink("x", "data/x"), -1);
	assert_int_equal(errno, EROFS);
	assert_int_equal(chdir("/"), 0);
	world_write(world, "srv/file", "the host still writes");
	assert_true(world_has(world, "mounts/data/file"));
}

WORLD_TEST(a_directory_that_is_gone_is_named)
{
	char *path = scratch_path(world->dir, "srv/inner");

	world_mkdir(world, "srv/inner");
	assert_int_equal(world_create(world, "data", "path=%s/srv/inner", NULL), HV_OK);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(world_mount(world, "data", "a"), HV_SOURCE_MISSING);
	assert_true(world_told(world, path));
	assert_true(world_told(world, "'data'"));
	assert_false(world_has(world, "mounts/data"));
	assert_int_equal(symlink("/", path), 0);
	assert_int_equal(world_mount(world, "data", "a"), HV_SOURCE_REFUSED);
	assert_int_equal(world_count_mounts(world, "data"), 0);
	assert_int_equal(unlink(path), 0);
	world_mkdir(world, "srv/inner");
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK); /* nothing was counted before */
	assert_int_equal(world_count_mounts(world, "data"), 0);
	free(path);
}

static void rename_in(struct volume_fixture *world, const char *from, const char *to)
{
	char *one = scratch_path(world->dir, from), *two = scratch_path(world->dir, to);

	assert_int_equal(rename(one, two), 0);
	free(one);
	free(two);
}

static void remove_in(struct volume_fixture *world, const char *name)
{
	char *path = scratch_path(world->dir, name);

	assert_int_equal(remove(path), 0);
	free(path);
}

/* Present users keep the old one: here a bind, as Docker makes one for each container. */
WORLD_TEST(a_directory_that_was_replaced_is_mounted_for_who_starts_now)
{
	char *mountpoint = scratch_path(world->dir, "mounts/data");
	char *container = scratch_path(world->dir, "container");

	make_data(world);
	world_mkdir(world, "container");
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(mount(mountpoint, container, NULL, MS_BIND, NULL), 0);
	for (int round = 0; round < 2; round++) {
		if (round == 0) {
			rename_in(world, "srv", "srv.old");
		} else {
			remove_in(world, "srv/present");
			remove_in(world, "srv");
		}
		assert_int_equal(world_mount(world, "data", "b"), HV_SOURCE_MISSING);
		assert_true(world_told(world, "is not there"));
		world_mkdir(world, "srv");
		world_write(world, "srv/present", "");
		assert_int_equal(world_mount(world, "data", "b"), HV_OK);
		assert_true(world_has(world, "mounts/data/present"));
		assert_false(world_has(world, "mounts/data/file"));
		assert_true(world_has(world, "container/file"));
		assert_int_equal(world_count_mounts(world, "data"), 1);
	}
	assert_int_equal(world_unmount(world, "data", "b"), HV_OK);
	assert_int_equal(world_unmount(world, "data", "b"), HV_OK);
	assert_true(world_has(world, "mounts/data/present"));
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
	assert_false(world_has(world, "mounts/data"));
	free(mountpoint);
	free(container);
}

WORLD_TEST(what_is_mounted_in_the_directory_since_is_in_the_next_mount)
{
	char *disk = scratch_path(world->dir, "srv/disk");

	make_data(world);
	world_mkdir(world, "srv/disk");
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(mount("disk", disk, "tmpfs", 0, NULL), 0);
	world_write(world, "srv/disk/on_it", "");
	assert_false(world_has(world, "mounts/data/disk/on_it"));
	assert_int_equal(world_mount(world, "data", "b"), HV_OK);
	assert_true(world_has(world, "mounts/data/disk/on_it"));
	assert_int_equal(umount2(disk, MNT_DETACH), 0);
	assert_int_equal(world_mount(world, "data", "c"), HV_OK);
	assert_false(world_has(world, "mounts/data/disk/on_it"));
	assert_int_equal(world_count_mounts(world, "data"), 1);
	free(disk);
}

/* The disk below the path is another one. */
WORLD_TEST(the_file_system_that_is_mounted_now_is_in_the_next_mount)
{
	char *path = scratch_path(world->dir, "srv");

	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(mount("disk", path, "tmpfs", 0, NULL), 0);
	world_write(world, "srv/on_it", "");
	assert_int_equal(world_mount(world, "data", "b"), HV_OK);
	assert_true(world_has(world, "mounts/data/on_it"));
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(world_mount(world, "data", "c"), HV_OK);
	assert_true(world_has(world, "mounts/data/file"));
	assert_int_equal(world_count_mounts(world, "data"), 1);
	free(path);
}

/* In a container these would be refused; here they are directories like any other. */
WORLD_TEST(names_of_system_directories_are_names)
{
	static const char *const names[] = {"dev", "proc", "sys"};

	world_mkdir(world, "srv");
	world_write(world, "srv/file", "");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(world_create(world, names[i], "path=%s/srv", NULL), HV_OK);
		assert_int_equal(world_mount(world, names[i], "a"), HV_OK);
		assert_int_equal(world_count_mounts(world, names[i]), 1);
	}
	assert_true(world_has(world, "mounts/proc/file"));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(world_unmount(world, names[i], "a"), HV_OK);
		assert_int_equal(world_remove(world, names[i]), HV_OK);
	}
}

WORLD_TEST(removing_deletes_managed_data)
{
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	world_write(world, "mounts/data/file", "text");
	world_mkdir(world, "mounts/data/dir/dir");
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_true(world_has(world, "state/volumes/data/_data/dir/dir"));
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_false(world_has(world, "state/volumes/data"));
	world_wait_for_trash(world);
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_false(world_has(world, "state/volumes/data/_data/file"));
}

WORLD_TEST(removing_never_touches_a_path)
{
	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_OK); /* the reference was a leftover */
	assert_int_equal(world_count_mounts(world, "data"), 0);
	assert_true(world_has(world, "srv/file"));
	assert_false(world_has(world, "mounts/data"));
	assert_int_equal(row_count_volumes(world->store), 0);
}

WORLD_TEST(removing_a_mounted_managed_volume_takes_the_mount_first)
{
	assert_int_equal(world_create(world, "data", NULL, NULL), HV_OK);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	world_write(world, "mounts/data/file", "text");
	assert_int_equal(world_remove(world, "data"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
	assert_false(world_has(world, "state/volumes/data"));
}

WORLD_TEST(an_attached_volume_is_not_removed)
{
	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(row_put(world->store, "id", "data", "c1", true), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE);
	assert_true(world_told(world, "'web' at /mnt/data"));
	assert_true(world_told(world, "detach web:/mnt/data"));
	assert_int_equal(world_count_mounts(world, "data"), 1);
	assert_int_equal(hv_store_attachment_drop(world->store, "id", NULL, &world->err), HV_OK);
	assert_int_equal(row_put(world->store, "id", "data", "c1", false), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_VOLUME_IN_USE); /* one on its way */
	assert_int_equal(hv_store_attachment_drop(world->store, "id", NULL, &world->err), HV_OK);
	assert_int_equal(world_remove(world, "data"), HV_OK);
}

WORLD_TEST(a_removal_that_was_begun_is_finished_at_start)
{
	make_data(world);
	assert_int_equal(world_create(world, "own1", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "own2", NULL, NULL), HV_OK);
	world_write(world, "state/volumes/own1/_data/file", "text");
	world_write(world, "state/volumes/own2/_data/file", "text");
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "own1", HV_REMOVING, &world->err), HV_OK);
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "data", HV_REMOVING, &world->err), HV_OK);
	world_restart(world);
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	assert_false(world_has(world, "state/volumes/own1"));
	assert_true(world_has(world, "state/volumes/own2/_data/file"));
	assert_true(world_has(world, "srv/file"));
	assert_int_equal(row_count_volumes(world->store), 1);
	assert_int_equal(world_create(world, "own1", NULL, NULL), HV_OK);
}

WORLD_TEST(references_to_mounts_that_are_gone_are_forgotten_at_start)
{
	char *gone = scratch_path(world->mounts, "gone");

	make_data(world);
	assert_int_equal(world_create(world, "gone", "path=%s/srv", NULL), HV_OK);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(world_mount(world, "gone", "a"), HV_OK);
	assert_int_equal(umount(gone), 0);
	world_restart(world);
	assert_int_equal(hv_volumes_recover(world->volumes, &world->err), HV_OK);
	assert_int_equal(row_ref(world->store, "data", "x", -1), 1);
	assert_int_equal(row_ref(world->store, "gone", "x", -1), 0);
	assert_int_equal(world_mount(world, "gone", "b"), HV_OK);
	assert_int_equal(world_unmount(world, "gone", "b"), HV_OK);
	assert_int_equal(world_count_mounts(world, "gone"), 0);
	assert_int_equal(world_unmount(world, "data", "a"), HV_OK);
	assert_int_equal(world_count_mounts(world, "data"), 0);
	free(gone);
}

static uid_t owner_of(struct volume_fixture *world, const char *name, gid_t *ret_gid)
{
	char *path = scratch_path(world->dir, name);
	struct stat is;

	assert_int_equal(stat(path, &is), 0);
	free(path);
	*ret_gid = is.st_gid;
	return is.st_uid;
}

/* dockerd --userns-remap. */
WORLD_TEST(an_own_volume_belongs_to_the_remapped_root)
{
	gid_t gid;

	assert_int_equal(world_create(world, "early", NULL, NULL), HV_OK);
	assert_int_equal(world_create(world, "used", NULL, NULL), HV_OK);
	world_write(world, "state/volumes/used/_data/file", "text");
	hv_volumes_set_remap(world->volumes, 300000, 300001);
	assert_int_equal(world_create(world, "own1", NULL, NULL), HV_OK);
	assert_int_equal(owner_of(world, "state/volumes/own1/_data", &gid), 300000);
	assert_int_equal(gid, 300001);
	assert_int_equal(world_create(world, "own2", "uid=7", NULL), HV_OK);
	assert_int_equal(owner_of(world, "state/volumes/own2/_data", &gid), 7);
	assert_int_equal(world_create(world, "own3", "uid=0", "gid=0"), HV_OK);
	assert_int_equal(world_mount(world, "own3", "a"), HV_OK);
	assert_int_equal(owner_of(world, "state/volumes/own3/_data", &gid), 0);
	assert_int_equal(gid, 0);
	/* Created before the mapping was known. */
	assert_int_equal(world_mount(world, "early", "a"), HV_OK);
	assert_int_equal(owner_of(world, "mounts/early", &gid), 300000);
	assert_int_equal(world_mount(world, "used", "a"), HV_OK);
	assert_int_equal(owner_of(world, "mounts/used", &gid), 0);
	/* A directory of the user's is the user's. */
	make_data(world);
	assert_int_equal(world_mount(world, "data", "a"), HV_OK);
	assert_int_equal(owner_of(world, "srv", &gid), 0);
}

TEST_MAIN_IN_NAMESPACE()

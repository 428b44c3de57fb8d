/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes that are file systems: which are allowed, and how they are mounted and unmounted. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/fs.h"
#include "support/hv_test.h"

#include "scratch.h"
#include "world.h"

/* Results of the helpers that mount and unmount. */
static enum {
	AS_THEY_ARE,
	LATE,     /* given up before it is mounted */
	TOO_LATE, /* given up, and mounted all the same */
} helpers;

static int late_fd = MC_FD_NONE; /* the directory that a late helper mounts on */

int __real_mc_host_mount(
	struct mc_core *core, const struct mc_fs *fs, const char *path, struct mc_err *err);
int __wrap_mc_host_mount(
	struct mc_core *core, const struct mc_fs *fs, const char *path, struct mc_err *err);
int __real_mc_host_unmount(struct mc_core *core, const char *type, const char *device,
	const char *path, struct mc_err *err);
int __wrap_mc_host_unmount(struct mc_core *core, const char *type, const char *device,
	const char *path, struct mc_err *err);

int __wrap_mc_host_mount(
	struct mc_core *core, const struct mc_fs *fs, const char *path, struct mc_err *err)
{
	if (helpers == AS_THEY_ARE)
		return __real_mc_host_mount(core, fs, path, err);
	mc_close_fd(&late_fd);
	late_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (helpers == TOO_LATE)
		assert_int_equal(mount("tmpfs", path, "tmpfs", 0, NULL), 0);
	return mc_err_set(err, MC_STEP_HELPER, -ETIMEDOUT);
}

int __wrap_mc_host_unmount(struct mc_core *core, const char *type, const char *device,
	const char *path, struct mc_err *err)
{
	if (helpers != LATE)
		return __real_mc_host_unmount(core, type, device, path, err);
	return mc_err_set(err, MC_STEP_HELPER, -ETIMEDOUT);
}

static void add(
	struct volume_fixture *world, struct hv_opts *opts, const char *key, const char *text)
{
	mc_auto_free char *value = NULL;
	const char *place = strstr(text, "%s");

	if (place)
		assert_true(asprintf(&value, "%.*s%s%s", (int)(place - text), text, world->dir,
				    place + 2) >= 0);
	assert_int_equal(hv_opts_add(opts, key, value ? value : text), 0);
}

/* %s is the world's directory; `uid` may be NULL. */
static enum hv_code create_owned(struct volume_fixture *world, const char *type, const char *device,
	const char *o, const char *uid)
{
	struct hv_opts opts = {0};
	enum hv_code code;

	add(world, &opts, "type", type);
	add(world, &opts, "device", device);
	add(world, &opts, "o", o);
	if (uid)
		add(world, &opts, "uid", uid);
	hv_error_done(&world->err);
	code = hv_volume_create(world->volumes, "vol", &opts, &world->err);
	hv_opts_done(&opts);
	return code;
}

static enum hv_code create(
	struct volume_fixture *world, const char *type, const char *device, const char *o)
{
	return create_owned(world, type, device, o, NULL);
}

static void expect(struct volume_fixture *world, enum hv_code code, const char *type,
	const char *device, const char *o)
{
	assert_int_equal(create(world, type, device, o), code);
	if (code == HV_OK)
		assert_int_equal(world_remove(world, "vol"), HV_OK);
}

WORLD_TEST(nothing_of_hostvol_s_own_can_be_mounted)
{
	world_mkdir(world, "state/secret");
	world_mkdir(world, "low");
	world_mkdir(world, "low/er");
	world_mkdir(world, "up:er");
	world_mkdir(world, "work");
	world_write(world, "image", "");
	world_write(world, "state/image", "");
	expect(world, HV_OK, "ext4", "%s/image", "");
	expect(world, HV_SOURCE_REFUSED, "ext4", "%s/state/image", "");
	expect(world, HV_SOURCE_REFUSED, "ext4", "/%s/state/image", "");
	expect(world, HV_SOURCE_REFUSED, "cifs", "%s/state/image", "");
	expect(world, HV_BAD_REQUEST, "ext4", "%s/low/../image", "");
	expect(world, HV_OK, "cifs", "//server/..share", "");
	expect(world, HV_OK, "overlay", "overlay", "lowerdir=%s/low");
	expect(world, HV_SOURCE_REFUSED, "overlay", "overlay", "lowerdir=%s/state/secret");
	expect(world, HV_SOURCE_REFUSED, "overlay", "overlay", "lowerdir=/:%s/state/secret");
	expect(world, HV_SOURCE_REFUSED, "overlay", "overlay", "lowerdir=/::%s/state/secret");
	expect(world, HV_SOURCE_REFUSED, "overlay", "overlay", "ro,datadir+=%s/state/secret");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "lowerdir=../../../low");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "lowerdir=/:low");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "upperdir=");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "lowerdir=%s/sta\\te/secret");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "lowerdir=%s/low/../state");
	expect(world, HV_OK, "overlay", "overlay", "upperdir=%s/up:er");
	expect(world, HV_SOURCE_MISSING, "overlay", "overlay", "workdir=%s/low:/");
}

static bool is_mounted(struct volume_fixture *world)
{
	mc_auto_free char *path = scratch_path(world->state, "volumes/vol/_data");
	int rc = mc_host_is_mounted(world->core, path, NULL);

	assert_true(rc >= 0);
	return rc;
}

static uid_t owner_of(struct volume_fixture *world)
{
	mc_auto_free char *path = scratch_path(world->state, "volumes/vol/_data");
	struct stat is;

	assert_int_equal(stat(path, &is), 0);
	return is.st_uid;
}

WORLD_TEST(a_mount_that_was_given_up_finds_no_place_later)
{
	assert_int_equal(create(world, "tmpfs", "tmpfs", ""), HV_OK);
	helpers = LATE;
	assert_int_equal(world_mount(world, "vol", "a"), HV_TIMEOUT);
	assert_true(world_told(world, "'vol' (tmpfs on tmpfs) was not mounted in time"));
	helpers = AS_THEY_ARE;
	assert_int_equal(fchdir(late_fd), 0);
	assert_int_equal(mount("late", ".", "tmpfs", 0, NULL), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(chdir("/"), 0);
	assert_false(is_mounted(world));
	assert_false(world_has(world, "state/volumes/vol/_data.new"));
	assert_int_equal(world_mount(world, "vol", "a"), HV_OK);
	assert_true(is_mounted(world));
	mc_close_fd(&late_fd);
}

WORLD_TEST(a_mount_that_was_given_up_and_came_is_taken_out)
{
	assert_int_equal(create(world, "tmpfs", "tmpfs", ""), HV_OK);
	helpers = TOO_LATE;
	assert_int_equal(world_mount(world, "vol", "a"), HV_TIMEOUT);
	helpers = AS_THEY_ARE;
	assert_false(is_mounted(world));
	assert_int_equal(world_mount(world, "vol", "a"), HV_OK);
	mc_close_fd(&late_fd);
}

/* As of a daemon that was killed between the mount and this. */
WORLD_TEST(a_mount_that_nobody_uses_is_given_its_owner)
{
	mc_auto_free char *path = scratch_path(world->state, "volumes/vol/_data");
	struct hv_volume_ref first = {.volumes = NULL}, second = {.volumes = NULL};
	struct hv_volume volume = {0};

	assert_int_equal(create_owned(world, "tmpfs", "tmpfs", "", "7"), HV_OK);
	assert_int_equal(hv_store_volume_get(world->store, "vol", &volume, &world->err), HV_OK);
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, NULL), 0);
	assert_int_equal(owner_of(world), 0);
	assert_int_equal(hv_volume_acquire(world->volumes, &volume, &first, &world->err), HV_OK);
	assert_int_equal(owner_of(world), 7);
	assert_int_equal(chown(path, 9, 9), 0);
	assert_int_equal(hv_volume_acquire(world->volumes, &volume, &second, &world->err), HV_OK);
	assert_int_equal(owner_of(world), 9); /* somebody has it */
	hv_volume_release(&second);
	hv_volume_release(&first);
	assert_false(is_mounted(world));
	hv_volume_done(&volume);
}

WORLD_TEST(a_volume_that_is_not_unmounted_in_time_stays)
{
	assert_int_equal(create(world, "tmpfs", "tmpfs", ""), HV_OK);
	helpers = LATE;
	assert_int_equal(world_remove(world, "vol"), HV_TIMEOUT);
	assert_true(world_told(world, "'vol' was not unmounted in time"));
	assert_true(world_told(world, "docker volume rm vol"));
	helpers = AS_THEY_ARE;
	assert_int_equal(world_mount(world, "vol", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "vol", "a"), HV_OK);
	assert_int_equal(world_remove(world, "vol"), HV_OK);
	assert_false(world_has(world, "state/volumes/vol"));
}

WORLD_TEST(a_directory_that_is_not_there_is_named)
{
	mc_auto_free char *path = scratch_path(world->state, "volumes/vol/_data");
	mc_auto_free char *sentence = NULL;

	assert_int_equal(create(world, "tmpfs", "tmpfs", ""), HV_OK);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(world_mount(world, "vol", "a"), HV_SOURCE_MISSING);
	assert_true(asprintf(&sentence, "the directory %s of volume 'vol' is not there", path) > 0);
	assert_true(world_told(world, sentence));
}

WORLD_TEST(an_image_in_use_in_another_mode_is_told_so)
{
	mc_auto_free char *image = scratch_path(world->dir, "image"), *command = NULL;
	mc_auto_free char *device = NULL;

	assert_true(asprintf(&command,
			    "PATH=$PATH:/usr/sbin:/sbin; truncate -s 16M %s && mkfs.ext4 -q -F %s",
			    image, image) > 0);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a fixed command */
	assert_int_equal(system(command), 0);
	assert_true(asprintf(&device, "device=%s", image) > 0);
	assert_int_equal(world_create(world, "other", "type=ext4", device), HV_OK);
	assert_int_equal(create(world, "ext4", "%s/image", "ro"), HV_OK);
	assert_int_equal(world_mount(world, "other", "a"), HV_OK);
	assert_int_equal(world_mount(world, "vol", "a"), HV_SOURCE_REFUSED);
	assert_true(world_told(world, "in use in another way"));
	assert_true(world_told(world, "ro=true"));
	assert_int_equal(world_unmount(world, "other", "a"), HV_OK);
	assert_int_equal(world_mount(world, "vol", "a"), HV_OK);
	assert_int_equal(world_unmount(world, "vol", "a"), HV_OK);
}

static enum hv_code set(struct volume_fixture *world, const char *name, const char *uid)
{
	struct hv_opts opts = {0};
	enum hv_code code;

	assert_int_equal(hv_opts_add(&opts, "uid", uid), 0);
	hv_error_done(&world->err);
	code = hv_volume_set(world->volumes, name, &opts, &world->err);
	hv_opts_done(&opts);
	return code;
}

WORLD_TEST(another_name_for_a_file_system_has_no_owner_of_its_own)
{
	assert_int_equal(create(world, "tmpfs", "tmpfs", ""), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=vol", "uid=5"), HV_BAD_REQUEST);
	assert_true(world_told(world, "from=vol"));
	assert_true(world_told(world, "'alias'"));
	assert_int_equal(world_create(world, "alias", "from=vol", NULL), HV_OK);
	assert_int_equal(world_create(world, "third", "from=alias", "mode=700"), HV_BAD_REQUEST);
	assert_int_equal(set(world, "alias", "5"), HV_BAD_REQUEST);
	assert_int_equal(set(world, "vol", "5"), HV_OK);
	assert_int_equal(owner_of(world), 0); /* not of the directory below */
	assert_int_equal(world_mount(world, "alias", "a"), HV_OK);
	assert_int_equal(owner_of(world), 5);
	world_mkdir(world, "srv");
	assert_int_equal(world_create(world, "path", "path=%s/srv", NULL), HV_OK);
	assert_int_equal(world_create(world, "same", "from=path", "uid=5"), HV_OK);
	assert_int_equal(set(world, "same", "6"), HV_OK);
}

WORLD_TEST(what_somebody_mounted_over_the_file_system_stays)
{
	mc_auto_free char *path = scratch_path(world->state, "volumes/vol/_data");

	assert_int_equal(create(world, "tmpfs", "tmpfs", ""), HV_OK);
	assert_int_equal(world_mount(world, "vol", "a"), HV_OK);
	world_write(world, "mounts/vol/ours", "");
	assert_int_equal(mount("admin", path, "tmpfs", 0, NULL), 0);
	world_write(world, "state/volumes/vol/_data/of_admin", "");
	assert_int_equal(world_unmount(world, "vol", "a"), HV_OK);
	assert_true(world_has(world, "state/volumes/vol/_data/of_admin"));
	assert_int_equal(world_remove(world, "vol"), HV_VOLUME_IN_USE);
	assert_true(world_told(world, "'vol'"));
	assert_true(world_told(world, path));
	assert_true(world_told(world, "umount"));
	assert_true(world_has(world, "state/volumes/vol/_data/of_admin"));
	assert_int_equal(umount(path), 0);
	assert_true(world_has(world, "state/volumes/vol/_data/ours"));
	assert_int_equal(world_remove(world, "vol"), HV_OK);
	assert_false(world_has(world, "state/volumes/vol"));
}

/* The administrator unmounted it, or mounted another there, while a container has it. */
WORLD_TEST(what_is_mounted_there_now_is_what_the_next_mount_shows)
{
	mc_auto_free char *path = scratch_path(world->state, "volumes/vol/_data");

	assert_int_equal(create(world, "tmpfs", "tmpfs", ""), HV_OK);
	assert_int_equal(world_mount(world, "vol", "a"), HV_OK);
	world_write(world, "mounts/vol/first", "");
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(world_mount(world, "vol", "b"), HV_OK);
	assert_true(is_mounted(world));
	assert_false(world_has(world, "mounts/vol/first"));
	world_write(world, "mounts/vol/second", "");
	assert_true(world_has(world, "state/volumes/vol/_data/second"));
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(mount("other", path, "tmpfs", 0, NULL), 0);
	world_write(world, "state/volumes/vol/_data/third", "");
	assert_int_equal(world_mount(world, "vol", "c"), HV_OK);
	assert_true(world_has(world, "mounts/vol/third"));
	assert_int_equal(world_count_mounts(world, "vol"), 1);
	for (const char *id = "abc"; *id; id++)
		assert_int_equal(world_unmount(world, "vol", (char[]){*id, '\0'}), HV_OK);
	assert_int_equal(world_count_mounts(world, "vol"), 0);
	assert_true(world_has(world, "state/volumes/vol/_data/third")); /* it is not ours */
	assert_int_equal(world_remove(world, "vol"), HV_BUSY);
	assert_true(world_has(world, "state/volumes/vol/_data/third"));
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(world_remove(world, "vol"), HV_OK);
	assert_false(world_has(world, "state/volumes/vol"));
}

TEST_MAIN_IN_NAMESPACE()

/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at volumes on real file systems: each fault is seen, and its end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "support/hv_test.h"
#include "volume/health.h"

#include "scratch.h"
#include "world.h"

enum { MIB = 1 << 20 };

/* A volume that is looked at. */
struct patient {
	struct volume_fixture *world;
	struct hv_checkup checkup;
};

static struct patient meet(struct volume_fixture *world, const char *name)
{
	struct patient patient = {.world = world};
	hv_auto_volume struct hv_volume volume = {0};

	assert_int_equal(hv_volume_get(world->volumes, name, &volume, &world->err), HV_OK);
	assert_int_equal(
		hv_checkup_init(world->volumes, &volume, &patient.checkup, &world->err), HV_OK);
	return patient;
}

#define auto_patient HV_AUTO(leave)
static void leave(struct patient *patient)
{
	hv_checkup_done(&patient->checkup);
}

/* Look once, as the checker does. */
static void expect(struct patient *patient, enum hv_health health)
{
	struct hv_checkup *checkup = &patient->checkup;
	uint64_t server = 1;

	assert_true(hv_checkup_route(patient->world->volumes, checkup, &server));
	assert_int_equal(server, 0);
	hv_volumes_check(patient->world->volumes, &checkup, 1, server);
	if (checkup->health != health)
		fail_msg("it is %s, not %s: %s", hv_health_name(checkup->health),
			hv_health_name(health), hv_error_text(&checkup->problem));
	assert_int_equal(checkup->problem.code != HV_OK, health >= HV_HEALTH_PROBLEM);
}

static bool has_told(const struct patient *patient, const char *text)
{
	const struct hv_error *problem = &patient->checkup.problem;

	return problem->message && strstr(problem->message, text);
}

static void move(struct volume_fixture *world, const char *from, const char *to)
{
	mc_auto_free char *source = scratch_path(world->dir, from);
	mc_auto_free char *target = scratch_path(world->dir, to);

	assert_int_equal(rename(source, target), 0);
}

static void remove_dir(struct volume_fixture *world, const char *name)
{
	mc_auto_free char *path = scratch_path(world->dir, name);

	assert_int_equal(rmdir(path), 0);
}

static void mount_tmpfs(struct volume_fixture *world, const char *name, const char *options)
{
	mc_auto_free char *path = scratch_path(world->dir, name);

	assert_int_equal(mount("disk", path, "tmpfs", 0, options), 0);
}

static void unmount(struct volume_fixture *world, const char *name)
{
	mc_auto_free char *path = scratch_path(world->dir, name);

	assert_int_equal(umount2(path, MNT_DETACH), 0);
}

/* Write a file of so many MiB, as far as there is room. */
static void fill(struct volume_fixture *world, const char *name, int mib)
{
	mc_auto_free char *path = scratch_path(world->dir, name);
	mc_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	static const char block[MIB];

	assert_true(fd >= 0);
	for (int i = 0; i < mib; i++)
		(void)!write(fd, block, sizeof(block));
}

WORLD_TEST(a_directory_that_is_removed_is_missing_until_it_is_there_again)
{
	world_mkdir(world, "data");
	world_mkdir(world, "data/inside");
	assert_int_equal(world_create(world, "path", "path=%s/data/inside", NULL), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=path", NULL), HV_OK);
	assert_int_equal(world_create(world, "part", "path=%s/data", "subpath=inside"), HV_OK);
	auto_patient struct patient path = meet(world, "path");
	auto_patient struct patient alias = meet(world, "alias");
	auto_patient struct patient part = meet(world, "part");
	struct patient *const all[] = {&path, &alias, &part};

	for (size_t i = 0; i < 3; i++)
		expect(all[i], HV_HEALTH_GOOD);
	move(world, "data/inside", "away");
	for (size_t i = 0; i < 3; i++)
		expect(all[i], HV_HEALTH_MISSING);
	assert_true(has_told(&path, "data/inside of volume 'path' is not there"));
	assert_true(has_told(&alias, "'alias'"));
	move(world, "away", "data/inside");
	for (size_t i = 0; i < 3; i++)
		expect(all[i], HV_HEALTH_GOOD);
}

WORLD_TEST(a_file_in_place_of_a_directory_is_refused)
{
	world_mkdir(world, "data");
	assert_int_equal(world_create(world, "path", "path=%s/data", NULL), HV_OK);
	auto_patient struct patient path = meet(world, "path");

	expect(&path, HV_HEALTH_GOOD);
	move(world, "data", "away");
	world_write(world, "data", "");
	expect(&path, HV_HEALTH_REFUSED);
	assert_true(has_told(&path, "is not a directory"));
}

WORLD_TEST(a_directory_that_is_replaced_is_told_until_the_first_is_back)
{
	world_mkdir(world, "data");
	assert_int_equal(world_create(world, "path", "path=%s/data", NULL), HV_OK);
	auto_patient struct patient path = meet(world, "path");

	expect(&path, HV_HEALTH_GOOD);
	move(world, "data", "before");
	world_mkdir(world, "data");
	expect(&path, HV_HEALTH_REPLACED);
	expect(&path, HV_HEALTH_REPLACED);
	remove_dir(world, "data");
	expect(&path, HV_HEALTH_MISSING);
	move(world, "before", "data");
	expect(&path, HV_HEALTH_GOOD);
}

WORLD_TEST(a_directory_that_is_replaced_is_well_when_it_is_used)
{
	world_mkdir(world, "data");
	assert_int_equal(world_create(world, "path", "path=%s/data", NULL), HV_OK);
	auto_patient struct patient path = meet(world, "path");

	assert_int_equal(world_mount(world, "path", "first"), HV_OK);
	expect(&path, HV_HEALTH_GOOD);
	move(world, "data", "before");
	world_mkdir(world, "data");
	expect(&path, HV_HEALTH_REPLACED);
	assert_int_equal(world_mount(world, "path", "second"), HV_OK);
	expect(&path, HV_HEALTH_GOOD);
}

WORLD_TEST(a_directory_of_hostvols_own_is_looked_at_too)
{
	assert_int_equal(world_create(world, "managed", NULL, NULL), HV_OK);
	auto_patient struct patient managed = meet(world, "managed");

	expect(&managed, HV_HEALTH_GOOD);
	move(world, "state/volumes/managed/_data", "away");
	expect(&managed, HV_HEALTH_MISSING);
	world_mkdir(world, "state/volumes/managed/_data");
	expect(&managed, HV_HEALTH_REPLACED);
	remove_dir(world, "state/volumes/managed/_data");
	move(world, "away", "state/volumes/managed/_data");
	expect(&managed, HV_HEALTH_GOOD);
}

WORLD_TEST(a_disk_that_is_unmounted_is_told_until_it_is_mounted_again)
{
	world_mkdir(world, "disk");
	mount_tmpfs(world, "disk", NULL);
	world_mkdir(world, "disk/data");
	assert_int_equal(world_create(world, "disk", "path=%s/disk", NULL), HV_OK);
	assert_int_equal(world_create(world, "data", "path=%s/disk/data", NULL), HV_OK);
	auto_patient struct patient disk = meet(world, "disk");
	auto_patient struct patient data = meet(world, "data");

	expect(&disk, HV_HEALTH_GOOD);
	expect(&data, HV_HEALTH_GOOD);
	unmount(world, "disk");
	expect(&disk, HV_HEALTH_UNMOUNTED); /* its path leads to an empty directory */
	expect(&data, HV_HEALTH_UNMOUNTED); /* to none */
	assert_true(has_told(&data, "the disk of volume 'data' is not mounted"));
	mount_tmpfs(world, "disk", NULL); /* has another number */
	expect(&disk, HV_HEALTH_GOOD);
	expect(&data, HV_HEALTH_MISSING);
	world_mkdir(world, "disk/data");
	expect(&data, HV_HEALTH_GOOD);
	remove_dir(world, "disk/data"); /* the disk's own from here on */
	expect(&data, HV_HEALTH_MISSING);
}

/* At boot the daemon may be there before the disk. */
WORLD_TEST(a_disk_that_is_mounted_later_is_no_problem)
{
	world_mkdir(world, "disk");
	assert_int_equal(world_create(world, "disk", "path=%s/disk", NULL), HV_OK);
	auto_patient struct patient disk = meet(world, "disk");

	expect(&disk, HV_HEALTH_GOOD);
	mount_tmpfs(world, "disk", NULL);
	expect(&disk, HV_HEALTH_GOOD);
	unmount(world, "disk");
	expect(&disk, HV_HEALTH_UNMOUNTED);
}

/* The memory of the looks is not on disk. */
WORLD_TEST(a_restart_forgets_which_directory_it_was)
{
	world_mkdir(world, "data");
	assert_int_equal(world_create(world, "path", "path=%s/data", NULL), HV_OK);
	auto_patient struct patient before = meet(world, "path");

	expect(&before, HV_HEALTH_GOOD);
	move(world, "data", "before");
	world_mkdir(world, "data");
	expect(&before, HV_HEALTH_REPLACED);
	auto_patient struct patient after = meet(world, "path");

	assert_int_equal(after.checkup.health, HV_HEALTH_UNKNOWN);
	expect(&after, HV_HEALTH_GOOD);
}

WORLD_TEST(a_file_system_that_fills_up_is_nearly_full_until_there_is_room)
{
	mc_auto_free char *file = scratch_path(world->dir, "disk/file");

	world_mkdir(world, "disk");
	mount_tmpfs(world, "disk", "size=10m,nr_inodes=100");
	assert_int_equal(world_create(world, "path", "path=%s/disk", NULL), HV_OK);
	auto_patient struct patient path = meet(world, "path");

	expect(&path, HV_HEALTH_GOOD);
	fill(world, "disk/file", 11);
	expect(&path, HV_HEALTH_NEARLY_FULL);
	assert_true(has_told(&path, "100 % of the space"));
	assert_int_equal(unlink(file), 0);
	expect(&path, HV_HEALTH_GOOD);
	for (int i = 0; i < 97; i++) {
		char name[32];

		snprintf(name, sizeof(name), "disk/%d", i);
		world_write(world, name, "");
	}
	expect(&path, HV_HEALTH_NEARLY_FULL);
	assert_true(has_told(&path, "% of the inodes"));
}

WORLD_TEST(a_file_system_that_becomes_read_only_is_told_and_one_that_is_is_not)
{
	mc_auto_free char *disk = scratch_path(world->dir, "disk");

	world_mkdir(world, "disk");
	mount_tmpfs(world, "disk", "size=1m");
	assert_int_equal(world_create(world, "path", "path=%s/disk", NULL), HV_OK);
	assert_int_equal(world_create(world, "ro-data", "path=%s/disk", "ro=true"), HV_OK);
	auto_patient struct patient path = meet(world, "path");
	auto_patient struct patient ro = meet(world, "ro-data");

	expect(&path, HV_HEALTH_GOOD);
	expect(&ro, HV_HEALTH_GOOD);
	fill(world, "disk/file", 2);
	assert_int_equal(mount(NULL, disk, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	expect(&path, HV_HEALTH_READ_ONLY);
	expect(&ro, HV_HEALTH_GOOD); /* as an image, which is always full */
	auto_patient struct patient later = meet(world, "path");

	expect(&later, HV_HEALTH_GOOD);
	assert_int_equal(mount(NULL, disk, NULL, MS_REMOUNT, NULL), 0);
	expect(&path, HV_HEALTH_NEARLY_FULL);
}

WORLD_TEST(a_file_system_that_is_unmounted_while_it_is_used_is_told)
{
	assert_int_equal(world_create(world, "fs-data", "type=tmpfs", "device=tmpfs"), HV_OK);
	assert_int_equal(world_create(world, "alias", "from=fs-data", NULL), HV_OK);
	auto_patient struct patient fs = meet(world, "fs-data");
	auto_patient struct patient alias = meet(world, "alias");

	expect(&fs, HV_HEALTH_GOOD);
	assert_int_equal(world_mount(world, "fs-data", "user"), HV_OK);
	expect(&fs, HV_HEALTH_GOOD);
	expect(&alias, HV_HEALTH_GOOD);
	unmount(world, "state/volumes/fs-data/_data");
	expect(&fs, HV_HEALTH_UNMOUNTED);
	assert_true(has_told(&fs, "was unmounted from"));
	expect(&alias, HV_HEALTH_UNMOUNTED);
	assert_int_equal(world_unmount(world, "fs-data", "user"), HV_OK);
	expect(&fs, HV_HEALTH_GOOD); /* nobody uses it any more */
	assert_int_equal(world_mount(world, "fs-data", "user"), HV_OK);
	expect(&fs, HV_HEALTH_GOOD);
	assert_int_equal(world_unmount(world, "fs-data", "user"), HV_OK);
	expect(&fs, HV_HEALTH_GOOD);
}

WORLD_TEST(an_image_that_is_gone_is_missing_in_all_names_of_its_volume)
{
	mc_auto_free char *option = NULL;
	struct hv_opts opts = {0};

	world_write(world, "disk.img", "");
	assert_true(asprintf(&option, "%s/disk.img", world->dir) > 0);
	assert_int_equal(hv_opts_add(&opts, "type", "ext4"), 0);
	assert_int_equal(hv_opts_add(&opts, "device", option), 0);
	assert_int_equal(hv_volume_create(world->volumes, "image", &opts, &world->err), HV_OK);
	hv_opts_done(&opts);
	assert_int_equal(world_create(world, "alias", "from=image", NULL), HV_OK);
	auto_patient struct patient image = meet(world, "image");
	auto_patient struct patient alias = meet(world, "alias");

	expect(&image, HV_HEALTH_GOOD);
	expect(&alias, HV_HEALTH_GOOD);
	move(world, "disk.img", "away");
	expect(&image, HV_HEALTH_MISSING);
	assert_true(has_told(&image, "disk.img, which the file system of volume 'image'"));
	expect(&alias, HV_HEALTH_MISSING);
	move(world, "away", "disk.img");
	expect(&image, HV_HEALTH_GOOD);
	expect(&alias, HV_HEALTH_GOOD);
}

WORLD_TEST(the_mount_that_a_volume_requires_is_missed_from_the_start)
{
	struct hv_opts opts = {0};
	mc_auto_free char *disk = scratch_path(world->dir, "disk");

	/* Everything here is on a mount: the sandbox has no directory on the root mount. */
	world_mkdir(world, "disk");
	mount_tmpfs(world, "disk", NULL);
	assert_int_equal(hv_opts_add(&opts, "path", disk), 0);
	assert_int_equal(hv_opts_add(&opts, "require-mount", "true"), 0);
	assert_int_equal(hv_volume_create(world->volumes, "needy", &opts, &world->err), HV_OK);
	hv_opts_done(&opts);
	auto_patient struct patient needy = meet(world, "needy");

	assert_true(needy.checkup.requires_mount);
	expect(&needy, HV_HEALTH_GOOD);
}

/* One damaged or hung volume is no reason to leave out the others of a call. */
WORLD_TEST(many_volumes_are_looked_at_in_one_call)
{
	enum { COUNT = 150 };
	struct patient *patients = calloc(COUNT, sizeof(*patients));
	struct hv_checkup *checkups[COUNT];
	char name[32];

	assert_non_null(patients);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "volume-%d", i);
		assert_int_equal(world_create(world, name, NULL, NULL), HV_OK);
		patients[i] = meet(world, name);
		checkups[i] = &patients[i].checkup;
	}
	remove_dir(world, "state/volumes/volume-77/_data");
	hv_volumes_check(world->volumes, checkups, COUNT, 0);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(checkups[i]->health, i == 77 ? HV_HEALTH_MISSING : HV_HEALTH_GOOD);
		leave(&patients[i]);
	}
	free(patients);
}

TEST_MAIN_IN_NAMESPACE()

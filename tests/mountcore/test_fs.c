/* SPDX-License-Identifier: Apache-2.0 */
/* File systems mounted on the host: image files and their loop devices, options. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/fs.h"

#include "box.h"
#include "scratch.h"
#include "sys.h"

#define IMAGE "/tmp/fs.img"

enum { PLACES = 4, ROUNDS = 8, DEADLINE_MS = 10000 };

static const char *const places[PLACES] = {"/tmp/a", "/tmp/b", "/tmp/c", "/tmp/d"};

/* How long mount(2) and umount(2) take here, and a look for a free loop device: the helper has a
 * copy. */
static useconds_t delay_us, free_delay_us;

int __real_mc_sys_mount_fs(const char *source, const char *target, const char *type,
	unsigned long flags, const char *data);
int __wrap_mc_sys_mount_fs(const char *source, const char *target, const char *type,
	unsigned long flags, const char *data);
int __real_mc_sys_umount2(const char *path, int flags);
int __wrap_mc_sys_umount2(const char *path, int flags);

int __wrap_mc_sys_mount_fs(const char *source, const char *target, const char *type,
	unsigned long flags, const char *data)
{
	usleep(delay_us);
	return __real_mc_sys_mount_fs(source, target, type, flags, data);
}

int __wrap_mc_sys_umount2(const char *path, int flags)
{
	usleep(delay_us);
	return __real_mc_sys_umount2(path, flags);
}

int __real_mc_sys_ioctl(int fd, unsigned long request, const void *argument);
int __wrap_mc_sys_ioctl(int fd, unsigned long request, const void *argument);

int __wrap_mc_sys_ioctl(int fd, unsigned long request, const void *argument)
{
	if (request == LOOP_CTL_GET_FREE)
		usleep(free_delay_us);
	return __real_mc_sys_ioctl(fd, request, argument);
}

/* As of Docker's local driver: split at commas, exact words are flags, the rest is the file
 * system's. */
TEST(options_are_flags_or_the_file_system_s_own)
{
	static const struct {
		const char *options;
		unsigned long flags;
		const char *data;
	} cases[] = {
		{"", 0, ""},
		{",", 0, ""},
		{"ro", MS_RDONLY, ""},
		{"ro,rw", 0, ""},
		{"ro,noatime,size=1m,nosuid,mode=700", MS_RDONLY | MS_NOATIME | MS_NOSUID,
			"size=1m,mode=700"},
		{"defaults,nofail,loop,auto,_netdev", 0, ""},
		{"nodev,noexec,sync,dirsync,nodiratime,relatime",
			MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_DIRSYNC | MS_NODIRATIME |
				MS_RELATIME,
			""},
		{"username=a,password=x\"y,ro", MS_RDONLY, "username=a,password=x\"y"},
		{"password=\"a,ro,b=c\"", MS_RDONLY, "password=\"a,b=c\""},
		{"a\"b,ro", MS_RDONLY, "a\"b"},
		{"username=u,password=a,,b", 0, "username=u,password=a,,b"},
		{"password=a,,", 0, "password=a,,"},
		{"ro,,size=1m", MS_RDONLY, "size=1m"},
		{"user=bob,domain=d,ro", MS_RDONLY, "user=bob,domain=d"},
		{"ro=x,nosuid", MS_NOSUID, "ro=x"},
		{"password=a=b", 0, "password=a=b"},
		{"lowerdir=/a\\:b:/c", 0, "lowerdir=/a\\:b:/c"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mc_fs fs;
		char refused[MC_FS_OPTION_SIZE];

		assert_int_equal(mc_fs_read("x", "y", cases[i].options, &fs, refused), 0);
		assert_int_equal(fs.flags, cases[i].flags);
		assert_string_equal(fs.data, cases[i].data);
	}
}

TEST(options_that_are_for_mount_8_are_refused)
{
	static const char *const options[] = {"remount", "bind", "rbind", "private", "rshared",
		"user", "users", "group", "helper=x", "X-mount.mkdir", "X-mount.mkdir=0755",
		"x-systemd.automount", "offset=4096", "loop=/dev/loop3", "comment=\"x"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct mc_fs fs;
		char refused[MC_FS_OPTION_SIZE], both[128];

		snprintf(both, sizeof(both), "noatime,a=\",%s,size=1", options[i]);
		assert_int_equal(mc_fs_read("x", "y", both, &fs, refused), -EINVAL);
		assert_string_equal(refused, options[i]);
	}
}

static void make_image(void)
{
	for (size_t i = 0; i < PLACES; i++)
		scratch_mkdir(places[i]);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a fixed command */
	assert_int_equal(system("PATH=$PATH:/usr/sbin:/sbin; truncate -s 16M " IMAGE
				" && mkfs.ext4 -q -F " IMAGE),
		0);
}

static struct mc_core *open_core(void)
{
	const struct mc_core_args args = {.workers = 1, .helper_timeout_ms = DEADLINE_MS};
	struct mc_core *core = NULL;

	assert_int_equal(mc_core_open(&args, &core, NULL), 0);
	return core;
}

static int mount_image(struct mc_core *core, const char *image, const char *options,
	const char *place, struct mc_err *ret_err)
{
	struct mc_fs fs;
	char refused[MC_FS_OPTION_SIZE];

	*ret_err = (struct mc_err){0};
	assert_int_equal(mc_fs_read("ext4", image, options, &fs, refused), 0);
	return mc_host_mount(core, &fs, place, ret_err);
}

static void expect_mount(
	struct mc_core *core, const char *image, const char *options, const char *place)
{
	struct mc_err err;

	assert_int_equal(mount_image(core, image, options, place, &err), 1);
}

static void expect_busy(struct mc_core *core, const char *options, const char *place)
{
	struct mc_err err;

	assert_int_equal(mount_image(core, IMAGE, options, place, &err), -EBUSY);
	assert_string_equal(mc_step_name(err.step), mc_step_name(MC_STEP_FS));
}

static dev_t device_of(const char *place)
{
	struct stat is;

	assert_int_equal(stat(place, &is), 0);
	return is.st_dev;
}

static bool is_of_image(int loop, const struct stat *image)
{
	struct loop_info64 info;

	return loop >= 0 && ioctl(loop, LOOP_GET_STATUS64, &info) == 0 &&
	       info.lo_device == image->st_dev && info.lo_inode == image->st_ino;
}

static unsigned count_loops(void)
{
	DIR *dev = opendir("/dev");
	const struct dirent *entry;
	struct stat image;
	unsigned count = 0;

	assert_non_null(dev);
	assert_int_equal(stat(IMAGE, &image), 0);
	while ((entry = readdir(dev))) {
		mc_auto_fd loop = MC_FD_NONE;

		if (strncmp(entry->d_name, "loop", 4) == 0 && entry->d_name[4] != '-')
			loop = openat(dirfd(dev), entry->d_name, O_RDONLY | O_CLOEXEC);
		count += is_of_image(loop, &image);
	}
	closedir(dev);
	return count;
}

/* The last close of a device, which frees it, may be a moment after the unmount. */
static void expect_no_loop(void)
{
	for (int i = 0; i < DEADLINE_MS && count_loops() > 0; i++)
		usleep(1000);
	assert_int_equal(count_loops(), 0);
}

static void unmount(struct mc_core *core, const char *place)
{
	assert_int_equal(mc_host_unmount(core, "ext4", IMAGE, place, NULL), 0);
}

NS_TEST(all_mounts_of_an_image_are_of_one_file_system)
{
	struct mc_core *core = open_core();
	int fd;

	make_image();
	assert_int_equal(link(IMAGE, "/tmp/other.img"), 0);
	expect_mount(core, IMAGE, "", places[0]);
	expect_mount(core, IMAGE, "", places[1]);
	expect_mount(core, "/tmp/other.img", "noatime", places[2]);
	assert_int_equal(count_loops(), 1);
	assert_int_equal(device_of(places[0]), device_of(places[1]));
	assert_int_equal(device_of(places[0]), device_of(places[2]));
	unmount(core, places[0]);
	unmount(core, places[2]);
	assert_int_equal(count_loops(), 1);
	fd = open("/tmp/b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	unmount(core, places[1]); /* lazily: its file system lives on */
	expect_mount(core, IMAGE, "", places[0]);
	assert_int_equal(count_loops(), 1);
	close(fd);
	unmount(core, places[0]);
	expect_no_loop();
	mc_core_close(core);
}

static void expect_foreign(struct mc_core *core, const char *type, const char *device)
{
	struct mc_err err = {0};

	assert_int_equal(mc_host_unmount(core, type, device, places[0], &err), -ESTALE);
	assert_string_equal(mc_step_name(err.step), mc_step_name(MC_STEP_IDENTITY));
}

NS_TEST(only_the_named_file_system_is_unmounted)
{
	struct mc_core *core = open_core();

	make_image();
	assert_int_equal(symlink(IMAGE, "/tmp/link.img"), 0);
	expect_mount(core, IMAGE, "", places[0]);
	expect_foreign(core, "ext4", "/dev/null");
	expect_foreign(core, "ext4", "/proc/self/status");
	expect_foreign(core, "tmpfs", IMAGE);
	assert_int_equal(mount("tmpfs", places[0], "tmpfs", 0, NULL), 0);
	expect_foreign(core, "ext4", IMAGE); /* it is below */
	expect_foreign(core, "tmpfs", "other");
	assert_int_equal(mc_host_unmount(core, "tmpfs", "tmpfs", places[0], NULL), -ESTALE);
	assert_int_equal(device_of(places[0]) != device_of("/tmp"), 1);
	assert_int_equal(mc_host_unmount(core, "ext4", "/tmp/link.img", places[0], NULL), 0);
	expect_mount(core, IMAGE, "", places[0]);
	assert_int_equal(unlink(IMAGE), 0);
	assert_int_equal(mc_host_unmount(core, "ext4", IMAGE, places[0], NULL), 0);
	assert_int_equal(mount("srv:/a/", places[0], "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("//srv/b", places[0], "tmpfs", 0, NULL), 0);
	expect_foreign(core, "tmpfs", "srv:/a");
	expect_foreign(core, "tmpfs", "\\\\srv\\bc");
	assert_int_equal(umount(places[0]), 0);
	assert_int_equal(mc_host_unmount(core, "tmpfs", "srv:/a", places[0], NULL), 0);
	assert_int_equal(mc_host_unmount(core, "tmpfs", "srv:/a", places[0], NULL), 0);
	mc_core_close(core);
}

NS_TEST(an_image_in_use_is_not_mounted_in_another_mode)
{
	struct mc_core *core = open_core();

	make_image();
	expect_mount(core, IMAGE, "ro", places[0]);
	expect_mount(core, IMAGE, "ro", places[1]);
	expect_busy(core, "", places[2]);
	unmount(core, places[0]);
	unmount(core, places[1]);
	expect_no_loop();
	expect_mount(core, IMAGE, "", places[0]);
	expect_busy(core, "ro", places[1]);
	assert_int_equal(count_loops(), 1);
	unmount(core, places[0]);
	expect_no_loop();
	mc_core_close(core);
}

/* A device for a part of the image, as for a partition. */
NS_TEST(a_loop_device_for_a_part_of_the_image_is_in_the_way)
{
	struct mc_core *core = open_core();
	struct loop_info64 info = {.lo_offset = 4096, .lo_flags = LO_FLAGS_AUTOCLEAR};
	mc_auto_fd control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	mc_auto_fd loop = MC_FD_NONE, image = MC_FD_NONE;
	char path[32];
	int rc = -1;

	make_image();
	image = open(IMAGE, O_RDWR | O_CLOEXEC);
	for (int i = 0; i < ROUNDS && rc < 0; i++) {
		mc_close_fd(&loop);
		snprintf(path, sizeof(path), "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
		loop = open(path, O_RDWR | O_CLOEXEC);
		rc = ioctl(loop, LOOP_SET_FD, image);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(ioctl(loop, LOOP_SET_STATUS64, &info), 0);
	expect_busy(core, "", places[0]);
	mc_close_fd(&loop);
	expect_no_loop();
	expect_mount(core, IMAGE, "", places[0]);
	unmount(core, places[0]);
	expect_no_loop();
	mc_core_close(core);
}

struct mounter {
	struct mc_core *core;
	const char *place;
	int rc;
};

static void *mount_one(void *argument)
{
	struct mounter *mounter = argument;
	struct mc_err err;

	mounter->rc = mount_image(mounter->core, IMAGE, "", mounter->place, &err);
	return NULL;
}

NS_TEST(mounts_of_an_image_at_the_same_time_are_of_one_file_system)
{
	struct mc_core *core = open_core();
	struct mounter mounters[PLACES];
	pthread_t threads[PLACES];

	make_image();
	free_delay_us = 20000; /* between the look for the file's own and the taking of another */
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < PLACES; i++) {
			mounters[i] = (struct mounter){.core = core, .place = places[i]};
			assert_int_equal(
				pthread_create(&threads[i], NULL, mount_one, &mounters[i]), 0);
		}
		for (size_t i = 0; i < PLACES; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(count_loops(), 1);
		for (size_t i = 0; i < PLACES; i++) {
			assert_int_equal(mounters[i].rc, 1);
			assert_int_equal(device_of(places[i]), device_of(places[0]));
		}
		for (size_t i = 0; i < PLACES; i++)
			unmount(core, places[i]);
		expect_no_loop();
	}
	mc_core_close(core);
}

NS_TEST(mounting_has_a_deadline_of_its_own)
{
	struct mc_core_args args = {.workers = 1, .helper_timeout_ms = 1000};
	struct mc_core *core = NULL;
	struct mc_err err;

	make_image();
	assert_int_equal(mc_core_open(&args, &core, NULL), 0);
	delay_us = 1500000;
	expect_mount(core, IMAGE, "", places[0]);
	unmount(core, places[0]);
	mc_core_close(core);
	args.mount_timeout_ms = 500;
	assert_int_equal(mc_core_open(&args, &core, NULL), 0);
	assert_int_equal(mount_image(core, IMAGE, "", places[0], &err), -ETIMEDOUT);
	assert_string_equal(mc_step_name(err.step), mc_step_name(MC_STEP_HELPER));
	delay_us = 0;
	mc_core_close(core);
}

/* Relative to the directory mounted on, which is in hostvol's own. */
NS_TEST(an_image_is_named_by_an_absolute_path)
{
	struct mc_core *core = open_core();
	struct mc_err err;

	make_image();
	assert_int_equal(mount_image(core, "../fs.img", "", places[0], &err), -ENOTBLK);
	assert_int_equal(mount_image(core, "/tmp", "", places[0], &err), -EISDIR);
	assert_int_equal(count_loops(), 0);
	mc_core_close(core);
}

TEST_MAIN_PRIVILEGED()

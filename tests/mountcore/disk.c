/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "support/hv_test.h"

#include "scratch.h"

#define IMAGE "/tmp/disk.img"

enum { IMAGE_SIZE = 16 << 20, TRIES = 10 };

/* A loop device that goes with its mount. */
static void mount_loop(void)
{
	char path[32];
	struct loop_info64 info = {.lo_flags = LO_FLAGS_AUTOCLEAR};
	mc_auto_fd control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	mc_auto_fd image = open(IMAGE, O_RDWR | O_CLOEXEC), loop = MC_FD_NONE;
	int rc = -1;

	for (int i = 0; i < TRIES && rc < 0; i++) { /* another test may be quicker */
		mc_close_fd(&loop);
		snprintf(path, sizeof(path), "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
		loop = open(path, O_RDWR | O_CLOEXEC);
		rc = ioctl(loop, LOOP_SET_FD, image);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(ioctl(loop, LOOP_SET_STATUS64, &info), 0);
	assert_int_equal(mount(path, DISK, "ext4", 0, NULL), 0);
}

void disk_open(void)
{
	mc_auto_fd image = open(IMAGE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(image, IMAGE_SIZE), 0);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a fixed command */
	assert_int_equal(system("PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q -F " IMAGE), 0);
	scratch_mkdir(DISK);
	mount_loop();
	scratch_mkdir(DISK "/deep");
	scratch_mkdir(DISK_SOURCE);
	scratch_write(DISK_SOURCE "/file");
}

void disk_close(void)
{
	scratch_umount(DISK);
}

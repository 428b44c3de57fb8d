/* SPDX-License-Identifier: Apache-2.0 */
/* Loop devices: the block device that an image file is mounted by. */
#ifndef MOUNTCORE_SRC_LOOP_H
#define MOUNTCORE_SRC_LOOP_H

#include <stdbool.h>
#include <sys/stat.h>

enum { MC_LOOP_PATH_SIZE = 32 };

/* The loop device of the regular file `file`: its existing one, or a free one, which goes when
 * nobody has it open and it is not mounted.  In a job, where /dev is the host's; one job at a time
 * for each file.
 * Returns a descriptor, which keeps the device until it is mounted, and its path; -EBUSY: the
 * file's device is read-only, unlike the request, or covers a part of the file; -ENOTBLK: there are
 * no loop devices here; or the error of open(2) or ioctl(2).
 * Source: loop(4). */
int mc_loop_open(int file, bool read_only, char ret_path[static MC_LOOP_PATH_SIZE])
	__attribute__((warn_unused_result));

/* Whether the block device is a loop device of `file`; NULL: any loop device.
 * Returns 1, 0, or the error of ioctl(2). */
int mc_loop_is_of(int device, const struct stat *file);

#endif

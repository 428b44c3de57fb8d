/* Loop devices: the block device that an image file is mounted by. */
#ifndef MOUNTCORE_SRC_LOOP_H
#define MOUNTCORE_SRC_LOOP_H

#include <stdbool.h>
#include <sys/stat.h>

enum { MC_LOOP_PATH_SIZE = 32 };

/* The loop device of the regular file `file`: the one that it has, or a free one, which goes when
 * nobody has it open and it is not mounted.  In a job, where /dev is the host's, and for each file
 * one job at a time.
 * Returns a descriptor, which keeps it until it is mounted, and its path; -EBUSY: the file has one
 * that is read-only, against what is asked for, or stands for a part of it; -ENOTBLK: there are no
 * loop devices here; or what open(2) and ioctl(2) gave.
 * Source: loop(4). */
int mc_loop_open(int file, bool read_only, char ret_path[static MC_LOOP_PATH_SIZE])
	__attribute__((warn_unused_result));

/* Whether the block device is a loop device that `file` is in; NULL: a loop device at all.
 * Returns 1, 0, or what ioctl(2) gave. */
int mc_loop_is_of(int device, const struct stat *file);

#endif

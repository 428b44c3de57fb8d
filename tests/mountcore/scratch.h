/* SPDX-License-Identifier: Apache-2.0 */
/* Small changes to the sandbox's own files and mounts; each asserts that it worked. */
#ifndef MOUNTCORE_SCRATCH_H
#define MOUNTCORE_SCRATCH_H

#include <stdbool.h>

void scratch_write(const char *path);
int scratch_try_write(const char *path); /* 0 or a negative errno */
int scratch_owner(
	const char *path); /* its user; a negative errno, or -EXDEV: its group is another */
void scratch_mkdir(const char *path);
void scratch_mount_tmpfs(const char *path);
void scratch_make_shared(const char *path);
void scratch_make_unbindable(const char *path);
void scratch_bind(const char *source, const char *target);
/* Its writable layer is beside it; creates `path`. */
void scratch_mount_overlay(const char *lower, const char *path);
void scratch_umount(const char *path);
bool scratch_exists(const char *path); /* a dangling symlink does */
unsigned scratch_count_threads(void);

/* Whether this kernel can mount beneath another mount (6.5), by doing it; independent of what the
 * library finds out.  In the sandbox. */
bool scratch_kernel_goes_beneath(void);

/* Whether it is this version of Linux, or a later one. */
bool scratch_kernel_is_from(unsigned major, unsigned minor);

/* A FUSE mount that nobody serves: a look into it waits.  Returns the descriptor that keeps it so,
 * or -1 if the machine has no FUSE. */
int scratch_mount_silent(const char *path);

/* The errno that a file system without its server answers, negative: ENOTCONN; on 7.2 ECONNREFUSED
 * if the server had answered nothing yet. */
int scratch_dead_code(const char *path);

/* The same for box_run(): 0 or -EIO. */
int in_mount_silent(const char *path);

#endif

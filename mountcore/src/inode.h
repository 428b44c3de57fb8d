/* SPDX-License-Identifier: Apache-2.0 */
/* The inode behind a descriptor or a name.  Every function is fit for a job: system calls on the
 * caller's memory. */
#ifndef MOUNTCORE_SRC_INODE_H
#define MOUNTCORE_SRC_INODE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mc_core;

struct mc_stat {
	mode_t mode;
	uint32_t nlink;
	uint64_t ino;
	uint64_t size;
	uint32_t uid;
	uint32_t gid;
	uint64_t dev;          /* makedev() */
	uint64_t mount_id;     /* unique where the kernel has that, else the one of mountinfo */
	uint64_t mountinfo_id; /* column 1 of mountinfo */
	bool is_mount_root;
};

/* Describe what `name` in `dirfd` is ("" for the descriptor itself), following a mount on top of
 * it but no symlink.  Asks no server (AT_STATX_DONT_SYNC).  Returns 0 or a negative errno. */
int mc_describe(const struct mc_core *core, int dirfd, const char *name, struct mc_stat *ret);

/* The path of `fd` as seen from `root`, a descriptor of a directory above it; from the calling
 * thread's root for MC_FD_NONE.  Returns 0 or a negative errno. */
int mc_fd_path(const struct mc_core *core, int root, int fd, char ret[static PATH_MAX]);

/* The mount that `fd` is on, as mountinfo numbers it, from what procfs says of the descriptor: for
 * kernels whose statx does not know it.  Source: proc_pid_fdinfo(5), mnt_id. */
int mc_fd_mount(const struct mc_core *core, int fd, uint64_t *ret);

enum { MC_FD_NAME_SIZE = 32 };

/* `prefix`, of at most 20 bytes, and `number`, which is not negative. */
void mc_number_name(const char *prefix, int number, char ret[static MC_FD_NAME_SIZE]);

/* "thread-self/fd/N", relative to core->proc. */
void mc_fd_name(int fd, char ret[static MC_FD_NAME_SIZE]);

/* Copy a caller's path into a job; NULL is "".  Returns 0 or -ENAMETOOLONG. */
int mc_copy_path(char ret[static PATH_MAX], const char *path);

enum { MC_NAME_ROOM = NAME_MAX + 2 }; /* a byte more than a name may have: the kernel refuses it */

/* Copy the first component of `path` to `ret`.  Returns what is behind it, or NULL at the end. */
const char *mc_next_component(const char *path, char ret[static MC_NAME_ROOM]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Looking through the processes of our procfs.  Not for jobs: readdir(3) allocates. */
#ifndef MOUNTCORE_SRC_PROCFS_H
#define MOUNTCORE_SRC_PROCFS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

#include "mountcore/busy.h"

void mc_close_dir(DIR **dir);

#define mc_auto_dir __attribute__((cleanup(mc_close_dir))) DIR *

/* Open a directory of procfs as a stream; NULL with errno when it cannot be. */
DIR *mc_procfs_open(int dirfd, const char *name);

/* Open the file `name` of the process's directory in our procfs.  Returns a descriptor, or a
 * negative errno: -ESRCH for a process that is gone. */
int mc_procfs_open_of(const struct mc_core *core, pid_t pid, const char *name, int flags);

/* A stream that reads what was opened as `fd`, which it takes over.  NULL with `ret_rc`: the error
 * that `fd` is, or -ENOMEM. */
FILE *mc_procfs_stream(int fd, int *ret_rc);

/* Whether the name of an entry is the number of a process. */
bool mc_procfs_is_process(const char *name);

/* The name of the process, from its file "comm"; "" if the process is gone.
 * Source: proc_pid_comm(5). */
void mc_procfs_command(int dirfd, const char *comm, char ret[static MC_COMMAND_SIZE]);

#endif

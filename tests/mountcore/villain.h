/* SPDX-License-Identifier: Apache-2.0 */
/* A process in the box that works against the library, at full speed, until it is stopped. */
#ifndef MOUNTCORE_VILLAIN_H
#define MOUNTCORE_VILLAIN_H

#include "box.h"

/* The name of the targets below: nothing on the machine has it. */
#define VILLAIN_NAME "hostvol_race"

/* Functions for box_run().  They start one of:
 *   swap    /mnt/d (a directory) and /mnt/link (a symlink to places as on a host)
 *   rename  /mnt/d and its VILLAIN_NAME, and remove that
 *   cover   /mnt/d with a tmpfs, and uncover it
 *   exit    swaps as many times as `text` says, then ends the box; begins at SIGCONT, and box_run()
 *           returns its process ID */
int in_villain_swap(const char *text);
int in_villain_rename(const char *text);
int in_villain_cover(const char *text);
int in_villain_exit(const char *text);

int in_villain_pause(const char *text); /* returns when it stands still */
int in_villain_resume(const char *text);
int in_villain_stop(const char *text);

/* Swap the paths `one` and `other` from a process of its own that is our child; kill it. */
pid_t villain_swap_here(const char *one, const char *other);

#endif

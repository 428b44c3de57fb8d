/* SPDX-License-Identifier: Apache-2.0 */
/* Find the processes that have a volume's data mounted.  The kernel is asked, since no Engine knows
 * the others' containers and counted references repeat and go missing. */
#ifndef VOLUME_USERS_H
#define VOLUME_USERS_H

#include "mountcore/mounts.h"
#include "volume/volume.h"

/* Whether the volume's removal takes nothing from anybody: where it would delete the data, or
 * unmount the volume's file system, no process may have that in its mount namespace.  The mounts at
 * the mount root, and their copies in other namespaces, are hostvol's own and do not count.
 * `host`: the host's mount table, read if it is NULL; it is freed here, and NULL again.
 * Returns HV_OK, HV_VOLUME_IN_USE with the process and its container, or HV_INTERNAL: it cannot be
 * told.  Source: proc_pid_mountinfo(5). */
enum hv_code hv_users_check(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The container that a process belongs to, by the text of its /proc/PID/cgroup: the 64 hex digits
 * of an ID in the path of one.  Returns false where there is none: no container's, or one of an
 * Engine that hides it (cgroup namespaces do not, from outside). */
enum { HV_USERS_ID_SIZE = 65 };
bool hv_users_read_container(const char *cgroup, char ret[static HV_USERS_ID_SIZE])
	__attribute__((nonnull));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A user namespace that no process is in, for the map of a mount. */
#ifndef MOUNTCORE_SRC_USERNS_H
#define MOUNTCORE_SRC_USERNS_H

#include <sys/types.h>

struct mc_core;
struct mc_idmap;

/* Make a user namespace with these maps, a child of our own.  Returns a descriptor of it, or
 *   -ENOSPC   user.max_user_namespaces, or a nesting that is too deep (-EUSERS before 4.9)
 *   -EPERM    no CAP_SETUID, CAP_SETGID or CAP_SETFCAP, a chroot, a security module
 *   -EINVAL   a kernel without user namespaces, or a map that makes no sense
 *   -E2BIG    a map that is too long
 * Any thread but a worker.  Source: user_namespaces(7), clone(2). */
int mc_userns_make(
	const struct mc_core *core, const struct mc_idmap *users, const struct mc_idmap *groups);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Whether mounts can be watched. */
#ifndef MOUNTCORE_SRC_WATCH_H
#define MOUNTCORE_SRC_WATCH_H

#include <stdbool.h>

/* Whether the kernel tells of mounts in the mount namespace `ns_fd`, which is ours. */
bool mc_watch_is_possible(int ns_fd);

#endif

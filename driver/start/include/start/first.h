/* SPDX-License-Identifier: Apache-2.0 */
/* The first process of a container whose runtime is still making it. */
#ifndef START_FIRST_H
#define START_FIRST_H

#include <sys/types.h>

/* Find the only child of `runtime`, as `runc create` has when its container is set up.
 * Returns its PID; -ESRCH if there is none, there are several, or it is in the mount namespace of
 * `runtime` still; -ENOENT without CONFIG_PROC_CHILDREN; or the error of reading procfs.  Any
 * thread.
 * Source: proc_tid_children(5): it is complete while no child ends. */
pid_t hv_first_find(pid_t runtime) __attribute__((warn_unused_result));

#endif

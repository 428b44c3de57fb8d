/* SPDX-License-Identifier: Apache-2.0 */
/* A runtime's state file of one container. */
#ifndef START_STATE_H
#define START_STATE_H

#include <stddef.h>

/* The container's first process. */
struct hv_first {
	long long pid;
	long long start_ticks; /* field 22 of its /proc/PID/stat */
};

/* Read runc's state.json or crun's status.  Returns 0, or -EINVAL: not JSON, or it does not tell
 * the process.  Any thread. */
int hv_state_parse(const char *bytes, size_t size, struct hv_first *ret)
	__attribute__((nonnull, warn_unused_result));

/* The same from a descriptor, whose position is not used.  Also returns -EFBIG, -ENOMEM and the
 * errors of pread(2). */
int hv_state_read(int fd, struct hv_first *ret) __attribute__((nonnull, warn_unused_result));

#endif

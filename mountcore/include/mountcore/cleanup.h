/* SPDX-License-Identifier: Apache-2.0 */
/* Scope-bound release of what a function owns.
 *
 * Declarations release in reverse order.  An empty descriptor is MC_FD_NONE.  Cleanups keep errno,
 * accept the empty value and never retry close (Linux frees the descriptor even on EINTR). */
#ifndef MOUNTCORE_CLEANUP_H
#define MOUNTCORE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mountcore/fd.h"
#include "mountcore/mounts.h"

/* A variable of `type *` that is given to `fn` at the end of its scope. */
#define MC_AUTO(type, fn) __attribute__((cleanup(fn))) type

static inline void mc_close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = MC_FD_NONE;
	errno = saved;
}

static inline void mc_free_ptr(void *ptr)
{
	free(*(void **)ptr);
	*(void **)ptr = NULL;
}

static inline void mc_close_file(FILE **file)
{
	int saved = errno;

	if (*file)
		fclose(*file);
	*file = NULL;
	errno = saved;
}

static inline void mc_free_mounts(struct mc_mounts **mounts)
{
	mc_mounts_free(*mounts);
}

/* Give the descriptor away: the scope no longer owns it. */
static inline int mc_take_fd(int *fd)
{
	int taken = *fd;

	*fd = MC_FD_NONE;
	return taken;
}

static inline void *mc_take_void(void *ptr)
{
	void *taken = *(void **)ptr;

	*(void **)ptr = NULL;
	return taken;
}

#define mc_take_ptr(ptr) ((__typeof__(*(ptr)))mc_take_void(ptr))

#define mc_auto_fd __attribute__((cleanup(mc_close_fd))) int
#define mc_auto_free __attribute__((cleanup(mc_free_ptr)))
#define mc_auto_file __attribute__((cleanup(mc_close_file))) FILE *
#define mc_auto_mounts MC_AUTO(struct mc_mounts *, mc_free_mounts)

#endif

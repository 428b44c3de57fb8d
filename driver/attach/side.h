/* SPDX-License-Identifier: Apache-2.0 */
/* Work on many things side by side. */
#ifndef ATTACH_SIDE_H
#define ATTACH_SIDE_H

#include <stddef.h>

struct mc_core;

enum { HV_SIDE_MAX = 24 };

/* Call `fn` with each number below `count`, in `threads_max` threads (HV_SIDE_MAX at most), and
 * return when all is done.  Without memory for a thread there are fewer; the calling one is among
 * them.  The others are lent to `core`. */
void hv_side_by_side(const struct mc_core *core, size_t threads_max, size_t count,
	void (*fn)(void *context, size_t at), void *context);

#endif

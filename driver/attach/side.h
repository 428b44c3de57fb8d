/* SPDX-License-Identifier: Apache-2.0 */
/* Work on many things side by side. */
#ifndef ATTACH_SIDE_H
#define ATTACH_SIDE_H

#include <stddef.h>

/* Call `work` with each number below `count`, in a few threads, and return when all is done.
 * Without memory for a thread there are fewer; the calling one is among them. */
void hv_side_by_side(size_t count, void (*work)(void *context, size_t at), void *context);

#endif

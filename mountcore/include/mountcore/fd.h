/* SPDX-License-Identifier: Apache-2.0 */
/* The empty descriptor. */
#ifndef MOUNTCORE_FD_H
#define MOUNTCORE_FD_H

#include <errno.h>

/* Any negative number is no descriptor; this one is also the error of using it. */
#define MC_FD_NONE (-EBADF)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The directories in which runtimes keep containers, so that the gate follows them. */
#ifndef DAEMON_RUNTIMES_H
#define DAEMON_RUNTIMES_H

#include "holds.h"

/* Read the roots learned earlier; unreadable ones are learned again. */
void hv_runtimes_read(struct hv_starter *self);

/* Have the gate, which has just begun, follow all of them. */
void hv_runtimes_follow(struct hv_starter *self);

#endif

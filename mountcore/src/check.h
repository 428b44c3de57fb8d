/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an attach that was prepared may be committed. */
#ifndef MOUNTCORE_SRC_CHECK_H
#define MOUNTCORE_SRC_CHECK_H

struct mc_attach;
struct mc_attach_args;
struct mc_err;

/* Check what the place was found to be, and complete info.path.  Steps TARGET, REFUSED, TYPE,
 * OCCUPIED, SHARED of mc_attach_prepare(). */
int mc_attach_check(struct mc_attach *self, const struct mc_attach_args *args, struct mc_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The source's half of an attach. */
#ifndef MOUNTCORE_SRC_CLONE_H
#define MOUNTCORE_SRC_CLONE_H

struct mc_attach;

/* Clone the source into job.fds[MC_FD_TREE] with its attributes set, and describe it in `tree`.
 * Asks its server, if it has one, whether it answers. */
int mc_attach_clone(struct mc_attach *self);

/* Take the answer of the source's server, if mc_attach_clone() asked it: after that in any case.
 * Returns `rc`, unless it does not answer. */
int mc_attach_answer(struct mc_attach *self, int rc);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that a worker may walk and change without asking the kernel's cache first: nobody can make
 * it wait there. */
#ifndef MOUNTCORE_SRC_TRUST_H
#define MOUNTCORE_SRC_TRUST_H

#include <stdbool.h>

struct mc_core;
struct mc_job;
struct mc_stat;

/* Whether the mount that `stat` describes is one: not of a type that a server stands behind, and an
 * overlay only if it is in job->table.  Where a process of the place `may_mount`, such an
 * overlay and nothing else.  Returns 1, 0 or a negative errno.  For a job. */
int mc_is_local(const struct mc_core *core, const struct mc_job *job, bool may_mount,
	const struct mc_stat *stat);

#endif

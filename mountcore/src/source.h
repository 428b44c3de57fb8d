/* SPDX-License-Identifier: Apache-2.0 */
/* The source of an attach on the host: opened, asked whether it works, compared with a mount. */
#ifndef MOUNTCORE_SRC_SOURCE_H
#define MOUNTCORE_SRC_SOURCE_H

#include "mountcore/err.h"

struct mc_core;
struct mc_job;
struct mc_stat;

/* As in struct mc_attach_args; "" for none. */
struct mc_source_path {
	const char *source;
	const char *beneath;
	const char *subpath;
};

/* Open it, in the host's namespace, for `job`.  In a worker the subpath passes no mount: -EXDEV, as
 * for a link that leads out; or all is looked up by the kernel's cache: -EAGAIN.  `ret_root` (may
 * be NULL) describes the source itself, which the subpath is in.
 * Returns a descriptor (O_PATH), or a negative errno with step SOURCE or SUBPATH in job->err. */
int mc_source_open(const struct mc_core *core, struct mc_job *job,
	const struct mc_source_path *path, struct mc_stat *ret_root);

/* Ask the file system of `fd` whether it works, past its caches.  It may not answer: for a job in a
 * helper.  Returns 0 if it answers, if only to refuse, or a negative errno: mc_err_is_dead(). */
int mc_source_probe(int fd);

/* The same in one question.  Only FUSE never answers it from a cache. */
int mc_source_probe_fuse(int fd);

/* The cached mount tables that mounts are compared by.  The workers run. */
int mc_look_open(struct mc_core *core, struct mc_err *err);
void mc_look_close(struct mc_core *core);

#endif

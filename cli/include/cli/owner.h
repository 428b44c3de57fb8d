/* Whose daemon it is. */
#ifndef CLI_OWNER_H
#define CLI_OWNER_H

#include "cli/client.h"

/* See that a daemon that runs by itself serves the Engine at `engine`; one that does not answer is
 * taken for it.  If it serves another one, calls go through the Engine from then on.
 * Returns HV_OK; or, with the sentence in `err`, HV_NO_SUCH_ENDPOINT when the Engine would ask the
 * same daemon, or what the Engine says. */
enum hv_code hv_owner_check(const char *engine, struct hv_daemon *daemon, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif

/* Whose daemon it is. */
#ifndef CLI_OWNER_H
#define CLI_OWNER_H

#include "cli/client.h"

/* Check that the standalone daemon serves the Engine at `engine`; assume so if it does not answer.
 * If it serves another one, send all further calls through the Engine.
 * Returns HV_OK; or, with the sentence in `err`, HV_NO_SUCH_ENDPOINT if the Engine would ask the
 * same daemon, or the Engine's error. */
enum hv_code hv_owner_check(const char *engine, struct hv_daemon *daemon, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* An archive of one file, as an Engine imports it. */
#ifndef WIRE_TAR_H
#define WIRE_TAR_H

#include <stddef.h>

/* An executable file (mode 0755, of root, of no date) named `name`, of 99 bytes at most, with these
 * bytes.  The caller frees `ret`.  Returns 0, -EINVAL (the name is too long) or -ENOMEM.
 * Source: POSIX, pax, ustar Interchange Format.  Any thread. */
int hv_tar_format(const char *name, const void *bytes, size_t size, char **ret, size_t *ret_size)
	__attribute__((nonnull, warn_unused_result));

#endif

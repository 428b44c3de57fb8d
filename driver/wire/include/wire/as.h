/* SPDX-License-Identifier: Apache-2.0 */
/* UID[:GID]: the owner that a volume's directory appears to have in a container. */
#ifndef WIRE_AS_H
#define WIRE_AS_H

#include <stdbool.h>
#include <stdint.h>

/* The form and its limits, for error sentences. */
#define HV_AS_FORM "UID or UID:GID, in numbers from 0 to 4294967294"

/* 1 + the ID; 0: as it is. */
struct hv_as {
	uint64_t uid;
	uint64_t gid;
};

/* Read "1000" or "1000:1000".  Without a group it stays as it is, as with chown(1).
 * Returns false, with nothing in `ret`, for anything else.  Any thread. */
bool hv_as_parse(const char *text, struct hv_as *ret) __attribute__((nonnull, warn_unused_result));

/* The text of what was read; "" if it was nothing. */
enum { HV_AS_SIZE = 24 };
void hv_as_format(const struct hv_as *as, char ret[static HV_AS_SIZE]) __attribute__((nonnull));

#endif

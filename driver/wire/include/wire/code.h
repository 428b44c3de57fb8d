/* SPDX-License-Identifier: Apache-2.0 */
/* The stable error codes of the hostvol API: one table gives each its name and HTTP status. */
#ifndef WIRE_CODE_H
#define WIRE_CODE_H

enum hv_code {
	HV_OK,
	HV_BAD_REQUEST,
	HV_NO_SUCH_ENDPOINT,
	HV_NO_SUCH_VOLUME,
	HV_NO_SUCH_CONTAINER,
	HV_NO_SUCH_ATTACHMENT,
	HV_AMBIGUOUS,
	HV_NOT_RUNNING,
	HV_CONTAINER_CHANGED,
	HV_TARGET_EXISTS,
	HV_TARGET_MISSING,
	HV_TARGET_REFUSED,
	HV_TYPE_MISMATCH,
	HV_SOURCE_MISSING,
	HV_SOURCE_REFUSED,
	HV_VOLUME_EXISTS,
	HV_VOLUME_IN_USE,
	HV_BUSY,
	HV_TIMEOUT,
	HV_UNSUPPORTED,
	HV_DENIED,
	HV_STATE_UNREADABLE,
	HV_INTERNAL,
	HV_CODE_COUNT
};

/* The kebab-case name of `code` as it stands in an answer's "Code"; "" for HV_OK.
 * The string is static.  Any thread. */
const char *hv_code_name(enum hv_code code);

/* The HTTP status of an answer with `code`: 200 for HV_OK, else 4xx or 5xx.
 * Source: RFC 9110 section 15.  Any thread. */
unsigned hv_code_status(enum hv_code code);

/* The code that has `name`; HV_OK for "", HV_INTERNAL for a name that is not in the table.
 * Any thread. */
enum hv_code hv_code_parse(const char *name) __attribute__((nonnull));

#endif

/* Attachments below the target of another. */
#ifndef ATTACH_NESTED_H
#define ATTACH_NESTED_H

#include "mount.h"

/* The same as hv_attempt_mount(), with those attachments of attempt->siblings that it would hide
 * taken out before, and attached again on top of it.  One that cannot be is "pending", with the
 * reason, and is tried again. */
enum hv_code hv_nested_mount(struct hv_attempt *attempt, struct hv_error *err);

#endif

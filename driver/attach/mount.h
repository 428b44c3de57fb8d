/* The mount of an attach. */
#ifndef ATTACH_MOUNT_H
#define ATTACH_MOUNT_H

#include "attempt.h"

/* Prepare the mount.  Nothing is changed. */
enum hv_code hv_attempt_prepare(struct hv_attempt *attempt, struct hv_error *err);

/* Make the prepared mount; fills the record.  What fails leaves no mount. */
enum hv_code hv_attempt_mount(struct hv_attempt *attempt, struct hv_error *err);

#endif

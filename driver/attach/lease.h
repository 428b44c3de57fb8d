/* SPDX-License-Identifier: Apache-2.0 */
/* The lease of an attachment: it is wanted until a date.
 *
 * The date alone decides, so that a lease goes on while the container, the daemon or the machine is
 * down.  A clock that is set changes how long it lasts. */
#ifndef ATTACH_LEASE_H
#define ATTACH_LEASE_H

#include <stdbool.h>

#include "wire/error.h"
#include "wire/types.h"

/* Whether it had a lease, and that is over. */
bool hv_lease_is_over(const struct hv_attachment *view);

/* Whether the grace is over as well: it is detached although it is used. */
bool hv_lease_is_grace_over(const struct hv_attachment *view);

/* For how many milliseconds it has been over; not positive before that, or without a lease. */
long long hv_lease_over_ms(const struct hv_attachment *view);

/* In how many milliseconds to look at the lease: at its end, or when the detach is to be tried
 * again; or sooner, since the clock may be set meanwhile.  -1: there is no lease. */
long long hv_lease_wait_ms(const struct hv_attachment *view);

/* Give it a lease that begins now, by the fields of a request to attach; none if lease_seconds is
 * 0. */
enum hv_code hv_lease_begin(struct hv_attachment *view, long long lease_seconds,
	long long grace_seconds, struct hv_error *err);

/* Give it the lease of `other`, or none if that has none. */
enum hv_code hv_lease_copy(
	struct hv_attachment *view, const struct hv_attachment *other, struct hv_error *err);

#endif

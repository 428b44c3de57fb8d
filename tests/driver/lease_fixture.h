/* SPDX-License-Identifier: Apache-2.0 */
/* The attachment of "data" at fixture->target, with a lease. */
#ifndef TESTS_DRIVER_LEASE_FIXTURE_H
#define TESTS_DRIVER_LEASE_FIXTURE_H

#include "store/store.h"

#include "reconciler_fixture.h"

enum { HOUR = 3600 };

/* Attach; the caller frees `ret`. */
void lease_attach(struct fixture *fixture, long long lease_seconds, long long grace_seconds,
	bool required, struct hv_attachment *ret);

/* The same, not required, and without the answer. */
void lease_begin(struct fixture *fixture, long long lease_seconds, long long grace_seconds);

/* The only record; the caller frees it.  Returns whether there is one. */
bool lease_read(struct fixture *fixture, struct hv_record *ret);

/* Its lease ended so long ago, and has this grace. */
void lease_end(struct fixture *fixture, long long seconds, long long grace_seconds);

/* Something of it is open from now on: until the descriptor is closed. */
int lease_use(struct fixture *fixture);

/* Detach what is over, now; returns how many were. */
unsigned lease_expire(struct fixture *fixture);

/* Look at the container, now. */
void lease_look(struct fixture *fixture, struct hv_seen *ret);

#endif

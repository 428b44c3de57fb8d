/* SPDX-License-Identifier: Apache-2.0 */
#include "lease.h"

#include <stdlib.h>
#include <string.h>

#include "wire/clock.h"

enum {
	TRY_MIN_MS = 200, /* between two tries to detach: as long as it is over, within these */
	TRY_MAX_MS = 5000,
	LOOK_MS = 60000, /* how soon a clock that was set is noticed */
};

long long hv_lease_over_ms(const struct hv_attachment *view)
{
	long long end_ms;

	if (!view->until || !hv_clock_parse_ms(view->until, &end_ms))
		return 0;
	return hv_clock_date_ms() - end_ms;
}

bool hv_lease_is_over(const struct hv_attachment *view)
{
	return hv_lease_over_ms(view) > 0;
}

bool hv_lease_is_grace_over(const struct hv_attachment *view)
{
	return hv_lease_is_over(view) && hv_lease_over_ms(view) > view->grace_seconds * 1000;
}

long long hv_lease_wait_ms(const struct hv_attachment *view)
{
	long long over_ms = hv_lease_over_ms(view), wait_ms, grace_ms;

	if (!view->until)
		return -1;
	if (over_ms <= 0)
		return -over_ms < LOOK_MS ? 1 - over_ms : LOOK_MS;
	wait_ms = over_ms < TRY_MIN_MS ? TRY_MIN_MS : over_ms;
	if (wait_ms > TRY_MAX_MS)
		wait_ms = TRY_MAX_MS;
	grace_ms = view->grace_seconds * 1000 - over_ms;
	return grace_ms >= 0 && grace_ms < wait_ms ? grace_ms + 1 : wait_ms;
}

enum hv_code hv_lease_begin(struct hv_attachment *view, long long lease_seconds,
	long long grace_seconds, struct hv_error *err)
{
	/* Whole seconds, and none too few. */
	long long now = (hv_clock_date_ms() + 999) / 1000;

	view->grace_seconds = HV_GRACE_UNSAID;
	if (lease_seconds == 0)
		return HV_OK;
	view->grace_seconds = grace_seconds == HV_GRACE_UNSAID ? HV_GRACE_SECONDS : grace_seconds;
	view->until = hv_clock_format(now + lease_seconds);
	return view->until ? HV_OK : hv_oom(err);
}

enum hv_code hv_lease_copy(
	struct hv_attachment *view, const struct hv_attachment *other, struct hv_error *err)
{
	char *until = other->until ? strdup(other->until) : NULL;

	if (other->until && !until)
		return hv_oom(err);
	free(view->until);
	view->until = until;
	view->grace_seconds = other->grace_seconds;
	return HV_OK;
}

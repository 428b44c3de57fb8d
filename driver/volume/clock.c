/* SPDX-License-Identifier: Apache-2.0 */
/* The time of now, for records; declared in volume/volume.h. */
#include "wire/clock.h"

#include "volume/volume.h"

char *hv_time_rfc3339(void)
{
	const long long now_ms = hv_clock_date_ms();

	return hv_clock_format_part(now_ms / 1000, 3, now_ms % 1000);
}

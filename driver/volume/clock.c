/* SPDX-License-Identifier: Apache-2.0 */
/* The time of now, for records; declared in volume/volume.h. */
#include <time.h>

#include "volume/volume.h"
#include "wire/text.h"

char *hv_now(void)
{
	struct timespec now;
	struct tm parts;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0 || !gmtime_r(&now.tv_sec, &parts))
		return NULL;
	return hv_text_format("%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", parts.tm_year + 1900,
		parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
		now.tv_nsec / 1000000);
}

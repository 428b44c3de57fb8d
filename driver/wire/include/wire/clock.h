/* Time for deadlines. */
#ifndef WIRE_CLOCK_H
#define WIRE_CLOCK_H

#include <time.h>

/* CLOCK_MONOTONIC in whole seconds: no change of the date moves it.  Source: clock_gettime(2). */
time_t hv_clock_seconds(void);

#endif

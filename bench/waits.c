/* SPDX-License-Identifier: Apache-2.0 */
/* The first process of a container: prints when it began, in microseconds of CLOCK_REALTIME, and
 * how many microseconds later there is a file at the path that it is given, 0 if there is one
 * already; then it waits to be ended.  Linked statically: the image has nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	const struct timespec step = {.tv_nsec = 20000};
	long long begin = now_us(), end = begin;

	if (argc != 2)
		return EXIT_FAILURE;
	while (access(argv[1], F_OK) != 0) {
		nanosleep(&step, NULL);
		end = now_us();
	}
	printf("%lld %lld\n", begin, end - begin);
	fflush(stdout);
	for (;;)
		pause();
}

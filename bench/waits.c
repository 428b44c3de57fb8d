/* The first process of a container: prints how many microseconds after its start there is a file at
 * the path that it is given, and then waits to be ended.  Linked statically: the image has nothing
 * else. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	const struct timespec step = {.tv_nsec = 20000};
	long long start = now_us();

	if (argc != 2)
		return EXIT_FAILURE;
	while (access(argv[1], F_OK) != 0)
		nanosleep(&step, NULL);
	printf("%lld\n", now_us() - start);
	fflush(stdout);
	for (;;)
		pause();
}

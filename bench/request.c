/* SPDX-License-Identifier: Apache-2.0 */
/* bench_request SOCKET ROUNDS VOLUME CONTAINER TARGET
 * bench_request SOCKET ROUNDS VOLUME
 *
 * Times whole /HotAttach requests over the daemon's socket, on one connection, each followed by a
 * /HotDetach that is not timed; or, over the Engine's socket, the creation of a volume of the
 * driver local, followed by its removal.  Prints two numbers, the median and the 99th percentile,
 * in microseconds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http.h"
#include "samples.h"

enum { ROUNDS_MAX = 100000 };

static int measure_create(int fd, const char *volume, size_t rounds, uint64_t *samples)
{
	char create[1024], remove[1024];

	snprintf(create, sizeof(create), "{\"Name\":\"%s\",\"Driver\":\"local\"}", volume);
	snprintf(remove, sizeof(remove), "/volumes/%s", volume);
	for (size_t i = 0; i < rounds; i++) {
		uint64_t start = now_ns();

		if (http_ask(fd, "POST", "/volumes/create", create) < 0)
			return -1;
		samples[i] = now_ns() - start;
		if (http_ask(fd, "DELETE", remove, "") < 0)
			return -1;
	}
	return 0;
}

static int measure_attach(int fd, char **names, size_t rounds, uint64_t *samples)
{
	char attach[4096], detach[4096];

	snprintf(attach, sizeof(attach),
		"{\"Volume\":\"%s\",\"Container\":\"%s\",\"Target\":\"%s\"}", names[0], names[1],
		names[2]);
	snprintf(detach, sizeof(detach), "{\"Container\":\"%s\",\"Target\":\"%s\"}", names[1],
		names[2]);
	for (size_t i = 0; i < rounds; i++) {
		uint64_t start = now_ns();

		if (http_ask(fd, "POST", "/HotAttach", attach) < 0)
			return -1;
		samples[i] = now_ns() - start;
		if (http_ask(fd, "POST", "/HotDetach", detach) < 0)
			return -1;
	}
	return 0;
}

static void report(uint64_t *samples, size_t rounds)
{
	size_t median = rounds / 2, high = rounds * 99 / 100;

	sort_samples(samples, rounds);
	printf("%.1f %.1f\n", (double)samples[median] / 1000, (double)samples[high] / 1000);
}

int main(int argc, char **argv)
{
	size_t rounds = argc == 4 || argc == 6 ? strtoul(argv[2], NULL, 10) : 0;
	uint64_t *samples;
	int fd, rc;

	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: %s SOCKET ROUNDS VOLUME [CONTAINER TARGET]\n", argv[0]);
		return 2;
	}
	samples = calloc(rounds, sizeof(*samples));
	fd = http_connect(argv[1]);
	rc = -1;
	if (samples && fd >= 0)
		rc = argc == 4 ? measure_create(fd, argv[3], rounds, samples)
			       : measure_attach(fd, argv + 3, rounds, samples);
	if (rc == 0)
		report(samples, rounds);
	free(samples);
	if (fd >= 0)
		close(fd);
	return rc == 0 ? 0 : 1;
}

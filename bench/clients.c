/* SPDX-License-Identifier: Apache-2.0 */
/* bench_clients ROUNDS CLIENTS TARGETS VOLUME CONTAINER SOCKET...
 *
 * In each round, for each socket in turn, CLIENTS clients attach at once, each on a connection of
 * its own and to a container of its own (CONTAINER-1, CONTAINER-2, ...), TARGETS times: at
 * /mnt/c/1, /mnt/c/2, ...  Then they detach, and that is not timed.
 *
 * The first round is not counted.  Prints for each socket the attaches per second of the median
 * round, and of the round that is slower than 99 % of them. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "http.h"
#include "samples.h"

enum { CLIENTS_MAX = 64, SOCKETS_MAX = 4, TARGETS_MAX = 1000, ROUNDS_MAX = 10000 };

struct client {
	pthread_t thread;
	pthread_barrier_t *barrier;
	const char *volume, *container;
	size_t number, targets;
	int fds[SOCKETS_MAX];
	size_t asked; /* in this round, of `fds` */
	uint64_t start_ns, end_ns;
	int rc;
};

/* Each attach, or each detach. */
static int ask_all(const struct client *client, int is_attach)
{
	char body[1024];

	for (size_t target = 1; target <= client->targets; target++) {
		int size = snprintf(body, sizeof(body),
			"{\"Volume\":\"%s\",\"Container\":\"%s-%zu\",\"Target\":\"/mnt/c/%zu\"}",
			client->volume, client->container, client->number, target);

		if (!is_attach)
			size = snprintf(body, sizeof(body),
				"{\"Container\":\"%s-%zu\",\"Target\":\"/mnt/c/%zu\"}",
				client->container, client->number, target);
		if (size < 0 || (size_t)size >= sizeof(body) ||
			http_ask(client->fds[client->asked], "POST",
				is_attach ? "/HotAttach" : "/HotDetach", body) < 0)
			return -1;
	}
	return 0;
}

static void *run(void *context)
{
	struct client *client = context;

	pthread_barrier_wait(client->barrier);
	client->start_ns = now_ns();
	client->rc = ask_all(client, 1);
	client->end_ns = now_ns();
	pthread_barrier_wait(client->barrier); /* no detach beside an attach */
	if (client->rc == 0)
		client->rc = ask_all(client, 0);
	return NULL;
}

/* Returns the nanoseconds from the first client's start to the last one's end, 0 if one failed. */
static uint64_t run_round(struct client *clients, size_t count, size_t asked)
{
	uint64_t start = UINT64_MAX, end = 0;
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		clients[i].asked = asked;
		if (pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0)
			_exit(1); /* the others wait for it */
	}
	for (size_t i = 0; i < count; i++) {
		pthread_join(clients[i].thread, NULL);
		rc = clients[i].rc < 0 ? -1 : rc;
		start = clients[i].start_ns < start ? clients[i].start_ns : start;
		end = clients[i].end_ns > end ? clients[i].end_ns : end;
	}
	return rc == 0 ? end - start : 0;
}

static int connect_all(struct client *clients, size_t count, char **sockets, size_t socket_count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < socket_count; j++) {
			clients[i].fds[j] = http_connect(sockets[j]);
			if (clients[i].fds[j] < 0)
				return -1;
		}
	}
	return 0;
}

static int measure(struct client *clients, size_t count, size_t rounds, size_t socket_count)
{
	uint64_t *samples = calloc(rounds * socket_count, sizeof(*samples));
	double attaches = (double)(count * clients[0].targets);
	int rc = samples ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < (rounds + 1) * socket_count; i++) {
		size_t asked = i % socket_count, round = i / socket_count;
		uint64_t ns = run_round(clients, count, asked);

		rc = ns ? 0 : -1;
		if (rc == 0 && round > 0)
			samples[asked * rounds + round - 1] = ns;
	}
	for (size_t i = 0; rc == 0 && i < socket_count; i++) {
		uint64_t *own = samples + i * rounds;
		size_t median = rounds / 2, high = rounds * 99 / 100;

		sort_samples(own, rounds);
		printf("%.1f %.1f\n", attaches * 1e9 / (double)own[median],
			attaches * 1e9 / (double)own[high]);
	}
	free(samples);
	return rc;
}

int main(int argc, char **argv)
{
	static struct client clients[CLIENTS_MAX];
	pthread_barrier_t barrier;
	size_t rounds = argc > 6 ? strtoul(argv[1], NULL, 10) : 0;
	size_t count = argc > 6 ? strtoul(argv[2], NULL, 10) : 0;
	size_t targets = argc > 6 ? strtoul(argv[3], NULL, 10) : 0;

	if (rounds < 1 || rounds > ROUNDS_MAX || count < 1 || count > CLIENTS_MAX || targets < 1 ||
		targets > TARGETS_MAX || argc > 6 + SOCKETS_MAX) {
		fprintf(stderr, "usage: %s ROUNDS CLIENTS TARGETS VOLUME CONTAINER SOCKET...\n",
			argv[0]);
		return 2;
	}
	if (pthread_barrier_init(&barrier, NULL, (unsigned)count) != 0)
		return 1;
	for (size_t i = 0; i < count; i++)
		clients[i] = (struct client){
			.barrier = &barrier,
			.volume = argv[4],
			.container = argv[5],
			.number = i + 1,
			.targets = targets,
		};
	if (connect_all(clients, count, argv + 6, (size_t)argc - 6) < 0) {
		fprintf(stderr, "%s: a socket does not answer\n", argv[0]);
		return 1;
	}
	return measure(clients, count, rounds, (size_t)argc - 6) < 0 ? 1 : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The built program, run against a fake server. */
#ifndef TESTS_CLI_PROGRAM_H
#define TESTS_CLI_PROGRAM_H

#include "fake_server.h"

/* A temporary directory with the server's socket in it and room for more. */
struct cli_fixture {
	char dir[40];
	char socket[64];
	struct fake_server *server;
	bool is_engine_alone; /* HOSTVOL_SOCKET is not set, with which there is no swarm */
};

struct outcome {
	int status; /* the exit status, or 128 and the signal */
	char *out;
	char *err;
};

int program_set_up(void **state);
int program_tear_down(void **state);
#define PROGRAM_TEST(name)                                                                         \
	STATE_TEST(name, struct cli_fixture, place, program_set_up, program_tear_down)

/* Answer with these from now on; once per test. */
void program_serve(struct cli_fixture *place, const struct fake_answer *answers);

/* Run PROGRAM_DIR/words[0] with the fake server as Engine and as daemon. */
struct outcome program_run(const struct cli_fixture *place, const char *const words[]);

/* Run, and check the exit status, the whole stdout, and the whole stderr. */
void program_expect(const struct cli_fixture *place, const char *const words[], int status,
	const char *out, const char *err);

/* Check the requests that the server got. */
void program_expect_requests(const struct cli_fixture *place, const char *expected);

void outcome_done(struct outcome *outcome);

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif

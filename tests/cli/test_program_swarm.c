/* SPDX-License-Identifier: Apache-2.0 */
/* The commands on a swarm, where the answers of its Engine matter and not its nodes: those are in
 * tests/integration/swarm.bats. */
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"

#include "program.h"

#define ID "50f6cbabf269" /* of the rule of: */
#define PLACE "service:web:/mnt/data"
#define WEB "{\"ID\":\"web1\",\"Spec\":{\"Name\":\"web\"}}"
#define NODES                                                                                      \
	"[{\"ID\":\"n1\",\"Description\":{\"Hostname\":\"one\"},\"Status\":{\"State\":\"ready\"}}]"
#define TASKS "GET /tasks?filters=%7B%22service%22%3A%5B%22c1%22%2C%22web1%22%5D%7D"
#define TASKS_ALONE "GET /tasks?filters=%7B%22service%22%3A%5B%22c1%22%5D%7D"
#define CHANGED                                                                                    \
	"hostvol: rule " ID " was changed by another command meanwhile\n"                          \
	"hint: list the rules: docker service ls --filter label=hostvol.rule\n"

static void serve(struct cli_fixture *place, const struct fake_answer *answers)
{
	place->is_engine_alone = true;
	program_serve(place, answers);
}

PROGRAM_TEST(a_worker_names_a_manager)
{
	static const char refusal[] =
		"hostvol: this machine is a worker of a swarm, and its services are known to the managers\n"
		"hint: run this on a manager: 10.0.0.1\n";
	static const struct fake_answer answers[] = {
		{"GET /services", 503, "{\"message\":\"This node is not a swarm manager.\"}", 0},
		{"GET /info", 200,
			"{\"Swarm\":{\"LocalNodeState\":\"active\","
			"\"RemoteManagers\":[{\"Addr\":\"10.0.0.1:2377\"}]}}",
			0},
		{0},
	};

	serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "attach", "data", PLACE), 1, "", refusal);
	program_expect(place, WORDS("docker-hostvol", "check", "data", PLACE), 1, "", refusal);
	program_expect(place, WORDS("docker-hostvol", "detach", PLACE), 1, "", refusal);
	program_expect(place, WORDS("docker-hostvol", "ls", "--cluster"), 1, "", refusal);
}

PROGRAM_TEST(a_locked_swarm_is_told)
{
	static const struct fake_answer answers[] = {
		{"GET /services", 503,
			"{\"message\":\"Swarm is encrypted and needs to be unlocked\"}", 0},
		{"GET /info", 200, "{\"Swarm\":{\"LocalNodeState\":\"locked\"}}", 0},
		{0},
	};

	serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "attach", "data", PLACE), 1, "",
		"hostvol: the swarm of this machine is locked\nhint: docker swarm unlock\n");
}

PROGRAM_TEST(ls_cluster_without_a_swarm_is_refused)
{
	static const struct fake_answer answers[] = {
		{"GET /services", 503, "{\"message\":\"Use \\\"docker swarm init\\\".\"}", 0},
		{0},
	};

	serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "ls", "--cluster"), 1, "",
		"hostvol: this machine is in no swarm, which --cluster asks for\n");
}

PROGRAM_TEST(a_service_misspelt_is_guessed_but_no_carrier)
{
	static const char misspelt[] = "service:hostvol-rule-" ID "x:/mnt/data";
	static const struct fake_answer answers[] = {
		{"GET /services", 200,
			"[" WEB ",{\"ID\":\"c1\",\"Spec\":{\"Name\":\"hostvol-rule-" ID
			"\",\"Labels\":{\"hostvol.rule\":\"" ID "\"}}}]",
			0},
		{0},
	};

	serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "attach", "data", "service:wbe:/mnt/data"), 1,
		"", "hostvol: no such service: wbe\nhint: did you mean: service:web\n");
	program_expect(place, WORDS("docker-hostvol", "attach", "data", misspelt), 1, "",
		"hostvol: no such service: hostvol-rule-" ID "x\n"
		"hint: list the services: docker service ls\n");
}

/* Its command was killed; a rule's carrier is as old as it likes. */
PROGRAM_TEST(a_question_that_was_left_is_removed)
{
	static const struct fake_answer answers[] = {
		{"GET /services", 200,
			"[" WEB ",{\"ID\":\"left\",\"CreatedAt\":\"2020-01-01T00:00:00Z\",\"Spec\":"
			"{\"Name\":\"hostvol-request-1\",\"Labels\":{\"hostvol.request\":\"true\"}}},"
			"{\"ID\":\"new\",\"CreatedAt\":\"2999-01-01T00:00:00Z\",\"Spec\":"
			"{\"Name\":\"hostvol-request-2\",\"Labels\":{\"hostvol.request\":\"true\"}}},"
			"{\"ID\":\"rule\",\"CreatedAt\":\"2020-01-01T00:00:00Z\",\"Spec\":"
			"{\"Name\":\"hostvol-rule-1\",\"Labels\":{\"hostvol.rule\":\"1\"}}}]",
			0},
		{"DELETE /services/left", 200, "", 0},
		{"POST /services/create", 409, "{\"message\":\"name conflicts\"}", 0},
		{0},
	};
	char *log;

	serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "attach", "data", PLACE), 1, "",
		"hostvol: rule " ID " is being made by another command\nhint: try again\n");
	log = fake_server_log(place->server);
	assert_non_null(strstr(log, "\nDELETE /services/left\n"));
	assert_null(strstr(log, "DELETE /services/new"));
	assert_null(strstr(log, "DELETE /services/rule"));
	free(log);
}

PROGRAM_TEST(a_carrier_that_is_removed_is_not_waited_for)
{
	static const struct fake_answer answers[] = {
		{"GET /services", 200, "[" WEB "]", 0},
		{"POST /services/create", 201, "{\"ID\":\"c1\"}", 0},
		{"GET /nodes", 200, NODES, 0},
		{TASKS, 404, "{\"message\":\"service c1 not found\"}", 0},
		{0},
	};

	serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "attach", "data", PLACE), 1, "",
		"hostvol: the service that asks the nodes was removed meanwhile\n"
		"hint: repeat the command, or end rule " ID ": docker hostvol detach " ID "\n");
}

static const char superseded[] =
	"NODE      TASK      RESULT\n"
	"one       -         another command came before the node answered\n";

/* No task of its request comes up any more. */
PROGRAM_TEST(a_carrier_that_another_command_changed_is_not_waited_for)
{
	static const struct fake_answer answers[] = {
		{"GET /services", 200, "[" WEB "]", 0},
		{"POST /services/create", 201, "{\"ID\":\"c1\"}", 0},
		{"GET /nodes", 200, NODES, 0},
		{TASKS, 200, "[]", 0},
		{"GET /services/c1", 200, "{\"ID\":\"c1\",\"Spec\":{}}", 0},
		{0},
	};
	char *log;

	serve(place, answers);
	program_expect(
		place, WORDS("docker-hostvol", "attach", "data", PLACE), 1, superseded, CHANGED);
	log = fake_server_log(place->server);
	assert_null(strstr(log, "DELETE")); /* it is the other command's */
	free(log);
}

PROGRAM_TEST(the_nodes_are_waited_for_though_the_service_is_removed)
{
	static const struct fake_answer answers[] = {
		{"GET /services", 200, "[" WEB "]", 0},
		{"POST /services/create", 201, "{\"ID\":\"c1\"}", 0},
		{"GET /nodes", 200, NODES, 0},
		{TASKS, 404, "{\"message\":\"service web1 not found\"}", 0},
		{TASKS_ALONE, 200, "[]", 0},
		{"GET /services/c1", 200, "{\"ID\":\"c1\",\"Spec\":{}}", 0},
		{0},
	};

	serve(place, answers);
	program_expect(
		place, WORDS("docker-hostvol", "attach", "data", PLACE), 1, superseded, CHANGED);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "cli/hostpath.h"
#include "program.h"

#define USAGE "Usage: docker addvol [OPTIONS] HOSTPATH CONTAINER TARGET[:ro|:rw]\n"
#define RUNNING                                                                                    \
	"{\"Id\":\"ab\",\"Name\":\"/web\",\"State\":{\"Running\":true,\"Pid\":7,\"StartedAt\":\"x\"}}"
#define STOPPED                                                                                    \
	"{\"Id\":\"cd\",\"Name\":\"/old\",\"State\":{\"Running\":false,\"Pid\":0,\"StartedAt\":\"x\"}}"
#define ATTACHED                                                                                   \
	"{\"Err\":\"\",\"Attachment\":{\"ID\":\"0123456789ab\",\"ContainerName\":\"web\",\"Target\":\"/mnt\"}}"

/* The answers name the directory, whose name each test makes up. */
struct addvol_case {
	struct fake_answer answers[6];
	char remove[400];
	char list[400];
	char name[HV_VOLUME_NAME_MAX_BYTES + 1];
};

static void fill(struct addvol_case *test, const struct cli_fixture *place, const char *volume,
	struct fake_answer attach)
{
	hv_volume_name_format(place->dir, test->name, sizeof(test->name));
	snprintf(test->remove, sizeof(test->remove), "DELETE /volumes/%s", test->name);
	snprintf(test->list, sizeof(test->list),
		"{\"Err\":\"\",\"Volumes\":[{\"Name\":\"%s\",\"Status\":{\"kind\":\"path\",\"source\":\"%s\"}}]}",
		volume ? volume : "other", volume ? place->dir : "/other");
	test->answers[0] = (struct fake_answer){"GET /containers/web/json", 200, RUNNING, 0};
	test->answers[1] = (struct fake_answer){"POST /VolumeDriver.List", 200, test->list, 0};
	test->answers[2] = (struct fake_answer){"POST /volumes/create", 201, "{}", 0};
	test->answers[3] = (struct fake_answer){test->remove, 204, "", 0};
	test->answers[4] = attach;
	test->answers[5] = (struct fake_answer){NULL, 0, NULL, 0};
}

/* Each `from` becomes the one character `to`. */
static void shorten(char *text, const char *from, char to)
{
	for (char *at = text; (at = strstr(at, from)); at++) {
		*at = to;
		memmove(at + 1, at + strlen(from), strlen(at + strlen(from)) + 1);
	}
}

/* In `expected`, @ stands for the volume's name and % for the directory. */
static void expect_requests(const struct cli_fixture *place, const char *name, const char *expected)
{
	char *log = fake_server_log(place->server);

	shorten(log, "\\/", '/'); /* as json-c writes it */
	shorten(log, name, '@');
	shorten(log, place->dir, '%');
	assert_string_equal(log, expected);
	free(log);
}

PROGRAM_TEST(addvol_defines_and_attaches)
{
	const struct fake_answer attached = {"POST /HotAttach", 200, ATTACHED, 0};
	struct addvol_case test;

	fill(&test, place, NULL, attached);
	program_serve(place, test.answers);
	program_expect(place, WORDS("docker-addvol", "addvol", ".", "web", "/mnt:ro"), 0,
		"web:/mnt\n", "");
	expect_requests(place, test.name,
		"GET /containers/web/json\nPOST /VolumeDriver.List {}\n"
		"POST /volumes/create { \"Name\": \"@\", \"Driver\": \"hostvol\", "
		"\"DriverOpts\": { \"path\": \"%\" } }\n"
		"POST /HotAttach { \"Volume\": \"@\", \"Container\": \"web\", \"Target\": \"/mnt\", "
		"\"ReadOnly\": true }\n");
}

PROGRAM_TEST(addvol_uses_the_volume_that_is_there)
{
	const struct fake_answer refused = {
		"POST /HotAttach", 409, "{\"Err\":\"taken\",\"Code\":\"target-exists\"}", 0};
	struct addvol_case test;

	fill(&test, place, "mine", refused);
	program_serve(place, test.answers);
	program_expect(
		place, WORDS("docker-addvol", ".", "web", "/mnt"), 1, "", "hostvol: taken\n");
	expect_requests(place, test.name,
		"GET /containers/web/json\nPOST /VolumeDriver.List {}\n"
		"POST /HotAttach { \"Volume\": \"mine\", \"Container\": \"web\", \"Target\": \"/mnt\" }\n");
}

PROGRAM_TEST(addvol_takes_back_what_it_defined)
{
	const struct fake_answer refused = {
		"POST /HotAttach", 403, "{\"Err\":\"no\",\"Code\":\"denied\",\"Hint\":\"ask\"}", 0};
	struct addvol_case test;

	fill(&test, place, NULL, refused);
	program_serve(place, test.answers);
	program_expect(place, WORDS("docker-addvol", ".", "web", "/mnt"), 1, "",
		"hostvol: no\nhint: ask\n");
	expect_requests(place, test.name,
		"GET /containers/web/json\nPOST /VolumeDriver.List {}\n"
		"POST /volumes/create { \"Name\": \"@\", \"Driver\": \"hostvol\", "
		"\"DriverOpts\": { \"path\": \"%\" } }\n"
		"POST /HotAttach { \"Volume\": \"@\", \"Container\": \"web\", \"Target\": \"/mnt\" }\n"
		"DELETE /volumes/@\n");
}

/* By another addvol that failed: once more, and not for ever. */
PROGRAM_TEST(addvol_defines_again_what_was_taken_away)
{
	const struct fake_answer refused = {"POST /HotAttach", 404,
		"{\"Err\":\"no such volume\",\"Code\":\"no-such-volume\"}", 0};
	struct addvol_case test;

	fill(&test, place, NULL, refused);
	program_serve(place, test.answers);
	program_expect(place, WORDS("docker-addvol", ".", "web", "/mnt"), 1, "",
		"hostvol: no such volume\n");
#define ONCE                                                                                       \
	"POST /VolumeDriver.List {}\n"                                                             \
	"POST /volumes/create { \"Name\": \"@\", \"Driver\": \"hostvol\", "                        \
	"\"DriverOpts\": { \"path\": \"%\" } }\n"                                                  \
	"POST /HotAttach { \"Volume\": \"@\", \"Container\": \"web\", \"Target\": \"/mnt\" }\n"
	expect_requests(
		place, test.name, "GET /containers/web/json\n" ONCE ONCE "DELETE /volumes/@\n");
}

PROGRAM_TEST(addvol_tells_what_it_could_not_take_back)
{
	const struct fake_answer refused = {
		"POST /HotAttach", 403, "{\"Err\":\"no\",\"Code\":\"denied\",\"Hint\":\"ask\"}", 0};
	struct addvol_case test;
	char expected[400];

	fill(&test, place, NULL, refused);
	test.answers[3].status = 409;
	test.answers[3].body = "{\"message\":\"in use\"}";
	program_serve(place, test.answers);
	snprintf(expected, sizeof(expected),
		"hostvol: no\nhint: ask; delete the volume that was created for this: docker volume rm %s\n",
		test.name);
	program_expect(place, WORDS("docker-addvol", ".", "web", "/mnt"), 1, "", expected);
}

PROGRAM_TEST(addvol_refuses_a_name_of_another_directory)
{
	const struct fake_answer attached = {"POST /HotAttach", 200, ATTACHED, 0};
	struct addvol_case test;
	char expected[400];

	fill(&test, place, NULL, attached);
	program_serve(place, test.answers);
	snprintf(expected, sizeof(expected),
		"hostvol: volume other exists already and cannot stand for %s: its source is /other, its options differ, or it is read-only\n"
		"hint: choose another name with --name\n",
		place->dir);
	program_expect(place, WORDS("docker-addvol", "--name", "other", ".", "web", "/mnt"), 1, "",
		expected);
}

PROGRAM_TEST(addvol_asks_for_a_running_container)
{
	static const struct fake_answer answers[] = {
		{"GET /containers/old/json", 200, STOPPED, 0},
		{"GET /containers/a%2Fb%3F/json", 404, "{\"message\":\"No such container\"}", 0},
		{"GET /containers/bad/json", 500, "{\"message\":\"broken\"}", 0},
		{"GET /containers/odd/json", 200, "[]", 0},
		{NULL, 0, NULL, 0},
	};
	struct outcome outcome;

	program_serve(place, answers);
	program_expect(place, WORDS("docker-addvol", ".", "old", "/mnt"), 1, "",
		"hostvol: container old is not running\nhint: docker start old\n");
	program_expect(place, WORDS("docker-addvol", ".", "a/b?", "/mnt"), 1, "",
		"hostvol: no such container: a/b?\nhint: list the containers: docker ps -a\n");
	program_expect(place, WORDS("docker-addvol", ".", "bad", "/mnt"), 1, "",
		"hostvol: the Docker Engine cannot look up the container: broken\n");
	outcome = program_run(place, WORDS("docker-addvol", ".", "odd", "/mnt"));
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.err, "makes no sense"));
	outcome_done(&outcome);
}

PROGRAM_TEST(addvol_of_a_volume_shows_the_attach_that_was_meant)
{
	static const struct fake_answer answers[] = {
		{"GET /volumes/data", 200, "{\"Name\":\"data\"}", 0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-addvol", "data", "web", "/mnt"), 1, "",
		"hostvol: there is no directory data\n"
		"hint: attach the volume data: docker hostvol attach data web:/mnt\n");
	program_expect(place, WORDS("docker-addvol", "dta", "web", "/mnt"), 1, "",
		"hostvol: there is no directory dta\n"
		"hint: write HOSTPATH CONTAINER TARGET in this order: docker addvol /srv/data web /mnt/data\n");
}

PROGRAM_TEST(addvol_of_a_file_shows_how_a_file_is_attached)
{
	char file[60], name[HV_VOLUME_NAME_MAX_BYTES + 1], expected[900];

	snprintf(file, sizeof(file), "%s/app.conf", place->dir);
	hv_volume_name_format(place->dir, name, sizeof(name));
	fclose(fopen(file, "we"));
	snprintf(expected, sizeof(expected),
		"hostvol: %s is not a directory\n"
		"hint: create a volume of its directory and attach the file: "
		"docker volume create -d hostvol -o path=%s %s && "
		"docker hostvol attach --subpath app.conf %s web:/etc/app.conf\n",
		file, place->dir, name, name);
	program_expect(
		place, WORDS("docker-addvol", file, "web", "/etc/app.conf"), 1, "", expected);
	assert_int_equal(unlink(file), 0);
}

PROGRAM_TEST(addvol_explains_wrong_arguments)
{
	program_expect(place, WORDS("docker-addvol", "/srv", "web"), 2, "",
		"hostvol: three arguments are needed, not 2\n" USAGE);
	program_expect(place, WORDS("docker-addvol", "/srv", "web:/mnt"), 2, "",
		"hostvol: three arguments are needed, not 2\n"
		"hint: separate container and target with a space: docker addvol /srv web /mnt\n" USAGE);
	program_expect(place, WORDS("docker-addvol", "web", "/srv", "/mnt"), 2, "",
		"hostvol: \"/srv\" is not a container's name\n"
		"hint: write HOSTPATH CONTAINER TARGET in this order: docker addvol /srv/data web /mnt/data\n" USAGE);
	program_expect(place, WORDS("docker-addvol", "/srv", "web:/mnt", "/mnt"), 2, "",
		"hostvol: \"web:/mnt\" is not a container's name\n"
		"hint: write the container alone, without a colon and a target\n" USAGE);
	program_expect(place, WORDS("docker-addvol", "missing", "web", "/mnt"), 1, "",
		"hostvol: there is no directory missing\n"
		"hint: write HOSTPATH CONTAINER TARGET in this order: docker addvol /srv/data web /mnt/data\n");
	program_expect(place, WORDS("docker-addvol", "./missing", "web", "/mnt"), 1, "",
		"hostvol: there is no directory ./missing\nhint: mkdir -p ./missing\n");
	program_expect(place, WORDS("docker-addvol", "/dev/null", "web", "/mnt"), 1, "",
		"hostvol: /dev/null is not a directory\n");
}

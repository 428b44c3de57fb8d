/* SPDX-License-Identifier: Apache-2.0 */
/* ls, inspect, detach and completion, of several attachments. */
#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"

#include "program.h"

#define CONTAINER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WEB_A                                                                                      \
	"{\"ID\":\"0123456789ab\",\"Volume\":\"data\",\"ContainerID\":\"" CONTAINER                \
	"\",\"ContainerName\":\"web\",\"Target\":\"/a\",\"State\":\"attached\"}"
#define WEB_B                                                                                      \
	"{\"ID\":\"ab0123456789\",\"Volume\":\"conf\",\"ContainerID\":\"" CONTAINER                \
	"\",\"ContainerName\":\"web\",\"Target\":\"/b\",\"State\":\"pending\"}"
#define LONE                                                                                       \
	"{\"ID\":\"cd0123456789\",\"Volume\":\"data\",\"ContainerID\":\"ff" CONTAINER              \
	"\",\"Target\":\"/a\",\"State\":\"missing\"}"
#define USAGE_DETACH                                                                               \
	"Usage: docker hostvol detach [OPTIONS] CONTAINER:TARGET|ID [CONTAINER:TARGET|ID...]\n"
#define USAGE_INSPECT                                                                              \
	"Usage: docker hostvol inspect [OPTIONS] CONTAINER:TARGET|ID [CONTAINER:TARGET|ID...]\n"

static const struct fake_answer three[] = {
	{"POST /HotList", 200, "{\"Err\":\"\",\"Attachments\":[" WEB_A "," WEB_B "," LONE "]}", 0},
	{NULL, 0, NULL, 0},
};

#define RULE                                                                                       \
	"{\"ID\":\"ba9876543210\",\"Volume\":\"data\",\"Selector\":\"compose:shop/web\","          \
	"\"Target\":\"/m\",\"ReadOnly\":true,\"Attached\":3,\"Pending\":1,\"Failed\":0,\"Skipped\":0}"

static const struct fake_answer rules[] = {
	{"POST /HotList", 200, "{\"Err\":\"\",\"Attachments\":[" WEB_A "]}", 0},
	{"POST /HotRules", 200, "{\"Err\":\"\",\"Rules\":[" RULE "]}", 0},
	{"POST /HotAttach", 200,
		"{\"Err\":\"\",\"Rule\":" RULE ",\"Attachments\":[" WEB_A "],\"Failed\":[],"
		"\"Skipped\":[{\"ContainerName\":\"db\",\"Err\":\"it has another\"}]}",
		0},
	{"POST /HotDetach", 200, "{\"Err\":\"\",\"Rule\":" RULE ",\"Attachments\":[" WEB_A "]}", 0},
	{NULL, 0, NULL, 0},
};

PROGRAM_TEST(ls_rules_says_why_one_has_not_ended)
{
	static const struct fake_answer undone[] = {
		{"POST /HotRules", 200,
			"{\"Err\":\"\",\"Rules\":[{\"ID\":\"ba9876543210\",\"Volume\":\"data\","
			"\"Selector\":\"label:a\",\"Target\":\"/m\",\"Attached\":1,\"Pending\":0,"
			"\"Failed\":0,\"Skipped\":0,\"Problem\":\"it is not undone yet\"}]}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, undone);
	program_expect(place, WORDS("docker-hostvol", "ls", "--rules"), 0,
		"ID             VOLUME    SELECTOR   TARGET    MODE      CONTAINERS   SINCE     PROBLEM\n"
		"ba9876543210   data      label:a    /m        rw        1/1          -         it is not undone yet\n",
		"");
}

PROGRAM_TEST(ls_rules_lists_the_rules)
{
	program_serve(place, rules);
	program_expect(place, WORDS("docker-hostvol", "ls", "--rules"), 0,
		"ID             VOLUME    SELECTOR           TARGET    MODE      CONTAINERS   SINCE\n"
		"ba9876543210   data      compose:shop/web   /m        ro        3/4          -\n",
		"");
	program_expect(
		place, WORDS("docker-hostvol", "ls", "--rules", "-q"), 0, "ba9876543210\n", "");
	program_expect(
		place, WORDS("docker-hostvol", "ls", "--rules", "-q", "--volume", "x"), 0, "", "");
	program_expect(place,
		WORDS("docker-hostvol", "ls", "--rules", "--format", "{{.Selector}} {{.Attached}}"),
		0, "compose:shop/web 3\n", "");
	program_expect(place,
		WORDS("docker-hostvol", "inspect", "-f", "{{.Target}}", "ba9876543210",
			"compose:shop/web:/m/"),
		0, "/m\n/m\n", "");
}

PROGRAM_TEST(attach_and_detach_of_a_selector_print_each_attachment)
{
	program_serve(place, rules);
	program_expect(place,
		WORDS("docker-hostvol", "attach", "--each", "data", "compose:shop/web:/m:ro"), 0,
		"web:/a\n", "note: not in container 'db': it has another\n");
	program_expect(
		place, WORDS("docker-hostvol", "detach", "compose:shop/web:/m"), 0, "web:/a\n", "");
	program_expect_requests(place,
		"POST /HotAttach { \"Volume\": \"data\", \"Selector\": \"compose:shop\\/web\","
		" \"Target\": \"\\/m\", \"ReadOnly\": true, \"Each\": true }\n"
		"POST /HotDetach { \"Selector\": \"compose:shop\\/web\", \"Target\": \"\\/m\" }\n");
}

PROGRAM_TEST(ls_quiet_prints_the_ids)
{
	program_serve(place, three);
	program_expect(place, WORDS("docker-hostvol", "ls", "-q"), 0,
		"0123456789ab\nab0123456789\ncd0123456789\n", "");
	program_expect(place, WORDS("docker-hostvol", "ls", "--quiet", "--format", "json"), 0,
		"0123456789ab\nab0123456789\ncd0123456789\n",
		"note: --format is ignored: --quiet prints the IDs alone\n");
	program_expect(place, WORDS("docker-hostvol", "ls", "-qf", "volume=none"), 0, "", "");
}

PROGRAM_TEST(ls_filter_shows_the_attachments_that_fit)
{
	const struct {
		const char *const *words;
		const char *out;
	} cases[] = {
		{WORDS("docker-hostvol", "ls", "-q", "--filter", "volume=data"),
			"0123456789ab\ncd0123456789\n"},
		{WORDS("docker-hostvol", "ls", "-q", "--filter=container=web"),
			"0123456789ab\nab0123456789\n"},
		{WORDS("docker-hostvol", "ls", "-q", "-f", "container=ff0011"), "cd0123456789\n"},
		{WORDS("docker-hostvol", "ls", "-q", "-f", "target=/a/"),
			"0123456789ab\ncd0123456789\n"},
		{WORDS("docker-hostvol", "ls", "-q", "-f", "state=pending", "-f", "state=missing"),
			"ab0123456789\ncd0123456789\n"},
		{WORDS("docker-hostvol", "ls", "-q", "-f", "volume=data", "-f", "state=missing"),
			"cd0123456789\n"},
		{WORDS("docker-hostvol", "ls", "-q", "-f", "volume=conf", "-f", "state=missing"),
			""},
	};

	program_serve(place, three);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		program_expect(place, cases[i].words, 0, cases[i].out, "");
	program_expect(place,
		WORDS("docker-hostvol", "ls", "-f", "volume=conf", "--format", "json"), 0,
		"[\n  {\n    \"ID\": \"ab0123456789\",\n    \"Volume\": \"conf\",\n"
		"    \"ContainerID\": \"" CONTAINER "\",\n    \"ContainerName\": \"web\",\n"
		"    \"Target\": \"/b\",\n    \"State\": \"pending\"\n  }\n]\n",
		"");
	program_expect(place, WORDS("docker-hostvol", "ls", "-f", "label=x"), 2, "",
		"hostvol: unknown filter \"label\": the known ones are container, state, target and volume\n"
		"Usage: docker hostvol ls [OPTIONS]\n");
}

PROGRAM_TEST(ls_container_without_a_name_has_a_short_id_or_a_whole_one)
{
	static const char header[] =
		"ID             VOLUME    CONTAINER      TARGET    MODE      STATE     SINCE\n";
	char whole[400];

	program_serve(place, three);
	snprintf(whole, sizeof(whole),
		"%scd0123456789   data      ff0011223344   /a        rw        missing   -\n",
		header);
	program_expect(place, WORDS("docker-hostvol", "ls", "-f", "state=missing"), 0, whole, "");
	program_expect(place, WORDS("docker-hostvol", "ls", "-f", "state=missing", "--no-trunc"), 0,
		"ID             VOLUME    CONTAINER                                                            TARGET    MODE      STATE     SINCE\n"
		"cd0123456789   data      ff" CONTAINER "   /a        rw        missing   -\n",
		"");
	program_expect(place,
		WORDS("docker-hostvol", "ls", "-f", "state=missing", "--format",
			"{{.ContainerID}}"),
		0, "ff0011223344\n", "");
	program_expect(place,
		WORDS("docker-hostvol", "ls", "-f", "state=missing", "--no-trunc", "--format",
			"{{.ContainerID}}"),
		0, "ff" CONTAINER "\n", "");
}

PROGRAM_TEST(ls_format_takes_a_template)
{
	program_serve(place, three);
	program_expect(place,
		WORDS("docker-hostvol", "ls", "--format",
			"{{.Volume}} {{.ContainerName}}:{{.Target}}"),
		0, "data web:/a\nconf web:/b\ndata :/a\n", "");
	program_expect(place,
		WORDS("docker-hostvol", "ls", "--format", "table {{.Volume}}\\t{{.State}}"), 0,
		"VOLUME    STATE\ndata      attached\nconf      pending\ndata      missing\n", "");
	program_expect(place,
		WORDS("docker-hostvol", "ls", "-f", "volume=none", "--format",
			"table {{.Volume}}\\t{{.Target}}"),
		0, "VOLUME    TARGET\n", "");
	program_expect(place,
		WORDS("docker-hostvol", "ls", "-f", "state=pending", "--format", "{{json .}}"), 0,
		"{\"ID\":\"ab0123456789\",\"Volume\":\"conf\",\"ContainerID\":\"001122334455\","
		"\"ContainerName\":\"web\",\"Target\":\"/b\",\"State\":\"pending\"}\n",
		"");
}

static void expect_wrong_usage(
	const struct cli_fixture *place, const char *const words[], const char *begin)
{
	struct outcome outcome = program_run(place, words);

	assert_int_equal(outcome.status, 2);
	assert_string_equal(outcome.out, "");
	assert_int_equal(strncmp(outcome.err, begin, strlen(begin)), 0);
	outcome_done(&outcome);
}

PROGRAM_TEST(ls_format_wrong_templates_ask_nobody)
{
	struct outcome outcome;

	expect_wrong_usage(place, WORDS("docker-hostvol", "ls", "--format", "{{.Vol}}"),
		"hostvol: unknown field \"Vol\" in --format; the fields are ID, Volume, ");
	expect_wrong_usage(place, WORDS("docker-hostvol", "ls", "--format", "{{upper .ID}}"),
		"hostvol: --format understands {{.FIELD}}, {{json .FIELD}} and {{json .}}, not \"{{upper .ID}}\"; the fields are ID, ");
	outcome = program_run(place, WORDS("docker-hostvol", "ls", "--format", "{{.volume}}"));
	assert_non_null(strstr(outcome.err, "\nhint: did you mean: {{.Volume}}\nUsage: "));
	outcome_done(&outcome);
}

PROGRAM_TEST(inspect_shows_several_in_their_order)
{
	struct outcome outcome;

	program_serve(place, three);
	program_expect(place,
		WORDS("docker-hostvol", "inspect", "-f", "{{.ID}} {{.ContainerID}}", "web:/b/",
			"cd0123456789", "0123456789ab"),
		0,
		"ab0123456789 " CONTAINER "\ncd0123456789 ff" CONTAINER "\n0123456789ab " CONTAINER
		"\n",
		"");
	/* The list of all is asked for once. */
	program_expect_requests(
		place, "POST /HotList { \"Container\": \"web\" }\nPOST /HotList { }\n");
	outcome = program_run(
		place, WORDS("docker-hostvol", "inspect", "--format=json", "web:/a", "web:/b"));
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(outcome.out, "\"/a\""));
	assert_non_null(strstr(outcome.out, "  },\n  {\n    \"ID\": \"ab0123456789\""));
	outcome_done(&outcome);
	program_expect(place,
		WORDS("docker-hostvol", "inspect", "--target", "/b", "-f", "{{.Volume}}", "web"), 0,
		"conf\n", "");
}

PROGRAM_TEST(inspect_tells_which_ones_are_missing)
{
	program_serve(place, three);
	program_expect(place,
		WORDS("docker-hostvol", "inspect", "-f", "{{.ID}}", "web:/c", "web:/a",
			"ffffffffffff"),
		1, "0123456789ab\n",
		"hostvol: web:/c: no volume is attached at /c in container 'web'\n"
		"hint: list the attachments: docker hostvol ls\n"
		"hostvol: ffffffffffff: no such attachment: ffffffffffff\n"
		"hint: list the attachments: docker hostvol ls\n");
	program_expect(place, WORDS("docker-hostvol", "inspect", "web:/a", "web"), 2, "",
		"hostvol: \"web\" has no colon\n"
		"hint: write CONTAINER:TARGET, such as web:/mnt/data\n" USAGE_INSPECT);
	program_expect(place, WORDS("docker-hostvol", "inspect", "--format", "table", "web:/a"), 2,
		"",
		"hostvol: \"inspect\" prints no table: --format takes json or a template\n" USAGE_INSPECT);
	program_expect(place, WORDS("docker-hostvol", "inspect", "-f", "table {{.ID}}", "web:/a"),
		2, "",
		"hostvol: \"inspect\" prints no table: --format takes json or a template\n" USAGE_INSPECT);
}

PROGRAM_TEST(detach_takes_several)
{
	static const struct fake_answer answers[] = {
		{"POST /HotDetach", 200, "{\"Err\":\"\",\"Attachment\":" WEB_A "}", 0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "detach", "--lazy", "web:/a", "ab0123456789"),
		0, "web:/a\nweb:/a\n", "");
	program_expect(place,
		WORDS("docker-hostvol", "detach", "--target", "/a", "--wait=5", "web", "db"), 0,
		"web:/a\nweb:/a\n", "");
	program_expect_requests(place,
		"POST /HotDetach { \"Container\": \"web\", \"Target\": \"\\/a\", \"Lazy\": true }\n"
		"POST /HotDetach { \"ID\": \"ab0123456789\", \"Lazy\": true }\n"
		"POST /HotDetach { \"Container\": \"web\", \"Target\": \"\\/a\", \"WaitSeconds\": 5 }\n"
		"POST /HotDetach { \"Container\": \"db\", \"Target\": \"\\/a\", \"WaitSeconds\": 5 }\n");
}

PROGRAM_TEST(detach_tells_of_each_that_fails)
{
	static const struct fake_answer answers[] = {
		{"POST /HotDetach", 409,
			"{\"Err\":\"in use\",\"Code\":\"busy\",\"Hint\":\"end it\",\"Busy\":["
			"{\"Pid\":7,\"Command\":\"sleep\",\"Why\":\"cwd\"}]}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "detach", "web:/a", "web:/b"), 1, "",
		"hostvol: web:/a: in use\n  process 7 of the host (sleep): working directory\n"
		"hint: end it\n"
		"hostvol: web:/b: in use\n  process 7 of the host (sleep): working directory\n"
		"hint: end it\n");
	program_expect_requests(place,
		"POST /HotDetach { \"Container\": \"web\", \"Target\": \"\\/a\" }\n"
		"POST /HotDetach { \"Container\": \"web\", \"Target\": \"\\/b\" }\n");
}

PROGRAM_TEST(detach_with_a_wrong_word_detaches_nothing)
{
	program_serve(place, three);
	program_expect(place, WORDS("docker-hostvol", "detach", "web:/a", "/b"), 2, "",
		"hostvol: \"/b\" has no colon\n"
		"hint: write CONTAINER:TARGET, such as web:/mnt/data\n" USAGE_DETACH);
	program_expect_requests(place, "");
}

PROGRAM_TEST(completion_offers_attachments_and_values)
{
	program_serve(place, three);
	program_expect(place, WORDS("docker-hostvol", "__complete", "hostvol", "detach", ""), 0,
		"web:/a\tdata, attached\nweb:/b\tconf, pending\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "inspect", "web:/a", "w"), 0,
		"web:/b\tconf, pending\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "detach", "--target", "/a", ""),
		0, "web\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "ls", "--volume", ""), 0,
		"data\nconf\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "ls", "--container", "w"), 0,
		"web\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "ls", "--filter", ""), 0,
		"container=\nstate=\ntarget=\nvolume=\n:6\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "ls", "-f", "s"), 0,
		"state=\n:6\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "ls", "-f", "state=m"), 0,
		"state=missing\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "ls", "-f", "volume=d"), 0,
		"volume=data\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "ls", "-f", "target="), 0,
		"target=/a\ntarget=/b\n:4\n", "");
	program_expect(
		place, WORDS("docker-hostvol", "__complete", "ls", "-f", "label="), 0, ":4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "ls", "--no"), 0,
		"--no-trunc\tShow container IDs whole\n:4\n", "");
}

PROGRAM_TEST(completion_without_a_daemon_offers_nothing)
{
	program_expect(place, WORDS("docker-hostvol", "__complete", "detach", ""), 0, ":4\n", "");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"

#include "program.h"

#define USAGE_ATTACH "Usage: docker hostvol attach [OPTIONS] SOURCE CONTAINER:TARGET[:ro|:rw]\n"
#define USAGE_DETACH                                                                               \
	"Usage: docker hostvol detach [OPTIONS] CONTAINER:TARGET|ID [CONTAINER:TARGET|ID...]\n"
#define ATTACHMENT(id, container, target, more)                                                    \
	"{\"ID\":\"" id "\",\"Volume\":\"data\",\"ContainerName\":\"" container                    \
	"\",\"Target\":\"" target "\"" more "}"

PROGRAM_TEST(metadata_is_what_docker_asks_for)
{
	program_expect(place, WORDS("docker-hostvol", "docker-cli-plugin-metadata"), 0,
		"{\n  \"SchemaVersion\": \"0.1.0\",\n  \"Vendor\": \"hostvol\",\n"
		"  \"Version\": \"" HOSTVOL_VERSION "\",\n"
		"  \"ShortDescription\": \"Put volumes into running containers\"\n}\n",
		"");
	program_expect(place, WORDS("docker-addvol", "docker-cli-plugin-metadata"), 0,
		"{\n  \"SchemaVersion\": \"0.1.0\",\n  \"Vendor\": \"hostvol\",\n"
		"  \"Version\": \"" HOSTVOL_VERSION "\",\n"
		"  \"ShortDescription\": \"Add a host directory to a running container\"\n}\n",
		"");
}

PROGRAM_TEST(help_comes_in_every_form_on_stdout)
{
	const struct {
		const char *const *words;
		const char *start;
	} cases[] = {
		{WORDS("docker-hostvol"), "Usage: docker hostvol COMMAND\n"},
		{WORDS("docker-hostvol", "hostvol"), "Usage: docker hostvol COMMAND\n"},
		{WORDS("docker-hostvol", "--help"), "Usage: docker hostvol COMMAND\n"},
		{WORDS("docker-hostvol", "-D", "hostvol", "-h"), "Usage: docker hostvol COMMAND\n"},
		{WORDS("docker-hostvol", "help", "hostvol"), "Usage: docker hostvol COMMAND\n"},
		{WORDS("docker-hostvol", "help", "hostvol", "attach"), USAGE_ATTACH},
		{WORDS("docker-hostvol", "hostvol", "help", "attach"), USAGE_ATTACH},
		{WORDS("docker-hostvol", "attach", "--help"), USAGE_ATTACH},
		{WORDS("docker-hostvol", "detach", "x", "-h"), USAGE_DETACH},
		{WORDS("docker-hostvol", "list", "--help"), "Usage: docker hostvol ls [OPTIONS]\n"},
		{WORDS("docker-hostvol", "version", "--help"),
			"Usage: docker hostvol version [OPTIONS]\n"},
		{WORDS("docker-addvol", "help", "addvol"),
			"Usage: docker addvol [OPTIONS] HOSTPATH CONTAINER TARGET[:ro|:rw]\n"},
		{WORDS("docker-addvol", "addvol", "--help"), "Usage: docker addvol [OPTIONS]"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome outcome = program_run(place, cases[i].words);

		assert_string_equal(outcome.err, "");
		assert_memory_equal(outcome.out, cases[i].start, strlen(cases[i].start));
		assert_int_equal(outcome.status, 0);
		outcome_done(&outcome);
	}
}

PROGRAM_TEST(completion_lists_what_fits)
{
	program_expect(place, WORDS("docker-hostvol", "__complete", "hostvol", "a"), 0,
		"attach\tPut a volume into a running container\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "hostvol", "detach", "--l"), 0,
		"--lazy\tTake it out now, though files in it are open\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "ls", "--format", "j"), 0,
		"json\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "attach", "--idmap", "a"), 0,
		"auto\nalways\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "attach", "--req"), 0,
		"--required\tLet the container not start without it, as :required\n:4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "attach", "--replace", "--ta"),
		0, "--target\tThe target, when CONTAINER stands alone\n:4\n", "");
	program_expect(
		place, WORDS("docker-hostvol", "__complete", "attach", "/s"), 0, ":16\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "attach", "s"), 0, ":4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "nothing", ""), 0, ":4\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete"), 0, ":4\n", "");
	program_expect(place, WORDS("docker-addvol", "__complete", "addvol", ""), 0, ":16\n", "");
	program_expect(
		place, WORDS("docker-addvol", "__complete", "addvol", "/srv", ""), 0, ":4\n", "");
}

PROGRAM_TEST(wrong_usage_exits_with_2)
{
	program_expect(place, WORDS("docker-hostvol", "hostvol", "atach"), 2, "",
		"hostvol: unknown command \"atach\"\nhint: did you mean: docker hostvol attach\n"
		"Usage: docker hostvol COMMAND\n");
	program_expect(place, WORDS("docker-hostvol", "attach", "data"), 2, "",
		"hostvol: \"attach\" needs 2 arguments, not 1\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "data", "web"), 2, "",
		"hostvol: \"web\" has no colon\n"
		"hint: write CONTAINER:TARGET, such as web:/mnt/data\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "--no", "a", "b:/c"), 2, "",
		"hostvol: unknown flag --no\nhint: did you mean: --ro\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "", "b:/c"), 2, "",
		"hostvol: the volume's name is empty\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "--as", "www-data", "a", "b:/c"), 2,
		"",
		"hostvol: --as takes UID or UID:GID, in numbers from 0 to 4294967294, not \"www-data\"\n"
		"hint: give the numbers, since names differ between containers: docker exec CONTAINER id\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "./no-such", "b:/c"), 2, "",
		"hostvol: the path \"./no-such\" of the host is not absolute\n"
		"hint: write it from the host's root: /srv/data\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "~/no-such", "b:/c"), 2, "",
		"hostvol: the path \"~/no-such\" of the host is not absolute\n"
		"hint: write it from the host's root: /srv/data\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "C:/Git/srv", "b:/c"), 2, "",
		"hostvol: the path \"C:/Git/srv\" of the host is not absolute\n"
		"hint: write a path of the host, not of Windows; in Git Bash: MSYS_NO_PATHCONV=1 docker hostvol ...\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "--idmap", "foo", "a", "b:/c"), 2,
		"", "hostvol: --idmap takes auto, always or never, not \"foo\"\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "--replace=foo", "a", "b:/c"), 2,
		"",
		"hostvol: --replace stands alone or takes nonatomic, not \"foo\"\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "attach", "a", "b:/c:RO"), 2, "",
		"hostvol: unknown mode \"RO\": only ro, rw and required are known\n"
		"hint: give a target with a colon in it by flag: docker hostvol attach --target PATH SOURCE CONTAINER\n" USAGE_ATTACH);
	program_expect(place, WORDS("docker-hostvol", "detach", "--wait", "-1", "a:/b"), 2, "",
		"hostvol: --wait takes a number of seconds from 0 to 86400, not \"-1\"\n" USAGE_DETACH);
	program_expect(place, WORDS("docker-hostvol", "detach", "a:/b\xff"), 2, "",
		"hostvol: \"a:/b?\" is not UTF-8\n" USAGE_DETACH);
	program_expect(place, WORDS("docker-hostvol", "ls", "x"), 2, "",
		"hostvol: \"ls\" takes no arguments\n"
		"hint: name a container or a volume with a flag: docker hostvol ls --container x\n"
		"Usage: docker hostvol ls [OPTIONS]\n");
	program_expect(place, WORDS("docker-hostvol", "ls", "--format", "xml"), 2, "",
		"hostvol: --format takes table, json or a template such as '{{.Volume}}', not \"xml\"\n"
		"Usage: docker hostvol ls [OPTIONS]\n");
	program_expect(place, WORDS("docker-hostvol", "version", "--format", "jsom"), 2, "",
		"hostvol: --format takes table or json, not \"jsom\"\n"
		"hint: did you mean: --format json\n"
		"Usage: docker hostvol version [OPTIONS]\n");
	program_expect(place, WORDS("docker-hostvol", "detach"), 2, "",
		"hostvol: \"detach\" needs at least 1 argument, not 0\n" USAGE_DETACH);
}

struct hint_case {
	const char *const *words;
	const char *err;
};

static void expect_hints(
	const struct cli_fixture *place, const struct hint_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct outcome outcome = program_run(place, cases[i].words);
		char *usage = strstr(outcome.err, "Usage: ");

		assert_non_null(usage);
		*usage = '\0';
		assert_string_equal(outcome.err, cases[i].err);
		assert_int_equal(outcome.status, 2);
		outcome_done(&outcome);
	}
}

PROGRAM_TEST(hints_show_the_word_that_was_meant)
{
	const struct hint_case cases[] = {
		{WORDS("docker-hostvol", "rm"),
			"hostvol: unknown command \"rm\"\nhint: did you mean: docker hostvol detach\n"},
		{WORDS("docker-hostvol", "lss"),
			"hostvol: unknown command \"lss\"\nhint: did you mean: docker hostvol ls\n"},
		{WORDS("docker-hostvol", "dteach"),
			"hostvol: unknown command \"dteach\"\nhint: did you mean: docker hostvol detach\n"},
		{WORDS("docker-hostvol", "insepct"),
			"hostvol: unknown command \"insepct\"\nhint: did you mean: docker hostvol inspect\n"},
		{WORDS("docker-hostvol", "lits"),
			"hostvol: unknown command \"lits\"\nhint: did you mean: docker hostvol list\n"},
		{WORDS("docker-hostvol", "--contxt=far", "ls"),
			"hostvol: unknown flag \"--contxt=far\"\nhint: did you mean: --context\n"},
		{WORDS("docker-hostvol", "detach", "--lasy", "web:/x"),
			"hostvol: unknown flag --lasy\nhint: did you mean: --lazy\n"},
		{WORDS("docker-hostvol", "ls", "--filer=volume=data"),
			"hostvol: unknown flag --filer=volume=data\nhint: did you mean: --filter\n"},
		{WORDS("docker-hostvol", "ls", "-f", "volum=data"),
			"hostvol: unknown filter \"volum\": the known ones are container, state, target and volume\n"
			"hint: did you mean: --filter volume=data\n"},
		{WORDS("docker-hostvol", "ls", "--filter", "state=mising"),
			"hostvol: unknown state \"mising\": the states are attached, covered, missing and pending\n"
			"hint: did you mean: --filter state=missing\n"},
		{WORDS("docker-hostvol", "frobnicate"),
			"hostvol: unknown command \"frobnicate\"\n"
			"hint: see the list of commands: docker hostvol --help\n"},
	};

	expect_hints(place, cases, sizeof(cases) / sizeof(cases[0]));
}

PROGRAM_TEST(hints_show_the_line_that_was_meant)
{
	const struct hint_case cases[] = {
		{WORDS("docker-hostvol", "attach", "web:/x", "data"),
			"hostvol: \"data\" has no colon\n"
			"hint: write the volume first: data web:/x\n"},
		{WORDS("docker-hostvol", "attach", "data", "web", "/x"),
			"hostvol: \"attach\" needs 2 arguments, not 3\n"
			"hint: join container and target with a colon: data web:/x\n"},
		{WORDS("docker-hostvol", "attach", "--replace", "nonatomic", "data", "web:/x"),
			"hostvol: \"attach\" needs 2 arguments, not 3\n"
			"hint: join the value to the flag: --replace=nonatomic\n"},
		{WORDS("docker-hostvol", "check", "data", "web", "/x"),
			"hostvol: \"check\" needs 2 arguments, not 3\n"
			"hint: join container and target with a colon: data web:/x\n"},
		{WORDS("docker-hostvol", "detach", "--wait", "web:/x"),
			"hostvol: --wait takes a number of seconds from 0 to 86400, not \"web:/x\"\n"},
		{WORDS("docker-hostvol", "ls", "web"),
			"hostvol: \"ls\" takes no arguments\n"
			"hint: name a container or a volume with a flag: docker hostvol ls --container web\n"},
		{WORDS("docker-hostvol", "attach", "data", "web:/x:z"),
			"hostvol: unknown mode \"z\": only ro, rw and required are known\n"
			"hint: leave it out: hostvol does not change SELinux labels\n"},
		{WORDS("docker-hostvol", "attach", "data", "web:C:/Git/mnt"),
			"hostvol: unknown mode \"/Git/mnt\": only ro, rw and required are known\n"
			"hint: write a path of the container, not of Windows; in Git Bash: "
			"MSYS_NO_PATHCONV=1 docker hostvol ...\n"},
	};

	expect_hints(place, cases, sizeof(cases) / sizeof(cases[0]));
}

static void expect_help(
	const struct cli_fixture *place, const char *const words[], const char *line)
{
	struct outcome outcome = program_run(place, words);

	assert_non_null(strstr(outcome.out, line));
	assert_int_equal(outcome.status, 0);
	outcome_done(&outcome);
}

PROGRAM_TEST(help_shows_how_flags_are_written_and_ends_with_examples)
{
	static const char replace[] = "      --replace[=HOW]         Take the place";

	expect_help(place, WORDS("docker-hostvol", "attach", "--help"), replace);
	expect_help(place, WORDS("docker-hostvol", "check", "--help"), replace);
	expect_help(place, WORDS("docker-hostvol", "detach", "--help"), "--wait SECONDS ");
	expect_help(place, WORDS("docker-hostvol", "attach", "--help"),
		"\nExamples:\n  docker hostvol attach data web:/mnt/data\n");
	expect_help(place, WORDS("docker-hostvol", "detach", "--help"),
		"\nExamples:\n  docker hostvol detach web:/mnt/data\n");
	expect_help(place, WORDS("docker-hostvol", "ls", "--help"),
		"\nExamples:\n  docker hostvol ls --filter volume=data");
	expect_help(place, WORDS("docker-hostvol", "inspect", "--help"),
		"\nExamples:\n  docker hostvol inspect web:/mnt/data\n");
	expect_help(place, WORDS("docker-hostvol", "ls", "--help"),
		"  -f, --filter KEY=VALUE      Only those with ");
	expect_help(place, WORDS("docker-addvol", "--help"),
		"\nExamples:\n  docker addvol /srv/data web /mnt/data\n");
}

PROGRAM_TEST(busy_processes_are_named_as_a_person_says_it)
{
	static const struct fake_answer answers[] = {
		{"POST /HotDetach", 409,
			"{\"Err\":\"in use\",\"Code\":\"busy\",\"Hint\":\"end it\",\"Busy\":["
			"{\"Pid\":7,\"Command\":\"sleep\",\"Why\":\"cwd\"},"
			"{\"Pid\":8,\"Command\":\"tail\",\"Why\":\"open file\"}]}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "detach", "web:/x"), 1, "",
		"hostvol: in use\n  process 7 of the host (sleep): working directory\n"
		"  process 8 of the host (tail): open file\nhint: end it\n");
}

PROGRAM_TEST(attach_sends_what_is_set_and_prints_the_place)
{
	static const struct fake_answer answers[] = {
		{"POST /HotAttach", 200,
			"{\"Err\":\"\",\"Attachment\":" ATTACHMENT(
				"0123456789ab", "web", "/mnt/data", ",\"Later\":[]") "}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place,
		WORDS("docker-hostvol", "-D", "hostvol", "attach", "data", "web:/mnt/data"), 0,
		"web:/mnt/data\n", "");
	program_expect(place,
		WORDS("docker-hostvol", "attach", "data", "--nosuid", "web:mnt:ro", "--nodev",
			"--noexec", "--no-mkdir"),
		0, "web:/mnt/data\n", "");
	program_expect(place,
		WORDS("docker-hostvol", "attach", "--read-only", "--as", "1000:33",
			"--target=/a:ro", "data", "web"),
		0, "web:/mnt/data\n", "");
	program_expect_requests(place,
		"POST /HotAttach { \"Volume\": \"data\", \"Container\": \"web\", \"Target\": \"\\/mnt\\/data\" }\n"
		"POST /HotAttach { \"Volume\": \"data\", \"Container\": \"web\", \"Target\": \"mnt\", "
		"\"ReadOnly\": true, \"NoSuid\": true, \"NoDev\": true, \"NoExec\": true, \"Mkdir\": false }\n"
		"POST /HotAttach { \"Volume\": \"data\", \"Container\": \"web\", \"Target\": \"\\/a:ro\", "
		"\"ReadOnly\": true, \"As\": \"1000:33\" }\n");
}

PROGRAM_TEST(refusals_are_told_with_their_hint)
{
	static const struct fake_answer answers[] = {
		{"POST /HotAttach", 404,
			"{\"Err\":\"no volume \\u001b[1mdata\",\"Code\":\"no-such-volume\",\"Hint\":\"make\\none\"}",
			0},
		{"POST /HotDetach", 409, "{\"Err\":\"it is busy\",\"Code\":\"busy\",\"Hint\":\"\"}",
			0},
		{"POST /HotList", 500, "{}", 0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "attach", "data", "web:/mnt"), 1, "",
		"hostvol: no volume ?[1mdata\nhint: make?one\n");
	program_expect(place, WORDS("docker-hostvol", "detach", "web:/mnt"), 1, "",
		"hostvol: it is busy\n");
	program_expect(place, WORDS("docker-hostvol", "ls"), 1, "",
		"hostvol: the hostvol daemon refused /HotList with HTTP status 500 and no reason\n");
}

PROGRAM_TEST(detach_takes_places_and_ids)
{
	static const struct fake_answer answers[] = {
		{"POST /HotDetach", 200,
			"{\"Err\":\"\",\"Attachment\":" ATTACHMENT(
				"0123456789ab", "web", "/a:ro", "") "}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "detach", "web:/a:ro"), 0, "web:/a:ro\n", "");
	program_expect(place,
		WORDS("docker-hostvol", "detach", "0123456789ab", "--lazy", "--wait=5"), 0,
		"web:/a:ro\n", "");
	program_expect(place, WORDS("docker-hostvol", "detach", "--target", "/x", "0123456789ab"),
		0, "web:/a:ro\n", "");
	program_expect_requests(place,
		"POST /HotDetach { \"Container\": \"web\", \"Target\": \"\\/a:ro\" }\n"
		"POST /HotDetach { \"ID\": \"0123456789ab\", \"WaitSeconds\": 5, \"Lazy\": true }\n"
		"POST /HotDetach { \"Container\": \"0123456789ab\", \"Target\": \"\\/x\" }\n");
}

PROGRAM_TEST(lists_have_a_header_and_columns)
{
	static const struct fake_answer answers[] = {
		{"POST /HotList", 200,
			"{\"Err\":\"\",\"Attachments\":[" ATTACHMENT("0123456789ab", "web",
				"/a\\u001bb",
				",\"State\":\"attached\",\"Since\":\"x\",\"ReadOnly\":true,\"NoSuid\":true,\"NoExec\":true") ","
															     "{\"ID\":\"1\",\"Volume\":\"v\",\"ContainerID\":\"00112233445566778899\",\"Target\":\"/b\","
															     "\"State\":\"missing\",\"Problem\":\"gone\"}]}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "ls"), 0,
		"ID             VOLUME    CONTAINER      TARGET    MODE               STATE      SINCE     PROBLEM\n"
		"0123456789ab   data      web            /a?b      ro,nosuid,noexec   attached   -         \n"
		"1              v         001122334455   /b        rw                 missing    -         gone\n",
		"");
}

PROGRAM_TEST(empty_lists_have_a_header_or_are_an_array)
{
	static const struct fake_answer answers[] = {
		{"POST /HotList", 200, "{\"Err\":\"\",\"Attachments\":[]}", 0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "ls", "--volume", "v"), 0,
		"ID        VOLUME    CONTAINER   TARGET    MODE      STATE     SINCE\n", "");
	program_expect(place, WORDS("docker-hostvol", "list", "--container=c", "--format=json"), 0,
		"[]\n", "");
	program_expect_requests(place, "POST /HotList { \"Volume\": \"v\" }\n"
				       "POST /HotList { \"Container\": \"c\" }\n");
}

static void expect_start(
	const struct cli_fixture *place, const char *const words[], const char *start)
{
	struct outcome outcome = program_run(place, words);

	assert_int_equal(outcome.status, 0);
	assert_memory_equal(outcome.out, start, strlen(start));
	outcome_done(&outcome);
}

PROGRAM_TEST(inspect_shows_one_attachment_as_an_array)
{
	static const struct fake_answer answers[] = {
		{"POST /HotList", 200,
			"{\"Err\":\"\",\"Attachments\":[" ATTACHMENT("0123456789ab", "web", "/a",
				"") "," ATTACHMENT("ab0123456789", "web", "/b", "") "]}",
			0},
		{NULL, 0, NULL, 0},
	};
	static const char first[] = "[\n  {\n    \"ID\": \"0123456789ab\",";

	program_serve(place, answers);
	expect_start(place, WORDS("docker-hostvol", "inspect", "web:/a"), first);
	expect_start(place, WORDS("docker-hostvol", "inspect", "0123456789ab"), first);
	program_expect(place, WORDS("docker-hostvol", "inspect", "web:/c"), 1, "",
		"hostvol: no volume is attached at /c in container 'web'\n"
		"hint: list the attachments: docker hostvol ls\n");
	program_expect(place, WORDS("docker-hostvol", "inspect", "ffffffffffff"), 1, "",
		"hostvol: no such attachment: ffffffffffff\n"
		"hint: list the attachments: docker hostvol ls\n");
	program_expect_requests(place,
		"POST /HotList { \"Container\": \"web\" }\nPOST /HotList { }\n"
		"POST /HotList { \"Container\": \"web\" }\nPOST /HotList { }\n"
		"POST /HotRules {}\n");
}

PROGRAM_TEST(inspect_takes_a_name_before_an_id)
{
	static const struct fake_answer answers[] = {
		{"POST /HotList", 200,
			"{\"Err\":\"\",\"Attachments\":[" ATTACHMENT("0123456789ab", "web", "/a",
				",\"ContainerID\":\"ab00\"") "," ATTACHMENT("ab0123456789", "ab",
				"/a", ",\"ContainerID\":\"cd00\"") "]}",
			0},
		{NULL, 0, NULL, 0},
	};
	static const char *const targets[] = {"ab:/a", "ab:/a/", "ab://a", "ab:/./a/.", "ab:/a//."};
	static const char second[] = "[\n  {\n    \"ID\": \"ab0123456789\",";

	program_serve(place, answers);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		expect_start(place, WORDS("docker-hostvol", "inspect", targets[i]), second);
	expect_start(place, WORDS("docker-hostvol", "inspect", "ab0:/a"),
		"[\n  {\n    \"ID\": \"0123456789ab\",");
}

PROGRAM_TEST(doctor_tells_that_all_is_well)
{
	static const struct fake_answer answers[] = {
		{"POST /HotInfo", 200,
			"{\"Err\":\"\",\"Version\":\"" HOSTVOL_VERSION "\",\"EngineID\":\"AB\","
			"\"Kernel\":\"6.18\",\"MountEngine\":\"mount-api\","
			"\"Starts\":{\"Held\":true,\"HoldMilliseconds\":2000}}",
			0},
		{"POST /HotList", 200,
			"{\"Err\":\"\",\"Attachments\":[{\"ContainerName\":\"web\",\"Target\":\"/m\","
			"\"State\":\"attached\"}]}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "doctor"), 0,
		"ok    daemon: it answers, version (" HOSTVOL_VERSION ")\n"
		"ok    state: it can be used\nok    engine: the daemon reaches it\n"
		"ok    volumes: the host sees those of docker run -v\n"
		"ok    records: every record can be read\n"
		"ok    starts: each is held until all is attached, for 2000 ms at most\n"
		"ok    mounts: mount-api (6.18)\n",
		"");
}

PROGRAM_TEST(that_starts_are_not_held_is_no_fault)
{
	static const struct fake_answer answers[] = {
		{"POST /HotInfo", 200,
			"{\"Err\":\"\",\"Version\":\"" HOSTVOL_VERSION "\",\"EngineID\":\"AB\","
			"\"Kernel\":\"6.18\",\"MountEngine\":\"mount-api\",\"Starts\":"
			"{\"Held\":false,\"HoldMilliseconds\":0,\"Reason\":\"HOSTVOL_HOLD_MS is 0\"},"
			"\"Drift\":{\"Told\":false,\"Reason\":\"an older kernel\"}}",
			0},
		{"POST /HotList", 200, "{\"Err\":\"\",\"Attachments\":[]}", 0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "doctor"), 0,
		"ok    daemon: it answers, version (" HOSTVOL_VERSION ")\n"
		"ok    state: it can be used\nok    engine: the daemon reaches it\n"
		"ok    volumes: the host sees those of docker run -v\n"
		"ok    records: every record can be read\n"
		"note  starts: none is held: attachments come back when the program runs already"
		" (HOSTVOL_HOLD_MS is 0)\n"
		"note  drift: unmounts in containers are noticed within a minute"
		" (an older kernel)\n"
		"ok    mounts: mount-api (6.18)\n",
		"");
}

PROGRAM_TEST(doctor_tells_a_record_that_is_damaged)
{
	static const struct fake_answer answers[] = {
		{"POST /HotInfo", 200,
			"{\"Err\":\"\",\"Version\":\"" HOSTVOL_VERSION "\",\"EngineID\":\"AB\","
			"\"Kernel\":\"6.18\",\"MountEngine\":\"mount-api\",\"Drift\":{\"Told\":true},"
			"\"RecordsProblem\":\"column phase of volume 'a' has no valid value\"}",
			0},
		{"POST /HotList", 200, "{\"Err\":\"\",\"Attachments\":[]}", 0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "doctor"), 1,
		"ok    daemon: it answers, version (" HOSTVOL_VERSION ")\n"
		"ok    state: it can be used\nok    engine: the daemon reaches it\n"
		"ok    volumes: the host sees those of docker run -v\n"
		"FAIL  records: column phase of volume 'a' has no valid value"
		" (only its volume cannot be used; report it with a copy of hostvol.db)\n"
		"ok    drift: unmounts in containers are noticed as they happen\n"
		"ok    mounts: mount-api (6.18)\n",
		"hostvol: something is wrong; see above\n");
}

PROGRAM_TEST(doctor_tells_what_is_wrong)
{
	static const struct fake_answer answers[] = {
		{"POST /HotInfo", 200,
			"{\"Err\":\"\",\"Version\":\"9.9\",\"EngineProblem\":\"no Engine\","
			"\"StateProblem\":\"no disk\",\"MountRootProblem\":\"not seen\","
			"\"StrayData\":[\"/a/.lost.b\"],\"Kernel\":\"4.18\",\"MountEngine\":\"none\"}",
			0},
		{"POST /HotList", 200,
			"{\"Err\":\"\",\"Attachments\":[{\"ContainerName\":\"web\",\"Target\":\"/m\","
			"\"State\":\"attached\",\"Problem\":\"source-dead: no answer\"}]}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "doctor"), 1,
		"ok    daemon: it answers, version (9.9)\n"
		"FAIL  version: the command's is another: " HOSTVOL_VERSION
		" (install them from one source: scripts/quickstart)\n"
		"FAIL  state: no disk\nFAIL  engine: no Engine\n"
		"FAIL  volumes: not seen\n"
		"FAIL  data: /a/.lost.b (a container wrote it in place of its volume;"
		" move it away: docker plugin rm deletes it)\n"
		"FAIL  mounts: this kernel cannot attach: it has no open_tree"
		" (HOSTVOL_LEGACY=1 allows a way without)\n"
		"FAIL  attachment: web:/m is attached (source-dead: no answer)\n",
		"hostvol: something is wrong; see above\n");
}

PROGRAM_TEST(version_shows_both_sides)
{
	static const struct fake_answer answers[] = {
		{"POST /HotInfo", 200,
			"{\"Err\":\"\",\"Version\":\"9.9\",\"EngineID\":\"AB\",\"Mode\":\"managed\","
			"\"Kernel\":\"6.18\",\"MountEngine\":\"mount-api\",\"Features\":{\"open_tree\":true,\"idmap\":false},"
			"\"Settings\":{\"HOSTVOL_LOG\":\"info\"}}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "version"), 0,
		"Client:\n Version:     " HOSTVOL_VERSION "\n\nDaemon:\n Version:     9.9\n"
		" Engine ID:   AB\n Mode:        managed\n Kernel:      6.18\n Mounts by:   mount-api\n Features:\n"
		"  open_tree: yes\n  idmap: no\n Settings:\n  HOSTVOL_LOG: info\n",
		"");
	program_expect_requests(place, "POST /HotInfo {}\n");
}

PROGRAM_TEST(version_without_a_daemon_still_shows_the_client)
{
	char expected[300];

	snprintf(expected, sizeof(expected),
		"hostvol: the hostvol daemon has no socket at %s\n"
		"hint: run this on the Docker Engine's machine, or in its VM\n",
		place->socket);
	program_expect(place, WORDS("docker-hostvol", "version"), 1,
		"Client:\n Version:     " HOSTVOL_VERSION "\n", expected);
	program_expect(place, WORDS("docker-hostvol", "version", "--format", "json"), 1,
		"{\n  \"Client\": {\n    \"Version\": \"" HOSTVOL_VERSION "\"\n  },\n"
		"  \"Daemon\": null\n}\n",
		expected);
}

PROGRAM_TEST(answers_that_make_no_sense_are_told)
{
	static const struct fake_answer answers[] = {
		{"POST /HotList", 200, "<html>", 0},
		{"POST /HotInfo", 0, "", 0},
		{"POST /HotAttach", 200, "{\"Err\":\"\",\"Attachment\":3}", 0},
		{"POST /HotDetach", 200, "{\"Err\":\"\"}", 17 << 20},
		{NULL, 0, NULL, 0},
	};
	char expected[300];

	program_serve(place, answers);
	snprintf(expected, sizeof(expected),
		"hostvol: the answer from %s to /HotList is not JSON (HTTP status 200)\n",
		place->socket);
	program_expect(place, WORDS("docker-hostvol", "ls"), 1, "", expected);
	snprintf(expected, sizeof(expected),
		"hostvol: the hostvol daemon at %s closed the connection without a proper answer\n",
		place->socket);
	program_expect(place, WORDS("docker-hostvol", "version"), 1,
		"Client:\n Version:     " HOSTVOL_VERSION "\n", expected);
	program_expect(place, WORDS("docker-hostvol", "attach", "v", "c:/t"), 1, "",
		"hostvol: the hostvol daemon's answer shows no attachment\n");
	program_expect(place, WORDS("docker-hostvol", "detach", "c:/t"), 1, "",
		"hostvol: the hostvol daemon's answer is too long\n");
}

TEST_MAIN()

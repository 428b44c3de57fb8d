/* SPDX-License-Identifier: Apache-2.0 */
/* events, up to a time that has passed: without an end it goes on. */
#include <string.h>

#include "support/hv_test.h"

#include "program.h"

#define CONTAINER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define EVENT(seq, action, name, detail)                                                           \
	"{\"Seq\":" #seq ",\"Time\":\"2026-01-31T12:00:00.00000000" #seq                           \
	"Z\",\"Action\":\"" action "\",\"Volume\":\"data\",\"ContainerID\":\"" CONTAINER           \
	"\",\"ContainerName\":\"" name "\",\"Target\":\"/a\",\"ID\":\"0123456789ab\"" detail "}"
#define USAGE "Usage: docker hostvol events [OPTIONS]\n"
#define PAST "2026-01-31T13:00:00Z"

static const struct fake_answer three[] = {
	{"POST /HotEvents", 200,
		"{\"Err\":\"\",\"Events\":[" EVENT(1, "attach", "web", "") "," EVENT(
			2, "missing", "web", ",\"Detail\":\"it was unmounted\"") "," EVENT(3,
			"detach", "", "") "],\"Last\":3}",
		0},
	{NULL, 0, NULL, 0},
};

PROGRAM_TEST(events_are_lines)
{
	program_serve(place, three);
	program_expect(place,
		WORDS("docker-hostvol", "events", "--since", "2026-01-31T11:00:00Z", "--until",
			PAST),
		0,
		"2026-01-31T12:00:00.000000001Z attach data web:/a\n"
		"2026-01-31T12:00:00.000000002Z missing data web:/a (it was unmounted)\n"
		"2026-01-31T12:00:00.000000003Z detach data 001122334455:/a\n",
		"");
	program_expect(place,
		WORDS("docker-hostvol", "events", "--until", PAST, "-f", "action=late"), 0, "", "");
	program_expect_requests(place,
		"POST /HotEvents { \"Since\": \"2026-01-31T11:00:00.000Z\", \"Until\": \"2026-01-31T13:00:00.000Z\", \"Limit\": 200 }\n"
		"POST /HotEvents { \"Until\": \"2026-01-31T13:00:00.000Z\", \"After\": -1, \"Limit\": 200 }\n");
}

PROGRAM_TEST(events_filter_and_format)
{
	program_serve(place, three);
	program_expect(place,
		WORDS("docker-hostvol", "events", "--until", PAST, "-f", "action=attach", "-f",
			"action=detach", "--format", "{{.Seq}} {{.Action}} {{.Detail}}"),
		0, "1 attach \n3 detach \n", "");
	program_expect(place,
		WORDS("docker-hostvol", "events", "--until", PAST, "-f", "container=0011", "-f",
			"action=missing", "--format", "json"),
		0,
		"{\"Seq\":2,\"Time\":\"2026-01-31T12:00:00.000000002Z\",\"Action\":\"missing\",\"Volume\":\"data\","
		"\"ContainerID\":\"" CONTAINER
		"\",\"ContainerName\":\"web\",\"Target\":\"/a\",\"ID\":\"0123456789ab\","
		"\"Detail\":\"it was unmounted\"}\n",
		"");
}

PROGRAM_TEST(events_wrong_words_ask_nobody)
{
	program_expect(place, WORDS("docker-hostvol", "events", "--since", "yesterday"), 2, "",
		"hostvol: --since takes a time, not \"yesterday\"\n"
		"hint: write how long ago (10m, 1h30m), a date (2026-01-31T12:00:00Z) or seconds since 1970\n" USAGE);
	program_expect(place, WORDS("docker-hostvol", "events", "--format", "table"), 2, "",
		"hostvol: \"events\" prints no table: --format takes json or a template\n" USAGE);
	program_expect(place, WORDS("docker-hostvol", "events", "--format", "table {{.ID}}"), 2, "",
		"hostvol: \"events\" prints no table: --format takes json or a template\n" USAGE);
	program_expect(place, WORDS("docker-hostvol", "events", "-f", "state=attached"), 2, "",
		"hostvol: unknown filter \"state\": the known ones are action, container, target and volume\n" USAGE);
	program_expect(place, WORDS("docker-hostvol", "events", "-f", "action=mising"), 2, "",
		"hostvol: unknown action \"mising\": the actions are attach, covered, detach, end, follow, late, missing, pending, reattach, refused, uncovered, volume-ok and volume-problem\n"
		"hint: did you mean: --filter action=missing\n" USAGE);
}

PROGRAM_TEST(events_that_make_no_sense_are_told)
{
	static const struct fake_answer answers[] = {
		{"POST /HotEvents", 200, "{\"Err\":\"\",\"Events\":[]}", 0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "events"), 1, "",
		"hostvol: the hostvol daemon's answer has no events in it\n");
}

PROGRAM_TEST(events_of_a_daemon_that_ends_end)
{
	struct outcome outcome = program_run(place, WORDS("docker-hostvol", "events"));

	assert_int_equal(outcome.status, 1);
	assert_string_equal(outcome.out, "");
	outcome_done(&outcome);
}

PROGRAM_TEST(completion_offers_the_filters_of_events)
{
	program_serve(place, three);
	program_expect(place, WORDS("docker-hostvol", "__complete", "events", "--filter", ""), 0,
		"action=\ncontainer=\ntarget=\nvolume=\n:6\n", "");
	program_expect(place, WORDS("docker-hostvol", "__complete", "events", "-f", "action=re"), 0,
		"action=reattach\naction=refused\n:4\n", "");
}

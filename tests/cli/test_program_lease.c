/* SPDX-License-Identifier: Apache-2.0 */
/* attach --for, and the list of attachments that end. */
#include "support/hv_test.h"

#include "program.h"

#define USAGE "Usage: docker hostvol attach [OPTIONS] SOURCE CONTAINER:TARGET[:ro|:rw]\n"
#define ITEM(id, rest)                                                                             \
	"{\"ID\":\"" id "\",\"Volume\":\"data\",\"ContainerName\":\"web\",\"Target\":\"/a\","      \
	"\"State\":\"attached\",\"Since\":\"x\"" rest "}"

PROGRAM_TEST(attach_for_sends_seconds)
{
	static const struct fake_answer answers[] = {
		{"POST /HotAttach", 200,
			"{\"Err\":\"\",\"Attachment\":" ITEM("0123456789ab",
				",\"Until\":\"2099-01-01T00:00:00Z\",\"Grace\":600,"
				"\"Warnings\":[\"it is attached already\"]") "}",
			0},
		{"POST /HotCheck", 200, "{\"Err\":\"\",\"Checks\":[]}", 0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "attach", "--for", "1h30m", "data", "web:/a"),
		0, "web:/a\n", "note: it is attached already\n");
	program_expect(place,
		WORDS("docker-hostvol", "attach", "--for=90s", "--grace", "0", "data", "web:/a"), 0,
		"web:/a\n", "note: it is attached already\n");
	program_expect(place,
		WORDS("docker-hostvol", "check", "--for", "2h", "--grace=5m", "data", "web:/a"), 0,
		"", "");
	program_expect_requests(place,
		"POST /HotAttach { \"Volume\": \"data\", \"Container\": \"web\", \"Target\": \"\\/a\", "
		"\"For\": 5400 }\n"
		"POST /HotAttach { \"Volume\": \"data\", \"Container\": \"web\", \"Target\": \"\\/a\", "
		"\"For\": 90, \"Grace\": 0 }\n"
		"POST /HotCheck { \"Volume\": \"data\", \"Container\": \"web\", \"Target\": \"\\/a\", "
		"\"For\": 7200, \"Grace\": 300 }\n");
}

PROGRAM_TEST(attach_for_refuses_what_is_no_duration)
{
	program_expect(place, WORDS("docker-hostvol", "attach", "--for", "90", "data", "web:/a"), 2,
		"",
		"hostvol: --for takes a duration, not \"90\"\nhint: write the unit: --for 90s\n" USAGE);
	program_expect(place, WORDS("docker-hostvol", "attach", "--for", "0s", "data", "web:/a"), 2,
		"", "hostvol: --for takes at least a second\n" USAGE);
	program_expect(place, WORDS("docker-hostvol", "attach", "--grace", "1m", "data", "web:/a"),
		2, "", "hostvol: --grace says nothing without --for\n" USAGE);
	program_expect(place,
		WORDS("docker-hostvol", "attach", "--for", "1m", "--grace", "x", "data", "web:/a"),
		2, "",
		"hostvol: --grace takes a duration, not \"x\"\n"
		"hint: write hours, minutes and seconds, such as 90s, 2h or 1h30m\n" USAGE);
}

PROGRAM_TEST(ls_has_a_column_for_leases_if_there_is_one)
{
	static const struct fake_answer answers[] = {
		{"POST /HotList", 200,
			"{\"Err\":\"\",\"Attachments\":[" ITEM("0123456789ab", "") "," ITEM(
				"1123456789ab",
				",\"Until\":\"2000-01-01T00:00:00Z\",\"Grace\":600") "]}",
			0},
		{NULL, 0, NULL, 0},
	};

	program_serve(place, answers);
	program_expect(place, WORDS("docker-hostvol", "ls"), 0,
		"ID             VOLUME    CONTAINER   TARGET    MODE      STATE      SINCE     TIME LEFT\n"
		"0123456789ab   data      web         /a        rw        attached   -         \n"
		"1123456789ab   data      web         /a        rw        attached   -         over\n",
		"");
	program_expect(place,
		WORDS("docker-hostvol", "ls", "--format", "{{.ID}} {{.Until}} {{.Grace}}"), 0,
		"0123456789ab  \n1123456789ab 2000-01-01T00:00:00Z 600\n", "");
}

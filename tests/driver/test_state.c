/* SPDX-License-Identifier: Apache-2.0 */
/* The state files of runtimes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "start/roots.h"
#include "start/state.h"

static int parse(const char *text, struct hv_first *ret)
{
	return hv_state_parse(text, strlen(text), ret);
}

TEST(runcs_state_tells_the_first_process)
{
	struct hv_first first;

	assert_int_equal(
		parse("{\"id\":\"a\",\"init_process_pid\":910,\"init_process_start\":123456789,"
		      "\"created\":\"2026-01-01T00:00:00Z\",\"config\":{\"pid\":{},\"mounts\":[]},"
		      "\"rootless\":false,\"namespace_paths\":{\"NEWPID\":\"/proc/910/ns/pid\"}}",
			&first),
		0);
	assert_int_equal(first.pid, 910);
	assert_int_equal(first.start_ticks, 123456789);
}

TEST(cruns_status_tells_the_first_process)
{
	struct hv_first first;

	assert_int_equal(parse("{\n \"pid\" : 27910,\n \"process-start-time\" : 5150,\n"
			       " \"cgroup-path\" : \"/a\",\n \"detached\" : true,\n"
			       " \"external_descriptors\" : [\"/dev/null\"]\n}\n",
				 &first),
		0);
	assert_int_equal(first.pid, 27910);
	assert_int_equal(first.start_ticks, 5150);
}

TEST(a_name_may_be_a_value_too)
{
	struct hv_first first;

	assert_int_equal(parse(" {\"id\":\"pid\",\"a\\\"\":[\"pid\",{\"pid\":3}],\"pid\":17,"
			       "\"root\":\"process-start-time\",\"process-start-time\":5}",
				 &first),
		0);
	assert_int_equal(first.pid, 17);
	assert_int_equal(first.start_ticks, 5);
}

TEST(what_tells_no_process_is_refused)
{
	static const char *const texts[] = {
		"",
		"{",
		"null",
		"[]",
		"{}",
		"{\"pid\":17}",
		"{\"process-start-time\":17}",
		"{\"pid\":1,\"process-start-time\":17}",
		"{\"pid\":-17,\"process-start-time\":17}",
		"{\"pid\":0,\"process-start-time\":17}",
		"{\"pid\":4294967313,\"process-start-time\":17}",
		"{\"pid\":99999999999999999999999,\"process-start-time\":17}",
		"{\"pid\":17,\"process-start-time\":-1}",
		"{\"pid\":17.5,\"process-start-time\":1}",
		"{\"pid\":\"17\",\"process-start-time\":1}",
		"{\"pid\":true,\"process-start-time\":1}",
		"{\"init_process_pid\":17,\"process-start-time\":1}",
		"{\"pid\":17,\"process-start-time\":1} x",
		"{\"pid\":17,\"process-start-time\":1}{}",
		"{\"pid\":17,\"process-start-time\":1]",
		"{\"a\":{\"pid\":17,\"process-start-time\":1}}",
		"{\"a\":\"\\\",\\\"pid\\\":17,\\\"process-start-time\\\":1\"}",
		"{\"pid\":null,\"process-start-time\":1}",
		"{\"pid\":17,\"process-start-time\":1",
		"{\"pid\":17,\"process-start-time\":1,\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]",
	};
	struct hv_first first;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (parse(texts[i], &first) != -EINVAL)
			fail_msg("%s", texts[i]);
}

TEST(every_part_of_a_state_is_refused)
{
	static const char text[] = "{\"init_process_pid\":910,\"init_process_start\":12}";
	struct hv_first first;

	for (size_t size = 0; size < sizeof(text) - 1; size++)
		assert_int_equal(hv_state_parse(text, size, &first), -EINVAL);
}

TEST(a_large_state_is_read_whole)
{
	enum { FILLER = 200000 };
	FILE *file = tmpfile();
	struct hv_first first;

	assert_non_null(file);
	fputs("{\"filler\":\"", file);
	for (int i = 0; i < FILLER; i++)
		fputc('x', file);
	fputs("\",\"init_process_pid\":910,\"init_process_start\":12}", file);
	assert_int_equal(fflush(file), 0); /* the position is at the end */
	assert_int_equal(hv_state_read(fileno(file), &first), 0);
	assert_int_equal(first.pid, 910);
	fclose(file);
}

TEST(a_process_that_no_runtime_keeps_tells_no_root)
{
	char root[PATH_MAX];

	assert_int_equal(hv_root_find(getpid(), root), -ENOENT);
	assert_int_equal(hv_root_find(INT32_MAX, root), -ESRCH);
}

TEST_MAIN()

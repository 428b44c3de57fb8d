/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "daemon/log.h"

enum { PATIENCE_SECONDS = 60, TEXT_MAX = 8192, PIPE_FILL = 100000 };

/* stdout and stderr, each through a pipe, while a test logs. */
struct capture {
	int saved[2];
	int ends[2];
};

static void begin(struct capture *capture)
{
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		int ends[2];

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		capture->saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
		assert_true(capture->saved[i] >= 0);
		assert_int_equal(dup2(ends[1], i + 1), i + 1);
		close(ends[1]);
		capture->ends[i] = ends[0];
	}
}

/* Restore the streams and read what came to stdout (0) and stderr (1). */
static void end(struct capture *capture, char texts[2][TEXT_MAX])
{
	for (int i = 0; i < 2; i++) {
		size_t used = 0;
		ssize_t size = 1;

		dup2(capture->saved[i], i + 1);
		close(capture->saved[i]);
		while (size > 0 && used < TEXT_MAX - 1) {
			size = read(capture->ends[i], texts[i] + used, TEXT_MAX - 1 - used);
			used += size > 0 ? (size_t)size : 0;
		}
		texts[i][used] = '\0';
		close(capture->ends[i]);
	}
}

static void log_at_every_level(const char *level, char texts[2][TEXT_MAX])
{
	struct capture capture;
	struct hv_log log;

	begin(&capture);
	hv_log_init(&log, level);
	hv_log_line(&log, HV_LOG_ERROR, "one %d", 1);
	hv_log_line(&log, HV_LOG_WARN, "two");
	hv_log_line(&log, HV_LOG_INFO, "three");
	hv_log_line(&log, HV_LOG_DEBUG, "four");
	end(&capture, texts);
}

TEST(errors_go_to_stderr_and_the_rest_to_stdout)
{
	char texts[2][TEXT_MAX];

	log_at_every_level("debug", texts);
	assert_string_equal(
		texts[0], "hostvol: warn: two\nhostvol: info: three\nhostvol: debug: four\n");
	assert_string_equal(texts[1], "hostvol: error: one 1\n");
}

TEST(the_level_leaves_lines_out)
{
	char texts[2][TEXT_MAX];

	log_at_every_level("error", texts);
	assert_string_equal(texts[0], "");
	assert_string_equal(texts[1], "hostvol: error: one 1\n");
	log_at_every_level("warn", texts);
	assert_string_equal(texts[0], "hostvol: warn: two\n");
	log_at_every_level("no such level", texts);
	assert_string_equal(texts[0], "hostvol: warn: two\nhostvol: info: three\n");
}

TEST(control_characters_are_replaced)
{
	char texts[2][TEXT_MAX];
	struct capture capture;
	struct hv_log log;

	begin(&capture);
	hv_log_init(&log, "info");
	hv_log_line(&log, HV_LOG_INFO,
		"a\nb\r\tc\x1b[2J\x7f\x01 gr\xc3\xbc\xc3\x9f \xc2\x9b"
		"2J \xc2\xa7");
	end(&capture, texts);
	assert_string_equal(
		texts[0], "hostvol: info: a?b??c?[2J?? gr\xc3\xbc\xc3\x9f ??2J \xc2\xa7\n");
}

TEST(long_lines_are_cut_and_still_end)
{
	static const size_t lengths[] = {2030, 2031, 2032, 2033, 2034, 5000, 100000};
	char *text = malloc(100001);

	assert_non_null(text);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char texts[2][TEXT_MAX];
		struct capture capture;
		struct hv_log log;

		memset(text, 'x', lengths[i]);
		text[lengths[i]] = '\0';
		begin(&capture);
		hv_log_init(&log, "info");
		hv_log_line(&log, HV_LOG_INFO, "%s", text);
		hv_log_line(&log, HV_LOG_INFO, "next");
		end(&capture, texts);
		assert_true(strcspn(texts[0], "\n") < 2048);
		assert_true(strcspn(texts[0], "\n") >= 2000);
		assert_string_equal(strchr(texts[0], '\n') + 1, "hostvol: info: next\n");
	}
	free(text);
}

/* A dockerd that does not read its end. */
TEST(a_full_pipe_does_not_stop_the_daemon)
{
	char texts[2][TEXT_MAX];
	struct capture capture;
	struct hv_log log;

	begin(&capture);
	hv_log_init(&log, "info");
	alarm(PATIENCE_SECONDS);
	for (int i = 0; i < PIPE_FILL; i++) {
		hv_log_line(&log, HV_LOG_INFO, "line %d", i);
		hv_log_line(&log, HV_LOG_ERROR, "line %d", i);
	}
	alarm(0);
	end(&capture, texts);
	assert_memory_equal(texts[0], "hostvol: info: line 0\n", 22);
}

TEST_MAIN()

/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* C1 too, which UTF-8 has in two bytes: U+009B begins a terminal command. */
static void clean(char *line, int size)
{
	for (int i = 0; i < size; i++) {
		unsigned char now = (unsigned char)line[i];
		unsigned char next = i + 1 < size ? (unsigned char)line[i + 1] : 0;

		if (now == 0xc2 && next >= 0x80 && next < 0xa0)
			line[i + 1] = line[i] = '?';
		else if (now < ' ' || now == 0x7f)
			line[i] = '?';
	}
}

void hv_log_init(struct hv_log *log, const char *level)
{
	log->level = HV_LOG_INFO;
	for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (strcmp(level_names[i], level) == 0)
			log->level = (enum hv_level)i;
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void hv_log_line(const struct hv_log *log, enum hv_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	int used, more;

	if (level > log->level)
		return;
	used = snprintf(line, sizeof(line), "hostvol: %s: ", level_names[level]);
	va_start(args, format);
	more = vsnprintf(line + used, sizeof(line) - 1 - (size_t)used, format, args);
	va_end(args);
	used = more < 0 ? used : used + more;
	if (used > (int)sizeof(line) - 2)
		used = (int)sizeof(line) - 2;
	clean(line, used);
	line[used++] = '\n';
	/* One write, so that lines of several threads do not mix; nothing can be done if it fails.
	 */
	if (write(level == HV_LOG_ERROR ? STDERR_FILENO : STDOUT_FILENO, line, (size_t)used) < 0)
		return;
}

const char hv_log_refused[] =
	"required and not there: its start was refused (docker hostvol ls tells why)";

void hv_log_counts(const struct hv_log *log, const char *container,
	const struct hv_log_count *counts, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (counts[i].count > 0)
			hv_log_line(log, counts[i].level, "container '%s': %u attachment%s %s",
				container, counts[i].count, counts[i].count == 1 ? "" : "s",
				counts[i].what);
}

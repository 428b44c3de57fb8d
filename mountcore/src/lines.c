/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#include "core.h"
#include "sys.h"

enum {
	CHUNK = 4096,
	COLUMN_ID = 0,
	COLUMN_DEV = 2,
	COLUMN_TARGET = 4,
	COLUMN_OPTIONS = 5,
	COLUMNS = 6
};

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void mc_unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) &&
			is_octal(text[3])) {
			*to = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

static void take_text(struct mc_line *line, char *to, size_t size, char c)
{
	if (line->length + 1 >= size) {
		line->is_cut = true;
		return;
	}
	to[line->length++] = c;
	to[line->length] = '\0';
}

/* "8:1" */
static void take_dev(struct mc_line *line, char c)
{
	unsigned *number = line->is_minor ? &line->minor : &line->major;

	if (c == ':')
		line->is_minor = true;
	else
		*number = *number * 10 + (unsigned)(c - '0');
}

static void take_char(struct mc_line *line, char c)
{
	if (c == ' ') {
		line->column++;
		line->length = 0;
	} else if (line->column == COLUMN_ID) {
		line->id = line->id * 10 + (uint64_t)(c - '0');
	} else if (line->column == COLUMN_DEV) {
		take_dev(line, c);
	} else if (line->column == COLUMN_TARGET) {
		take_text(line, line->target, sizeof(line->target), c);
	} else if (line->column == COLUMN_OPTIONS) {
		take_text(line, line->options, sizeof(line->options), c);
	} else if (c == '-' && !line->type_column) {
		line->type_column = line->column + 1; /* the optional fields end */
	} else if (line->type_column && line->column == line->type_column) {
		take_text(line, line->fstype, sizeof(line->fstype), c);
	}
}

int mc_lines_visit(const struct mc_core *core, int (*visit)(struct mc_line *line, void *context),
	void *context)
{
	char chunk[CHUNK];
	struct mc_line line = {0};
	ssize_t size;
	mc_sys_auto_fd fd = mc_sys_openat(core->proc, "thread-self/mountinfo", O_RDONLY);
	int rc = 0;

	if (fd < 0)
		return fd;
	do {
		size = mc_sys_read(fd, chunk, sizeof(chunk));
		for (ssize_t i = 0; i < size && rc == 0; i++) {
			if (chunk[i] != '\n') {
				take_char(&line, chunk[i]);
				continue;
			}
			mc_unescape(line.target);
			line.dev = makedev(line.major, line.minor);
			if (line.column >= COLUMNS)
				rc = visit(&line, context);
			line = (struct mc_line){0};
		}
	} while (size > 0 && rc == 0);
	return size < 0 ? (int)size : rc;
}

static int is_wanted(struct mc_line *line, void *context)
{
	return line->id == *(const uint64_t *)context;
}

bool mc_mountinfo_has_id(const struct mc_core *core, uint64_t mountinfo_id)
{
	return mc_lines_visit(core, is_wanted, &mountinfo_id) != 0;
}

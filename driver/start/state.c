/* SPDX-License-Identifier: Apache-2.0 */
#include "start/state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

enum { STATE_MAX = 16 << 20, CHUNK = 64 << 10 };

/* runc and crun call it differently. */
struct said {
	long long runc_pid, runc_start, crun_pid, crun_start;
};

struct scan {
	const char *at;
	const char *end;
	unsigned depth;
	long long *member; /* that the next value of the object itself is of, or NULL */
};

static long long *find_member(struct said *said, const char *name, size_t length)
{
	const struct {
		const char *name;
		long long *member;
	} members[] = {
		{"init_process_pid", &said->runc_pid},
		{"init_process_start", &said->runc_start},
		{"pid", &said->crun_pid},
		{"process-start-time", &said->crun_start},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (strlen(members[i].name) == length && memcmp(members[i].name, name, length) == 0)
			return members[i].member;
	return NULL;
}

/* Behind the quote.  Of a string that ends the scan is at its last quote. */
static void take_string(struct scan *scan, struct said *said)
{
	const char *name = scan->at;

	while (scan->at < scan->end && *scan->at != '"')
		scan->at += *scan->at == '\\' && scan->end - scan->at > 1 ? 2 : 1;
	if (scan->at == scan->end)
		return;
	if (scan->depth == 1)
		scan->member = find_member(said, name, (size_t)(scan->at - name));
	scan->at++;
}

/* Behind the colon.  Returns false when it is no whole number. */
static bool take_number(struct scan *scan)
{
	long long value = 0;
	const char *from;

	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
		scan->at++;
	from = scan->at;
	for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *scan->at - '0', &value))
			return false;
	*scan->member = value;
	scan->member = NULL;
	return scan->at > from && scan->at < scan->end && *scan->at &&
	       strchr(" \t\r\n,}", *scan->at);
}

/* Returns false when it cannot be an object, or tells something else of the process. */
static bool take_byte(struct scan *scan, struct said *said)
{
	char byte = *scan->at++;

	switch (byte) {
	case '"':
		take_string(scan, said);
		return scan->depth > 0;
	case ':':
		return scan->depth != 1 || !scan->member || take_number(scan);
	case '{':
	case '[':
		scan->depth++;
		return scan->depth > 1 || byte == '{';
	case '}':
		return scan->depth-- > 0;
	case ']': /* '}' ends the object itself */
		return scan->depth-- > 1;
	default:
		return scan->depth > 0 || (byte && strchr(" \t\r\n", byte));
	}
}

/* Looks at the members of the object itself only: json-c takes a millisecond for the 30 KB of
 * configuration beside them, in which a start is held.  The brackets tell whether it is whole; no
 * other check, since anyone who writes it can write anything. */
int hv_state_parse(const char *bytes, size_t size, struct hv_first *ret)
{
	struct scan scan = {.at = bytes, .end = bytes + size};
	struct said said = {0};
	bool is_over = false;

	while (scan.at < scan.end) {
		if ((is_over && (*scan.at == '{' || *scan.at == '[')) || !take_byte(&scan, &said))
			return -EINVAL;
		is_over |= scan.depth == 0 && scan.at[-1] == '}';
	}
	ret->pid = said.runc_pid ? said.runc_pid : said.crun_pid;
	ret->start_ticks = said.runc_pid ? said.runc_start : said.crun_start;
	return scan.depth == 0 && ret->pid > 1 && ret->pid <= INT32_MAX && ret->start_ticks > 0
		       ? 0
		       : -EINVAL;
}

int hv_state_read(int fd, struct hv_first *ret)
{
	mc_auto_free char *bytes = NULL;
	size_t used = 0;
	ssize_t size;

	do {
		char *more = used < STATE_MAX ? realloc(bytes, used + CHUNK) : NULL;

		if (!more)
			return used < STATE_MAX ? -ENOMEM : -EFBIG;
		bytes = more;
		size = pread(fd, bytes + used, CHUNK, (off_t)used);
		if (size < 0)
			return -errno;
		used += (size_t)size;
	} while (size > 0);
	return hv_state_parse(bytes, used, ret);
}

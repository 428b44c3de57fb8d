#include "start/state.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "wire/json.h"

enum { STATE_MAX = 16 << 20, CHUNK = 64 << 10 };

/* runc and crun call it differently. */
struct said {
	long long runc_pid, runc_start, crun_pid, crun_start;
};

#define SAID(member, name)                                                                         \
	{                                                                                          \
		name, HV_TYPE_INT, 0, offsetof(struct said, member)                                \
	}

static const struct hv_field fields[] = {
	SAID(runc_pid, "init_process_pid"),
	SAID(runc_start, "init_process_start"),
	SAID(crun_pid, "pid"),
	SAID(crun_start, "process-start-time"),
	{NULL, HV_TYPE_INT, 0, 0},
};

int hv_state_parse(const char *bytes, size_t size, struct hv_first *ret)
{
	struct said said = {0};
	struct hv_error err = {0};
	enum hv_code code = hv_fields_read(bytes, size, fields, HV_UNKNOWN_IGNORE, &said, &err);

	hv_error_done(&err);
	ret->pid = said.runc_pid ? said.runc_pid : said.crun_pid;
	ret->start_ticks = said.runc_pid ? said.runc_start : said.crun_start;
	return code == HV_OK && ret->pid > 1 && ret->pid <= INT32_MAX && ret->start_ticks > 0
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

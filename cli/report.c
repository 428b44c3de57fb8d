/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"

/* The words of the API, as a person says them. */
static const char *describe_use(const char *why)
{
	static const char *const words[][2] = {{"cwd", "working directory"},
		{"root", "root directory"}, {"mapping", "mapped file"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], why) == 0)
			return words[i][1];
	return why;
}

void hv_report(const char *operand, const struct hv_error *err)
{
	hv_line_print(stderr, "hostvol: %s%s%s", operand ? operand : "", operand ? ": " : "",
		hv_error_text(err));
	for (unsigned i = 0; i < err->busy_count; i++)
		hv_line_print(stderr, "  process %lld of the host (%s): %s", err->busy[i].pid,
			err->busy[i].command, describe_use(err->busy[i].why));
	if (err->hint)
		hv_line_print(stderr, "hint: %s", err->hint);
}

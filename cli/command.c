/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/daemon.h"
#include "cli/program.h"

enum hv_code hv_invocation_ask(const struct hv_invocation *run, const char *endpoint,
	const struct hv_field *fields, const void *request, struct json_object **ret,
	struct hv_error *err)
{
	hv_auto_json struct json_object *body = fields ? hv_fields_write(fields, request) : NULL;

	if (fields && !body)
		return hv_oom(err);
	return hv_client_ask(
		&run->globals, &run->environment, &(struct hv_call){endpoint, body, 0}, ret, err);
}

const struct hv_command *hv_program_find(const struct hv_program *tool, const char *name)
{
	for (size_t i = 0; tool->commands && tool->commands[i]; i++) {
		const struct hv_command *command = tool->commands[i];

		if (strcmp(command->name, name) == 0 ||
			(command->alias && strcmp(command->alias, name) == 0))
			return command;
	}
	return NULL;
}

#include <string.h>

#include "cli/tool.h"

const struct hv_command *hv_tool_find(const struct hv_tool *tool, const char *name)
{
	for (size_t i = 0; tool->commands && tool->commands[i]; i++) {
		const struct hv_command *command = tool->commands[i];

		if (strcmp(command->name, name) == 0 ||
			(command->alias && strcmp(command->alias, name) == 0))
			return command;
	}
	return NULL;
}

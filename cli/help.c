/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/program.h"

void hv_usage_print(FILE *out, const struct hv_program *tool, const struct hv_command *command)
{
	if (!command) {
		fprintf(out, "Usage: docker %s COMMAND\n", tool->name);
		return;
	}
	fprintf(out, "Usage: docker %s", tool->name);
	if (tool->commands)
		fprintf(out, " %s", command->name);
	fprintf(out, " [OPTIONS]%s%s\n", *command->usage ? " " : "", command->usage);
}

/* A value that may be left out must be joined to the flag: the next word is not it. */
static void format_flag(const struct hv_flag *flag, char *ret, size_t size_bytes)
{
	const char *value = flag->value ? flag->value : "";

	if (flag->otherwise)
		snprintf(ret, size_bytes, "--%s[=%s]", flag->name, value);
	else
		snprintf(ret, size_bytes, "--%s%s%s", flag->name, *value ? " " : "", value);
}

static void print_flags(const struct hv_flag *flags)
{
	printf("\nOptions:\n");
	for (; flags->name; flags++) {
		char text[40];

		if (!flags->help)
			continue;
		format_flag(flags, text, sizeof(text));
		printf("  %c%c%s %-24s%s\n", flags->letter ? '-' : ' ',
			flags->letter ? flags->letter : ' ', flags->letter ? "," : " ", text,
			flags->help);
	}
}

static void print_commands(const struct hv_program *tool)
{
	printf("\n%s\n\nCommands:\n", tool->summary);
	for (size_t i = 0; tool->commands[i]; i++)
		printf("  %-12s%s\n", tool->commands[i]->name, tool->commands[i]->summary);
	printf("\nRun 'docker %s COMMAND --help' for more information on a command.\n", tool->name);
}

void hv_help_print(const struct hv_program *tool, const struct hv_command *command)
{
	hv_usage_print(stdout, tool, command);
	if (!command) {
		print_commands(tool);
		return;
	}
	printf("\n%s\n", command->summary);
	if (command->alias)
		printf("\nAliases: %s, %s\n", command->name, command->alias);
	print_flags(command->flags);
	if (command->notes)
		printf("\n%s\n", command->notes);
	if (command->examples)
		printf("\nExamples:\n%s\n", command->examples);
}

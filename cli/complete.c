/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/tool.h"

/* Cobra's directives: which files the shell adds to the list. */
enum { NO_FILES = 4, DIRECTORIES_ONLY = 16 };

static bool is_prefix(const char *prefix, const char *text)
{
	return strncmp(prefix, text, strlen(prefix)) == 0;
}

static void complete_commands(const struct hv_tool *tool, const char *word)
{
	for (size_t i = 0; tool->commands[i]; i++)
		if (is_prefix(word, tool->commands[i]->name))
			printf("%s\t%s\n", tool->commands[i]->name, tool->commands[i]->summary);
}

static void complete_flags(const struct hv_flag *flags, const char *word)
{
	const char *start = word[1] == '-' ? word + 2 : word + 1;

	for (; flags->name; flags++)
		if (flags->help && is_prefix(start, flags->name))
			printf("--%s\t%s\n", flags->name, flags->help);
}

static void complete_value(const char *flag, const char *word)
{
	static const char *const values[][2] = {{"format", "json"}, {"format", "table"},
		{"idmap", "auto"}, {"idmap", "always"}, {"idmap", "never"}};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i][0], flag) == 0 && is_prefix(word, values[i][1]))
			printf("%s\n", values[i][1]);
}

/* The flag before the word, if it needs a value, or NULL.  An optional value follows a =. */
static const struct hv_flag *find_waiting(const struct hv_command *command, const char *before)
{
	const struct hv_flag *flag = NULL;

	if (is_prefix("--", before))
		flag = hv_flags_find(command->flags, before + 2, strlen(before + 2));
	return flag && flag->value && !flag->otherwise ? flag : NULL;
}

static int complete_command(const struct hv_command *command, int argc, char *const argv[])
{
	const char *word = argv[argc - 1];
	const struct hv_flag *waiting = argc > 1 ? find_waiting(command, argv[argc - 2]) : NULL;
	struct hv_operands operands = {0};
	struct hv_options options = {0};
	hv_auto_error struct hv_error err = {0};
	bool is_understood =
		hv_flags_parse(command->flags, argc - 1, argv, &options, &operands, &err) == HV_OK;

	if (waiting)
		complete_value(waiting->name, word);
	else if (word[0] == '-')
		complete_flags(command->flags, word);
	else if (is_understood && operands.count == 0 && command->is_path_first)
		return DIRECTORIES_ONLY;
	return NO_FILES;
}

void hv_tool_complete(const struct hv_tool *tool, int argc, char *const argv[])
{
	const struct hv_command *command = tool->only;
	int directive = NO_FILES;

	if (argc > 1 && strcmp(argv[0], tool->name) == 0) {
		argc--;
		argv++;
	}
	if (!command && argc > 1) {
		command = hv_tool_find(tool, *argv++);
		argc--;
	} else if (!command && argc == 1) {
		complete_commands(tool, argv[0]);
	}
	if (command && argc > 0)
		directive = complete_command(command, argc, argv);
	printf(":%d\n", directive);
}

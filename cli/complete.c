/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "wire/action.h"
#include "wire/attachment_state.h"
#include "wire/text.h"
#include "wire/types.h"

#include "cli/document.h"
#include "cli/filter.h"
#include "cli/output.h"
#include "cli/program.h"

/* Cobra's directives: whether a space follows the word, and which files the shell adds to the list.
 */
enum { NO_SPACE = 2, NO_FILES = 4, DIRECTORIES_ONLY = 16 };

static bool is_prefix(const char *prefix, const char *text)
{
	return strncmp(prefix, text, strlen(prefix)) == 0;
}

static void complete_commands(const struct hv_program *tool, const char *word)
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

/* `part`, which is in the word already, with `value` behind it, if that begins as the word goes on.
 */
static void print_candidate(
	const char *part, const char *value, const char *about, const char *word)
{
	size_t length = strlen(part);
	hv_auto_free char *text = hv_text_format("%s%s", part, value);
	hv_auto_free char *note = hv_text_format("%s", about ? about : "");

	if (!text || !note || !is_prefix(word + length, value))
		return;
	hv_text_clean(text);
	hv_text_clean(note);
	printf("%s%s%s\n", text, *note ? "\t" : "", note);
}

/* All attachments, to be put; NULL if the daemon does not tell them: then there is nothing to
 * offer.
 */
static struct json_object *ask_list(const struct hv_invocation *run)
{
	hv_auto_json struct json_object *answer = NULL;
	hv_auto_error struct hv_error ignored = {0};

	if (hv_invocation_ask(run, "/HotList", NULL, NULL, &answer, &ignored) != HV_OK)
		return NULL;
	return json_object_get(hv_document_get(answer, "Attachments", json_type_array));
}

/* Whether one of the first `count` has the text, too. */
static bool is_before(struct json_object *list, size_t count, const char *field, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		const char *other = hv_document_text(json_object_array_get_idx(list, i), field);

		if (other && strcmp(other, text) == 0)
			return true;
	}
	return false;
}

/* The different values that a field of the attachments has. */
static void complete_field(
	const struct hv_invocation *run, const char *part, const char *field, const char *word)
{
	hv_auto_json struct json_object *list = ask_list(run);
	size_t count = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count; i++) {
		const char *text = hv_document_text(json_object_array_get_idx(list, i), field);

		if (text && *text && !is_before(list, i, field, text))
			print_candidate(part, text, NULL, word);
	}
}

static bool is_given(const struct hv_operands *operands, const char *place)
{
	for (size_t i = 0; i < operands->count && i < HV_OPERANDS_MAX; i++)
		if (strcmp(operands->items[i], place) == 0)
			return true;
	return false;
}

/* SELECTOR:TARGET of each rule that is not given yet, with its volume. */
static void complete_rules(const struct hv_invocation *run, const char *word)
{
	hv_auto_json struct json_object *answer = NULL;
	hv_auto_error struct hv_error ignored = {0};
	struct json_object *list;

	if (hv_invocation_ask(run, "/HotRules", NULL, NULL, &answer, &ignored) != HV_OK)
		return;
	list = hv_document_get(answer, "Rules", json_type_array);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *selector = hv_document_text(item, "Selector");
		const char *target = hv_document_text(item, "Target");
		hv_auto_free char *place =
			hv_text_format("%s:%s", selector ? selector : "", target ? target : "");

		if (selector && target && place && !is_given(&run->operands, place))
			print_candidate("", place, hv_document_text(item, "Volume"), word);
	}
}

/* The words that a selector begins with. */
static int complete_place(const char *word)
{
	static const char *const words[][2] = {{"label:", "all containers with a label"},
		{"compose:", "all containers of a Compose project or service"},
		{"service:", "all tasks of a Swarm service"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		print_candidate("", words[i][0], words[i][1], word);
	return NO_FILES | NO_SPACE;
}

/* CONTAINER:TARGET of each attachment that is not given yet, with its volume and state. */
static void complete_attachments(const struct hv_invocation *run, const char *word)
{
	hv_auto_json struct json_object *list = ask_list(run);
	size_t count = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *container = hv_document_text(item, "ContainerName");
		const char *target = hv_document_text(item, "Target");
		const char *volume = hv_document_text(item, "Volume");
		const char *state = hv_document_text(item, "State");
		hv_auto_free char *place =
			hv_text_format("%s:%s", container ? container : "", target ? target : "");
		hv_auto_free char *about =
			hv_text_format("%s, %s", volume ? volume : "", state ? state : "");

		if (container && *container && target && place && !is_given(&run->operands, place))
			print_candidate("", place, about, word);
	}
}

static void complete_states(const char *part, const char *word)
{
	for (int i = HV_UNKNOWN_STATE + 1; i < HV_STATE_COUNT; i++)
		print_candidate(
			part, hv_attachment_state_name((enum hv_attachment_state)i), NULL, word);
}

static void complete_actions(const char *part, const char *word)
{
	for (int i = 0; i < HV_ACTION_COUNT; i++)
		print_candidate(part, hv_action_name((enum hv_action)i), NULL, word);
}

/* KEY= first, its values then. */
static int complete_filter(
	const struct hv_invocation *run, const struct hv_filter_set *set, const char *word)
{
	static const char *const fields[HV_FILTER_KEYS] = {
		[HV_FILTER_CONTAINER] = "ContainerName",
		[HV_FILTER_TARGET] = "Target",
		[HV_FILTER_VOLUME] = "Volume",
	};
	const char *equals = strchr(word, '=');

	for (size_t i = 0; i < HV_FILTER_KEYS; i++) {
		hv_auto_free char *part = hv_text_format("%s=", hv_filter_keys[i]);

		if (!part || !set->has[i])
			continue;
		if (!equals)
			print_candidate("", part, NULL, word);
		else if (is_prefix(part, word) && fields[i])
			complete_field(run, part, fields[i], word);
		else if (is_prefix(part, word) && i == HV_FILTER_ACTION)
			complete_actions(part, word);
		else if (is_prefix(part, word))
			complete_states(part, word);
	}
	return equals ? NO_FILES : NO_FILES | NO_SPACE;
}

static int complete_value(const struct hv_invocation *run, const struct hv_command *command,
	const struct hv_flag *flag, const char *word)
{
	static const char *const values[][2] = {{"format", "json"}, {"format", "table"},
		{"idmap", "auto"}, {"idmap", "always"}, {"idmap", "never"},
		{"propagation", "private"}, {"propagation", "slave"}};
	static const char *const fields[][2] = {
		{"container", "ContainerName"}, {"volume", "Volume"}};

	if (strcmp(flag->name, "filter") == 0 && command->filters)
		return complete_filter(run, command->filters, word);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i][0], flag->name) == 0)
			print_candidate("", values[i][1], NULL, word);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(fields[i][0], flag->name) == 0)
			complete_field(run, "", fields[i][1], word);
	return NO_FILES;
}

/* The flag before the word, if it needs a value, or NULL.  An optional value follows a =. */
static const struct hv_flag *find_waiting(const struct hv_command *command, const char *before)
{
	const struct hv_flag *flag = NULL;

	if (is_prefix("--", before))
		flag = hv_flags_find(command->flags, before + 2, strlen(before + 2));
	else if (before[0] == '-' && before[1] && !before[2])
		flag = hv_flags_find_letter(command->flags, before[1]);
	return flag && flag->value && !flag->otherwise ? flag : NULL;
}

static int complete_command(const struct hv_command *command, int argc, char *const argv[])
{
	const char *word = argv[argc - 1];
	const struct hv_flag *waiting = argc > 1 ? find_waiting(command, argv[argc - 2]) : NULL;
	hv_auto_error struct hv_error err = {0};
	struct hv_invocation run = {0};
	bool is_understood = hv_flags_parse(command->flags, argc - 1, argv, &run.options,
				     &run.operands, &err) == HV_OK;

	hv_environment_read(&run.environment);
	if (waiting)
		return complete_value(&run, command, waiting, word);
	if (word[0] == '-')
		complete_flags(command->flags, word);
	else if (is_understood && run.operands.count == 0 &&
		 (command->is_path_first || (command->may_begin_slash && word[0] == '/')))
		return DIRECTORIES_ONLY;
	else if (is_understood && command->is_attachment && run.options.target)
		complete_field(&run, "", "ContainerName", word);
	else if (is_understood && command->is_place && run.operands.count == 1)
		return complete_place(word);
	else if (is_understood && command->is_attachment) {
		complete_attachments(&run, word);
		complete_rules(&run, word);
	}
	return NO_FILES;
}

void hv_program_complete(const struct hv_program *tool, int argc, char *const argv[])
{
	const struct hv_command *command = tool->only;
	int directive = NO_FILES;

	if (argc > 1 && strcmp(argv[0], tool->name) == 0) {
		argc--;
		argv++;
	}
	if (!command && argc > 1) {
		command = hv_program_find(tool, *argv++);
		argc--;
	} else if (!command && argc == 1) {
		complete_commands(tool, argv[0]);
	}
	if (command && argc > 0)
		directive = complete_command(command, argc, argv);
	printf(":%d\n", directive);
}

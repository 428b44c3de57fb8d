/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "wire/utf8.h"

#include "cli/document.h"
#include "cli/nearest.h"
#include "cli/report.h"

/* The rest of the command line, and whether it asks for help. */
struct words {
	int count;
	char *const *items;
	bool is_help_asked;
};

static bool next_is(const struct words *words, const char *text)
{
	return words->count > 0 && strcmp(words->items[0], text) == 0;
}

static void skip(struct words *words, int count)
{
	words->count -= count;
	words->items += count;
}

static enum hv_code skip_globals(
	struct words *words, struct hv_invocation *run, struct hv_error *err)
{
	int used = hv_globals_parse(words->count, words->items, &run->globals, err);

	if (used < 0)
		return err->code;
	skip(words, used);
	return HV_OK;
}

enum hv_code hv_format_parse(const char *format, bool *ret_is_json, struct hv_error *err)
{
	struct hv_nearest nearest = {.word = format, .length = format ? strlen(format) : 0};

	*ret_is_json = format && strcmp(format, "json") == 0;
	if (!format || *ret_is_json || strcmp(format, "table") == 0)
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST, "--format takes table or json, not \"%s\"", format);
	hv_nearest_add(&nearest, "table");
	hv_nearest_add(&nearest, "json");
	return nearest.name ? hv_hint(err, "did you mean: --format %s", nearest.name) : err->code;
}

/* Docker asks for this before every one of its commands. */
static enum hv_exit print_metadata(const struct hv_program *tool, struct hv_error *err)
{
	const char *const members[][2] = {{"SchemaVersion", "0.1.0"}, {"Vendor", "hostvol"},
		{"Version", HOSTVOL_VERSION}, {"ShortDescription", tool->summary}};
	hv_auto_json struct json_object *document = json_object_new_object();

	for (size_t i = 0; document && i < sizeof(members) / sizeof(members[0]); i++)
		json_object_object_add(
			document, members[i][0], json_object_new_string(members[i][1]));
	if (document && hv_document_print(stdout, document) == 0)
		return HV_EXIT_DONE;
	hv_oom(err);
	return HV_EXIT_FAILED;
}

/* `docker help hostvol` comes as "help hostvol", `docker hostvol help` as "hostvol help". */
static void skip_help(const struct hv_program *tool, struct words *words)
{
	if (!next_is(words, "help"))
		return;
	/* For addvol a directory may be called help. */
	if (!tool->commands && words->count > 1 && strcmp(words->items[1], tool->name) != 0)
		return;
	words->is_help_asked = true;
	skip(words, 1);
}

static enum hv_code skip_to_command(const struct hv_program *tool, struct words *words,
	struct hv_invocation *run, struct hv_error *err)
{
	if (skip_globals(words, run, err) != HV_OK)
		return err->code;
	skip_help(tool, words);
	if (next_is(words, tool->name)) {
		skip(words, 1);
		if (skip_globals(words, run, err) != HV_OK)
			return err->code;
	}
	skip_help(tool, words);
	if (run->globals.help)
		words->is_help_asked = true;
	return HV_OK;
}

static void fail_count(const struct hv_command *command, size_t count, struct hv_error *err)
{
	size_t min = command->operands_min, max = command->operands_max;
	const char *needs = min == max ? "needs" : count < min ? "needs at least" : "takes at most";
	size_t wanted = count < min ? min : max;

	if (max == 0)
		hv_fail(err, HV_BAD_REQUEST, "\"%s\" takes no arguments", command->name);
	else
		hv_fail(err, HV_BAD_REQUEST, "\"%s\" %s %zu argument%s, not %zu", command->name,
			needs, wanted, wanted == 1 ? "" : "s", count);
}

static enum hv_exit run_command(const struct hv_command *command, struct words *words,
	struct hv_invocation *run, struct hv_error *err)
{
	size_t count;

	/* They go into JSON, where they would become other words. */
	for (int i = 0; i < words->count; i++)
		if (!hv_utf8_is_valid(words->items[i])) {
			hv_fail(err, HV_BAD_REQUEST, "\"%s\" is not UTF-8", words->items[i]);
			return HV_EXIT_USAGE;
		}
	if (hv_flags_parse(command->flags, words->count, words->items, &run->options,
		    &run->operands, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (run->options.help) {
		words->is_help_asked = true;
		return HV_EXIT_DONE;
	}
	count = run->operands.count;
	if (count >= command->operands_min && count <= command->operands_max) {
		hv_environment_read(&run->environment);
		return command->run(run, err);
	}
	fail_count(command, count, err);
	if (command->hint)
		command->hint(run, err);
	return HV_EXIT_USAGE;
}

static const char *find_meant(const struct hv_program *tool, const char *word)
{
	/* The words of other tools for commands that are here. */
	static const char *const other_words[][2] = {{"add", "attach"}, {"mount", "attach"},
		{"info", "version"}, {"ps", "ls"}, {"remove", "detach"}, {"rm", "detach"},
		{"status", "ls"}, {"umount", "detach"}, {"unmount", "detach"}};
	struct hv_nearest nearest = {.word = word, .length = strlen(word)};

	for (size_t i = 0; i < sizeof(other_words) / sizeof(other_words[0]); i++)
		if (strcmp(other_words[i][0], word) == 0)
			return other_words[i][1];
	for (size_t i = 0; tool->commands[i]; i++) {
		hv_nearest_add(&nearest, tool->commands[i]->name);
		if (tool->commands[i]->alias)
			hv_nearest_add(&nearest, tool->commands[i]->alias);
	}
	return nearest.name;
}

static enum hv_exit fail_unknown(
	const struct hv_program *tool, const char *word, struct hv_error *err)
{
	bool is_flag = word[0] == '-';
	const char *meant = is_flag ? hv_globals_nearest(word) : find_meant(tool, word);

	hv_fail(err, HV_BAD_REQUEST, "unknown %s \"%s\"", is_flag ? "flag" : "command", word);
	if (meant && is_flag)
		hv_hint(err, "did you mean: --%s", meant);
	else if (meant)
		hv_hint(err, "did you mean: docker %s %s", tool->name, meant);
	else
		hv_hint(err, "see the list of commands: docker %s --help", tool->name);
	return HV_EXIT_USAGE;
}

/* *command is the tool's only one, or NULL, which stays for help on the tool itself. */
static enum hv_exit dispatch(const struct hv_program *tool, struct words *words,
	const struct hv_command **command, struct hv_error *err)
{
	struct hv_invocation run = {0};
	enum hv_exit status = HV_EXIT_DONE;

	if (skip_to_command(tool, words, &run, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (run.globals.version) {
		printf("docker-%s %s\n", tool->name, HOSTVOL_VERSION);
		return HV_EXIT_DONE;
	}
	if (!tool->only && words->count > 0) {
		*command = hv_program_find(tool, words->items[0]);
		if (!*command)
			return fail_unknown(tool, words->items[0], err);
		skip(words, 1);
	} else if (!tool->only) {
		words->is_help_asked = true; /* as docker's own commands with subcommands do */
	}
	if (!words->is_help_asked)
		status = run_command(*command, words, &run, err);
	if (status == HV_EXIT_DONE && words->is_help_asked)
		hv_help_print(tool, *command);
	return status;
}

int hv_program_run(const struct hv_program *tool, int argc, char *const argv[])
{
	struct words words = {.count = argc > 0 ? argc - 1 : 0, .items = argv + (argc > 0)};
	const struct hv_command *command = tool->only;
	hv_auto_error struct hv_error err = {0};
	enum hv_exit status = HV_EXIT_DONE;

	if (next_is(&words, "docker-cli-plugin-metadata"))
		status = print_metadata(tool, &err);
	else if (next_is(&words, "__complete") || next_is(&words, "__completeNoDesc"))
		hv_program_complete(tool, words.count - 1, words.items + 1);
	else
		status = dispatch(tool, &words, &command, &err);
	/* Output that did not arrive, on a full disk for example, is no success. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == HV_EXIT_DONE) {
		hv_fail(&err, HV_INTERNAL, "cannot write the output");
		status = HV_EXIT_FAILED;
	}
	if (status != HV_EXIT_DONE && err.code != HV_OK)
		hv_report(NULL, &err);
	if (status == HV_EXIT_USAGE)
		hv_usage_print(stderr, tool, command);
	return (int)status;
}

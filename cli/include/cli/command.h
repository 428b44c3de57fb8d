/* SPDX-License-Identifier: Apache-2.0 */
/* A command, and the arguments of one run. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

#include "wire/json.h"

#include "cli/filter.h"
#include "cli/flags.h"
#include "cli/globals.h"

enum hv_exit {
	HV_EXIT_DONE,
	HV_EXIT_FAILED,
	HV_EXIT_USAGE,
};

/* The flags of all commands; each command's table has those that it takes. */
struct hv_options {
	bool help;
	bool read_only;
	bool no_suid;
	bool no_dev;
	bool no_exec;
	bool no_mkdir;
	bool make_source;
	bool lazy;
	bool once;
	bool required;
	bool follow;
	const char *target;
	const char *volume;
	const char *container;
	const char *format;
	const char *name;
	const char *wait;
	const char *subpath;
	const char *id_map;
	const char *as;
	const char *propagation;
	const char *replace;
	const char *lease;
	const char *grace;
	bool suid;
	bool each;
	bool all;
	bool cluster;
	struct hv_values volume_opts;
	bool rules;
	bool quiet;
	bool no_trunc;
	struct hv_values filters;
	const char *since;
	const char *until;
};

struct hv_invocation {
	struct hv_globals globals;
	struct hv_environment environment;
	struct hv_options options;
	struct hv_operands operands;
};

struct hv_command {
	const char *name;
	const char *alias; /* or NULL */
	const char *summary;
	const char *usage;    /* after the command in the usage line */
	const char *notes;    /* after the options in the help, or NULL */
	const char *examples; /* indented lines at the end of the help, or NULL */
	const struct hv_flag *flags;
	const struct hv_filter_set *filters; /* of --filter, or NULL */
	size_t operands_min;
	size_t operands_max;
	bool is_path_first;   /* the first operand completes to a directory */
	bool may_begin_slash; /* it does if it begins with a slash */
	bool is_attachment;   /* the operands complete to attachments and rules */
	bool is_place;        /* the second operand is a place */
	/* With anything but HV_EXIT_DONE the sentence is in `err`, which is empty if hv_report()
	 * has told it already. */
	enum hv_exit (*run)(const struct hv_invocation *run, struct hv_error *err);
	/* Add a hint to `err`, where the number of operands tells what was meant; or NULL. */
	void (*hint)(const struct hv_invocation *run, struct hv_error *err);
};

/* A row of a flag table. */
#define HV_FLAG(name, letter, value, help, member)                                                 \
	{                                                                                          \
		name, value, help, offsetof(struct hv_options, member), NULL, letter, false        \
	}
#define HV_FLAG_OPTIONAL(name, value, help, member, otherwise)                                     \
	{                                                                                          \
		name, value, help, offsetof(struct hv_options, member), otherwise, 0, false        \
	}
#define HV_FLAG_LIST(name, letter, value, help, member)                                            \
	{                                                                                          \
		name, value, help, offsetof(struct hv_options, member), NULL, letter, true         \
	}
#define HV_FLAG_FORMAT HV_FLAG("format", 0, "FORMAT", "Output: table (default) or json", format)
#define HV_FLAGS_END                                                                               \
	{                                                                                          \
		NULL, NULL, NULL, 0, NULL, 0, false                                                \
	}
#define HV_FLAGS_HELP HV_FLAG("help", 'h', NULL, "Print this help", help), HV_FLAGS_END

extern const struct hv_command hv_cmd_addvol;
extern const struct hv_command hv_cmd_attach;
extern const struct hv_command hv_cmd_check;
extern const struct hv_command hv_cmd_detach;
extern const struct hv_command hv_cmd_doctor;
extern const struct hv_command hv_cmd_events;
extern const struct hv_command hv_cmd_inspect;
extern const struct hv_command hv_cmd_ls;
extern const struct hv_command hv_cmd_set;
extern const struct hv_command hv_cmd_version;

/* Ask the daemon, with `request` written by `fields` as the body; NULL: an empty object. */
enum hv_code hv_invocation_ask(const struct hv_invocation *run, const char *endpoint,
	const struct hv_field *fields, const void *request, struct json_object **ret,
	struct hv_error *err) __attribute__((nonnull(1, 2, 5, 6), warn_unused_result));

/* Whether --format asks for JSON.  Returns HV_OK, or HV_BAD_REQUEST for an unknown format. */
enum hv_code hv_format_parse(const char *format, bool *ret_is_json, struct hv_error *err)
	__attribute__((nonnull(2, 3), warn_unused_result));

#endif

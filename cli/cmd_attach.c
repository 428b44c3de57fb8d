/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/as.h"

#include "cli/attachment.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/duration.h"
#include "cli/keyvalue.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/rule.h"

#define PLACE_FLAGS                                                                                \
	HV_FLAG("ro", 0, NULL, "Read-only, as :ro", read_only),                                    \
		HV_FLAG("read-only", 0, NULL, NULL, read_only),                                    \
		HV_FLAG("subpath", 0, "PATH", "A directory or file inside the source", subpath),   \
		HV_FLAG("mkdir", 0, NULL, "Make what is missing of a host path, or of --subpath",  \
			make_source),                                                              \
		HV_FLAG_OPTIONAL("replace", "HOW",                                                 \
			"Take the place of what is mounted at the target; HOW: nonatomic",         \
			replace, "true"),                                                          \
		HV_FLAG("idmap", 0, "WHEN",                                                        \
			"Map owners to the container's users: auto (default), always, never",      \
			id_map),                                                                   \
		HV_FLAG("as", 0, "UID[:GID]",                                                      \
			"Show the owner of the volume's directory as this user", as),              \
		HV_FLAG("nosuid", 0, NULL, "Ignore set-user-ID bits in the volume", no_suid),      \
		HV_FLAG("suid", 0, NULL, "Keep them where owners are mapped, or with --as", suid), \
		HV_FLAG("nodev", 0, NULL, "No device nodes in the volume", no_dev),                \
		HV_FLAG("noexec", 0, NULL, "Run no programs from the volume", no_exec),            \
		HV_FLAG("propagation", 0, "HOW",                                                   \
			"Later mounts below the source: private (default), or slave: they appear", \
			propagation),                                                              \
		HV_FLAG("no-mkdir", 0, NULL, "Refuse when the target does not exist", no_mkdir),   \
		HV_FLAG("target", 0, "PATH", "The target, when CONTAINER stands alone", target)

#define START_FLAGS                                                                                \
	HV_FLAG("once", 0, NULL, "Until the container stops, and not again when it starts", once), \
		HV_FLAG("required", 0, NULL,                                                       \
			"Let the container not start without it, as :required", required),         \
		HV_FLAG("follow", 0, NULL,                                                         \
			"Become what the path leads to when that is replaced on the host",         \
			follow),                                                                   \
		HV_FLAG("each", 0, NULL,                                                           \
			"With a selector: attach to the others if a container refuses", each),     \
		HV_FLAG("for", 0, "DURATION", "Detach it after so long: 90s, 2h, 1h30m", lease),   \
		HV_FLAG("grace", 0, "DURATION",                                                    \
			"With --for: how long it may be used after that (default 10m)", grace)

static const struct hv_flag attach_flags[] = {PLACE_FLAGS, START_FLAGS,
	HV_FLAG_LIST("opt", 'o', "KEY=VALUE", "Define the volume like this where it does not exist",
		volume_opts),
	HV_FLAG("all", 0, NULL, "With service: in a swarm: on all nodes, or on none", all),
	HV_FLAG("format", 0, "FORMAT", "With service: in a swarm: table (default) or json", format),
	HV_FLAGS_HELP};
static const struct hv_flag check_flags[] = {
	PLACE_FLAGS, START_FLAGS, HV_FLAG_FORMAT, HV_FLAGS_HELP};

static char *borrow(const char *text)
{
	return (char *)(uintptr_t)text; /* written from, never freed */
}

static bool is_one_of(const char *text, const char *const *words)
{
	while (*words && strcmp(*words, text) != 0)
		words++;
	return *words;
}

/* Whether a source that is no absolute path is a path all the same: no volume's name has a slash,
 * or begins so. */
static bool is_relative(const char *source)
{
	return source[0] != '/' && (source[0] == '.' || source[0] == '~' || strchr(source, '/'));
}

static enum hv_code fail_relative(const char *source, struct hv_error *err)
{
	hv_auto_free char *real = realpath(source, NULL);

	hv_fail(err, HV_BAD_REQUEST, "the path \"%s\" of the host is not absolute", source);
	/* Git Bash makes a path of Windows of a word that begins with a slash. */
	if (isalpha((unsigned char)source[0]) && source[1] == ':')
		return hv_hint(err,
			"write a path of the host, not of Windows; in Git Bash: MSYS_NO_PATHCONV=1 docker hostvol ...");
	return hv_hint(err, "write it from the host's root: %s", real ? real : "/srv/data");
}

/* The daemon refuses these too, but not as a wrong use of the command. */
static enum hv_code check_words(
	const struct hv_invocation *run, const struct hv_place *place, struct hv_error *err)
{
	static const char *const replaces[] = {"true", "nonatomic", NULL};
	static const char *const id_maps[] = {"auto", "always", "never", NULL};
	static const char *const propagations[] = {"private", "slave", NULL};
	const struct hv_options *options = &run->options;
	const char *replace = options->replace, *id_map = options->id_map;
	struct hv_as as;

	if (!*run->operands.items[0])
		return hv_fail(err, HV_BAD_REQUEST, "the volume's name is empty");
	if (is_relative(run->operands.items[0]))
		return fail_relative(run->operands.items[0], err);
	if (replace && !is_one_of(replace, replaces))
		return hv_fail(err, HV_BAD_REQUEST,
			"--replace stands alone or takes nonatomic, not \"%s\"", replace);
	if (id_map && !is_one_of(id_map, id_maps))
		return hv_fail(err, HV_BAD_REQUEST,
			"--idmap takes auto, always or never, not \"%s\"", id_map);
	if (options->propagation && !is_one_of(options->propagation, propagations))
		return hv_fail(err, HV_BAD_REQUEST,
			"--propagation takes private or slave, not \"%s\"", options->propagation);
	if (options->each && !place->selector)
		return hv_fail(err, HV_BAD_REQUEST,
			"--each goes with a selector of containers, not with one container");
	if (options->as && !hv_as_parse(options->as, &as)) {
		hv_fail(err, HV_BAD_REQUEST, "--as takes " HV_AS_FORM ", not \"%s\"", options->as);
		return hv_hint(err,
			"give the numbers, since names differ between containers: docker exec CONTAINER id");
	}
	return HV_OK;
}

static enum hv_code read_lease(
	const struct hv_options *options, struct hv_attach_request *request, struct hv_error *err)
{
	if (options->lease &&
		hv_duration_parse("for", options->lease, &request->lease_seconds, err) != HV_OK)
		return err->code;
	if (options->lease && request->lease_seconds == 0)
		return hv_fail(err, HV_BAD_REQUEST, "--for takes at least a second");
	if (!options->grace)
		return HV_OK;
	if (!options->lease)
		return hv_fail(err, HV_BAD_REQUEST, "--grace says nothing without --for");
	return hv_duration_parse("grace", options->grace, &request->grace_seconds, err);
}

static enum hv_code read_volume_opts(
	const struct hv_invocation *run, struct hv_opts *ret, struct hv_error *err)
{
	const struct hv_values *words = &run->options.volume_opts;

	if (words->count > 0 && run->operands.items[0][0] == '/')
		return hv_fail(err, HV_BAD_REQUEST,
			"--opt goes with a volume's name, not with a path of the host");
	for (size_t i = 0; i < words->count; i++)
		if (hv_keyvalue_add(words->items[i], "write KEY=VALUE, such as path=/srv/data", ret,
			    err) != HV_OK)
			return err->code;
	return HV_OK;
}

/* Borrows from its arguments. */
static enum hv_code build(const struct hv_invocation *run, const struct hv_place *place,
	struct json_object **ret_body, struct hv_error *err)
{
	hv_auto_opts struct hv_opts volume_opts = {0};
	const struct hv_options *options = &run->options;
	const char *source = run->operands.items[0];
	bool is_path = source[0] == '/';
	struct hv_opt path = {borrow("Path"), borrow(source)};
	struct hv_attach_request request = {
		.volume = is_path ? NULL : borrow(source),
		.source = {&path, is_path},
		.make_source = options->make_source,
		.container = place->container,
		.selector = place->selector,
		.each = options->each,
		.target = place->target,
		.subpath = borrow(options->subpath),
		.id_map = borrow(options->id_map),
		.as = borrow(options->as),
		.propagation = borrow(options->propagation),
		.replace = borrow(options->replace),
		.no_suid = options->no_suid ? HV_TRUE
			   : options->suid  ? HV_FALSE
					    : HV_UNSET,
		.no_dev = options->no_dev,
		.no_exec = options->no_exec,
		.mkdir = !options->no_mkdir,
		.persist = !options->once,
		.required = options->required || place->mode.is_required,
		.follow = options->follow,
		.grace_seconds = HV_GRACE_UNSAID,
	};

	if (read_lease(options, &request, err) != HV_OK)
		return err->code;
	if (hv_place_read_only(place, options->read_only, &request.read_only, err) != HV_OK)
		return err->code;
	if (read_volume_opts(run, &volume_opts, err) != HV_OK)
		return err->code;
	request.volume_opts = volume_opts;
	*ret_body = hv_attach_body(&request);
	return *ret_body ? HV_OK : hv_oom(err);
}

static enum hv_code parse_place(
	const struct hv_invocation *run, struct hv_place *ret, struct hv_error *err)
{
	const char *volume = run->operands.items[0], *place = run->operands.items[1];
	const char *target = run->options.target;
	enum hv_code code = hv_place_parse(place, target, ret, err);

	if (target)
		return code;
	/* The first argument is the place, and the second is none. */
	if (code == HV_BAD_REQUEST && strstr(volume, ":/") && !strchr(place, ':'))
		return hv_hint(err, "write the volume first: %s %s", place, volume);
	return code == HV_OK ? hv_place_mode_parse(ret, err) : code;
}

/* One argument too many. */
static void hint_operands(const struct hv_invocation *run, struct hv_error *err)
{
	const char *const *words = run->operands.items;

	if (run->operands.count != 3)
		return;
	if (run->options.replace && strcmp(words[0], "nonatomic") == 0)
		hv_hint(err, "join the value to the flag: --replace=nonatomic");
	else if (words[2][0] == '/' && !strchr(words[1], ':'))
		hv_hint(err, "join container and target with a colon: %s %s:%s", words[0], words[1],
			words[2]);
}

/* To all nodes of a swarm, if `place` is a service, and the Engine is in one; else `ret_is_local`.
 */
static enum hv_exit ask_cluster(const struct hv_invocation *run, const char *endpoint,
	struct json_object *body, bool *ret_is_local, struct hv_error *err)
{
	hv_auto_swarm struct hv_swarm swarm = {.role = HV_SWARM_NONE};
	const char *selector = hv_document_text(body, "Selector");
	bool is_attach = strcmp(endpoint, "/HotAttach") == 0;

	if (hv_cluster_is_meant(selector) && hv_swarm_open(run, &swarm, err) != HV_OK)
		return HV_EXIT_FAILED;
	if (swarm.role == HV_SWARM_MANAGER)
		return is_attach ? hv_cluster_attach(run, &swarm, body, err)
				 : hv_cluster_check(run, &swarm, body, err);
	if (swarm.role == HV_SWARM_WORKER) {
		hv_swarm_refuse_worker(&swarm, err);
		return HV_EXIT_FAILED;
	}
	*ret_is_local = true;
	if (!run->options.all && !(is_attach && run->options.format))
		return HV_EXIT_DONE;
	hv_fail(err, HV_BAD_REQUEST, "--all and --format go with service:NAME, in a swarm");
	return HV_EXIT_USAGE;
}

/* Send what the command line asks for to `endpoint`.  Without an answer the nodes of a swarm were
 * asked, and all is told. */
static enum hv_exit ask(const struct hv_invocation *run, const char *endpoint,
	struct json_object **ret_answer, struct hv_error *err)
{
	hv_auto_place struct hv_place place = {0};
	hv_auto_json struct json_object *body = NULL;
	bool is_local = false;
	enum hv_exit status;

	if (parse_place(run, &place, err) != HV_OK || check_words(run, &place, err) != HV_OK ||
		build(run, &place, &body, err) != HV_OK || !body)
		return err->code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	status = ask_cluster(run, endpoint, body, &is_local, err);
	if (status != HV_EXIT_DONE || !is_local)
		return status;
	if (hv_client_ask(&run->globals, &run->environment, &(struct hv_call){endpoint, body, 0},
		    ret_answer, err) != HV_OK)
		return HV_EXIT_FAILED;
	return HV_EXIT_DONE;
}

/* It is no failure, and may be a word misspelt: "Near" has the right ones. */
static void tell_empty(struct json_object *answer)
{
	static const char *const lists[] = {"Attachments", "Failed", "Skipped"};
	const char *near = hv_document_text(answer, "Near");

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct json_object *list = hv_document_get(answer, lists[i], json_type_array);

		if (list && json_object_array_length(list) > 0)
			return;
	}
	hv_line_print(stderr,
		"note: no container is selected now; each that is created later will have it");
	if (near)
		hv_line_print(stderr, "note: %s", near);
}

static enum hv_exit attach(const struct hv_invocation *run, struct hv_error *err)
{
	hv_auto_json struct json_object *answer = NULL;
	enum hv_exit status = ask(run, "/HotAttach", &answer, err);

	if (status != HV_EXIT_DONE || !answer)
		return status;
	if (!hv_document_get(answer, "Rule", json_type_object))
		return hv_attachment_print(answer, err) == HV_OK ? HV_EXIT_DONE : HV_EXIT_FAILED;
	if (hv_rule_print(answer, err) != HV_OK)
		return HV_EXIT_FAILED;
	tell_empty(answer);
	return HV_EXIT_DONE;
}

/* One line for each thing that was looked at; none if `out` is NULL.  Returns whether all is well.
 */
static bool print_checks(FILE *out, struct json_object *checks)
{
	bool all = true;

	for (size_t i = 0; i < json_object_array_length(checks); i++) {
		struct json_object *item = json_object_array_get_idx(checks, i);
		const char *name = hv_document_text(item, "Name");
		const char *detail = hv_document_text(item, "Detail");
		bool is_ok = json_object_get_boolean(json_object_object_get(item, "OK"));

		all = all && is_ok;
		if (out)
			hv_line_print(out, "%-4s  %s: %s", is_ok ? "ok" : "FAIL", name ? name : "",
				detail ? detail : "");
	}
	return all;
}

static enum hv_exit check(const struct hv_invocation *run, struct hv_error *err)
{
	hv_auto_json struct json_object *answer = NULL;
	struct json_object *checks;
	bool is_json = false, is_ok;
	enum hv_exit status;

	if (hv_format_parse(run->options.format, &is_json, err) != HV_OK)
		return HV_EXIT_USAGE;
	status = ask(run, "/HotCheck", &answer, err);
	if (status != HV_EXIT_DONE || !answer)
		return status;
	checks = hv_document_get(answer, "Checks", json_type_array);
	if (!checks) {
		hv_fail(err, HV_INTERNAL, "the hostvol daemon's answer shows no checks");
		return HV_EXIT_FAILED;
	}
	is_ok = print_checks(is_json ? NULL : stdout, checks);
	if (is_json && hv_document_print(stdout, checks) < 0)
		hv_oom(err);
	if (is_ok)
		return HV_EXIT_DONE;
	hv_fail(err, HV_INTERNAL, "the attach would be refused; nothing was changed");
	return HV_EXIT_FAILED;
}

const struct hv_command hv_cmd_attach = {
	.name = "attach",
	.summary = "Put a volume into a running container",
	.usage = "SOURCE CONTAINER:TARGET[:ro|:rw]",
	.notes =
		"SOURCE is a volume of hostvol or of another driver, or the absolute path of a directory of\n"
		"the host, as for docker run -v. TARGET is an absolute path in the container; for a path with\n"
		"a colon in it use --target.\n"
		"The source is attached again whenever the container starts, until you detach it. If the\n"
		"container is stopped, the source is attached when it starts. With --for it is detached when\n"
		"that time is over, as soon as nobody uses it, and when --grace is over as well, at once.\n"
		"In place of CONTAINER a SELECTOR may stand: label:KEY[=VALUE], compose:PROJECT[/SERVICE], or\n"
		"service:NAME (of Swarm). It makes a rule: the source is in all containers that it selects now, and\n"
		"in each that is created later, until you detach SELECTOR:TARGET. service:NAME on a manager of a\n"
		"swarm is on all nodes.",
	.examples =
		"  docker hostvol attach data web:/mnt/data\n"
		"  docker hostvol attach --as 1000:1000 data web:/mnt/data\n"
		"  docker hostvol attach /srv/data web:/mnt/data\n"
		"  docker hostvol attach data compose:shop/web:/mnt/data\n"
		"  docker hostvol attach -o type=nfs -o device=:/srv -o o=addr=nas data service:web:/mnt/data\n"
		"  docker hostvol attach --mkdir /srv/cache web:/var/cache/app\n"
		"  docker hostvol attach --ro --subpath etc/app.conf data web:/etc/app.conf\n"
		"  docker hostvol attach --for 2h data web:/mnt/data",
	.flags = attach_flags,
	.operands_min = 2,
	.operands_max = 2,
	.may_begin_slash = true,
	.is_place = true,
	.run = attach,
	.hint = hint_operands,
};

const struct hv_command hv_cmd_check = {
	.name = "check",
	.summary = "Show what an attach would do, without doing it",
	.usage = "SOURCE CONTAINER:TARGET[:ro|:rw]",
	.notes =
		"Takes the flags of attach but --opt and --all. Exits 1 when the attach would be refused.",
	.flags = check_flags,
	.operands_min = 2,
	.operands_max = 2,
	.may_begin_slash = true,
	.is_place = true,
	.run = check,
	.hint = hint_operands,
};

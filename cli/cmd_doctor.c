/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/document.h"
#include "cli/output.h"

static const struct hv_flag flags[] = {HV_FLAGS_HELP};

static void tell_line(const char *mark, const char *name, const char *text, const char *more)
{
	bool has_more = more && *more;

	hv_line_print(stdout, "%-4s  %s: %s%s%s%s", mark, name, text, has_more ? " (" : "",
		has_more ? more : "", has_more ? ")" : "");
}

/* One line; returns `is_ok`. */
static bool tell(const char *name, bool is_ok, const char *text, const char *more)
{
	tell_line(is_ok ? "ok" : "FAIL", name, text, more);
	return is_ok;
}

/* The name of the mount engine tells which kernel features are missing. */
static bool tell_mounts(struct json_object *info)
{
	const char *engine = hv_document_text(info, "MountEngine");
	const char *kernel = hv_document_text(info, "Kernel");

	if (!engine || strcmp(engine, "none") == 0)
		return tell("mounts", false, "this kernel cannot attach: it has no open_tree",
			"HOSTVOL_LEGACY=1 allows a way without");
	return tell("mounts", true, engine, kernel);
}

/* Whether attachments are back before the program of a container begins.  That they are not is no
 * fault of this machine's: they come by the Engine's events then. */
static void tell_starts(struct json_object *info)
{
	struct json_object *starts = hv_document_get(info, "Starts", json_type_object);
	struct json_object *ms = hv_document_get(starts, "HoldMilliseconds", json_type_int);
	const char *reason = hv_document_text(starts, "Reason");
	char text[128];

	if (!starts)
		return; /* an older daemon */
	snprintf(text, sizeof(text),
		"each is held until all is attached, for %" PRId64 " ms at most",
		json_object_get_int64(ms));
	if (hv_document_flag(starts, "Held"))
		tell("starts", true, text, NULL);
	else
		tell_line("note", "starts",
			"none is held: attachments come back when the program runs already",
			reason ? reason : "");
}

/* Whether an unmount in a container is noticed at once.  That it is not is no fault either. */
static void tell_drift(struct json_object *info)
{
	struct json_object *drift = hv_document_get(info, "Drift", json_type_object);

	if (!drift)
		return; /* an older daemon */
	if (hv_document_flag(drift, "Told"))
		tell("drift", true, "unmounts in containers are noticed as they happen", NULL);
	else
		tell_line("note", "drift", "unmounts in containers are noticed within a minute",
			hv_document_text(drift, "Reason"));
}

/* Data that containers wrote in place of their volumes; no line if there is none. */
static bool tell_strays(struct json_object *info)
{
	struct json_object *strays = json_object_object_get(info, "StrayData");
	size_t count = strays ? json_object_array_length(strays) : 0;

	for (size_t i = 0; i < count; i++)
		tell("data", false, json_object_get_string(json_object_array_get_idx(strays, i)),
			"a container wrote it in place of its volume; move it away: docker plugin rm deletes it");
	return count == 0;
}

/* No line if the state cannot be read, which has its own. */
static bool tell_records(struct json_object *info)
{
	const char *problem = hv_document_text(info, "RecordsProblem");

	if (hv_document_text(info, "StateProblem"))
		return true;
	if (!problem)
		return tell("records", true, "every record can be read", NULL);
	return tell("records", false, problem,
		"only its volume cannot be used; report it with a copy of hostvol.db");
}

/* No line if they are served, or not asked for. */
static bool tell_metrics(struct json_object *info)
{
	const char *problem = hv_document_text(info, "MetricsProblem");

	return !problem || tell("metrics", false, problem, "all else works");
}

/* Volumes with a problem; no line if there is none. */
static bool tell_volumes(struct json_object *info)
{
	struct json_object *problems = hv_document_get(info, "VolumeProblems", json_type_array);
	size_t count = problems ? json_object_array_length(problems) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(problems, i);
		const char *problem = hv_document_text(item, "Problem");

		tell("volume", false, problem ? problem : "?", hv_document_text(item, "Hint"));
	}
	return count == 0;
}

static bool tell_all(struct json_object *info)
{
	static const struct {
		const char *name, *problem_key, *otherwise;
	} members[] = {
		{"state", "StateProblem", "it can be used"},
		{"engine", "EngineProblem", "the daemon reaches it"},
		{"volumes", "MountRootProblem", "the host sees those of docker run -v"},
	};
	const char *version = hv_document_text(info, "Version");
	bool all = tell("daemon", true, "it answers, version", version);

	if (version && strcmp(version, HOSTVOL_VERSION) != 0)
		all = tell("version", false, "the command's is another: " HOSTVOL_VERSION,
			"install them from one source: scripts/quickstart");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *problem = hv_document_text(info, members[i].problem_key);

		all = tell(members[i].name, !problem, problem ? problem : members[i].otherwise,
			      NULL) &&
		      all;
	}
	all = tell_records(info) && all;
	all = tell_strays(info) && all;
	all = tell_volumes(info) && all;
	all = tell_metrics(info) && all;
	tell_starts(info);
	tell_drift(info);
	return tell_mounts(info) && all;
}

static bool tell_attachment(struct json_object *attachment)
{
	const char *problem = hv_document_text(attachment, "Problem");
	char name[PATH_MAX + 600];

	if (!problem || !*problem)
		return true;
	snprintf(name, sizeof(name), "%s:%s is %s", hv_document_text(attachment, "ContainerName"),
		hv_document_text(attachment, "Target"), hv_document_text(attachment, "State"));
	return tell("attachment", false, name, problem);
}

/* No line if there is nothing, nor if the daemon's state cannot be read, which has its own. */
static bool tell_attachments(const struct hv_invocation *run)
{
	hv_auto_json struct json_object *answer = NULL;
	hv_auto_error struct hv_error ignored = {0};
	struct json_object *list;
	bool all = true;

	(void)!hv_invocation_ask(run, "/HotList", NULL, NULL, &answer, &ignored);
	list = hv_document_get(answer, "Attachments", json_type_array);
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		all = tell_attachment(json_object_array_get_idx(list, i)) && all;
	return all;
}

/* Why a rule has not ended, and the containers in which it cannot hold. */
static bool tell_rule(struct json_object *rule)
{
	struct json_object *failed = hv_document_get(rule, "FailedContainers", json_type_array);
	size_t count = failed ? json_object_array_length(failed) : 0;
	const char *problem = hv_document_text(rule, "Problem");
	char name[PATH_MAX + 600];

	if (problem)
		tell("rule", false, hv_document_text(rule, "ID"), problem);
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(failed, i);

		snprintf(name, sizeof(name), "%s does not hold in container '%s'",
			hv_document_text(rule, "ID"), hv_document_text(item, "ContainerName"));
		tell("rule", false, name, hv_document_text(item, "Err"));
	}
	return count == 0 && !problem;
}

static bool tell_rules(const struct hv_invocation *run)
{
	hv_auto_json struct json_object *answer = NULL;
	hv_auto_error struct hv_error ignored = {0};
	struct json_object *list;
	bool all = true;

	(void)!hv_invocation_ask(run, "/HotRules", NULL, NULL, &answer, &ignored);
	list = hv_document_get(answer, "Rules", json_type_array);
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		all = tell_rule(json_object_array_get_idx(list, i)) && all;
	return all;
}

static enum hv_exit doctor(const struct hv_invocation *run, struct hv_error *err)
{
	hv_auto_json struct json_object *info = NULL;
	bool all = false;

	if (hv_invocation_ask(run, "/HotInfo", NULL, NULL, &info, err) == HV_OK) {
		all = tell_all(info);
		all = tell_attachments(run) && all;
		all = tell_rules(run) && all;
	} else {
		tell("daemon", false, hv_error_text(err), err->hint);
	}
	if (all)
		return HV_EXIT_DONE;
	hv_fail(err, HV_INTERNAL, "something is wrong; see above");
	return HV_EXIT_FAILED;
}

const struct hv_command hv_cmd_doctor = {
	.name = "doctor",
	.summary = "Look for what is wrong with hostvol here",
	.usage = "",
	.notes = "Exits 1 when something is.",
	.flags = flags,
	.run = doctor,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The sequence: resolve the directory, see that the container runs, find a volume that is this
 * directory or define one, attach it; a volume defined here does not outlive a failure. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "wire/text.h"

#include "cli/attachment.h"
#include "cli/command.h"
#include "cli/docker.h"
#include "cli/endpoint.h"
#include "cli/engine.h"
#include "cli/hostpath.h"
#include "cli/place.h"

#define ORDER "write HOSTPATH CONTAINER TARGET in this order: docker addvol /srv/data web /mnt/data"

static const struct hv_flag flags[] = {
	HV_FLAG("ro", 0, NULL, "Read-only, as :ro", read_only),
	HV_FLAG("read-only", 0, NULL, NULL, read_only),
	HV_FLAG("name", 0, "VOLUME", "Name of the volume for this directory", name),
	HV_FLAGS_HELP,
};

struct job {
	const struct hv_invocation *run;
	struct hv_client daemon;
	struct hv_place place;
	bool is_read_only;
	char *engine;
	char *real;   /* the directory */
	char *volume; /* its name */
	bool is_defined_here;
};

#define auto_job HV_AUTO(job_done)
static void job_done(struct job *job)
{
	hv_client_done(&job->daemon);
	hv_place_done(&job->place);
	free(job->engine);
	free(job->real);
	free(job->volume);
}

/* No container's name looks like that. */
static bool is_path(const char *word)
{
	return word[0] == '/' || word[0] == '.';
}

static enum hv_code check_operands(const struct hv_operands *operands, struct hv_error *err)
{
	const char *place = operands->count >= 2 ? operands->items[1] : "";
	const char *colon = strchrnul(place, ':');

	if (operands->count == 3 && !is_path(place))
		return HV_OK;
	if (operands->count == 3)
		hv_fail(err, HV_BAD_REQUEST, "\"%s\" is not a container's name", place);
	else
		hv_fail(err, HV_BAD_REQUEST, "three arguments are needed, not %zu",
			operands->count);
	if (is_path(place))
		return hv_hint(err, ORDER);
	if (operands->count != 2 || !strstr(place, ":/")) /* CONTAINER:TARGET, as attach has it */
		return err->code;
	return hv_hint(err, "separate container and target with a space: docker addvol %s %.*s %s",
		operands->items[0], (int)(colon - place), place, colon + 1);
}

static enum hv_code refuse_selector(struct job *job, struct hv_error *err)
{
	if (!job->place.selector)
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST, "\"%s\" is not a container's name", job->place.selector);
	return hv_hint(err,
		"attach a volume to all containers that are selected: docker hostvol attach VOLUME %s:%s",
		job->place.selector, job->place.target);
}

static enum hv_code parse(struct job *job, struct hv_error *err)
{
	const struct hv_operands *operands = &job->run->operands;

	if (check_operands(operands, err) != HV_OK ||
		hv_place_parse(operands->items[1], operands->items[2], &job->place, err) != HV_OK ||
		refuse_selector(job, err) != HV_OK ||
		hv_place_mode_parse(&job->place, err) != HV_OK)
		return err->code;
	return hv_place_read_only(
		&job->place, job->run->options.read_only, &job->is_read_only, err);
}

/* Of an Engine elsewhere, whose paths are not ours to look at. */
static enum hv_code take_remote(const char *path, char **ret_real, struct hv_error *err)
{
	if (path[0] != '/') {
		hv_fail(err, HV_BAD_REQUEST, "%s is not an absolute path", path);
		return hv_hint(err,
			"give an absolute path on the Docker Engine's machine, which is not this one");
	}
	*ret_real = strdup(path);
	return *ret_real ? HV_OK : hv_oom(err);
}

/* A missing path may be a volume's name. */
static enum hv_code hint_name(const struct job *job, struct hv_error *err)
{
	const char *name = job->run->operands.items[0];

	if (!hv_engine_has_volume(job->engine, name))
		return hv_hint(err, ORDER);
	return hv_hint(err, "attach the volume %s: docker hostvol attach %s %s:%s", name, name,
		job->place.container, job->place.target);
}

/* A file goes into a container as the subpath of a volume of its directory. */
static enum hv_code hint_file(const struct job *job, struct hv_error *err)
{
	hv_auto_free char *real = realpath(job->run->operands.items[0], NULL);
	char *slash = real ? strrchr(real, '/') : NULL;
	char name[HV_VOLUME_NAME_MAX_BYTES + 1];
	struct stat status;

	if (!slash || slash == real || stat(real, &status) < 0 || !S_ISREG(status.st_mode))
		return err->code;
	*slash = '\0';
	hv_volume_name_format(real, name, sizeof(name));
	return hv_hint(err,
		"create a volume of its directory and attach the file: docker volume create -d hostvol -o path=%s %s && docker hostvol attach --subpath %s %s %s:%s",
		real, name, slash + 1, name, job->place.container, job->place.target);
}

static enum hv_code take_local(struct job *job, struct hv_error *err)
{
	const char *path = job->run->operands.items[0];
	enum hv_code code = hv_hostpath_resolve(path, &job->real, err);

	if (code == HV_SOURCE_MISSING && !is_path(path))
		return hint_name(job, err);
	if (code == HV_TYPE_MISMATCH)
		return hint_file(job, err);
	return code == HV_OK ? hv_engine_check_running(job->engine, job->place.container, err)
			     : code;
}

static enum hv_code prepare(struct job *job, struct hv_error *err)
{
	const struct hv_invocation *run = job->run;
	enum hv_code code =
		hv_endpoint_resolve(&run->globals, &run->environment, &job->engine, err);

	if (code == HV_OK) {
		code = take_local(job, err);
	} else if (code == HV_UNSUPPORTED) {
		hv_error_done(err);
		code = take_remote(run->operands.items[0], &job->real, err);
	}
	return code == HV_OK ? hv_client_find(&run->globals, &run->environment, &job->daemon, err)
			     : code;
}

static enum hv_code define(const struct job *job, struct hv_error *err)
{
	hv_auto_free char *option = hv_text_format("path=%s", job->real);
	const char *const words[] = {
		"volume", "create", "-d", job->daemon.driver, "-o", option, job->volume, NULL};

	if (!option)
		return hv_oom(err);
	return job->engine ? hv_engine_volume_create(
				     job->engine, job->daemon.driver, job->volume, job->real, err)
			   : hv_docker_run(&job->run->globals, words, NULL, err);
}

/* A failed undo is added to the hint of the failure. */
static void undo(const struct job *job, struct hv_error *err)
{
	const char *const words[] = {"volume", "rm", job->volume, NULL};
	hv_auto_error struct hv_error undo_error = {0};

	if (job->is_defined_here &&
		(job->engine ? hv_engine_volume_remove(job->engine, job->volume, &undo_error)
			     : hv_docker_run(&job->run->globals, words, NULL, &undo_error)) !=
			HV_OK)
		hv_hint(err, "%s%sdelete the volume that was created for this: docker volume rm %s",
			err->hint ? err->hint : "", err->hint ? "; " : "", job->volume);
}

/* The Engine answers the definition of a known name with what it knows: that must not be another
 * directory's volume. */
static enum hv_code find_or_define(struct job *job, struct hv_error *err)
{
	hv_auto_json struct json_object *list = NULL;
	char made[HV_VOLUME_NAME_MAX_BYTES + 1];
	const char *name = job->run->options.name, *found, *taken;

	job->is_defined_here = false;
	if (hv_client_call(&job->daemon, &(struct hv_call){"/VolumeDriver.List", NULL, 0}, &list,
		    err) != HV_OK)
		return err->code;
	found = hv_volume_find(list, job->real, name);
	hv_volume_name_format(job->real, made, sizeof(made));
	name = found ? found : name ? name : made;
	taken = found ? NULL : hv_volume_source(list, name);
	if (taken) {
		hv_fail(err, HV_VOLUME_EXISTS,
			"volume %s exists already and cannot stand for %s: its source is %s, its options differ, or it is read-only",
			name, job->real, *taken ? taken : "unknown");
		return hv_hint(err, "choose another name with --name");
	}
	free(job->volume);
	job->volume = strdup(name);
	if (!job->volume)
		return hv_oom(err);
	job->is_defined_here = !found && define(job, err) == HV_OK;
	return err->code;
}

static enum hv_code find_and_attach(
	struct job *job, struct json_object **ret_answer, struct hv_error *err)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	hv_auto_json struct json_object *body = NULL;

	if (find_or_define(job, err) != HV_OK)
		return err->code;
	request.volume = job->volume;
	request.container = job->place.container;
	request.target = job->place.target;
	request.read_only = job->is_read_only;
	request.required = job->place.mode.is_required;
	body = hv_attach_body(&request);
	return body ? hv_client_call(&job->daemon, &(struct hv_call){"/HotAttach", body, 0},
			      ret_answer, err)
		    : hv_oom(err);
}

static enum hv_code perform(struct job *job, struct hv_error *err)
{
	hv_auto_json struct json_object *answer = NULL;
	enum hv_code code = prepare(job, err);

	if (code != HV_OK)
		return code;
	code = find_and_attach(job, &answer, err);
	/* Another addvol of this directory had defined it, failed, and taken it back. */
	if (code == HV_NO_SUCH_VOLUME && job->volume) {
		hv_error_done(err);
		code = find_and_attach(job, &answer, err);
	}
	if (code == HV_OK)
		return hv_attachment_print(answer, err);
	undo(job, err);
	return code;
}

static enum hv_exit addvol(const struct hv_invocation *run, struct hv_error *err)
{
	auto_job struct job job = {.run = run};
	enum hv_code code = parse(&job, err);

	if (code == HV_BAD_REQUEST)
		return HV_EXIT_USAGE;
	return code == HV_OK && perform(&job, err) == HV_OK ? HV_EXIT_DONE : HV_EXIT_FAILED;
}

const struct hv_command hv_cmd_addvol = {
	.name = "addvol",
	.summary = "Add a host directory to a running container",
	.usage = "HOSTPATH CONTAINER TARGET[:ro|:rw]",
	.notes =
		"HOSTPATH is an existing directory, TARGET an absolute path in the container. The volume\n"
		"that stands for the directory is used if there is one, and defined if there is none. It\n"
		"stays after a detach: docker volume rm removes it, and not the directory.",
	.examples = "  docker addvol /srv/data web /mnt/data\n"
		    "  docker addvol --name conf /etc/app web /etc/app:ro",
	.flags = flags,
	.operands_max = SIZE_MAX, /* counted by the command itself, which knows what to say */
	.is_path_first = true,
	.run = addvol,
};

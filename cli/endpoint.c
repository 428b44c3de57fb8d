/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/endpoint.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "wire/text.h"

#include "cli/cleanup.h"
#include "cli/document.h"

#define DEFAULT_SOCKET "/var/run/docker.sock"

/* `host` is NULL or empty where none is set. */
static enum hv_code from_host(const char *host, char **ret_socket, struct hv_error *err)
{
	static const char scheme[] = "unix://";
	const char *path = "";

	if (host && strncmp(host, scheme, sizeof(scheme) - 1) == 0)
		path = host + sizeof(scheme) - 1;
	if (*path || !host || !*host || strcmp(host, scheme) == 0) {
		*ret_socket = strdup(*path ? path : DEFAULT_SOCKET);
		return *ret_socket ? HV_OK : hv_oom(err);
	}
	hv_fail(err, HV_UNSUPPORTED,
		"the Docker Engine at %s is not behind a unix socket of this machine, and for now this command needs a local Engine",
		host);
	return hv_hint(err,
		"run it on the Engine's machine, or from here: docker volume create -d hostvol -o path=DIRECTORY -o attach=CONTAINER:TARGET NAME");
}

static enum hv_code fail_to_read(const char *path, int error, struct hv_error *err)
{
	if (error == -EBADMSG)
		return hv_fail(err, HV_INTERNAL, "%s is not a JSON object", path);
	return hv_fail(err, HV_INTERNAL, "cannot read %s: %s", path, strerrordesc_np(-error));
}

/* "currentContext" of config.json; NULL when it names none. */
static enum hv_code read_current_context(const char *dir, char **ret_context, struct hv_error *err)
{
	hv_auto_json struct json_object *config = NULL;
	hv_auto_free char *path = hv_text_format("%s/config.json", dir);
	const char *context;
	int r;

	if (!path)
		return hv_oom(err);
	r = hv_document_read(path, &config);
	if (r == -ENOENT || r == -ENOTDIR)
		return HV_OK;
	if (r < 0)
		return fail_to_read(path, r, err);
	context = hv_document_text(config, "currentContext");
	if (!context || !*context)
		return HV_OK;
	*ret_context = strdup(context);
	return *ret_context ? HV_OK : hv_oom(err);
}

/* The Host of a meta.json when it is the one of `context`; borrowed from `meta`. */
static const char *match_context(struct json_object *meta, const char *context)
{
	const char *name = hv_document_text(meta, "Name");
	struct json_object *endpoints = hv_document_get(meta, "Endpoints", json_type_object);
	const char *host =
		hv_document_text(hv_document_get(endpoints, "docker", json_type_object), "Host");

	if (!name || strcmp(name, context) != 0)
		return NULL;
	return host ? host : "";
}

/* Directories are named after a hash of the context's name; the name itself is in the file. */
static enum hv_code from_context(
	const char *dir, const char *context, char **ret_socket, struct hv_error *err)
{
	hv_auto_free char *store = hv_text_format("%s/contexts/meta", dir);
	hv_auto_dir DIR *entries = store ? opendir(store) : NULL;

	if (!store)
		return hv_oom(err);
	/* The stream is this thread's own, so that readdir() is safe. */
	for (struct dirent *entry;
		entries && (entry = readdir(entries));) { // NOLINT(concurrency-mt-unsafe)
		hv_auto_json struct json_object *meta = NULL;
		hv_auto_free char *path = hv_text_format("%s/%s/meta.json", store, entry->d_name);
		const char *host;

		if (!path)
			return hv_oom(err);
		/* A damaged neighbour is no reason to fail. */
		if (hv_document_read(path, &meta) < 0)
			continue;
		host = match_context(meta, context);
		if (host)
			return from_host(host, ret_socket, err);
	}
	hv_fail(err, HV_BAD_REQUEST, "there is no Docker context \"%s\"", context);
	return hv_hint(err, "list the contexts: docker context ls");
}

enum hv_code hv_endpoint_resolve(const struct hv_globals *globals,
	const struct hv_environment *environment, char **ret_socket, struct hv_error *err)
{
	const char *context = globals->context ? globals->context : environment->docker_context;
	const char *config = globals->config_dir ? globals->config_dir : environment->docker_config;
	hv_auto_free char *dir = NULL, *current = NULL; /* no `dir` without a home to look in */

	if (globals->host)
		return from_host(globals->host, ret_socket, err);
	if (!globals->context && environment->docker_host)
		return from_host(environment->docker_host, ret_socket, err);
	if (config || environment->home) {
		dir = config ? strdup(config) : hv_text_format("%s/.docker", environment->home);
		if (!dir)
			return hv_oom(err);
	}
	if (!context && dir && read_current_context(dir, &current, err) != HV_OK)
		return err->code;
	if (!context)
		context = current;
	/* Docker's default context is DOCKER_HOST, where that is set. */
	if (!context || !*context || strcmp(context, "default") == 0)
		return from_host(environment->docker_host, ret_socket, err);
	return from_context(dir ? dir : "", context, ret_socket, err);
}

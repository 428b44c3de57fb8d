/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker Engine: which plugin it has, containers, volumes. */
#ifndef CLI_ENGINE_H
#define CLI_ENGINE_H

#include <stdbool.h>

#include "wire/error.h"

struct json_object;

/* A plugin that has the hostvol socket.  Strings are owned. */
struct hv_plugin {
	char *id;
	char *name; /* with its tag */
	bool is_enabled;
};

/* Out of the Engine's answer to GET /plugins: the enabled one, "hostvol:latest" first if there are
 * several, else one that is disabled.
 * Returns HV_OK, HV_NO_SUCH_ENDPOINT when there is none, or HV_INTERNAL on ENOMEM (err untouched).
 * The caller frees `ret` with hv_plugin_done() whatever is returned. */
enum hv_code hv_plugin_choose(struct json_object *plugins, struct hv_plugin *ret)
	__attribute__((nonnull, warn_unused_result));

void hv_plugin_done(struct hv_plugin *plugin) __attribute__((nonnull));
#define hv_auto_plugin HV_AUTO(hv_plugin_done)

/* Ask the Engine at `socket`.  Returns HV_OK, HV_NO_SUCH_ENDPOINT when no plugin there is hostvol,
 * or another code; the sentence is in `err`. */
enum hv_code hv_engine_plugin(const char *socket, struct hv_plugin *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The Engine's ID, owned by the caller; NULL when it does not tell one, or another one each time,
 * as Podman does. */
char *hv_engine_id(const char *socket) __attribute__((nonnull, warn_unused_result));

/* Returns HV_OK when the container runs, HV_NO_SUCH_CONTAINER, HV_NOT_RUNNING, or another code. */
enum hv_code hv_engine_check_running(const char *socket, const char *name, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

struct hv_engine_request {
	const char *socket;
	const char *method;
	const char *path;
	struct json_object *body; /* borrowed; NULL: none */
	const char *action;       /* "list the services", in a sentence */
	long timeout_seconds;     /* 0: HV_TIMEOUT_SECONDS */
};

/* Ask the Engine something.  Returns HV_OK for a status of 2xx, with the JSON of its answer in
 * `ret` (to be put; NULL: it has none); else a code, with the Engine's words in `err` and
 * `ret_status` (0: no answer). */
enum hv_code hv_engine_ask(const struct hv_engine_request *request, struct json_object **ret,
	long *ret_status, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Whether the Engine knows a volume of that name, of whatever driver.  False when it does not
 * answer. Source: Engine API, VolumeInspect. */
bool hv_engine_has_volume(const char *socket, const char *name)
	__attribute__((nonnull, warn_unused_result));

/* Define a volume of `driver` for the host directory `path`. */
enum hv_code hv_engine_volume_create(const char *socket, const char *driver, const char *name,
	const char *path, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

enum hv_code hv_engine_volume_remove(const char *socket, const char *name, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The Swarm that the selected Engine manages: its services, nodes and tasks, by the Engine's API.
 */
#ifndef CLI_SWARM_H
#define CLI_SWARM_H

#include "cli/command.h"

enum hv_swarm_role {
	HV_SWARM_NONE, /* or it cannot be told */
	HV_SWARM_WORKER,
	HV_SWARM_MANAGER,
};

/* Zeroed but for hv_swarm_open(); strings and objects are owned. */
struct hv_swarm {
	enum hv_swarm_role role;
	char *socket;                 /* of the Engine */
	char *driver;                 /* hostvol's name as a volume driver */
	char *manager;                /* the address of one, on a worker; or NULL */
	struct json_object *services; /* all, as the Engine lists them */
};

/* Find out what the selected Engine is in a Swarm, and list the services if it is a manager.  With
 * HOSTVOL_SOCKET, which names one daemon, there is no Swarm.
 * Returns HV_OK, HV_UNSUPPORTED (a remote Engine that is in a Swarm), or why the Engine does not
 * tell.  The caller frees `ret` with hv_swarm_done() whatever is returned.
 * Source: Docker Engine API, ServiceList and SystemInfo. */
enum hv_code hv_swarm_open(const struct hv_invocation *run, struct hv_swarm *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

void hv_swarm_done(struct hv_swarm *swarm) __attribute__((nonnull));
#define hv_auto_swarm HV_AUTO(hv_swarm_done)

/* Fail because the Engine is a worker. */
enum hv_code hv_swarm_refuse_worker(const struct hv_swarm *swarm, struct hv_error *err)
	__attribute__((nonnull));

/* The service of that name, borrowed from the list; NULL: there is none. */
struct json_object *hv_swarm_find_service(const struct hv_swarm *swarm, const char *name)
	__attribute__((nonnull));

/* The same; if there is none, HV_NO_SUCH_CONTAINER with the name that is near, if one is. */
enum hv_code hv_swarm_get_service(const struct hv_swarm *swarm, const char *name,
	struct json_object **ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* A string of a service's Spec, such as "Name"; borrowed, NULL: it has none. */
const char *hv_service_text(struct json_object *service, const char *key)
	__attribute__((nonnull(2)));

/* The value of a service's label; borrowed, NULL: it has none. */
const char *hv_service_label(struct json_object *service, const char *key)
	__attribute__((nonnull(2)));

/* One more request to the Engine; `path` is freed, and NULL means that there was no memory for it.
 * As hv_engine_ask(). */
struct hv_swarm_request {
	const char *method;
	char *path;
	struct json_object *body; /* borrowed, or NULL */
	const char *action;
};
enum hv_code hv_swarm_ask(const struct hv_swarm *swarm, const struct hv_swarm_request *request,
	struct json_object **ret, long *ret_status, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* A service by its ID or name; to be put.  `ret_status`: as of hv_swarm_ask(). */
enum hv_code hv_swarm_inspect(const struct hv_swarm *swarm, const char *service,
	struct json_object **ret, long *ret_status, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Remove a service; HV_OK also if it is gone. */
enum hv_code hv_swarm_remove(const struct hv_swarm *swarm, const char *id, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* All nodes; to be put. */
enum hv_code hv_swarm_list_nodes(const struct hv_swarm *swarm, struct json_object **ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* All tasks, also former ones, of one service or two (NULL: of one); to be put.
 * Returns HV_OK, HV_NO_SUCH_CONTAINER (a service is gone), or why the Engine does not tell. */
enum hv_code hv_swarm_list_tasks(const struct hv_swarm *swarm, const char *service,
	const char *other, struct json_object **ret, struct hv_error *err)
	__attribute__((nonnull(1, 2, 4, 5), warn_unused_result));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A service that carries a request to the hostvol daemons of the nodes.
 *
 * It is a global one that is never restarted, so that each node has one task of it.  Its only mount
 * is a volume that is the request: the daemon answers it when the volume is created, and the answer
 * is the error of that, which the task shows (docs/api.md).  So no container is made and no image
 * is needed, and nothing stays on the node. */
#ifndef CLI_CARRIER_H
#define CLI_CARRIER_H

#include <signal.h>

#include "cli/client.h"
#include "cli/swarm.h"

/* The label of a carrier that is kept: the ID of its rule. */
#define HV_CARRIER_RULE "hostvol.rule"
/* And of one that ends its rule. */
#define HV_CARRIER_ENDING "hostvol.ending"
/* The place of the rule. */
#define HV_CARRIER_SELECTOR "hostvol.selector"
#define HV_CARRIER_TARGET "hostvol.target"
/* With HV_CARRIER_ENDING: the IDs of the nodes that may have the rule, with commas between them. */
#define HV_CARRIER_NODES "hostvol.nodes"
/* The label of a carrier that asks once. */
#define HV_CARRIER_REQUEST "hostvol.request"

struct hv_carrier {
	const char *name;
	struct json_object *labels;      /* borrowed */
	const struct hv_call *call;      /* for the daemons */
	struct json_object *constraints; /* of the nodes, borrowed; NULL: none */
};

/* The Spec of the service, but for the name of its volume; to be put, NULL on ENOMEM. */
struct json_object *hv_carrier_spec(const struct hv_swarm *swarm, const struct hv_carrier *carrier)
	__attribute__((nonnull, warn_unused_result));

/* The body of the request that a service carries; to be put, NULL if it carries none. */
struct json_object *hv_carrier_body(struct json_object *service)
	__attribute__((warn_unused_result));

/* A carrier on its way. */
struct hv_carried {
	char *id;     /* of the service */
	char *volume; /* the name of the request */
};
void hv_carried_done(struct hv_carried *carried) __attribute__((nonnull));
#define hv_auto_carried HV_AUTO(hv_carried_done)

/* Whether a service carries the request of that name, and no later one. */
bool hv_carrier_has_request(struct json_object *service, const char *volume)
	__attribute__((nonnull(2), warn_unused_result));

/* The signals that end a command that waits: SIGINT, SIGTERM, SIGHUP. */
void hv_carrier_signals(sigset_t *ret) __attribute__((nonnull));

/* Have the nodes do what `spec` asks for, under a new name: a new service, or the one of that ID,
 * which asks all nodes again then.  The signals are kept for hv_replies_wait() from now on.
 * Returns HV_OK, HV_TARGET_EXISTS (a service of that name came up), or why the Engine refuses. */
enum hv_code hv_carrier_send(const struct hv_swarm *swarm, const char *id, struct json_object *spec,
	struct hv_carried *ret, struct hv_error *err)
	__attribute__((nonnull(1, 3, 4, 5), warn_unused_result));

#endif

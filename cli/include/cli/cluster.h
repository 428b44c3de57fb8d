/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on a service of a Swarm, on all of its nodes: made, checked, ended, listed by a manager.
 *
 * A rule has a carrier that is kept (cli/carrier.h), whose name has the rule's ID, and each node
 * has the rule.  The ID is made of selector and target, so that it is the same on all nodes and in
 * each repetition, and two commands at once make one carrier. */
#ifndef CLI_CLUSTER_H
#define CLI_CLUSTER_H

#include "wire/types.h"

#include "cli/address.h"
#include "cli/swarm.h"

/* Whether a selector is one of a service. */
bool hv_cluster_is_meant(const char *selector);

/* Make the rule on all nodes and print a row for each task.  `body` is that of /HotAttach, and is
 * changed. */
enum hv_exit hv_cluster_attach(const struct hv_invocation *run, const struct hv_swarm *swarm,
	struct json_object *body, struct hv_error *err) __attribute__((nonnull));

/* The same of /HotCheck, which changes nothing. */
enum hv_exit hv_cluster_check(const struct hv_invocation *run, const struct hv_swarm *swarm,
	struct json_object *body, struct hv_error *err) __attribute__((nonnull));

/* Whether the address is that of a rule on all nodes. */
bool hv_cluster_has_rule(const struct hv_swarm *swarm, const struct hv_address *address)
	__attribute__((nonnull));

/* Whether a rule that the daemon lists is one on all nodes: by its ID. */
bool hv_cluster_is_rule(struct json_object *rule) __attribute__((nonnull));

/* End the rule of that address on all nodes, and print a row for each task. */
enum hv_code hv_cluster_detach(const struct hv_invocation *run, const struct hv_swarm *swarm,
	const struct hv_address *address, const struct hv_detach_request *request,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* docker hostvol ls --cluster */
enum hv_exit hv_cluster_list(const struct hv_invocation *run, struct hv_error *err)
	__attribute__((nonnull));

#endif

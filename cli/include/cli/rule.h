/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about rules, and how one is shown. */
#ifndef CLI_RULE_H
#define CLI_RULE_H

#include "cli/command.h"
#include "cli/daemon.h"

/* Print the `container:target` of each attachment of the answer on stdout, and on stderr where the
 * rule holds else and where it does not.  Returns HV_OK, or HV_INTERNAL: the answer has no list. */
enum hv_code hv_rule_print(struct json_object *answer, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* All rules, as the daemon lists them; the caller puts them. */
enum hv_code hv_rules_ask(const struct hv_client *daemon, struct json_object **ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The rule that has the ID, or the selector and target; borrowed from `rules`, NULL: none has. */
struct json_object *hv_rules_find(struct json_object *rules, const char *id, const char *selector,
	const char *target) __attribute__((nonnull(1)));

/* docker hostvol ls --rules */
enum hv_exit hv_rules_list(const struct hv_invocation *run, struct hv_error *err)
	__attribute__((nonnull));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers to build replies. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/api.h"

struct json_object;

/* Add a member; takes over `value`, which NULL (ENOMEM) makes HV_INTERNAL. */
enum hv_code hv_add(struct json_object *object, const char *name, struct json_object *value,
	struct hv_error *err);

/* Add a string member; NULL text is left out. */
enum hv_code hv_add_text(
	struct json_object *object, const char *name, const char *text, struct hv_error *err);

/* Append to an array; as hv_add. */
enum hv_code hv_append(struct json_object *array, struct json_object *value, struct hv_error *err);

/* Have the hint name commands that a user of Podman has: podman for docker, docker-hostvol for
 * docker hostvol.  Without memory it stays. */
void hv_hint_podman(struct hv_error *err);

/* The body of a failed call.  With `fold_hint` the hint stands in Err, for clients that show
 * nothing else: the Engine's. */
char *hv_error_body(const struct hv_error *err, bool fold_hint);

#endif

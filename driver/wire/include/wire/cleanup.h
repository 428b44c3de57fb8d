/* SPDX-License-Identifier: Apache-2.0 */
/* Variables that release what they hold when they go out of scope, in the reverse order of their
 * declarations.  The attribute of a type is declared with its type. */
#ifndef WIRE_CLEANUP_H
#define WIRE_CLEANUP_H

#include <json-c/json_object.h>
#include <stdlib.h>

/* `release` gets a pointer to the variable, and accepts the empty value. */
#define HV_AUTO(release) __attribute__((cleanup(release)))

#define hv_auto_free HV_AUTO(hv_free_pointer)
#define hv_auto_json HV_AUTO(hv_put_json)

/* glibc's free() keeps errno. */
static inline void hv_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void hv_put_json(struct json_object **object)
{
	json_object_put(*object);
}

#endif

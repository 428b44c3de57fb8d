/* SPDX-License-Identifier: Apache-2.0 */
/* A host directory as a volume: its path, its volume's name, and volumes that already are it. */
#ifndef CLI_HOSTPATH_H
#define CLI_HOSTPATH_H

#include <stddef.h>
#include <stdint.h>

#include "wire/error.h"

struct json_object;

enum { HV_VOLUME_NAME_MAX_BYTES = 255 };

/* The real path of an existing directory, owned by the caller.
 * Returns HV_OK, HV_SOURCE_MISSING, HV_TYPE_MISMATCH when it is no directory, or HV_DENIED. */
enum hv_code hv_hostpath_resolve(const char *path, char **ret_real, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* 32-bit FNV-1a.  Source: draft-eastlake-fnv. */
uint32_t hv_fnv1a(const char *text) __attribute__((nonnull));

/* The name of the volume that is defined for the directory `real`:
 * `<basename>-<8 hex digits of the path's hash>`.  `ret_name` has HV_VOLUME_NAME_MAX_BYTES + 1. */
void hv_volume_name_format(const char *real, char *ret_name, size_t size_bytes)
	__attribute__((nonnull));

/* Among the daemon's answer to /VolumeDriver.List, the volume that may be used for `real`: of kind
 * "path", not read-only, that source, and called `name` unless that is NULL.
 * Returns its name, borrowed from `list`, or NULL. */
const char *hv_volume_find(struct json_object *list, const char *real, const char *name)
	__attribute__((nonnull(1, 2)));

/* The source of the volume called `name`, "" when it shows none; NULL when there is no such volume;
 * borrowed from `list`. */
const char *hv_volume_source(struct json_object *list, const char *name) __attribute__((nonnull));

#endif

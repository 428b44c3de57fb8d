/* SPDX-License-Identifier: Apache-2.0 */
/* The Engine's answers about a container, and about a failure. */
#ifndef WIRE_CONTAINER_H
#define WIRE_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/error.h"
#include "wire/opts.h"

/* From GET /containers/{id}/json.  Strings are owned. */
struct hv_container {
	char *id;   /* 64 hex digits */
	char *name; /* without the leading slash */
	bool is_running;
	bool is_paused;
	bool is_created;   /* and has not run: Podman says so too of one whose start failed */
	int pid;           /* of its init in the Engine's PID namespace; 0 when not running */
	char *started_at;  /* RFC 3339 with nanoseconds, as the Engine wrote it */
	char *runtime;     /* the OCI runtime's name, "runc" for example; NULL: it was not told */
	char *start_error; /* why its last start failed; NULL or "": it did not */
	char *restart_policy; /* "always", "no" …; NULL: it was not told */
};

/* Parse the Engine's answer to a container inspect.
 * Returns HV_OK, or HV_INTERNAL when it is not one.  The caller frees `ret` with
 * hv_container_done() whatever is returned.
 * Source: Engine API, ContainerInspect.  Any thread. */
enum hv_code hv_container_parse(const char *bytes, size_t size, struct hv_container *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* From GET /volumes/{name}.  Strings are owned. */
struct hv_engine_volume {
	char *name;
	char *driver;        /* "local" is the Engine's own */
	char *mountpoint;    /* on the host; NULL or empty: the driver does not tell */
	struct hv_opts opts; /* as given at create */
};

/* Parse the Engine's answer to a volume inspect.  Returns HV_OK or HV_INTERNAL.  The caller frees
 * `ret` with hv_engine_volume_done() whatever is returned.
 * Source: Engine API, VolumeInspect.  Any thread. */
enum hv_code hv_engine_volume_parse(const char *bytes, size_t size, struct hv_engine_volume *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

void hv_engine_volume_done(struct hv_engine_volume *volume) __attribute__((nonnull));
#define hv_auto_engine_volume HV_AUTO(hv_engine_volume_done)

/* The "message" of the Engine's error answer, or NULL; the caller frees it. */
char *hv_engine_message_parse(const char *bytes, size_t size)
	__attribute__((nonnull, warn_unused_result));

/* From GET /info.  Strings are owned. */
struct hv_engine_info {
	char *id;             /* Podman makes up a new one for each answer; NULL: none was told */
	char *root;           /* its data directory; NULL: none was told */
	long long containers; /* how many it knows; -1: it was not told */
	uint32_t remap_uid;   /* root in its containers, by --userns-remap; 0: root */
	uint32_t remap_gid;
};

/* Parse the Engine's answer to GET /info.  Returns HV_OK or HV_INTERNAL.  The caller frees `ret`
 * with hv_engine_info_done() whatever is returned.
 * Source: Engine API, SystemInfo.  Any thread. */
enum hv_code hv_engine_info_parse(const char *bytes, size_t size, struct hv_engine_info *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Whether the answer to GET /version is Podman's.  Source: Engine API, SystemVersion. */
bool hv_version_is_podman(const char *bytes, size_t size)
	__attribute__((nonnull, warn_unused_result));

void hv_engine_info_done(struct hv_engine_info *about) __attribute__((nonnull));
#define hv_auto_about HV_AUTO(hv_engine_info_done)

void hv_container_done(struct hv_container *container) __attribute__((nonnull));
#define hv_auto_container HV_AUTO(hv_container_done)

#endif

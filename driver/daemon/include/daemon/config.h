/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's settings: from the environment (managed plugin) or flags (plain daemon). */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>

#include "api/api.h"

enum { HV_ALLOW_MAX = 32, HV_SETTING_COUNT = 8, HV_HOLD_MAX_MS = 60000 };

struct hv_config {
	bool is_managed;
	const char *log;           /* error, warn, info, debug */
	const char *state;         /* directory on the host */
	const char *engine;        /* Engine socket on the host */
	const char *remote_attach; /* allow, deny */
	const char *legacy;        /* 0, 1 */
	const char *metrics;       /* ADDRESS:PORT, or "": nowhere */
	const char *hold_text;     /* of hold_ms */
	unsigned hold_ms;          /* how long a start is held at most; 0: not at all */
	const char *allow_text;    /* colon-separated directories */
	const char *socket;        /* where to listen */
	const char *mount_root;    /* where volumes are mounted for Docker */
	char *allow_paths;         /* owned: the directories, cleaned */
	const char *allow[HV_ALLOW_MAX + 1];
	struct hv_setting settings[HV_SETTING_COUNT + 1];
};

/* Read arguments, then the environment HOSTVOL_*, then the defaults, in this order of precedence.
 * Returns 0, 1 when --help or --version was answered, or -EINVAL after a message on stderr. */
int hv_config_read(int argc, char **argv, struct hv_config *ret) __attribute__((nonnull));

void hv_config_done(struct hv_config *config) __attribute__((nonnull));

#endif

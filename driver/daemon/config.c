/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/path.h"

#include "daemon/listener.h"

static const char managed_mount_root[] = "/volumes"; /* propagatedMount of config.json */
static const char plain_mount_root[] = "/run/hostvol/volumes";

static const char usage[] =
	"Usage: hostvold [--managed] [OPTION]...\n"
	"Docker volume plugin that can put a volume into a running container.\n"
	"\n"
	"      --managed          run as a managed Docker plugin: the host is the parent process's\n"
	"                         mount namespace\n"
	"      --log LEVEL        error, warn, info or debug (HOSTVOL_LOG; default info)\n"
	"      --allow DIRS       colon-separated directories volumes may be in (HOSTVOL_ALLOW;\n"
	"                         default /)\n"
	"      --state DIR        the daemon's own directory (HOSTVOL_STATE;\n"
	"                         default /var/lib/hostvol)\n"
	"      --engine SOCKET    Docker Engine's socket (HOSTVOL_ENGINE;\n"
	"                         default /run/docker.sock)\n"
	"      --hold-ms N        how long a container's start is held at most, in milliseconds,\n"
	"                         until its attachments are there; 0: not at all (HOSTVOL_HOLD_MS;\n"
	"                         default 2000)\n"
	"      --remote-attach V  allow or deny (HOSTVOL_REMOTE_ATTACH; default allow)\n"
	"      --metrics ADDRESS  serve GET /metrics at ADDRESS:PORT, such as 127.0.0.1:9478\n"
	"                         (HOSTVOL_METRICS; default: nowhere)\n"
	"      --legacy V         0 or 1 (HOSTVOL_LEGACY; default 0)\n"
	"      --socket PATH      where to listen (default /run/docker/plugins/hostvol.sock)\n"
	"      --mount-root DIR   where volumes are mounted for Docker\n"
	"                         (default /run/hostvol/volumes)\n"
	"      --help, --version\n";

/* The first HV_SETTING_COUNT are listed in /HotInfo and have a variable of the environment, too. */
enum {
	OPT_LOG,
	OPT_ALLOW,
	OPT_STATE,
	OPT_ENGINE,
	OPT_HOLD,
	OPT_REMOTE,
	OPT_LEGACY,
	OPT_METRICS,
	OPT_SOCKET,
	OPT_MOUNT_ROOT,
	TEXTS, /* so many have a value */
	OPT_MANAGED = TEXTS,
	OPT_HELP,
	OPT_VERSION
};

static const struct option options[] = {
	{"managed", no_argument, NULL, OPT_MANAGED},
	{"log", required_argument, NULL, OPT_LOG},
	{"allow", required_argument, NULL, OPT_ALLOW},
	{"state", required_argument, NULL, OPT_STATE},
	{"engine", required_argument, NULL, OPT_ENGINE},
	{"hold-ms", required_argument, NULL, OPT_HOLD},
	{"remote-attach", required_argument, NULL, OPT_REMOTE},
	{"legacy", required_argument, NULL, OPT_LEGACY},
	{"metrics", required_argument, NULL, OPT_METRICS},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"mount-root", required_argument, NULL, OPT_MOUNT_ROOT},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

/* Defaults are compiled in and equal those of plugin-config/config.json: an upgrade of the plugin
 * does not set new ones. */
static const struct {
	const char *name; /* of the variable, or of the flag if there is none */
	const char *otherwise;
	size_t offset;
} texts[TEXTS] = {
	[OPT_LOG] = {"HOSTVOL_LOG", "info", offsetof(struct hv_config, log)},
	[OPT_ALLOW] = {"HOSTVOL_ALLOW", "/", offsetof(struct hv_config, allow_text)},
	[OPT_STATE] = {"HOSTVOL_STATE", "/var/lib/hostvol", offsetof(struct hv_config, state)},
	[OPT_ENGINE] = {"HOSTVOL_ENGINE", "/run/docker.sock", offsetof(struct hv_config, engine)},
	[OPT_HOLD] = {"HOSTVOL_HOLD_MS", "2000", offsetof(struct hv_config, hold_text)},
	[OPT_REMOTE] = {"HOSTVOL_REMOTE_ATTACH", "allow",
		offsetof(struct hv_config, remote_attach)},
	[OPT_LEGACY] = {"HOSTVOL_LEGACY", "0", offsetof(struct hv_config, legacy)},
	[OPT_METRICS] = {"HOSTVOL_METRICS", "", offsetof(struct hv_config, metrics)},
	[OPT_SOCKET] = {"--socket", "/run/docker/plugins/hostvol.sock",
		offsetof(struct hv_config, socket)},
	[OPT_MOUNT_ROOT] = {"--mount-root", NULL, offsetof(struct hv_config, mount_root)},
};

static const struct {
	int text;
	const char *expected;
	const char *values[5]; /* ended by NULL; none: it begins with a slash */
} checks[] = {
	{OPT_LOG, "error, warn, info or debug", {"error", "warn", "info", "debug"}},
	{OPT_REMOTE, "allow or deny", {"allow", "deny"}},
	{OPT_LEGACY, "0 or 1", {"0", "1"}},
	{OPT_STATE, "an absolute path", {NULL}},
	{OPT_ENGINE, "an absolute path", {NULL}},
	{OPT_SOCKET, "an absolute path", {NULL}},
	{OPT_MOUNT_ROOT, "an absolute path", {NULL}},
};

static const char **text_at(struct hv_config *config, int text)
{
	return (void *)((char *)config + texts[text].offset);
}

static void set_defaults(struct hv_config *config)
{
	for (int i = 0; i < TEXTS; i++) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread */
		const char *value = i < HV_SETTING_COUNT ? getenv(texts[i].name) : NULL;

		*text_at(config, i) = value && *value ? value : texts[i].otherwise;
	}
}

/* Returns 0, 1 for an answered question, or -EINVAL. */
static int take_option(struct hv_config *config, int option)
{
	if (option < TEXTS) {
		*text_at(config, option) = optarg;
		return 0;
	}
	switch (option) {
	case OPT_MANAGED:
		config->is_managed = true;
		return 0;
	case OPT_HELP:
		fputs(usage, stdout);
		return 1;
	case OPT_VERSION:
		puts("hostvold " HOSTVOL_VERSION);
		return 1;
	default:
		fputs(usage, stderr);
		return -EINVAL;
	}
}

static bool is_one_of(const char *value, const char *const *allowed)
{
	for (; *allowed; allowed++)
		if (strcmp(value, *allowed) == 0)
			return true;
	return false;
}

static int refuse(const char *name, const char *value, const char *expected)
{
	fprintf(stderr, "hostvold: %s=%s is not %s\n", name, value, expected);
	return -EINVAL;
}

static int check_values(struct hv_config *config)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *const *allowed = checks[i].values;
		const char *value = *text_at(config, checks[i].text);

		if (*allowed ? !is_one_of(value, allowed) : value[0] != '/')
			return refuse(texts[checks[i].text].name, value, checks[i].expected);
	}
	return 0;
}

static int check_metrics(const struct hv_config *config)
{
	if (!*config->metrics || hv_address_is_valid(config->metrics))
		return 0;
	return refuse("HOSTVOL_METRICS", config->metrics,
		"ADDRESS:PORT with a numeric address, such as 127.0.0.1:9478 or [::1]:9478");
}

static int read_hold(struct hv_config *config)
{
	const char *text = config->hold_text;
	long ms = -1;
	char *end;

	errno = 0;
	if (text && *text >= '0' && *text <= '9')
		ms = strtol(text, &end, 10);
	if (ms < 0 || errno || *end || ms > HV_HOLD_MAX_MS)
		return refuse("HOSTVOL_HOLD_MS", text, "a number of milliseconds up to 60000");
	config->hold_ms = (unsigned)ms;
	return 0;
}

/* Split HOSTVOL_ALLOW in place into cleaned directories, which are never longer than what is given.
 */
static int split_allow(struct hv_config *config)
{
	char directory[PATH_MAX];
	size_t count = 0;
	char *rest = strdup(config->allow_text), *at = rest, *item;

	config->allow_paths = rest;
	if (!rest)
		return -ENOMEM;
	while ((item = strsep(&rest, ":"))) {
		if (count == HV_ALLOW_MAX || mc_path_clean(item, directory, sizeof(directory)) < 0)
			return refuse("HOSTVOL_ALLOW", config->allow_text,
				"a list of up to 32 absolute paths with colons in between");
		config->allow[count++] = at;
		at = stpcpy(at, directory) + 1;
	}
	return 0;
}

int hv_config_read(int argc, char **argv, struct hv_config *ret)
{
	int option, rc = 0;

	*ret = (struct hv_config){0};
	set_defaults(ret);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread */
	while (rc == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		rc = take_option(ret, option);
	if (rc != 0)
		return rc;
	if (optind != argc) {
		fprintf(stderr, "hostvold: unexpected argument '%s'\n", argv[optind]);
		return -EINVAL;
	}
	if (!ret->mount_root)
		ret->mount_root = ret->is_managed ? managed_mount_root : plain_mount_root;
	if (check_values(ret) < 0 || check_metrics(ret) < 0 || read_hold(ret) < 0)
		return -EINVAL;
	for (int i = 0; i < HV_SETTING_COUNT; i++)
		ret->settings[i] = (struct hv_setting){texts[i].name, *text_at(ret, i)};
	return split_allow(ret);
}

void hv_config_done(struct hv_config *config)
{
	free(config->allow_paths);
	*config = (struct hv_config){0};
}

#include "daemon/config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/path.h"

/* Defaults are compiled in and equal those of plugin-config/config.json: an upgrade of the plugin
 * does not set new ones. */
static const char default_state[] = "/var/lib/hostvol";
static const char default_engine[] = "/run/docker.sock";
static const char default_socket[] = "/run/docker/plugins/hostvol.sock";
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
	"      --legacy V         0 or 1 (HOSTVOL_LEGACY; default 0)\n"
	"      --socket PATH      where to listen (default /run/docker/plugins/hostvol.sock)\n"
	"      --mount-root DIR   where volumes are mounted for Docker\n"
	"                         (default /run/hostvol/volumes)\n"
	"      --help, --version\n";

enum {
	OPT_MANAGED = 1,
	OPT_LOG,
	OPT_ALLOW,
	OPT_STATE,
	OPT_ENGINE,
	OPT_HOLD,
	OPT_REMOTE,
	OPT_LEGACY,
	OPT_SOCKET,
	OPT_MOUNT_ROOT,
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
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"mount-root", required_argument, NULL, OPT_MOUNT_ROOT},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): before any thread */

	return value && *value ? value : otherwise;
}

static void set_defaults(struct hv_config *config)
{
	config->log = environment("HOSTVOL_LOG", "info");
	config->allow_text = environment("HOSTVOL_ALLOW", "/");
	config->state = environment("HOSTVOL_STATE", default_state);
	config->engine = environment("HOSTVOL_ENGINE", default_engine);
	config->hold_text = environment("HOSTVOL_HOLD_MS", "2000");
	config->remote_attach = environment("HOSTVOL_REMOTE_ATTACH", "allow");
	config->legacy = environment("HOSTVOL_LEGACY", "0");
	config->socket = default_socket;
}

/* Returns 0, 1 for an answered question, or -EINVAL. */
static int take_option(struct hv_config *config, int option)
{
	switch (option) {
	case OPT_MANAGED:
		config->is_managed = true;
		return 0;
	case OPT_LOG:
		config->log = optarg;
		return 0;
	case OPT_ALLOW:
		config->allow_text = optarg;
		return 0;
	case OPT_STATE:
		config->state = optarg;
		return 0;
	case OPT_ENGINE:
		config->engine = optarg;
		return 0;
	case OPT_HOLD:
		config->hold_text = optarg;
		return 0;
	case OPT_REMOTE:
		config->remote_attach = optarg;
		return 0;
	case OPT_LEGACY:
		config->legacy = optarg;
		return 0;
	case OPT_SOCKET:
		config->socket = optarg;
		return 0;
	case OPT_MOUNT_ROOT:
		config->mount_root = optarg;
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

static int check_values(const struct hv_config *config)
{
	static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
	static const char *const policies[] = {"allow", "deny", NULL};
	static const char *const switches[] = {"0", "1", NULL};

	if (!is_one_of(config->log, levels))
		return refuse("HOSTVOL_LOG", config->log, "error, warn, info or debug");
	if (!is_one_of(config->remote_attach, policies))
		return refuse("HOSTVOL_REMOTE_ATTACH", config->remote_attach, "allow or deny");
	if (!is_one_of(config->legacy, switches))
		return refuse("HOSTVOL_LEGACY", config->legacy, "0 or 1");
	if (config->state[0] != '/')
		return refuse("HOSTVOL_STATE", config->state, "an absolute path");
	if (config->engine[0] != '/')
		return refuse("HOSTVOL_ENGINE", config->engine, "an absolute path");
	if (config->socket[0] != '/')
		return refuse("--socket", config->socket, "an absolute path");
	if (config->mount_root[0] != '/')
		return refuse("--mount-root", config->mount_root, "an absolute path");
	return 0;
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

/* Split HOSTVOL_ALLOW into cleaned directories, which are never longer than what is given. */
static int split_allow(struct hv_config *config)
{
	char directory[PATH_MAX];
	size_t count = 0;
	char *copy = strdup(config->allow_text), *rest = copy, *item, *at;

	config->allow_paths = malloc(strlen(config->allow_text) * 2 + 2);
	at = config->allow_paths;
	if (!copy || !at) {
		free(copy);
		return -ENOMEM;
	}
	while ((item = strsep(&rest, ":"))) {
		if (count == HV_ALLOW_MAX ||
			mc_path_clean(item, directory, sizeof(directory)) < 0) {
			free(copy);
			return refuse("HOSTVOL_ALLOW", config->allow_text,
				"a list of up to 32 absolute paths with colons in between");
		}
		config->allow[count++] = at;
		at = stpcpy(at, directory) + 1;
	}
	free(copy);
	return 0;
}

static void list_settings(struct hv_config *config)
{
	const struct hv_setting settings[HV_SETTING_COUNT] = {
		{"HOSTVOL_LOG", config->log},
		{"HOSTVOL_ALLOW", config->allow_text},
		{"HOSTVOL_STATE", config->state},
		{"HOSTVOL_ENGINE", config->engine},
		{"HOSTVOL_HOLD_MS", config->hold_text},
		{"HOSTVOL_REMOTE_ATTACH", config->remote_attach},
		{"HOSTVOL_LEGACY", config->legacy},
	};

	memcpy(config->settings, settings, sizeof(settings));
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
	rc = check_values(ret);
	if (rc == 0)
		rc = read_hold(ret);
	if (rc == 0)
		rc = split_allow(ret);
	list_settings(ret);
	return rc;
}

void hv_config_done(struct hv_config *config)
{
	free(config->allow_paths);
	*config = (struct hv_config){0};
}

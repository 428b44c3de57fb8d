/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/core.h"
#include "mountcore/host.h"
#include "volume/explain.h"
#include "volume/mount_root.h"
#include "wire/clock.h"
#include "wire/lock.h"

#include "daemon/listener.h"

enum {
	WORKERS = 4,
	HELPER_TIMEOUT_MS = 10000,
	STOP_MANAGED_MS = 8000, /* the Engine kills a plugin ten seconds after SIGTERM */
	STOP_PLAIN_MS = 25000,  /* systemd the daemon after thirty: TimeoutStopSec */
	RECONCILER_TIMEOUT_MS = 1000,
	STARTER_TIMEOUT_MS = 1000,
	CHECKER_TIMEOUT_MS = 1000,
	FOLLOWER_TIMEOUT_MS = 1000,
	METRICS_TIMEOUT_MS = 1000,
	ENGINE_TIMEOUT_MS = 1000,
	STATE_RETRY_SECONDS = 1,
	STATE_WAIT_MS = 2000,
};

/* Where the managed plugin has the host's state directory: mounted by ourselves, with the same call
 * that puts volumes into containers. */
static const char managed_state[] = "/state";

static int open_engine_socket(void *context)
{
	const struct hv_daemon *daemon = context;

	return mc_host_open(daemon->core, daemon->config.engine);
}

static enum hv_code fail_state(
	struct hv_daemon *daemon, const struct mc_err *cause, struct hv_error *err)
{
	return hv_fail(err, HV_STATE_UNREADABLE, "the state directory %s cannot be used: %s: %s",
		daemon->config.state, mc_step_name(cause->step), strerrordesc_np(-cause->code));
}

/* Put the host's state directory into our own mount namespace. */
static enum hv_code inject_state(struct hv_daemon *daemon, struct hv_error *err)
{
	const struct mc_attach_args args = {
		.source = daemon->state_host,
		.alone = true, /* a clone of a volume's file system would keep that mounted */
		.place = {.ns_fd = MC_FD_NONE, .root_fd = MC_FD_NONE, .may_spread = true},
		.target = managed_state,
		.mkdir = true,
	};
	struct mc_attach *attach = NULL;
	struct mc_err cause = {0};
	int rc = mc_attach_prepare(daemon->core, &args, &attach, &cause);

	if (rc < 0 && cause.step == MC_STEP_OCCUPIED)
		return HV_OK; /* by an earlier try */
	if (rc == 0)
		rc = mc_attach_commit(attach, &cause);
	mc_attach_free(attach);
	return rc == 0 ? HV_OK : fail_state(daemon, &cause, err);
}

/* Any mount at a volume's name is taken for the volume: a second daemon with the same volume names
 * would hand out the first one's data.  A plugin has a mount root of its own. */
static enum hv_code lock_mount_root(struct hv_daemon *daemon, struct hv_error *err)
{
	if (daemon->config.is_managed)
		return HV_OK;
	if (daemon->mount_root_fd < 0)
		daemon->mount_root_fd =
			open(daemon->mount_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (daemon->mount_root_fd >= 0 && flock(daemon->mount_root_fd, LOCK_EX | LOCK_NB) == 0)
		return HV_OK;
	if (errno != EWOULDBLOCK)
		return hv_fail(err, HV_STATE_UNREADABLE, "volumes cannot be mounted in %s: %s",
			daemon->mount_root, strerrordesc_np(errno));
	hv_fail(err, HV_STATE_UNREADABLE, "another hostvol daemon mounts its volumes in %s",
		daemon->mount_root);
	return hv_hint(err, "give each daemon its own --mount-root and --state");
}

static enum hv_code load_state(struct hv_daemon *daemon, struct hv_error *err)
{
	const char *local = daemon->config.is_managed ? managed_state : daemon->state_host;
	struct mc_err cause = {0};

	if (lock_mount_root(daemon, err) != HV_OK)
		return err->code;
	if (mc_host_make(daemon->core, daemon->config.state, false, daemon->state_host, NULL,
		    &cause) < 0)
		return fail_state(daemon, &cause, err);
	if ((daemon->config.is_managed && inject_state(daemon, err) != HV_OK) ||
		hv_volumes_open(daemon->volumes, daemon->state_host, local, err) != HV_OK)
		return err->code;
	if (hv_volumes_recover(daemon->volumes, err) == HV_OK &&
		hv_attachments_recover(daemon->attacher, err) == HV_OK)
		return HV_OK;
	hv_volumes_close(daemon->volumes);
	return err->code;
}

/* A damaged record costs its own volume only, whose calls refuse it; lists pass it by.  The
 * reconciler tells those of attachments. */
static void tell_damage(const struct hv_daemon *daemon)
{
	hv_auto_error struct hv_error damage = {0};

	if (hv_volumes_tell_damage(daemon->volumes, &damage) != HV_OK)
		hv_log_line(&daemon->log, HV_LOG_ERROR, "%s", hv_error_text(&damage));
}

/* Try to open the state, with the lock held but for the time that it takes: a disk that does not
 * answer takes ten seconds, and nobody is to queue for that. */
static void try_state(struct hv_daemon *daemon)
{
	struct hv_error error = {0};
	bool is_open;

	daemon->is_state_tried = true;
	pthread_mutex_unlock(&daemon->state_lock);
	is_open = load_state(daemon, &error) == HV_OK;
	if (is_open)
		tell_damage(daemon);
	pthread_mutex_lock(&daemon->state_lock);
	daemon->is_state_tried = false;
	daemon->is_state_open = is_open;
	daemon->state_tried = hv_clock_seconds();
	hv_error_done(&daemon->state_error);
	daemon->state_error = error;
	pthread_cond_broadcast(&daemon->state_changed);
	if (is_open)
		hv_log_line(&daemon->log, HV_LOG_INFO, "state is in %s on the host",
			daemon->state_host);
}

/* The first try is waited for, a little: it does not take long where all is well. */
static void wait_for_state(struct hv_daemon *daemon)
{
	long long until_ms = hv_clock_ms() + STATE_WAIT_MS;

	while (daemon->is_state_tried && daemon->state_error.code == HV_OK &&
		hv_wait_until(&daemon->state_changed, &daemon->state_lock, until_ms))
		continue;
}

static enum hv_code tell_state(const struct hv_daemon *daemon, struct hv_error *err)
{
	if (daemon->is_state_open)
		return HV_OK;
	if (daemon->state_error.code == HV_OK)
		return hv_fail(err, HV_STATE_UNREADABLE,
			"the state directory %s does not answer yet", daemon->config.state);
	hv_fail(err, HV_STATE_UNREADABLE, "%s", hv_error_text(&daemon->state_error));
	return daemon->state_error.hint ? hv_hint(err, "%s", daemon->state_error.hint)
					: HV_STATE_UNREADABLE;
}

/* Open the state once; while it fails, one try at a time, and each a second after the last has
 * ended. Meanwhile the last error is the answer. */
static enum hv_code open_state(void *context, struct hv_error *err)
{
	struct hv_daemon *daemon = context;
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&daemon->state_lock);

	if (daemon->is_state_tried)
		wait_for_state(daemon);
	else if (!daemon->is_state_open &&
		 hv_clock_seconds() - daemon->state_tried >= STATE_RETRY_SECONDS)
		try_state(daemon);
	return tell_state(daemon, err);
}

static bool has_state(void *context)
{
	struct hv_daemon *daemon = context;
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&daemon->state_lock);

	return daemon->is_state_open;
}

static size_t count_queued(void *context)
{
	const struct hv_daemon *daemon = context;

	return hv_reconciler_queued(daemon->reconciler);
}

static int open_core(struct hv_daemon *daemon)
{
	/* With the host's PID namespace the parent of a managed plugin is the container shim, which
	 * lives in the host's mount namespace. */
	const struct mc_core_args args = {
		.host_pid = daemon->config.is_managed ? getppid() : 0,
		.workers = WORKERS,
		.helper_timeout_ms = HELPER_TIMEOUT_MS,
		.legacy = strcmp(daemon->config.legacy, "1") == 0,
	};
	struct mc_err cause = {0};
	int rc = mc_core_open(&args, &daemon->core, &cause);

	if (rc < 0)
		hv_log_line(&daemon->log, HV_LOG_ERROR,
			"the host's mount namespace cannot be opened: %s: %s",
			mc_step_name(cause.step), strerrordesc_np(-rc));
	return rc;
}

/* The mount table, in which mounts are looked for, has the path without symlinks. */
static int make_mount_root(struct hv_daemon *daemon)
{
	struct mc_err cause = {0};

	if (daemon->config.is_managed) /* the Engine made it */
		return 0;
	return mc_host_make(
		daemon->core, daemon->config.mount_root, false, daemon->mount_root, NULL, &cause);
}

/* The Engine restarts a plugin at once when it ends, and makes its mount on the host.  Requests in
 * progress are answered before. */
static void on_lost(void *context)
{
	struct hv_daemon *daemon = context;

	hv_log_line(&daemon->log, HV_LOG_ERROR,
		"the host does not see the mounts for Docker: hostvold ends, to be started anew");
	(void)kill(getpid(), SIGTERM);
}

static int make_volumes(struct hv_daemon *daemon)
{
	const char *managed_root = daemon->config.is_managed ? daemon->config.mount_root : NULL;

	daemon->volumes = hv_volumes_new(&(struct hv_volumes_args){
		.core = daemon->core,
		.kinds = hv_volume_kinds,
		.mount_root = managed_root ? managed_root : daemon->mount_root,
		.allow = daemon->config.allow,
		.on_lost = on_lost,
		.context = daemon,
	});
	if (!daemon->volumes)
		return -ENOMEM;
	return managed_root ? hv_mount_root_open(daemon->volumes, managed_root) : 0;
}

static int wire_up(struct hv_daemon *daemon)
{
	daemon->attacher = hv_attacher_new(&(struct hv_attacher_args){
		.core = daemon->core, .engine = daemon->engine, .volumes = daemon->volumes});
	if (!daemon->attacher)
		return -ENOMEM;
	daemon->api = (struct hv_api){
		.core = daemon->core,
		.engine = daemon->engine,
		.volumes = daemon->volumes,
		.attacher = daemon->attacher,
		.tunnel = {.lock = PTHREAD_MUTEX_INITIALIZER,
			.is_denied = strcmp(daemon->config.remote_attach, "deny") == 0},
		.mode = daemon->config.is_managed ? "managed" : "plain",
		.settings = daemon->config.settings,
		.open_state = open_state,
		.has_state = has_state,
		.context = daemon,
	};
	return 0;
}

static void on_change(void *context, const char *container_id, bool is_undone)
{
	struct hv_daemon *daemon = context;

	hv_reconciler_poke(daemon->reconciler, container_id, is_undone);
	hv_starter_look(daemon->starter, container_id, is_undone);
	hv_follower_poke(daemon->follower, container_id);
}

static void on_process(void *context, pid_t pid)
{
	struct hv_daemon *daemon = context;

	hv_starter_learn(daemon->starter, pid);
}

static void tell_starts(void *context, struct hv_starts *ret)
{
	struct hv_daemon *daemon = context;

	hv_starter_tell(daemon->starter, ret);
}

static void on_end(void *context, const struct hv_attachment *ended)
{
	struct hv_daemon *daemon = context;

	hv_follower_poke(daemon->follower, ended->container_id);
	hv_log_line(&daemon->log, HV_LOG_INFO,
		"container '%s': the attachment of volume '%s' at %s has ended with it",
		ended->container_name, ended->volume, ended->target);
}

static void on_rules(void *context)
{
	struct hv_daemon *daemon = context;

	hv_reconciler_poke_rules(daemon->reconciler);
}

static void on_miss(void *context, const char *rule, const char *container, const char *why)
{
	struct hv_daemon *daemon = context;

	if (!container)
		hv_log_line(&daemon->log, HV_LOG_WARN, "rule %s: %s", rule, why);
	else
		hv_log_line(&daemon->log, HV_LOG_WARN, "rule %s, container '%s': %s", rule,
			container, why);
}

/* For what may not ask it: Create and Mount.  The managed plugin knows the user from its place. */
static void on_engine(void *context)
{
	struct hv_daemon *daemon = context;
	struct hv_engine_kind kind;
	hv_auto_error struct hv_error ignored = {0};

	if (!daemon->config.is_managed &&
		hv_engine_learn(daemon->engine, ENGINE_TIMEOUT_MS, &kind, &ignored) == HV_OK)
		hv_volumes_set_remap(daemon->volumes, kind.remap_uid, kind.remap_gid);
}

/* Before anything is served that would have it do something. */
static int reconcile(struct hv_daemon *daemon)
{
	daemon->starter = hv_starter_start(&(struct hv_starter_args){
		.core = daemon->core,
		.attacher = daemon->attacher,
		.log = &daemon->log,
		.hold_ms = daemon->config.hold_ms,
		.open_state = open_state,
		.context = daemon,
	});
	if (!daemon->starter)
		return -ENOMEM;
	daemon->follower = hv_follower_start(&(struct hv_follower_args){
		.core = daemon->core,
		.attacher = daemon->attacher,
		.log = &daemon->log,
		.open_state = open_state,
		.context = daemon,
	});
	if (!daemon->follower)
		return -ENOMEM;
	daemon->api.tell_starts = tell_starts;
	daemon->reconciler = hv_reconciler_start(&(struct hv_reconciler_args){
		.engine = daemon->engine,
		.attacher = daemon->attacher,
		.core = daemon->core,
		.log = &daemon->log,
		.open_state = open_state,
		.on_engine = on_engine,
		.on_process = on_process,
		.context = daemon,
		.is_met_late = !daemon->config.is_managed,
	});
	if (!daemon->reconciler)
		return -ENOMEM;
	daemon->api.count_queued = count_queued;
	daemon->listener = (struct hv_attacher_listener){.on_change = on_change,
		.on_end = on_end,
		.on_rules = on_rules,
		.on_miss = on_miss,
		.context = daemon};
	hv_attacher_listen(daemon->attacher, &daemon->listener);
	return 0;
}

static int check_health(struct hv_daemon *daemon)
{
	daemon->checker = hv_checker_start(&(struct hv_checker_args){.core = daemon->core,
		.volumes = daemon->volumes,
		.api = &daemon->api,
		.log = &daemon->log,
		.open_state = open_state,
		.context = daemon});
	return daemon->checker ? 0 : -ENOMEM;
}

/* Without them the daemon does all else; doctor tells. */
static void serve_metrics(struct hv_daemon *daemon)
{
	const char *address = daemon->config.metrics;
	int rc;

	if (!*address)
		return;
	rc = hv_listen_tcp(address);
	if (rc >= 0) {
		daemon->metrics = hv_server_start_metrics(rc, &daemon->api, &daemon->log);
		rc = daemon->metrics ? 0 : -ENOMEM;
	}
	if (rc == 0) {
		hv_log_line(&daemon->log, HV_LOG_INFO, "metrics are at http://%s" HV_METRICS_PATH,
			address);
		return;
	}
	snprintf(daemon->metrics_problem, sizeof(daemon->metrics_problem),
		"metrics cannot be served at %s: %s", address, strerrordesc_np(-rc));
	daemon->api.metrics_problem = daemon->metrics_problem;
	hv_log_line(&daemon->log, HV_LOG_ERROR, "%s", daemon->metrics_problem);
}

static int serve(struct hv_daemon *daemon)
{
	int fd = hv_listen(daemon->config.socket, &daemon->socket_file);

	if (fd < 0) {
		hv_log_line(&daemon->log, HV_LOG_ERROR, "cannot listen on %s: %s",
			daemon->config.socket, strerrordesc_np(-fd));
		return fd;
	}
	daemon->listening = fd;
	serve_metrics(daemon);
	daemon->server = hv_server_start(fd, &daemon->api, &daemon->log);
	return daemon->server ? 0 : -ENOMEM;
}

int hv_daemon_start(struct hv_daemon *daemon, struct hv_config *config)
{
	hv_auto_error struct hv_error err = {0};
	int rc;

	*daemon = (struct hv_daemon){.config = *config,
		.state_tried = -STATE_RETRY_SECONDS,
		.mount_root_fd = MC_FD_NONE};
	*config = (struct hv_config){0};
	pthread_mutex_init(&daemon->state_lock, NULL);
	pthread_cond_init(&daemon->state_changed, NULL);
	hv_log_init(&daemon->log, daemon->config.log);
	rc = open_core(daemon);
	if (rc == 0)
		rc = make_mount_root(daemon);
	if (rc == 0)
		rc = make_volumes(daemon);
	if (rc < 0)
		return rc;
	daemon->engine = hv_engine_new(&(struct hv_engine_args){
		.open_socket = open_engine_socket,
		.context = daemon,
		.socket_path = daemon->config.engine,
	});
	if (!daemon->engine)
		return -ENOMEM;
	rc = wire_up(daemon);
	if (rc == 0)
		rc = check_health(daemon); /* before the threads that change volumes */
	if (rc == 0)
		rc = reconcile(daemon);
	if (rc == 0)
		rc = serve(daemon);
	if (rc < 0)
		return rc;
	if (open_state(daemon, &err) != HV_OK)
		hv_log_line(&daemon->log, HV_LOG_ERROR, "%s", hv_error_text(&err));
	hv_log_line(&daemon->log, HV_LOG_INFO, "hostvold %s listens on %s", HOSTVOL_VERSION,
		daemon->config.socket);
	return 0;
}

/* Returns false if one of them does not end in time.  The reconciler calls the starter, all may
 * change volumes, which the checker is told of; of attachments nobody is told any more. */
static bool stop_workers(struct hv_daemon *daemon)
{
	static const struct hv_attacher_listener nobody;

	if (daemon->attacher)
		hv_attacher_listen(daemon->attacher, &nobody);
	return (!daemon->follower || hv_follower_stop(daemon->follower, FOLLOWER_TIMEOUT_MS)) &&
	       (!daemon->reconciler ||
		       hv_reconciler_stop(daemon->reconciler, RECONCILER_TIMEOUT_MS)) &&
	       (!daemon->starter || hv_starter_stop(daemon->starter, STARTER_TIMEOUT_MS)) &&
	       (!daemon->checker || hv_checker_stop(daemon->checker, CHECKER_TIMEOUT_MS));
}

void hv_daemon_stop(struct hv_daemon *daemon, int exit_status)
{
	int timeout_ms = daemon->config.is_managed ? STOP_MANAGED_MS : STOP_PLAIN_MS;

	if (daemon->attacher)
		hv_attacher_stop(daemon->attacher);
	if (daemon->server)
		hv_unlisten(daemon->listening, daemon->config.socket, &daemon->socket_file);
	/* A request that a container's file system holds is given up with the process: everything
	 * that was acknowledged is on disk. */
	if (daemon->server && !hv_server_stop(daemon->server, timeout_ms)) {
		hv_log_line(&daemon->log, HV_LOG_WARN,
			"a request takes too long to wait for its end: it gets no answer");
		_exit(exit_status);
	}
	if (daemon->metrics && !hv_server_stop(daemon->metrics, METRICS_TIMEOUT_MS))
		_exit(exit_status);
	if (!stop_workers(daemon))
		_exit(exit_status); /* the same goes for a container or a server that holds them */
	hv_tunnel_done(&daemon->api.tunnel);
	hv_attacher_free(daemon->attacher);
	hv_volumes_free(daemon->volumes);
	hv_engine_free(daemon->engine);
	mc_core_close(daemon->core);
	mc_close_fd(&daemon->mount_root_fd);
	hv_error_done(&daemon->state_error);
	hv_config_done(&daemon->config);
	hv_log_line(&daemon->log, HV_LOG_INFO, "hostvold ends");
}

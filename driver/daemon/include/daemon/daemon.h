/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon: everything main() starts and stops. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <limits.h>
#include <pthread.h>
#include <time.h>

#include "attach/attach.h"

#include "daemon/checker.h"
#include "daemon/config.h"
#include "daemon/follower.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/reconciler.h"
#include "daemon/server.h"
#include "daemon/starter.h"

struct hv_daemon {
	struct hv_config config;
	struct hv_log log;
	struct mc_core *core;
	struct hv_engine *engine;
	struct hv_volumes *volumes;
	struct hv_attacher *attacher;
	struct hv_attacher_listener listener;
	struct hv_api api;
	struct hv_server *server;
	struct hv_server *metrics; /* NULL: HOSTVOL_METRICS is not served */
	char metrics_problem[256]; /* why it is not */
	int listening;             /* its socket */
	struct hv_socket_file socket_file;
	struct hv_reconciler *reconciler;
	struct hv_starter *starter;
	struct hv_checker *checker;
	struct hv_follower *follower;
	pthread_mutex_t state_lock; /* of the five that follow */
	pthread_cond_t state_changed;
	bool is_state_open;
	bool is_state_tried;         /* by some thread, just now, without the lock */
	time_t state_tried;          /* CLOCK_MONOTONIC seconds: when the last try ended */
	struct hv_error state_error; /* of the last try */
	char state_host[PATH_MAX];
	char mount_root[PATH_MAX]; /* of the plain daemon, symlinks resolved */
	int mount_root_fd;         /* and locked */
};

/* Bring up what needs no state: the mount library, the Engine client, the socket, the server; then
 * try the state.  State that cannot be opened is no failure here: the server answers that, and
 * tries again.  Returns 0, or a negative errno after a log line.  `config` is taken over. */
int hv_daemon_start(struct hv_daemon *daemon, struct hv_config *config)
	__attribute__((nonnull, warn_unused_result));

/* Finish the requests under way and release everything; or, where something does not end in time,
 * end the process with `exit_status`. */
void hv_daemon_stop(struct hv_daemon *daemon, int exit_status) __attribute__((nonnull));

#endif

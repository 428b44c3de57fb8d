/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoint -> call -> reply: the whole HTTP interface but for HTTP. */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "api/tunnel.h"
#include "attach/attach.h"
#include "volume/health.h"
#include "volume/volume.h"
#include "wire/error.h"

/* The one endpoint that shows nothing but numbers. */
#define HV_METRICS_PATH "/metrics"

/* Name and value of one setting, for /HotInfo. */
struct hv_setting {
	const char *name;
	const char *value;
};

/* How starts of containers are met, for /HotInfo. */
struct hv_starts {
	bool are_held; /* until all is attached; else the Engine's events are followed */
	unsigned hold_ms;
	char reason[256]; /* why they are not held */
};

/* Tell a volume's problem, a sentence, and a hint, which may be NULL. */
typedef void hv_problem_fn(void *context, const char *volume, enum hv_health health,
	const char *sentence, const char *hint);

/* The health of volumes by the last look at each.  None of them waits.  NULL: none is known. */
struct hv_api_health {
	/* The problem of a volume, with the hint, as one text that the caller frees; NULL: none. */
	char *(*tell_problem)(void *context, const char *volume);
	/* Call `fn` for each volume with a problem, in the order of names; it must not wait. */
	void (*each_problem)(void *context, hv_problem_fn *fn, void *fn_context);
	size_t (*count)(void *context, enum hv_health health); /* of volumes */
	void *context;
};

struct hv_api {
	struct mc_core *core;
	struct hv_engine *engine;
	struct hv_volumes *volumes;
	struct hv_attacher *attacher;
	struct hv_tunnel tunnel;
	const char *mode;                  /* "managed" or "plain" */
	const struct hv_setting *settings; /* ended by a NULL name */
	/* Open the state if it is not open.  HV_OK, or HV_STATE_UNREADABLE with the sentence. */
	enum hv_code (*open_state)(void *context, struct hv_error *err);
	void (*tell_starts)(void *context, struct hv_starts *ret);
	/* Whether the state is open, now: opens nothing and does not wait.  NULL: it is not. */
	bool (*has_state)(void *context);
	/* How many containers wait for the reconciler; NULL: none. */
	size_t (*count_queued)(void *context);
	struct hv_api_health health;
	const char *metrics_problem; /* why HOSTVOL_METRICS is not served; NULL: it is, or is off */
	void *context;
};

/* A Mount that was made; the strings are owned. */
struct hv_mounted {
	char *volume; /* NULL: none was */
	char *id;
};

struct hv_reply {
	unsigned status;           /* HTTP */
	const char *allow;         /* with 405: the methods that there are; static */
	char *body;                /* owned; NULL with hang_up, or on ENOMEM */
	const char *type;          /* of the body; static; NULL: JSON */
	bool hang_up;              /* close the connection without an answer */
	struct hv_error err;       /* the failure, for the log; owned */
	struct hv_mounted mounted; /* to be taken back if the answer does not arrive; owned */
};

/* One request over HTTP; all borrowed. */
struct hv_http_request {
	const char *method;
	const char *path;
	const char *body; /* `size` bytes; NULL for none */
	size_t size;
	pid_t client; /* the process that asks; 0: not known */
};

/* Answer one request.  The caller frees `ret` with hv_reply_done().
 * Any thread.  Source: Docker volume plugin protocol; docs/api.md for the Hot* calls. */
void hv_api_handle(struct hv_api *api, const struct hv_http_request *http, struct hv_reply *ret)
	__attribute__((nonnull));

/* Answer a request whose body is longer than `limit` bytes. */
void hv_api_refuse_size(struct hv_reply *ret, size_t limit) __attribute__((nonnull));

/* Answer that there is nothing at `path`. */
void hv_api_refuse_path(struct hv_reply *ret, const char *path) __attribute__((nonnull));

void hv_reply_done(struct hv_reply *reply) __attribute__((nonnull));

/* Take back a Mount whose answer cannot be sent: the Engine gave up waiting, and sends no
 * Unmount for a Mount that it does not know to have been made.  A mistake here costs a mount that
 * stays until the volume is removed, so errors are not reported.  Ends `mounted`. */
void hv_api_unanswered(struct hv_api *api, struct hv_mounted *mounted) __attribute__((nonnull));

void hv_mounted_done(struct hv_mounted *mounted) __attribute__((nonnull));

#endif

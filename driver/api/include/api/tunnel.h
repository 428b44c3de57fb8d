/* SPDX-License-Identifier: Apache-2.0 */
/* The Engine tunnel: a request to one of the Hot* endpoints that comes as a volume.
 *
 * A client that can only reach the Engine, from another machine or without root, creates a volume
 * called hostvol-request-SOMETHING with the option request={"Endpoint": …, "Body": …}, reads the
 * answer from its Status (`docker volume inspect`), and deletes it.  Such a volume is in no list
 * and in no store: it ends when it is deleted, or after a minute.
 *
 * A client that reaches the nodes of a Swarm through a service only reads the answer from the error
 * of a task: of its Create with "Answer": "error" in the request, else of its Mount.  The error is
 * HV_TUNNEL_ANSWER, the HTTP status, a space and the answer. */
#ifndef API_TUNNEL_H
#define API_TUNNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* How long an answer may be that Swarm carries in the status of a task. */
enum { HV_TUNNEL_ERROR_MAX = 256 << 10 };

enum { HV_TUNNEL_MAX = 64, HV_TUNNEL_SECONDS = 60 };

/* A request; `body` is NULL until it is answered. */
struct hv_tunnelled {
	char *name; /* NULL: free */
	char *body;
	unsigned status; /* HTTP's, of the answer */
	bool as_error;   /* it is told in the error of Create: there is no volume */
	time_t since;    /* CLOCK_MONOTONIC, seconds */
};

struct hv_tunnel {
	pthread_mutex_t lock; /* of the items */
	struct hv_tunnelled items[HV_TUNNEL_MAX];
	bool is_denied; /* HOSTVOL_REMOTE_ATTACH=deny: nothing is taken from the Engine */
};

/* Release what is kept. */
void hv_tunnel_done(struct hv_tunnel *tunnel) __attribute__((nonnull));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: a process of its own that holds starts of containers.
 *
 * `runc create` makes a state file when all of the container is set up, and its first process waits
 * for that before it enters its working directory and looks its program up.  `runc start` and `crun
 * start` begin by opening that file, when the first process waits to execute the program.  The gate
 * has the kernel ask it before such an open is let through (fanotify, FAN_OPEN_PERM), in the
 * directories of the containers that it was told of, and in no others.  No process is stopped.
 *
 * Nothing stays held: each hold has a deadline, which the gate keeps though the daemon be stopped;
 * when the daemon ends, the gate does (its socket is closed); when the gate ends, however, the
 * kernel lets everybody go on.  A gate that is stopped or hangs is killed by a timer of the
 * kernel's, which it sets again as long as it works: by the deadline as well, or within a second.
 * Descriptors of the kernel's queue are in the gate alone. */
#ifndef START_GATE_H
#define START_GATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One character more than an ID, or any name of a directory that is taken for one, has. */
enum { HV_GATE_ID_SIZE = 128 };

struct hv_gate {
	int socket; /* owned */
	pid_t pid;  /* our child */
};

enum hv_gate_kind {
	HV_GATE_READY,   /* first: `error` is 0, or why it holds nothing (a negative errno) */
	HV_GATE_CREATED, /* a runtime makes container `id`: wanted? then hv_gate_mark() it, else
			    hv_gate_forget() it */
	HV_GATE_SET_UP,  /* `id` is held until `until_ms`, before its state is written: its first
			    process is the child of `runtime` */
	HV_GATE_HELD,    /* the start of `id` is held until `until_ms`; `fd` reads its state file */
	HV_GATE_EXPIRED, /* the deadline of hold `seq`, of `id`, came: it was let go */
	HV_GATE_DENIED,  /* it came, and the start was denied; `fd` reads its state file */
};

struct hv_gate_news {
	enum hv_gate_kind kind;
	uint32_t seq;
	int error;
	pid_t runtime;
	long long until_ms; /* CLOCK_MONOTONIC */
	char id[HV_GATE_ID_SIZE];
	int fd; /* owned by who reads the news; else MC_FD_NONE */
};

/* Fork the gate.  `host_root` is a descriptor of the host's root directory, borrowed: all paths are
 * the host's.  `hold_ms`: how long the holds of one start last at most.
 * Returns 0, or the error of socketpair(2), fork(2) or calloc(3).  End it with hv_gate_end().
 * Source: fanotify(7), inotify(7), unix(7). */
int hv_gate_start(int host_root, unsigned hold_ms, struct hv_gate *ret)
	__attribute__((nonnull, warn_unused_result));

/* End the gate: close its socket and wait; after a second, kill it.  Held starts go on. */
void hv_gate_end(struct hv_gate *gate) __attribute__((nonnull));

/* Wait for news.  Returns 0, -EPIPE if the gate has ended, or the error of recvmsg(2).  One
 * thread. */
int hv_gate_read(const struct hv_gate *gate, struct hv_gate_news *ret)
	__attribute__((nonnull, warn_unused_result));

/* Orders.  None waits.  Each returns 0, -EPIPE when the gate has ended, -EAGAIN when it does not
 * take orders any more, -ENAMETOOLONG.  Any thread.  An order counts for every container that is
 * made, and every state file that is opened, after it was given. */

/* Follow a directory in which a runtime keeps one for each of its containers.  It need not exist.
 * Containers already in it are reported as created, unless they have started. */
int hv_gate_follow(const struct hv_gate *gate, const char *root)
	__attribute__((nonnull, warn_unused_result));

/* This container has attachments: mark it at once when a runtime makes it, before HV_GATE_CREATED
 * is answered, which may come too late on a machine that does much else.  The 4096 that came last
 * are kept. */
int hv_gate_know(const struct hv_gate *gate, const char *id)
	__attribute__((nonnull, warn_unused_result));

/* It has none any more: do not hold its start. */
int hv_gate_forget(const struct hv_gate *gate, const char *id)
	__attribute__((nonnull, warn_unused_result));

/* Hold the start of this container when it comes.  `must_deny`: deny it at the deadline. */
int hv_gate_mark(const struct hv_gate *gate, const char *id, bool must_deny)
	__attribute__((nonnull, warn_unused_result));

/* Let it go on.  `is_early`: not all is done, its start is yet to be held: for what is left of the
 * time, which is one for both. */
int hv_gate_release(const struct hv_gate *gate, uint32_t seq, bool is_early)
	__attribute__((nonnull, warn_unused_result));

/* Have the runtime fail to open the state file (EPERM), and so the start. */
int hv_gate_refuse(const struct hv_gate *gate, uint32_t seq)
	__attribute__((nonnull, warn_unused_result));

/* Tell again of the containers that have not started yet: of `id`, or with NULL of all. */
int hv_gate_look(const struct hv_gate *gate, const char *id)
	__attribute__((nonnull(1), warn_unused_result));

#endif

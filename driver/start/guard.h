/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the gate.  It runs in a forked process of a program with threads: no memory is asked for,
 * and no function of the C library is called that may take a lock. */
#ifndef START_GUARD_H
#define START_GUARD_H

#include <limits.h>

#include "protocol.h"

enum { ROOTS_MAX = 32, MARKS_MAX = 4096, HOLDS_MAX = 1024, READ_SIZE = 4096 };

struct root {
	char path[PATH_MAX];
	int wd;        /* -1: nothing is watched */
	size_t length; /* of the part of the path that is watched: it, or the deepest that is there
			*/
};

/* A container that is known to have attachments. */
struct mark {
	bool is_used;
	bool is_set;  /* its directory is marked: the kernel asks about opens there */
	bool is_over; /* its start went on: not again until it is made again */
	unsigned root;
	bool must_deny;
	uint32_t seq;      /* of its last hold; 0: there was none */
	long long left_ms; /* for which its start may be held, */
	long long told_ms; /* as it was when a hold ended */
	char id[HV_GATE_ID_SIZE];
};

/* Events of the kernel's, as they were read. */
struct batch {
	ssize_t size; /* 0 or less: there are none */
	_Alignas(16) char bytes[READ_SIZE];
};

/* An open that waits for our answer. */
struct hold {
	bool is_used;
	bool is_set_up; /* of the state that is to be written, by `runc create` */
	uint32_t seq;   /* the same for all of one container */
	int fd;         /* the kernel's, by which it is answered */
	bool must_deny; /* at the deadline */
	long long until_ms;
	char id[HV_GATE_ID_SIZE];
};

struct guard {
	int socket;
	int fds; /* /proc/self/fd */
	int inotify;
	int fanotify; /* -1: it could not be had */
	int timer;    /* the kernel's number; kills this process unless it is set again */
	unsigned hold_ms;
	uint32_t last_seq;
	unsigned holds_max; /* at most HOLDS_MAX: as many as there may be descriptors */
	bool is_quiet;      /* nothing has happened for a while, and nothing can be held */
	bool must_scan;     /* there was no room to tell of all containers */
	unsigned roots_count;
	struct root roots[ROOTS_MAX];
	struct mark marks[MARKS_MAX];
	unsigned newest;    /* the place that was taken last */
	unsigned holds_end; /* none is used from there on */
	struct hold holds[HOLDS_MAX];
	struct hv_order order; /* the last one */
	struct batch opens;
	struct batch changes;
};

/* Be the gate, until the socket is closed.  `host_root` is where paths begin. */
void guard_run(struct guard *guard, int host_root) __attribute__((noreturn));

#endif

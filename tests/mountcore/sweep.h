/* SPDX-License-Identifier: Apache-2.0 */
/* The failure sweep: repeat one operation with its first kernel call failing, then its second,
 * until there is none left.
 *
 * Each round is a process with a scene of its own, because one kind of failure, on the way home
 * from a container's namespace, ends the process.  The counters are in shared memory: the calls of
 * a helper process are counted and made to fail like the others. */
#ifndef MOUNTCORE_SWEEP_H
#define MOUNTCORE_SWEEP_H

#include <errno.h>
#include <stdbool.h>

#include "box.h"

/* An errno that nothing here gives by itself. */
enum { INJECTED = -EUCLEAN };

/* An allowed result besides the injected errno with a step: `code` for a failed `call`. */
struct sweep_exception {
	const char *call;
	int code;
	const char *reason;
	bool keeps_directories; /* they may stay after a success */
};

struct sweep {
	void (*set_up)(struct attach_fixture *scene);
	int (*operation)(struct attach_fixture *scene); /* fills scene->err */
	void (*check)(const struct attach_fixture *scene, int rc);
	void (*clean_up)(struct attach_fixture *scene);
	const struct sweep_exception *exceptions; /* ends with .call NULL */
	bool mounts_on_success; /* the operation's success changes the box's mount table */
	bool is_open_ended;     /* a helper that did not answer may have done it all the same */
	bool may_lose_mount;    /* a failure may change the table too; `check` sees to it */
	const char *removed;    /* inside the box, gone after a success; or NULL */
};

/* For every job in a helper. */
#define HELPER_EXCEPTIONS                                                                          \
	{"close", 0, "a descriptor is closed even so", false},                                     \
		{"close_range", 0, "before 5.9 they are closed one by one", false},                \
		{"prctl", 0, "only makes the helper safer", false},                                \
	{                                                                                          \
		"sendmsg", -EIO, "to the parent the helper died", false                            \
	}

/* Calls behind the unmount, which delete created entries, fail silently: entries stay. */
#define REMOVAL_EXCEPTIONS                                                                         \
	{"setns", 0, "to read the mount table, or to remove", true},                               \
		{"openat", 0, "the mount table", true}, {"openat2", 0, "the way there", true},     \
		{"statmount", 0, "whether its mount can be relied on", true},                      \
		{"statx", 0, "also after the unmount", true}, {"rmdirat", 0, "removing", true},    \
		{"unlinkat", 0, "removing", true}, {"readlinkat", 0, "the place's root", true},    \
		{"socketpair", 0, "its helper", true}, {"fork", 0, "its helper", true},            \
		{"poll_in", 0, "its helper", true}, {"ioctl", 0, "the list of namespaces", true},  \
	{                                                                                          \
		"recvmsg", 0, "its helper", true                                                   \
	}

/* Run the sweep in the calling sandbox.  Asserts that at least `at_least` calls were made. */
void sweep_run(const struct sweep *sweep, unsigned at_least);

/* The same, but the process is killed at each call in turn (SIGKILL), and `check` looks at what it
 * left: -EINTR for a process that was killed, 0 for the last one, which was not.  The operation has
 * to open a core of its own.  Of `sweep` set_up, operation and check are used. */
void sweep_kill(const struct sweep *sweep, unsigned at_least);

/* Parts of a sweep, which share one attach in each round. */
void round_nothing(struct attach_fixture *scene);
int round_prepare(struct attach_fixture *scene, const struct mc_attach_args *args);
void round_check_prepared(const struct attach_fixture *scene, int rc);
int round_commit(struct attach_fixture *scene);
void round_release(struct attach_fixture *scene);
int round_detach(struct attach_fixture *scene);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of attachments: a volume into and out of a container.
 *
 * An attachment is a record of what is wanted.  hv_attach() makes it, hv_attachments_reconcile()
 * keeps it true: once for each start of the container. */
#ifndef ATTACH_ATTACH_H
#define ATTACH_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "mountcore/cleanup.h"
#include "volume/volume.h"
#include "wire/json.h"
#include "wire/types.h"

struct hv_attacher;

struct hv_attacher_args {
	struct mc_core *core;
	struct hv_engine *engine;
	struct hv_volumes *volumes;
};

/* The object of all attachments; those in `args` are borrowed.  It has no records before
 * hv_attachments_recover().  Free with hv_attacher_free().  NULL on ENOMEM. */
struct hv_attacher *hv_attacher_new(const struct hv_attacher_args *args)
	__attribute__((nonnull, warn_unused_result));

/* No thread uses it any more.  NULL is ignored. */
void hv_attacher_free(struct hv_attacher *attacher);

/* The changes of attachments are told to this.  Its calls come from any thread. */
struct hv_attacher_listener {
	/* Attachments of a container came, went or changed, and (`is_undone`) something may be to
	 * be done for it; may be NULL. */
	void (*on_change)(void *context, const char *container_id, bool is_undone);
	/* An attachment ended with its container; may be NULL. */
	void (*on_end)(void *context, const struct hv_attachment *ended);
	/* Something may be to be done for a rule; may be NULL. */
	void (*on_rules)(void *context);
	/* A rule cannot be applied to a container, or (NULL) not be undone, and why; may be NULL.
	 */
	void (*on_miss)(void *context, const char *rule, const char *container, const char *why);
	void *context;
};

/* Tell `listener` from now on, in place of the one before; borrowed until another one takes its
 * place, or hv_attacher_free().  No call of the one before is under way when it returns.  Any
 * thread, but not from within such a call. */
void hv_attacher_listen(struct hv_attacher *attacher, const struct hv_attacher_listener *listener)
	__attribute__((nonnull));

/* The daemon ends: a detach does not wait for a busy volume any longer, and nobody for events.  Any
 * thread. */
void hv_attacher_stop(struct hv_attacher *attacher) __attribute__((nonnull));

/* Attach.  To a container that is stopped it is "pending", unless it is for this start only.
 * The same volume, container, target and options again answer with what is there; with a lease,
 * that is renewed.
 * `ret` is filled on success; the caller frees it with hv_attachment_done() either way.
 * Returns HV_OK when the mount was verified from inside and the record is on disk; else any code of
 * wire/code.h that a sentence goes with, and nothing was changed: no mount, no directory, no
 * record.  But for HV_STATE_UNREADABLE behind the mount: it stands, the sentence says so, and it is
 * recorded as soon as that works.  Two durable commits.  Any thread. */
enum hv_code hv_attach(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Detach by ID, or by container and target; not an attachment of a rule.  `ret` is the attachment
 * as it was.  With HV_STATE_UNREADABLE behind the unmount the sentence says so, and the record ends
 * later. One whose container has ended, or whose mount someone took out inside, is forgotten.
 * Returns HV_OK, HV_BAD_REQUEST, HV_NO_SUCH_CONTAINER, HV_NO_SUCH_ATTACHMENT, HV_BUSY, HV_TIMEOUT,
 * HV_STATE_UNREADABLE. */
enum hv_code hv_detach(struct hv_attacher *attacher, const struct hv_detach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The attachments that match, oldest first, each with its state as the kernel tells it now; if that
 * cannot be told, the last known state, and why as its problem.
 * Free with hv_attachments_free(). */
enum hv_code hv_attachments_list(struct hv_attacher *attacher,
	const struct hv_list_request *request, struct hv_attachment **ret, size_t *ret_count,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));
void hv_attachments_free(struct hv_attachment *attachments, size_t count);

/* The attachments of `volume` (NULL: of all volumes) that were acknowledged, oldest first, each
 * with its last known state: from the records alone.  Free with hv_attachments_free().
 * Returns HV_OK, HV_STATE_UNREADABLE, HV_INTERNAL.  Any thread. */
enum hv_code hv_attachments_read(struct hv_attacher *attacher, const char *volume,
	struct hv_attachment **ret, size_t *ret_count, struct hv_error *err)
	__attribute__((nonnull(1, 3, 4, 5), warn_unused_result));

/* Whether the names by which a list was asked for exist: for a list that came out empty.
 * Returns HV_OK, also when the Engine does not answer; HV_NO_SUCH_VOLUME, HV_NO_SUCH_CONTAINER or
 * HV_STATE_UNREADABLE with sentence and hint in `err`. */
enum hv_code hv_list_check_names(
	struct hv_attacher *attacher, const struct hv_list_request *request, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Check an attach: list each step, the first failure last.  Changes nothing.  Free with
 * hv_checks_free().  Returns HV_OK even if a step fails, or HV_INTERNAL. */
enum hv_code hv_attach_check(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_check **ret, size_t *ret_count, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));
void hv_checks_free(struct hv_check *checks, size_t count);

/* Delete the attachments of `volume` whose containers are gone, so that it can be deleted.
 * Returns HV_OK, or HV_VOLUME_IN_USE: a container lives; or the Engine does not know a container,
 * and may be another Engine; or there is one to ask about, and the Engine does not answer within
 * two seconds. */
enum hv_code hv_attachments_release_volume(struct hv_attacher *attacher, const char *volume,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Take the records that hv_volumes_open() opened, after hv_volumes_recover() and before any
 * request: mounts of an earlier boot are gone.  A failure leaves `attacher` without records.
 * Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_attachments_recover(struct hv_attacher *attacher, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Whether there is an attachment of `volume`, acknowledged or not, or a rule: from the records
 * alone.  A borrowed volume has none for its name's sake: it is no such volume.
 * Returns HV_OK or HV_STATE_UNREADABLE.  Any thread. */
enum hv_code hv_volume_is_attached(struct hv_attacher *attacher, const char *volume, bool *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* How many volumes and attachments there are, from the records alone, which must be open.
 * Returns HV_OK or HV_STATE_UNREADABLE.  Any thread. */
struct hv_counts {
	unsigned long long volumes;
	unsigned long long attachments[HV_STATE_COUNT]; /* by the last known state */
};
enum hv_code hv_attachments_count(struct hv_attacher *attacher, struct hv_counts *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The last events of attachments that match, oldest first.  If there is none, waits for one for as
 * long as the request says.  `ret` is empty at first, and freed by the caller with hv_events_done()
 * either way; ret->last is what to go on after. Returns HV_OK, also with no event; HV_BAD_REQUEST,
 * HV_STATE_UNREADABLE.  Any thread. */
enum hv_code hv_attachments_events(struct hv_attacher *attacher,
	const struct hv_events_request *request, struct hv_events *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Whether each record of an attachment made sense that was read since the start, as
 * hv_volumes_tell_damage(): after hv_attachments_sync() at each container, all were. */
enum hv_code hv_attachments_tell_damage(struct hv_attacher *attacher, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The counts of all changes for a container. */
struct hv_repaired {
	char name[256]; /* of the container */
	unsigned records;
	unsigned attached; /* again */
	unsigned late;     /* of these: after the program had begun */
	unsigned adopted;  /* found mounted */
	unsigned pending;  /* its process has ended */
	unsigned dropped;
	unsigned drifted; /* now missing or covered */
	unsigned doubted; /* the Engine does not know the container, and is not believed */
	unsigned expired; /* their leases are over */
	unsigned entered; /* that cover the directory which the program begins in */
	unsigned refused; /* required, and not there: the container's start was refused */
	unsigned awaited; /* refused before this look: hv_attachments_restart() is to come */
};

/* The result of a look at a container, and the process that has the mounts of its attachments. */
struct hv_seen {
	struct hv_repaired repaired;
	long long pid; /* 0: there is none */
	uint64_t ns_ino;
	/* Owned; MC_FD_NONE if there is no process. */
	int pidfd;     /* readable when it ends */
	int mountinfo; /* as of mc_mountinfo_open(), from before it was looked at */
	/* In how many milliseconds a lease asks for the next look; -1: there is none. */
	long long lease_ms;
	bool is_lease_over; /* hv_attachments_expire() has something to do */
};
#define HV_SEEN_NONE                                                                               \
	((struct hv_seen){.pidfd = MC_FD_NONE, .mountinfo = MC_FD_NONE, .lease_ms = -1})
void hv_seen_done(struct hv_seen *seen) __attribute__((nonnull));

/* Update the records of a container from the kernel: ended processes, unmounted volumes.  Asks only
 * the kernel, and waits for nobody.  `ret` is filled either way.
 * Returns HV_OK; HV_BUSY if another thread works on the container; HV_STATE_UNREADABLE, or the
 * error of a failed look at one of them. */
enum hv_code hv_attachments_sync(struct hv_attacher *attacher, const char *container_id,
	struct hv_seen *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* A descriptor that is readable while mounts have come or gone in containers that were looked at;
 * MC_FD_NONE where the kernel does not tell (before Linux 6.15).  Borrowed. */
int hv_attacher_mounts_fd(const struct hv_attacher *attacher) __attribute__((nonnull));

/* Take the changes that the kernel has told, so that a look knows their processes.  Does not wait.
 * Returns how many; `ret_others` grows by the number of those that we did not make.  Any thread. */
unsigned hv_attachments_hear(struct hv_attacher *attacher, unsigned *ret_others)
	__attribute__((nonnull));

/* The container of that process, as struct hv_seen has it, has no attachments any more: its mounts
 * need not be told. */
void hv_attachments_unwatch(struct hv_attacher *attacher, long long pid, uint64_t ns_ino)
	__attribute__((nonnull));

/* Whether mounts in containers are told as they happen.  Returns NULL, or why not.  Static.  Any
 * thread. */
const char *hv_attacher_watch_problem(struct hv_attacher *attacher) __attribute__((nonnull));

/* Bring to an end what a crash left half done: attaches and detaches that were never answered.
 * Asks the kernel, and may wait for a file system.  `ret` is filled either way.
 * Returns HV_OK, HV_STATE_UNREADABLE, or why one of them could not be ended. */
enum hv_code hv_attachments_settle(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Detach the attachments of a container whose leases are over: strictly, or lazily once their grace
 * is over.  May wait for a file system.  If one cannot be detached, its problem says why, and the
 * next look says when to try again.  `ret` is filled either way: `expired` counts them.
 * Returns HV_OK, or HV_STATE_UNREADABLE. */
enum hv_code hv_attachments_expire(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Tell the listener that records of a container came, went or changed; `is_undone`: and that there
 * may be something to do for it.  Any thread. */
void hv_attacher_notify(struct hv_attacher *attacher, const char *container_id, bool is_undone)
	__attribute__((nonnull));

/* The Engine told, in an event, that a container was removed.  The last HV_ENDED_MAX containers
 * with attachments, or while there are rules, are remembered.  Any thread. */
enum { HV_ENDED_MAX = 4096 };
void hv_attacher_container_destroyed(struct hv_attacher *attacher, const char *container_id)
	__attribute__((nonnull));

/* Make true what is wanted for a container: attach again what its start lacks, drop what belongs to
 * one that no longer exists, learn its name.  `ret` is filled either way.  An Engine that does not
 * know the container ends nothing while its process has the volume, nor when another Engine knew
 * it: that is noted as the problem of the attachment, and is no failure.
 * Returns HV_OK, or why something of it could not be done: then call again later. */
enum hv_code hv_attachments_reconcile(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The state of an attachment that follows its path. */
enum hv_follow_is {
	HV_FOLLOW_OVER, /* there is no such attachment any more, or it does not follow */
	HV_FOLLOW_AWAY, /* its mount is not there, or covered: a repair is to do what can be done */
	HV_FOLLOW_SAME, /* it is what its path leads to */
	HV_FOLLOW_GONE, /* the path leads nowhere: the former mount stays */
	HV_FOLLOW_DEAD, /* to a server that does not answer: the same */
	HV_FOLLOW_OTHER, /* to something else */
	HV_FOLLOW_DONE,  /* it became that just now */
};

/* Make an attachment that follows its path what that leads to now, if it is not: the mount is
 * replaced, atomically where the kernel can.  The container is held only for that; a server that
 * does not answer is waited for before.  Does not ask the Engine.
 * Returns HV_OK with `ret`, or why it could not be done, which is its problem then. */
enum hv_code hv_attachment_follow(struct hv_attacher *attacher, const char *id,
	enum hv_follow_is *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* An attachment that follows its path. */
struct hv_followed {
	char *id;
	char *container_id;
	char *container_name;
	char *path; /* on the host, as it was named, subpath included: symlinks are in it */
	enum hv_attachment_state state; /* as noted last */
};

struct hv_followed_list {
	struct hv_followed *items;
	size_t count;
};

/* All of them, or (`container_id`) those of a container, from the records alone.  Free with
 * hv_followed_list_done() either way. */
enum hv_code hv_attachments_followed(struct hv_attacher *attacher, const char *container_id,
	struct hv_followed_list *ret, struct hv_error *err)
	__attribute__((nonnull(1, 3, 4), warn_unused_result));
void hv_followed_list_done(struct hv_followed_list *list) __attribute__((nonnull));
#define hv_auto_followed_list HV_AUTO(hv_followed_list_done)

/* Its path cannot be watched, and why; NULL: it can, again. */
enum hv_code hv_attachment_note_unwatched(
	struct hv_attacher *attacher, const char *id, const char *why, struct hv_error *err)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/* Note a directory in which a runtime keeps its containers, so that it is known before one of them
 * runs; a second note is no error.  Returns HV_OK or HV_STATE_UNREADABLE.  Any thread. */
enum hv_code hv_attacher_add_root(struct hv_attacher *attacher, const char *path,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* All of these directories, appended to `ret`, which the caller frees with hv_texts_done() either
 * way.  Returns HV_OK or HV_STATE_UNREADABLE.  Any thread. */
enum hv_code hv_attacher_list_roots(struct hv_attacher *attacher, struct hv_texts *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* A container whose program is about to begin, and is kept from it. */
struct hv_start {
	const char *container_id;
	long long pid;           /* of its first process, by its runtime's word */
	long long start_ticks;   /* when that began: field 22 of /proc/PID/stat */
	long long held_until_ms; /* CLOCK_MONOTONIC: from then on the program may have begun */
	bool is_set_up; /* not started: a failed attachment is tried once more at its start */
};

/* Whether the container has attachments whose leases are not over, and whether any of them is
 * required. */
enum hv_code hv_attachments_wanted(struct hv_attacher *attacher, const char *container_id,
	bool *ret, bool *ret_is_required, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Attach all wanted attachments before the program of a container begins, without the Engine: it
 * answers nothing about the container meanwhile.  Unfinished attaches and detaches are settled
 * first.  If a required attachment is missing then, the first process is killed, unless the hold is
 * over, or start->is_set_up.
 * `ret` is filled either way.  hv_attachments_reconcile() notes the Engine's data on the start.
 * on_change() is not called: call hv_attacher_notify() when the start goes on.
 * Returns HV_OK; HV_BUSY if its runtime is not done with the container's root yet: hold it again;
 * HV_CONTAINER_CHANGED if it is not that process; or the error of a failed step. */
enum hv_code hv_attachments_start(struct hv_attacher *attacher, const struct hv_start *start,
	struct hv_repaired *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* A hold of `hold_ms` was over before what the container requires was attached, and its start was
 * denied: kill the first process, which would wait for ever, and note that it was refused.  Waits
 * for a hv_attachments_start() that is at work on it, but not to kill. */
enum hv_code hv_attachments_denied(struct hv_attacher *attacher, const struct hv_start *start,
	unsigned hold_ms, struct hv_repaired *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The state of a container whose start was refused. */
enum hv_restart_is {
	HV_RESTART_OVER,    /* there is nothing to do for it, any more */
	HV_RESTART_WAITING, /* a required attachment is not possible yet: look again in a second */
	HV_RESTART_DONE,    /* it was started */
	HV_RESTART_LEFT, /* left alone: by its restart policy, or it was started otherwise since */
};

struct hv_restart {
	enum hv_restart_is is;
	char name[256]; /* of the container; "": there is none */
};

/* Start a container again whose start was refused for the lack of what it requires, now that this
 * is there: if its restart policy is always, unless-stopped or on-failure, and by the Engine's word
 * that start was the last thing that happened to it.  Asks the Engine only when that is decided and
 * when it is time; otherwise the host, which may wait for a file system.
 * Returns HV_OK; else why it could not be done: then call again, later and later. */
enum hv_code hv_attachments_restart(struct hv_attacher *attacher, const char *container_id,
	struct hv_restart *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* A volume of another driver is kept from removal while it is attached, by a container that has it
 * and runs (keeper.c).  Make or start one that does not, and remove the one of a volume that is not
 * attached any more.  Waits for the Engine.  A name of any other volume is fine.
 * Returns HV_OK, or why something of it could not be done: then call again later.  Any thread,
 * with no lock held. */
enum hv_code hv_keeper_check(struct hv_attacher *attacher, const char *volume, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The same for all volumes, and for all such containers that the Engine has.  The Engine is not
 * asked if there are none, as far as is known. */
enum hv_code hv_keepers_check(struct hv_attacher *attacher, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The containers that have records, sorted.  Free `ret` with hv_texts_done() either way. */
enum hv_code hv_attachments_containers(struct hv_attacher *attacher, struct hv_texts *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The containers whose records disagree with the Engine, which is asked once for all:
 * - the container runs and not all is attached, or the other way round;
 * - the Engine does not know it, and this is not noted yet, or the Engine has containers again.
 * Only a hint: hv_attachments_reconcile() finds the truth.  `listed`: the number of containers that
 * the Engine had the last time; updated; 0 at first.
 * Returns HV_OK, HV_STATE_UNREADABLE, HV_TIMEOUT, HV_INTERNAL.  Free `ret` with hv_texts_done()
 * either way. */
enum hv_code hv_attachments_compare(struct hv_attacher *attacher, size_t *listed,
	struct hv_texts *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

#endif

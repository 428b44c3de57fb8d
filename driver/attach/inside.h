/* What the files of the attachment rules share. */
#ifndef ATTACH_INSIDE_H
#define ATTACH_INSIDE_H

#include <limits.h>

#include "attach/attach.h"
#include "mountcore/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"
#include "mountcore/ns.h"

/* A running container whose process was identified. */
struct hv_target {
	struct hv_container container;
	struct mc_ns ns;
	char *engine; /* which one told of it (engine/engine.h); NULL: it did not say */
	/* Of a start that is held: container.started_at is NULL; since when that is known (else
	 * 0), and before when the program does not begin.  CLOCK_MONOTONIC, in milliseconds. */
	long long held_since_ms;
	long long held_until_ms;
	bool is_set_up; /* not more: it is held once more */
};

/* Of a volume that is not hostvol's, with err->code HV_NO_SUCH_VOLUME: ask the Engine whose it is,
 * and say how its data is attached.  `target` is the request's, cleaned.  Returns err->code. */
enum hv_code hv_volume_explain_unknown(struct hv_attacher *attacher,
	const struct hv_attach_request *request, const char *target, struct hv_error *err);

/* What was seen of one container: its namespace, and its mount table as it was when that was
 * opened. Records of the same start share it. */
struct hv_sight {
	long long pid; /* the record's */
	struct mc_ns ns;
	int mountinfo;            /* of its table, opened before that was read */
	struct mc_mounts *mounts; /* NULL: nothing is in sight */
};
#define HV_SIGHT_NONE ((struct hv_sight){.ns = MC_NS_NONE, .mountinfo = MC_FD_NONE})

/* Look up a container and open its process, and make sure that they are one: inspect, open, check
 * the process's marks, inspect again.  The caller closes `ret` with hv_target_close() either way.
 * Returns HV_OK, HV_NO_SUCH_CONTAINER, HV_AMBIGUOUS, HV_NOT_RUNNING, HV_CONTAINER_CHANGED … */
enum hv_code hv_target_open(struct hv_attacher *attacher, const char *name, struct hv_target *ret,
	struct hv_error *err);
void hv_target_close(struct hv_target *target);

/* Look up a recorded container.  By its ID alone: another may be named like that. */
enum hv_code hv_container_find(struct hv_attacher *attacher, const char *id, long timeout_ms,
	struct hv_container *ret, struct hv_error *err);

/* The Engine does not know the container of this record: is it no more?  Refreshes the record.
 * Returns HV_OK; HV_VOLUME_IN_USE, with the record's problem for a sentence, when it may be there;
 * or why that cannot be told. */
enum hv_code hv_record_check_gone(struct hv_attacher *attacher, struct hv_record *record,
	long timeout_ms, struct hv_error *err);

/* Whether the record's problem is one that hv_record_check_gone() told. */
bool hv_record_is_doubted(const struct hv_record *record);

/* The records of a container, intents included: outer targets before those below them, and of one
 * depth the oldest first. */
struct hv_siblings {
	struct hv_record *records;
	size_t count;
};

/* Read them, with the container held if they are to be changed; free with hv_siblings_done() either
 * way. */
enum hv_code hv_siblings_read(struct hv_attacher *attacher, const char *container_id,
	struct hv_siblings *ret, struct hv_error *err);
void hv_siblings_done(struct hv_siblings *siblings);

/* Their mounts in the mount namespace `ns_ino`, as far as the records say, for
 * mc_attach_args.own.  Owned, with `ret_count` of them; NULL on ENOMEM. */
struct mc_own *hv_siblings_own(
	const struct hv_siblings *siblings, uint64_t ns_ino, size_t *ret_count);

/* Whether it is mounted, or wanted, below `path`, and not at it. */
bool hv_record_is_below(const struct hv_record *record, const char *path);

/* The attachment that is not there yet, while the container runs, and that `record` would be hidden
 * by if it were made now; or NULL. */
const struct hv_record *hv_siblings_find_outer(
	const struct hv_siblings *siblings, const struct hv_record *record);

/* "pending", because of that one. */
enum hv_code hv_record_wait_for(
	struct hv_record *record, const struct hv_record *outer, struct hv_error *err);

/* Those that were taken out for an outer one. */
struct hv_nested {
	const struct hv_siblings *siblings;
	bool *is_lifted; /* of each; owned until they are put back */
};

/* Take out, of a container whose lock is held, what is mounted below the path of `outer`, which is
 * about to be mounted (nested.c).  hv_nested_put_back() follows either way. */
enum hv_code hv_nested_lift(struct hv_attacher *attacher, const struct hv_siblings *siblings,
	struct hv_record *outer, struct hv_nested *ret, struct hv_error *err);

/* Attach them again, on top.  One that cannot be is "pending", with the reason, and is tried again.
 */
void hv_nested_put_back(
	struct hv_attacher *attacher, const struct hv_target *target, struct hv_nested *nested);

/* An attach on its way. */
struct hv_attempt {
	struct hv_attacher *attacher;
	const struct hv_attach_request *request;
	/* From the request (request.c). */
	char target[PATH_MAX];  /* clean */
	char subpath[PATH_MAX]; /* clean, relative; "" for none */
	bool may_map;           /* map owners if the container has a user namespace */
	bool must_map;          /* also if the volume's directory belongs to one of its users */
	bool only_check;        /* nothing is written */
	/* Found on the way (attach.c). */
	struct hv_volume volume;
	struct hv_use use; /* of the volume, from the preparation on */
	struct hv_target container;
	struct hv_record record; /* record.replace is of the request */
	/* All records of the container, borrowed: what is mounted by them is our own.  NULL when
	 * there are none at or below the target. */
	const struct hv_siblings *siblings;
	/* Of the attachments before: their volumes; of the one that is mounted, or of the first,
	 * what was made for it, and where; or NULL. */
	struct hv_texts volumes_before;
	bool is_mounted_before;
	char *made_before;
	char *path_before;
	struct mc_attach *mount;
	bool is_mounted;    /* the mount was made, whatever came after */
	bool is_waited_for; /* perhaps: an attachment of the container is not there yet */
	bool is_outdated;   /* the volume is not any more what was read of it */
};

/* Check the request and clean its parts.  Returns HV_OK, HV_BAD_REQUEST, HV_TARGET_REFUSED,
 * HV_UNSUPPORTED. */
enum hv_code hv_attempt_read(struct hv_attempt *attempt, struct hv_error *err);

/* The steps of an attach up to the mount itself, for attach.c and check.c.  Nothing is changed. */
enum hv_code hv_attempt_find_volume(struct hv_attempt *attempt, struct hv_error *err);
enum hv_code hv_attempt_fill(struct hv_attempt *attempt, struct hv_error *err);
enum hv_code hv_attempt_prepare(struct hv_attempt *attempt, struct hv_error *err);
void hv_attempt_done(struct hv_attempt *attempt);

/* What of the record the container decides: owners, set-user-ID bits; which start it is of. */
enum hv_code hv_attempt_fit(struct hv_attempt *attempt, struct hv_error *err);

/* Of the prepared mount: a sentence for each process that goes on using what it covers, for what is
 * in the directory that it covers, for each mount below its target that it hides, and for each
 * attachment that is put on top of it (hidden.c).  What cannot be told is left out. */
void hv_attempt_find_hidden(struct hv_attempt *attempt, struct hv_texts *ret);

/* Copy what the prepared mount, or the committed one (`is_mounted`), tells into the record. */
enum hv_code hv_attempt_fill_mount(
	struct hv_attempt *attempt, bool is_mounted, struct hv_error *err);

/* Make the prepared mount; fills the record.  What fails leaves no mount. */
enum hv_code hv_attempt_mount(struct hv_attempt *attempt, struct hv_error *err);

/* Whether the process that was identified still runs: a container that restarted has another. */
enum hv_code hv_target_check_alive(const struct hv_target *target, struct hv_error *err);

/* HV_CONTAINER_CHANGED and its sentence. */
enum hv_code hv_target_fail_changed(const struct hv_target *target, struct hv_error *err);

/* What is recorded at the target already (recorded.c): is it the one asked for, is it in the way,
 * or is it only a memory, which the new one is to replace?  HV_OK: go on.  HV_TARGET_EXISTS with an
 * empty error: it was asked for before, and is in `ret`. */
enum hv_code hv_attempt_check_recorded(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err);

/* The same for the place that the target's symlinks lead to, once the mount is prepared. */
enum hv_code hv_attempt_check_resolved(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err);

/* Attach what a record wants to the container that runs, whose lock is held (again.c); `siblings`
 * are the records of that container, or NULL: none of them is at or below the target.  The record
 * says what came of it; when it failed that is "pending", with the reason. */
enum hv_code hv_attach_again(struct hv_attacher *attacher, const struct hv_target *target,
	const struct hv_siblings *siblings, struct hv_record *record, struct hv_error *err);

/* The same for one that was taken out only for a moment: how late it was is not changed. */
enum hv_code hv_attach_back(struct hv_attacher *attacher, const struct hv_target *target,
	struct hv_record *record, struct hv_error *err);

/* How long ago the container's program began, in milliseconds: by the Engine's word, or since a
 * hold has ended; at least 1, and 0 while its start is held. */
long long hv_target_late_ms(const struct hv_target *target);

/* Whether what an attachment of the volume `name` and a subpath ("" or NULL: none) is made of is
 * there, as far as the host alone can tell (restart.c).  Returns HV_OK, or why it is not. */
enum hv_code hv_volume_check_ready(
	struct hv_attacher *attacher, const char *name, const char *subpath, struct hv_error *err);

/* Make true what is wanted for a container whose start is held, and refuse the start if it lacks
 * what it requires (repair.c).  Returns as hv_attachments_start(). */
enum hv_code hv_target_repair(struct hv_attacher *attacher, const struct hv_target *target,
	struct hv_repaired *ret, struct hv_error *err);

/* Tell the end of an attachment that nobody asked for: its record was dropped. */
void hv_record_tell_end(struct hv_attacher *attacher, const struct hv_record *record);

/* Forget the record of an attachment that is over, and tell its end. */
enum hv_code hv_record_drop_over(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err);

/* Bring a finished record up to what the kernel says, on disk too.  `sight`: as for
 * hv_attachment_refresh_in(). */
enum hv_code hv_record_look(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_record *record, struct hv_repaired *ret, struct hv_error *err);

/* Open the mount namespace that a record was made in.  Asks the kernel only.
 * Returns HV_OK; HV_NOT_RUNNING, with no sentence, when that process has ended or is another one
 * now; HV_INTERNAL when it cannot be told. */
enum hv_code hv_record_open_ns(struct hv_attacher *attacher, const struct hv_record *record,
	struct mc_ns *ret, struct hv_error *err);

/* The place of a mount namespace. */
struct mc_place hv_place_of(const struct mc_ns *ns);

/* The path on the host of what is attached, subpath included. */
void hv_full_source(const struct hv_attachment *view, char ret[static PATH_MAX]);

/* Unmount what a record stands for, wherever it is in its namespace now, and remove what was made
 * for it, and its leftovers, where that may be done.  HV_OK also when it is gone already. Refreshes
 * the record first. */
enum hv_code hv_record_unmount(
	struct hv_attacher *attacher, struct hv_record *record, bool lazy, struct hv_error *err);

/* An attach that was begun and never acknowledged is brought to an end, whatever it came to: if its
 * mount stands at its place, it is an attachment; if not, what it made is removed.  One that was to
 * replace a mount that is gone is attached again, since that is what is left to do.  With the
 * container held. */
enum hv_code hv_record_settle(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err);

/* A detach that was begun and never answered: where the mount stands it has not been; anywhere else
 * it is brought to its end, and counted as dropped; of is_ending_volume the volume is left to do.
 * With the container held. */
enum hv_code hv_record_settle_end(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err);

/* The same, but what was made stays, and stays known. */
enum hv_code hv_record_lift(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err);

/* Forget the record of an attachment.  What it leaves goes to an heir with the same commit. */
enum hv_code hv_record_drop(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err);

/* Forget the record of an attachment that was unmounted; with is_ending_volume its volume too. */
enum hv_code hv_record_end(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err);

/* Detach strictly for the volume's removal, which is begun (HV_REMOVING) with the same commit
 * unless something else keeps it. */
enum hv_code hv_detach_with_volume(
	struct hv_attacher *attacher, const char *id, struct hv_error *err);

/* "covered", by that mount of its container (cover.c). */
enum hv_code hv_record_set_covered(struct hv_attacher *attacher, struct hv_record *record,
	const struct mc_mount *cover, struct hv_error *err);

/* Fail with `code`, because the record, refreshed just now, is "covered". */
enum hv_code hv_record_fail_covered(struct hv_attacher *attacher, const struct hv_record *record,
	enum hv_code code, struct hv_error *err);

/* Whether its mount stands, as far as the record says. */
bool hv_record_is_mounted(const struct hv_record *record);

/* Whether it ended with the container's process, which it was wanted for. */
bool hv_record_is_over(const struct hv_record *record);

/* The process it was attached to has ended, and the mount with it: "pending". */
enum hv_code hv_record_forget_mount(struct hv_record *record, struct hv_error *err);

/* Set the state and the problem, borrowed, of a record's view. */
enum hv_code hv_record_set_state(
	struct hv_record *record, const char *state, const char *problem, struct hv_error *err);

/* Set the state and the problem of a record's view from the kernel's mount table, now. */
enum hv_code hv_attachment_refresh(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err);

/* The same from the table in `sight`, which is read first if it is of another container or start:
 * records are best given container by container.  Release with hv_sight_done(). */
enum hv_code hv_attachment_refresh_in(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_record *record, struct hv_error *err);
void hv_sight_done(struct hv_sight *sight);

/* What has become of the path that an attachment was made of. */
enum hv_source_kind {
	HV_SOURCE_SAME,     /* it leads to what is mounted */
	HV_SOURCE_REPLACED, /* to another directory or file, or to one with other mounts in it */
	HV_SOURCE_GONE,     /* nowhere, or to what cannot be opened */
	HV_SOURCE_DEAD,     /* to a file system that does not answer */
};

/* Zeroed at first; hv_source_change_done() it. */
struct hv_source_change {
	enum hv_source_kind kind;
	char *text; /* "PATH is not there any more"; NULL: the same */
};
void hv_source_change_done(struct hv_source_change *change);

/* Compare a record whose mount stands, by the table in `sight`, with its source (source.c).  A
 * server is waited for as for an attach; with `is_look` not so long, and once for all.
 * Returns HV_OK with `ret`, or why it cannot be told. */
enum hv_code hv_record_check_source(struct hv_attacher *attacher, const struct hv_sight *sight,
	const struct hv_record *record, bool is_look, struct hv_source_change *ret,
	struct hv_error *err);

/* Look, and tell the change in the record's problem: "source-replaced: …", "source-dead: …". */
enum hv_code hv_record_note_source(struct hv_attacher *attacher, const struct hv_sight *sight,
	struct hv_record *record, struct hv_error *err);

/* The code and the sentence for who attaches it again without replacing it. */
enum hv_code hv_source_refuse(const struct hv_record *record, const struct hv_source_change *change,
	struct hv_error *err);

/* The directories made, as the store keeps them ("dev:ino dev:ino"): those that were made now, at
 * the end of the same path as those of `before` (may be NULL).  What was made for a container stays
 * in its writable layer when it stops, with its inode.  Owned; NULL on ENOMEM. */
char *hv_made_join(const char *before, const struct mc_made *now);
void hv_made_parse(const char *text, struct mc_made *ret);

/* Leftovers (leftover.c): what was made for attachments and is not removed yet.  Add to an owned
 * list (NULL: empty) what was made for a record, and its leftovers. */
enum hv_code hv_leftovers_add(char **list, const struct hv_record *record, struct hv_error *err);

/* Take out of what is to be removed with a record what is in the list `kept`, which stays. */
enum hv_code hv_leftovers_leave(struct hv_record *record, const char *kept, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Behind an unmount, which left `left` of what was made for the record: remove its leftovers too,
 * where that may be done; what stays of all is its leftovers then. */
enum hv_code hv_leftovers_remove(struct hv_attacher *attacher, const struct mc_place *place,
	const struct mc_made *left, struct hv_record *record, struct hv_error *err);

/* Who gets the leftovers of a record that ends. */
struct hv_inheritance {
	char *id;        /* owned; NULL: nobody, or there are none */
	char *leftovers; /* owned; all of the heir's then */
};

/* Find it: an attachment of the same container, which is held, that keeps one of them from being
 * removed.  Zeroed at first; hv_inheritance_done() either way. */
enum hv_code hv_inheritance_find(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_inheritance *ret, struct hv_error *err);
void hv_inheritance_done(struct hv_inheritance *inheritance);

/* Whether a record of the container waits to be attached to it. */
bool hv_siblings_wait(const struct hv_siblings *siblings);

/* Take out those that the record replaces and that stand all the same: it was put beneath one, or
 * one was renamed away inside.  Both are of a container that is held. */
enum hv_code hv_record_end_replaced(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err);

/* Fail because a directory of `path`, in the container of `record`, is missing and lies on a mount
 * that is read-only: `err` is replaced by which one (cover.c).  Left as it is for the root. */
enum hv_code hv_record_fail_read_only(struct hv_attacher *attacher, const struct hv_record *record,
	const struct mc_ns *ns, struct hv_error *err);

/* How long the Engine may take to answer one request. */
enum {
	HV_ENGINE_TIMEOUT_MS = 10000,
	HV_ENGINE_TIMEOUT_REMOVE_MS = 2000,
	HV_ENGINE_TIMEOUT_WHO_MS = 2000,
	HV_ENGINE_TIMEOUT_START_MS = 60000,
};

#endif

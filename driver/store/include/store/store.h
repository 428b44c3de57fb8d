/* SPDX-License-Identifier: Apache-2.0 */
/* The durable records: volumes, attachments, Mount references.  One SQLite file.
 *
 * Every call that changes something is one transaction.  Those of volumes and attachments are on
 * disk when the call returns (synchronous=FULL).  Those of Mount references survive the death of
 * the process but not of the machine: after that no mount is left to refer to.
 * All functions may be called from any thread.  "denied by the disk" below is HV_STATE_UNREADABLE:
 * SQLite could not read or write, or a row has a value that no version of hostvol writes, and the
 * sentence says why. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/action.h"
#include "wire/error.h"
#include "wire/json.h"
#include "wire/types.h"

struct hv_store;

/* Open or create <directory>/hostvol.db and take it for this process alone.
 * Returns HV_OK, or HV_STATE_UNREADABLE: not there, not a database, of a newer version, in use by
 * another daemon.  Close with hv_store_close().
 * Source: sqlite.org/pragma.html (locking_mode, synchronous, user_version), sqlite.org/wal.html. */
enum hv_code hv_store_open(const char *directory, struct hv_store **ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* NULL is ignored. */
void hv_store_close(struct hv_store *store);

/* --- volumes --- */

/* Record a new volume, in the phase that it has.  Survives the machine at once, but for one with
 * the option attach: that does with the next durable commit, which its attachment makes. Returns
 * HV_OK, HV_VOLUME_EXISTS, or denied by the disk. */
enum hv_code hv_store_volume_add(struct hv_store *store, const struct hv_volume *volume,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Read a volume.  The caller frees `ret` with hv_volume_done() whatever is returned.
 * Returns HV_OK, HV_NO_SUCH_VOLUME, or denied by the disk. */
enum hv_code hv_store_volume_get(struct hv_store *store, const char *name, struct hv_volume *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Read all volumes, by name.  The caller frees `ret` with hv_store_volumes_free().  A volume of a
 * phase that no version of hostvol writes is in it as HV_DAMAGED, also in
 * hv_store_volume_unfinished(): its data is somebody's.  hv_store_volume_get() refuses it. */
enum hv_code hv_store_volume_list(struct hv_store *store, struct hv_volume **ret, size_t *ret_count,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));
void hv_store_volumes_free(struct hv_volume *volumes, size_t count);

/* Whether the lists met no HV_DAMAGED volume, from memory: the last list of all volumes, and those
 * of the unfinished ones since.  Returns HV_OK, or HV_STATE_UNREADABLE with the sentence about the
 * first one. */
enum hv_code hv_store_volume_tell_damage(struct hv_store *store, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The name of a volume that has the option `key` with that value; NULL if none has.  Owned by the
 * caller. */
enum hv_code hv_store_volume_with_opt(struct hv_store *store, const char *key, const char *value,
	char **ret_name, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The names of all volumes that have the option `key`, appended to `ret`, which the caller frees
 * with hv_texts_done() either way. */
enum hv_code hv_store_volumes_with_opt(struct hv_store *store, const char *key,
	struct hv_texts *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Change a volume's phase.  In HV_REMOVING and HV_VOLUME_CREATING get and list do not know it.
 * HV_ATTACHING survives the machine with the next durable commit only.  Returns HV_OK or denied by
 * the disk. */
enum hv_code hv_store_volume_set_phase(struct hv_store *store, const char *name,
	enum hv_phase phase, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The directories of a volume in HV_VOLUME_CREATING are made: write its phase and which inode it
 * is. Durable as hv_store_volume_set_phase(). */
enum hv_code hv_store_volume_made(struct hv_store *store, const struct hv_volume *volume,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Write the options of a volume that is there, and whether it is read-only.  Returns HV_OK or
 * denied by the disk, and then nothing was changed. */
enum hv_code hv_store_volume_set_opts(struct hv_store *store, const struct hv_volume *volume,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Forget a volume that is in any phase but HV_VOLUME_READY.  After a power cut it may be there
 * again. */
enum hv_code hv_store_volume_forget(struct hv_store *store, const char *name, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The volumes in any phase but HV_VOLUME_READY. */
enum hv_code hv_store_volume_unfinished(struct hv_store *store, struct hv_volume **ret,
	size_t *ret_count, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The directory `from`, where hostvol keeps its own data, is at `to` now: move the sources in it of
 * all volumes of these kinds (",a,b,"), and of their attachments. */
enum hv_code hv_store_move(struct hv_store *store, const char *from, const char *to,
	const char *kinds, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* --- attachments --- */

/* How an attachment is made where something is mounted at its target; the numbers are in the store.
 */
enum hv_replace {
	HV_REPLACE_NO,
	HV_REPLACE_ATOMIC,
	HV_REPLACE_NONATOMIC,
	HV_REPLACE_LAST = HV_REPLACE_NONATOMIC,
};

/* Whether the last start of an attachment's container was refused for the lack of it; the numbers
 * are in the store. */
enum hv_refusal {
	HV_REFUSAL_NONE,
	HV_REFUSAL_NEW, /* it was; whether the container is to be started again is not decided */
	HV_REFUSAL_AWAITED, /* the container is started again when this can be attached */
	HV_REFUSAL_LAST = HV_REFUSAL_AWAITED,
};

/* The kind of view.problem; the numbers are in the store. */
enum hv_problem {
	HV_PROBLEM_NONE,
	HV_PROBLEM_FAILED,    /* it could not be attached, or not be looked at */
	HV_PROBLEM_REFUSED,   /* it is required, and its container's start was refused, or not */
	HV_PROBLEM_WAITING,   /* it would be below one that is not there */
	HV_PROBLEM_UNMOUNTED, /* inside the container */
	HV_PROBLEM_RENAMED,   /* its directory was, inside the container */
	HV_PROBLEM_COVERED,   /* by another mount */
	HV_PROBLEM_SOURCE,    /* its path leads to something else now, or to nothing */
	HV_PROBLEM_DOUBTED,   /* the Engine does not know the container, and is not believed */
	HV_PROBLEM_LEASE,     /* its lease is over, and it cannot be detached yet */
	HV_PROBLEM_FOLLOW, /* it cannot become what its path leads to now, or is not told of that */
	HV_PROBLEM_LAST = HV_PROBLEM_FOLLOW,
};

/* The mount that another one takes the place of, in one attachment. */
struct hv_former {
	uint64_t mount_id;     /* these as in the record */
	uint64_t mountinfo_id; /* 0: there is none */
	uint64_t root_dev;
	uint64_t root_ino;
	bool is_mapped; /* these as in its view */
	bool no_suid;
	char *source; /* owned */
};

/* A wanted attachment, with what is needed to make it and to find its mount again.  Strings are
 * owned. */
struct hv_record {
	struct hv_attachment view; /* state and problem are the last known ones */
	enum hv_problem problem;   /* HV_PROBLEM_NONE: view.problem is NULL */
	bool is_done;              /* false: an intent, never acknowledged */
	/* As requested; the view has the result. */
	bool mkdir;
	bool may_map;
	bool must_map;           /* for any owner of the volume's directory */
	bool from_volume_option; /* the volume's option attach: removing the volume ends it */
	bool is_suid_explicit;   /* view.no_suid is as asked for, and not for the owners' sake */
	bool is_borrowed;        /* not on disk: its volume exists for attachments only */
	enum hv_replace replace;
	enum hv_refusal refusal; /* of one that is required */
	bool is_back; /* not stored: it was taken out only for a moment, and is made again */
	/* Not stored: as looked at last, a mount that the host made on its source is on top. */
	bool is_passed_on;
	/* A detach was begun: if the mount is gone, that is why. */
	bool is_ending;
	bool is_ending_volume; /* and the volume is to be removed with it */
	/* The start of the container that it was attached to last, and its mount then. */
	char *started_at;  /* as the Engine wrote it; NULL: none yet, or not known */
	long long pid;     /* the container's init; 0: no mount */
	uint64_t ns_ino;   /* inode of its mount namespace */
	char *path;        /* the mountpoint inside, symlinks resolved */
	uint64_t mount_id; /* in state "pending": of a mount that was about to be made */
	uint64_t mountinfo_id;
	uint64_t root_dev; /* of what is mounted; with root_ino 0: not known */
	uint64_t root_ino;
	/* Of one that follows its path, while its mount is replaced: the one before. */
	struct hv_former former;
	char *made; /* the paths created for it, in the form of driver/attach */
	/* Which Engine answered for its container last (engine/engine.h); NULL: not known. */
	char *engine;
	char *replaces; /* IDs of the attachments that were at its target, blanks between; or NULL
			 */
	/* The paths created for ended attachments or for attachments hidden by this one, to be
	 * deleted with this one, in the form of driver/attach; NULL: none. */
	char *leftovers;
};

/* Write a new attachment by view.id: an intent, or one to be made at a later start (`is_done`).  In
 * the same commit, one with `is_done` takes the place of the attachments in record->replaces, and
 * its volume, if that waits for it (HV_ATTACHING), becomes HV_VOLUME_READY.  HV_NO_SUCH_VOLUME:
 * with is_borrowed, its volume went with another attachment. */
enum hv_code hv_store_attachment_put(struct hv_store *store, const struct hv_record *record,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Finish an intent (`is_done`), with the same effects, or write durably the data that
 * hv_store_attachment_note() writes.  Returns HV_NO_SUCH_ATTACHMENT if it was deleted meanwhile: it
 * stays so. */
enum hv_code hv_store_attachment_update(struct hv_store *store, const struct hv_record *record,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Write the changes of an attachment: its mount, its state, its lease, the container's name.  A
 * deleted one stays deleted.  Survives the process, not the machine: no mount does. */
enum hv_code hv_store_attachment_note(struct hv_store *store, const struct hv_record *record,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The same of one whose mount was just replaced, since its path leads elsewhere: with the event,
 * and with the source of a volume that exists for attachments only, if all of those follow. */
enum hv_code hv_store_attachment_followed(struct hv_store *store, const struct hv_record *record,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The next of the IDs in record->replaces, which `at` points to at first; cut if it is longer than
 * any.  Returns false at the end. */
enum { HV_RECORD_ID_SIZE = 64 };
bool hv_record_next_replaced(const char **at, char ret[static HV_RECORD_ID_SIZE])
	__attribute__((nonnull));

/* Whether the record takes the place of the one with this ID. */
bool hv_record_replaces(const struct hv_record *record, const char *id) __attribute__((nonnull));

/* An attachment, and its `leftovers` from now on; borrowed. */
struct hv_heir {
	const char *id;
	const char *leftovers;
};

/* Write the leftovers of an attachment, which hv_store_attachment_note() and
 * hv_store_attachment_update() leave as they are.  Survives as a note does. */
enum hv_code hv_store_attachment_leave(struct hv_store *store, const struct hv_heir *heir,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Delete an attachment, which was detached; a missing one is no error.  `heir` (may be NULL) is
 * written in the same commit, and a volume that exists for attachments only is deleted with its
 * last one. */
enum hv_code hv_store_attachment_drop(
	struct hv_store *store, const char *id, const struct hv_heir *heir, struct hv_error *err)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/* The same of one that ended with its container or its start. */
enum hv_code hv_store_attachment_drop_over(
	struct hv_store *store, const char *id, const struct hv_heir *heir, struct hv_error *err)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/* The same of one that was detached because its lease is over, which it had. */
enum hv_code hv_store_attachment_drop_expired(struct hv_store *store,
	const struct hv_attachment *view, const struct hv_heir *heir, struct hv_error *err)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/* Delete an attachment and, in the same commit, put its volume into HV_REMOVING, unless that has
 * another attachment or an alias: then it stays. */
enum hv_code hv_store_attachment_drop_with_volume(struct hv_store *store, const char *id,
	const char *volume, const struct hv_heir *heir, struct hv_error *err)
	__attribute__((nonnull(1, 2, 3, 5), warn_unused_result));

/* The machine runs since the boot of this ID.  If that is another than it was: no attachment has a
 * mount any more, all are "pending". */
enum hv_code hv_store_attachment_boot(struct hv_store *store, const char *boot_id,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Which attachments to read; a NULL member matches all. */
struct hv_record_filter {
	const char *id;
	const char *volume;
	const char *container_id;
	const char *rule; /* alone */
};

/* A list of records, owned. */
struct hv_records {
	struct hv_record *items;
	size_t count;
};

/* Iterate over them: the first after NULL, and NULL after the last. */
static inline struct hv_record *hv_records_next(
	const struct hv_records *records, const struct hv_record *record)
{
	size_t at = record ? (size_t)(record - records->items) + 1 : 0;

	return at < records->count ? &records->items[at] : NULL;
}

void hv_records_done(struct hv_records *records) __attribute__((nonnull));
#define hv_auto_records HV_AUTO(hv_records_done)

/* Read attachments, oldest first, intents included.  Free with hv_records_done().  One whose record
 * is damaged is left out; asked for by its volume or its ID it is HV_STATE_UNREADABLE. */
enum hv_code hv_store_attachment_list(struct hv_store *store, const struct hv_record_filter *filter,
	struct hv_records *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Whether a volume has an attachment, also a damaged one. */
enum hv_code hv_store_volume_is_attached(struct hv_store *store, const char *volume, bool *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The same of an attachment or a rule. */
enum hv_code hv_store_volume_is_wanted(struct hv_store *store, const char *volume, bool *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Whether the lists left no damaged record out, from memory: the last list of all attachments, and
 * those of containers since, and the last list of all rules.  Returns HV_OK, or HV_STATE_UNREADABLE
 * with the sentence about the first one. */
enum hv_code hv_store_attachment_tell_damage(struct hv_store *store, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* A container that has attachments. */
struct hv_store_container {
	char *id;
	bool is_attached; /* each of them has a process, as far as it is known */
};

/* Read all of these, sorted by ID.  Free with hv_store_containers_free(). */
enum hv_code hv_store_attachment_containers(struct hv_store *store, struct hv_store_container **ret,
	size_t *ret_count, struct hv_error *err) __attribute__((nonnull, warn_unused_result));
void hv_store_containers_free(struct hv_store_container *containers, size_t count);

void hv_record_done(struct hv_record *record) __attribute__((nonnull));
#define hv_auto_record HV_AUTO(hv_record_done)

/* --- rules --- */

/* An attachment that is wanted in each container that is selected.  Strings are owned. */
struct hv_rule_record {
	char *id;       /* 12 hex digits */
	char *selector; /* wire/selector.h */
	char *volume;
	char *target;
	char *request;           /* of the attach, without the container: JSON */
	char *since;             /* RFC 3339, UTC */
	bool from_volume_option; /* the volume's option attach: removing the volume ends it */
};

struct hv_rule_records {
	struct hv_rule_record *items;
	size_t count;
};

/* Write a new rule.  In the same commit its volume, if it is the volume's own and that waits for it
 * (HV_ATTACHING), becomes HV_VOLUME_READY. */
enum hv_code hv_store_rule_add(struct hv_store *store, const struct hv_rule_record *rule,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* A volume whose own rule ends, and its phase from then on: HV_ATTACHING; HV_REMOVING, unless
 * something else keeps it; HV_VOLUME_READY: as it is. */
struct hv_rule_fate {
	const char *name;
	enum hv_phase phase;
};

/* Delete a rule; a missing one is no error.  In the same commit `volume` (may be NULL) gets its
 * phase. */
enum hv_code hv_store_rule_drop(struct hv_store *store, const char *id,
	const struct hv_rule_fate *volume, struct hv_error *err)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/* Write a rule as it is.  An end of it that failed cannot come back after a crash from then on. */
enum hv_code hv_store_rule_keep(struct hv_store *store, const char *id, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Read the rules of `volume` (NULL: of all volumes), oldest first.  Free with
 * hv_rule_records_done().  Of all, one whose row is damaged is left out. */
enum hv_code hv_store_rule_list(struct hv_store *store, const char *volume,
	struct hv_rule_records *ret, struct hv_error *err)
	__attribute__((nonnull(1, 3, 4), warn_unused_result));

/* Write that the attachment of this ID is of no rule any more. */
enum hv_code hv_store_rule_release(struct hv_store *store, const char *id, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Copy a rule.  Returns HV_OK, or HV_INTERNAL with nothing to free. */
enum hv_code hv_rule_record_copy(const struct hv_rule_record *rule, struct hv_rule_record *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

void hv_rule_record_done(struct hv_rule_record *rule) __attribute__((nonnull));
#define hv_auto_rule_record HV_AUTO(hv_rule_record_done)
void hv_rule_records_done(struct hv_rule_records *rules) __attribute__((nonnull));
#define hv_auto_rule_records HV_AUTO(hv_rule_records_done)

/* --- roots --- */

/* Note a directory in which a runtime keeps its containers, so that it is known before one of them
 * runs; a second note is no error.  Returns HV_OK or the failure of the disk. */
enum hv_code hv_store_root_add(struct hv_store *store, const char *path, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* All of them, appended to `ret`, which the caller frees with hv_texts_done() either way. */
enum hv_code hv_store_root_list(struct hv_store *store, struct hv_texts *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* --- events --- */

/* A change of an acknowledged attachment is an event, which is written in the transaction of the
 * change: hv_store_attachment_put(), _update(), _note() and _drop() compare with the record before.
 * The last HV_EVENTS_MAX are kept. */
enum { HV_EVENTS_MAX = 1000 };

struct hv_event_filter {
	long long after;    /* with a higher number */
	long long since_ns; /* since 1970 */
	long long until_ns;
	long long limit;
};

/* Read events, oldest first.  The caller frees `ret` with hv_events_done() either way.
 * Returns HV_OK or denied by the disk. */
enum hv_code hv_store_event_list(struct hv_store *store, const struct hv_event_filter *filter,
	struct hv_events *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Write an event of a volume, which is of no attachment. */
enum hv_code hv_store_event_add_volume(struct hv_store *store, const char *volume,
	enum hv_action action, const char *detail, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Call `on_event` after each change that wrote an event, from its thread or another one's that was
 * committed with it, and without a lock; sometimes also if it wrote none.  `context` is borrowed
 * for as long as events are made. */
void hv_store_listen(struct hv_store *store, void (*on_event)(void *context), void *context)
	__attribute__((nonnull(1)));

/* --- counts --- */

struct hv_store_counts {
	unsigned long long volumes;
	/* Of attachments that were acknowledged, by the last known state. */
	unsigned long long attachments[HV_STATE_COUNT];
};

/* Count the records, in one statement.  Returns HV_OK or denied by the disk. */
enum hv_code hv_store_count(struct hv_store *store, struct hv_store_counts *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* --- Mount references --- */

/* Add `change` (1 or -1) to the count that `volume` has for the Engine's mount `id`, and give the
 * number of references left in `ret_total`.  A count never goes below 0: an unknown id is fine. */
enum hv_code hv_store_ref_change(struct hv_store *store, const char *volume, const char *id,
	int change, long long *ret_total, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* How many references there are to `volume`. */
enum hv_code hv_store_ref_total(struct hv_store *store, const char *volume, long long *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Whether anything uses the data at `source`: a reference or an attachment, of whatever volume. */
enum hv_code hv_store_source_is_used(struct hv_store *store, const char *source, bool *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Forget every reference to `volume`. */
enum hv_code hv_store_ref_clear(struct hv_store *store, const char *volume, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* --- Mounts for Docker --- */

enum { HV_MOUNTED_MAX = 8 };

/* The root directories of the mounts that hostvol made at a volume's mountpoint: one, but while it
 * is being replaced, or after a crash then. */
struct hv_mounted_roots {
	size_t count;
	struct {
		unsigned long long dev; /* makedev() */
		unsigned long long ino; /* 0: not known, matches any */
	} items[HV_MOUNTED_MAX];
};

/* The roots recorded for `volume`. */
enum hv_code hv_store_mounted_get(struct hv_store *store, const char *volume,
	struct hv_mounted_roots *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Record these instead: before a mount is made, and when one is gone.  Kept over a SIGKILL; a
 * machine that stops takes the mounts with it. */
enum hv_code hv_store_mounted_set(struct hv_store *store, const char *volume,
	const struct hv_mounted_roots *roots, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif

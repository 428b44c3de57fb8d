/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of volumes, for `docker volume` and `docker run -v`. */
#ifndef VOLUME_VOLUME_H
#define VOLUME_VOLUME_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mountcore/attr.h"
#include "mountcore/fs.h"
#include "volume/keylock.h"
#include "wire/as.h"
#include "wire/error.h"
#include "wire/selector.h"
#include "wire/types.h"

struct mc_core;

struct hv_store;

struct hv_volume_ref;
struct hv_volume_kind;
struct hv_volumes;

/* The kinds of volumes that there are; NULL ends. */
extern const struct hv_volume_kind *const hv_volume_kinds[];

struct hv_volumes_args {
	struct mc_core *core;
	const struct hv_volume_kind *const *kinds; /* hv_volume_kinds; NULL ends */
	const char *mount_root;   /* Docker's mountpoints are below it; no symlink in the path;
				   * propagates to the host */
	const char *const *allow; /* directories that `path` may be in, clean; NULL ends */
	/* Called when the host does not see the mounts, and cannot be made to; may be NULL.  Any
	 * thread. */
	void (*on_lost)(void *context);
	void *context;
};

/* The object of all volumes; the objects and strings in `args` are borrowed.  It has no records
 * before hv_volumes_open().  Free with hv_volumes_free().  NULL on ENOMEM. */
struct hv_volumes *hv_volumes_new(const struct hv_volumes_args *args)
	__attribute__((nonnull, warn_unused_result));

/* Close the records and the mount root as well; no other thread uses it any more.  NULL is
 * ignored. */
void hv_volumes_free(struct hv_volumes *volumes);

/* Call `on_change` with its name when a volume was created, changed or removed, from the thread
 * that did it; it may be called for one that stays as it was.  It must not wait.  Before any other
 * call; `context` is borrowed until hv_volumes_free(). */
void hv_volumes_listen(struct hv_volumes *volumes,
	void (*on_change)(void *context, const char *name), void *context)
	__attribute__((nonnull(1)));

/* Open the records in the state directory, before any call for a volume.  A directory without
 * records (hostvol.db) is taken if it has nothing of the name of a directory of hostvol's: that
 * would be taken for volumes, or deleted as trash.  Close with hv_volumes_close().
 * `state_host`: the directory's path on the host, symlinks resolved; `state_local`: as this process
 * reaches it; both are borrowed until hv_volumes_free().
 * Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_volumes_open(struct hv_volumes *volumes, const char *state_host,
	const char *state_local, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Whether each record of a volume made sense when all were read last, which hv_volumes_recover()
 * does too.  A damaged one costs its own volume only.  Reads nothing; any thread.
 * Returns HV_OK, or HV_STATE_UNREADABLE with the sentence about the first one that did not. */
enum hv_code hv_volumes_tell_damage(const struct hv_volumes *volumes, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Stop the thread that deletes data, which hv_volumes_recover() began, and close the records; may
 * be called without any open.  The next start deletes the rest.  No other thread uses `volumes`. */
void hv_volumes_close(struct hv_volumes *volumes) __attribute__((nonnull));

/* The open records, in which driver/attach keeps its own; borrowed.  NULL: none are open. */
struct hv_store *hv_volumes_store(const struct hv_volumes *volumes) __attribute__((nonnull));

/* The locks by volume name: a volume whose name is held is neither made nor changed nor removed by
 * anybody else. */
struct hv_keylock *hv_volumes_locks(struct hv_volumes *volumes) __attribute__((nonnull));

/* The user and group that are root in containers, by dockerd's --userns-remap; 0 at first: root.
 * Volumes of hostvol's own belong to them.  Any thread. */
void hv_volumes_set_remap(struct hv_volumes *volumes, uint32_t uid, uint32_t gid)
	__attribute__((nonnull));

/* Finish what a crash left: volumes that were being made or removed, references to mounts that are
 * gone, mounts that nothing refers to.  A volume that waits for its attachment stays while there is
 * an intent of that.  Data is deleted after it returns, by a thread.  Once, before anything else.
 * The symlinks in `allow` are resolved now; of a path that is not there yet, as far as it exists.
 * Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_volumes_recover(struct hv_volumes *volumes, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Volumes, in the order of their names; owned. */
struct hv_volume_list {
	struct hv_volume *items;
	size_t count;
};
#define hv_auto_volume_list HV_AUTO(hv_volume_list_done)
void hv_volume_list_done(struct hv_volume_list *list) __attribute__((nonnull));

/* Read a volume's record.  The caller frees `ret` with hv_volume_done() whatever is returned.
 * Returns HV_OK, HV_NO_SUCH_VOLUME or HV_STATE_UNREADABLE.  Any thread. */
enum hv_code hv_volume_get(struct hv_volumes *volumes, const char *name, struct hv_volume *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Read the records of all volumes, those in HV_ATTACHING included.  The caller frees a zeroed `ret`
 * with hv_volume_list_done() whatever is returned.
 * Returns HV_OK or HV_STATE_UNREADABLE.  Any thread. */
enum hv_code hv_volumes_list(struct hv_volumes *volumes, struct hv_volume_list *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* How many references the Engine has to a volume by hv_volume_mount(); 0 also if there is no such
 * volume.  Returns HV_OK or HV_STATE_UNREADABLE.  Any thread. */
enum hv_code hv_volume_references(struct hv_volumes *volumes, const char *name, long long *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Define a volume.  The same name with the same options again is fine.  With option attach the
 * volume is acknowledged (HV_ATTACHING) only by its attachment: the caller makes that, or calls
 * hv_volume_rollback().
 * Returns HV_OK, HV_BAD_REQUEST (name, options), HV_VOLUME_EXISTS (other options),
 * HV_SOURCE_MISSING, HV_SOURCE_REFUSED, HV_TIMEOUT, HV_STATE_UNREADABLE.  A failure leaves no
 * record and no directory. */
enum hv_code hv_volume_create(struct hv_volumes *volumes, const char *name,
	const struct hv_opts *opts, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Take back a volume that waits for its attachment (HV_ATTACHING) and has no intent of one any
 * more, with the directories made for it, if they are empty.  Any other stays. Returns HV_OK,
 * HV_NO_SUCH_VOLUME or HV_STATE_UNREADABLE. */
enum hv_code hv_volume_rollback(struct hv_volumes *volumes, const char *name, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The source of an attachment that is no volume of hostvol.  Strings are borrowed. */
struct hv_foreign {
	const char *name;   /* of a volume; of a directory of the host its clean path */
	const char *path;   /* of the data, absolute; symlinks in it are followed */
	bool mkdir;         /* make the missing directories of the path */
	const char *driver; /* of a volume; NULL: it is a directory of the host */
	const char *o;      /* options of the bind mount of a volume; NULL: none */
	bool is_mounted;    /* the data is there only while it is mounted at the path */
	bool follow;        /* it may have led elsewhere when another attachment was made */
};

/* Borrow such a source: find the volume that stands for it as long as it is attached, or record one
 * (HV_ATTACHING), which its first attachment acknowledges.  It is known to attachments only.  The
 * caller attaches it, or calls hv_volume_return().
 * `only_look`: record and make nothing; a volume that is not recorded has the phase
 * HV_VOLUME_CREATING. The caller frees `ret` with hv_volume_done() whatever is returned. Returns
 * HV_OK, HV_SOURCE_MISSING, HV_SOURCE_REFUSED (also: it is attached, and leads elsewhere now, or is
 * another volume now), HV_BAD_REQUEST (an unknown word in `o`), HV_TIMEOUT, HV_STATE_UNREADABLE.  A
 * failure leaves no record and no directory. */
enum hv_code hv_volume_borrow(struct hv_volumes *volumes, const struct hv_foreign *foreign,
	bool only_look, struct hv_volume *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Forget a borrowed volume that nothing is attached of, and, if nothing ever was, the directories
 * that were made for it, if they are empty.  Any other volume stays, and HV_OK.
 * Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_volume_return(struct hv_volumes *volumes, const char *name, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Whether a volume is borrowed. */
bool hv_volume_is_borrowed(const struct hv_volumes *volumes, const struct hv_volume *volume)
	__attribute__((nonnull));

/* Where option attach=CONTAINER:TARGET[:MODE] wants a volume; MODE as in wire/mode.h.  In place of
 * a container a selector may stand (wire/selector.h). */
struct hv_attach_place {
	bool is_selector;
	char container[HV_SELECTOR_MAX + 1];
	char target[PATH_MAX];
	bool read_only;
	bool required;
};

/* Read the option's value.  Returns HV_OK or HV_BAD_REQUEST. */
enum hv_code hv_volume_read_attach(const char *value, struct hv_attach_place *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Clean the path of something inside a volume: relative, without ".."; empty is the volume itself.
 * Text only: the kernel refuses symlinks that lead out of the volume.
 * Returns HV_OK or HV_BAD_REQUEST. */
enum hv_code hv_volume_read_subpath(const char *value, char ret[static PATH_MAX],
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Option require-mount, of the volume or of one that it is another name for: whether the source is
 * on a mount other than the root file system's, as it was when its disk was plugged in.  Returns
 * HV_OK also without the option;
 * HV_SOURCE_MISSING, HV_INTERNAL. */
enum hv_code hv_volume_check_mount(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Options as and o of a volume, or of one that it is another name for: the owner that its directory
 * appears to have, and whether set-user-ID bits count even so.
 * Returns HV_OK, HV_NO_SUCH_VOLUME, HV_UNSUPPORTED (a newer version of hostvol made it) or
 * HV_STATE_UNREADABLE.  Any thread. */
enum hv_code hv_volume_as(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_as *ret, bool *ret_keeps_suid, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Option follow: whether attachments of the volume follow its path, unless they say so themselves.
 * Returns HV_OK, HV_UNSUPPORTED (a newer version of hostvol made it).  Any thread. */
enum hv_code hv_volume_follows(struct hv_volumes *volumes, const struct hv_volume *volume,
	bool *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The path that was named for the directory of a volume, with its symlinks; or the directory
 * itself, if hostvol made it or the volume is another name for one. */
void hv_volume_asked(struct hv_volumes *volumes, const struct hv_volume *volume,
	char ret[static PATH_MAX]) __attribute__((nonnull));

/* Find the directory of a volume again, by that path as it leads now: volume->source becomes it.
 * The store is not changed.  A server that may not answer is waited for, with `is_look` as
 * mc_chain_walk() says.  Returns HV_OK, HV_SOURCE_MISSING (it leads nowhere), HV_SOURCE_REFUSED,
 * HV_TIMEOUT, HV_INTERNAL.  Any thread. */
enum hv_code hv_volume_follow(struct hv_volumes *volumes, struct hv_volume *volume, bool is_look,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The type of the file system at `path` (clean, no symlink in it) on the host, for a sentence; "?"
 * if it is not known.  Any thread. */
enum { HV_FSTYPE_SIZE = 64 };
void hv_volume_fstype(struct hv_volumes *volumes, const char *path, char ret[static HV_FSTYPE_SIZE])
	__attribute__((nonnull));

/* Whether nothing but attachments is in the way of a volume's removal: another volume that is a
 * second name (option from) for its data, or something that its data must not be deleted with
 * (option on-remove).  A volume that is not there is HV_OK.  For a caller that ends attachments
 * before it calls hv_volume_remove(), which makes the same checks.  `is_kept`: as there; recorded
 * after the checks, because a volume may be removed with its last attachment.
 * Returns HV_OK, HV_VOLUME_IN_USE, HV_SOURCE_REFUSED, HV_UNSUPPORTED (a newer version of hostvol
 * made it), HV_STATE_UNREADABLE. */
enum hv_code hv_volume_prepare_removal(struct hv_volumes *volumes, const char *name, bool is_kept,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Change options of a volume, whose data stays: uid, gid, mode, ro, as, require-mount, follow,
 * size, on-remove.  An empty value takes one away.
 * Returns HV_OK, HV_NO_SUCH_VOLUME, HV_BAD_REQUEST (an option that does not change, a value, or
 * ro=false of what is read-only for another reason), HV_VOLUME_IN_USE (ro or as, while somebody has
 * it otherwise), HV_SOURCE_MISSING (also: the mount that is required now), HV_SOURCE_REFUSED,
 * HV_UNSUPPORTED (size; or a newer version of hostvol made the volume), HV_STATE_UNREADABLE.  A
 * failure changes nothing. */
enum hv_code hv_volume_set(struct hv_volumes *volumes, const char *name, const struct hv_opts *opts,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Remove a volume: the data too when the directory is ours (it is in the trash then, and deleted by
 * a thread).  The caller has made sure that no attachment to a container that exists is left;
 * attachments are checked again under the lock.
 * Finishes the removal of one that is in HV_REMOVING.
 * `is_kept`: on-remove=keep is recorded first for a volume of hostvol's own that has data and says
 * nothing about it.
 * Returns HV_OK, HV_NO_SUCH_VOLUME, HV_VOLUME_IN_USE, HV_UNSUPPORTED (a newer version of hostvol
 * made it), HV_STATE_UNREADABLE, HV_INTERNAL. */
enum hv_code hv_volume_remove(struct hv_volumes *volumes, const char *name, bool is_kept,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Mount for the Engine's mount `id` and count the reference.  `client`: the process that asks, and
 * will look for it (0: not known).  `ret_mountpoint` is owned by the caller.
 * Returns HV_OK, HV_NO_SUCH_VOLUME, HV_SOURCE_MISSING, HV_INTERNAL (the client would not find it)
 * or another code of an attach.
 * Source: VolumeDriver.Mount of the Docker volume plugin protocol. */
enum hv_code hv_volume_mount(struct hv_volumes *volumes, const char *name, const char *id,
	pid_t client, char **ret_mountpoint, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Count the reference of `id` off; the mount goes with the last one.  An id or a volume that is not
 * known is fine: the Engine repeats itself. */
enum hv_code hv_volume_unmount(struct hv_volumes *volumes, const char *name, const char *id,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Delete the references of a volume that no container stands for, as the caller has found out, with
 * the mount for Docker, if there are still `references` of them: a reference that was added
 * meanwhile belongs to a container.
 * Returns HV_OK, HV_VOLUME_IN_USE (there are more or less by now), HV_STATE_UNREADABLE. */
enum hv_code hv_volume_forgive(struct hv_volumes *volumes, const char *name, long long references,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* A volume in hand: its directory is what it stands for while this lasts. */
struct hv_volume_ref {
	struct mc_attr attr;               /* of every mount of it, by option o */
	struct hv_as as;                   /* option as */
	bool keeps_suid;                   /* option o has suid: also with `as` */
	const struct hv_volume_kind *kind; /* that releases it; NULL: nothing is to be released */
	/* If it is a file system. */
	struct hv_volumes *volumes;
	char source[PATH_MAX];
	char type[MC_FS_TYPE_SIZE];
	char device[PATH_MAX];
	struct hv_volume_ref *next;
};

/* Take a volume in hand; a file system (option type) is mounted on the host now, if it is not.  It
 * stays so while it is in hand, referred to, or attached.  A zeroed `ret` is filled; it must stay
 * where it is until hv_volume_release(), which is to be called whatever is returned.
 * Returns HV_OK, HV_SOURCE_MISSING, HV_SOURCE_REFUSED, HV_UNSUPPORTED (the kernel has no such file
 * system, or a newer version of hostvol made the volume), HV_TIMEOUT.  Source: mount(2). */
enum hv_code hv_volume_acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Release the volume.  A `use` that holds none is ignored. */
void hv_volume_release(struct hv_volume_ref *use) __attribute__((nonnull));
#define hv_auto_volume_ref HV_AUTO(hv_volume_release)

/* An attachment or a reference is gone: unmount the volume's file system, if it was the last. */
void hv_volume_release_idle(struct hv_volumes *volumes, const char *name) __attribute__((nonnull));

/* Where a volume is mounted for Docker; owned by the caller, NULL on ENOMEM. */
char *hv_volume_mountpoint(const struct hv_volumes *volumes, const char *name)
	__attribute__((nonnull, warn_unused_result));

/* The directory that the volume's source must be reached from: the one of HOSTVOL_ALLOW that it is
 * in; NULL for a managed volume.  Borrowed.  For a source that is in none any more it is one that
 * nothing is below. */
const char *hv_volume_allowed_root(const struct hv_volumes *volumes, const struct hv_volume *volume)
	__attribute__((nonnull));

/* Now, as RFC 3339 in UTC; owned by the caller, NULL on ENOMEM. */
char *hv_time_rfc3339(void) __attribute__((warn_unused_result));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The object of all volumes, and volumes of the store by their names and by each other's. */
#ifndef VOLUME_VOLUMES_H
#define VOLUME_VOLUMES_H

#include <stdint.h>
#include <sys/types.h>

#include "store/store.h"
#include "volume/volume.h"

#include "trash.h"

struct mc_mount_root;

struct hv_volumes {
	struct mc_core *core;
	struct hv_store *store;                    /* NULL: it is not open */
	const struct hv_volume_kind *const *kinds; /* NULL ends */
	struct hv_keylock locks;                   /* by volume name */
	const char *state_host;  /* the state directory on the host, symlinks resolved */
	const char *state_local; /* the same directory as this process reaches it */
	struct {
		dev_t dev;
		ino_t ino; /* 0: not compared */
	} state_id;        /* of that directory, since hv_volumes_recover(): a disk that is mounted
			    * over it later is another one */
	const char *mount_root;
	struct mc_mount_root *root; /* that it propagates; NULL: it is the host's own directory */
	void (*on_lost)(void *context);
	void *lost_context;
	void (*on_change)(void *context, const char *name); /* hv_volumes_listen(); may be NULL */
	void *change_context;
	_Atomic uint32_t remap_uid, remap_gid; /* root in containers */
	struct hv_keylock fs_locks; /* by the directory that a file system is mounted on; taken
				     * after `locks` */
	struct hv_volume_ref *uses; /* with fs_locks.lock */
	struct hv_sweeper sweeper;  /* with locks.lock; zeroed at first */
	const char *const *allow;   /* directories that `path` may be in, clean; NULL ends */
	char **allow_real;          /* the same without symlinks, since hv_volumes_recover() */
};

/* As hv_store_volume_get(), of a volume that a caller names: a borrowed one is no such volume. */
enum hv_code hv_volume_find(
	struct hv_volumes *volumes, const char *name, struct hv_volume *ret, struct hv_error *err);

/* Tell the listener that a volume came, changed or went. */
void hv_volume_changed(const struct hv_volumes *volumes, const char *name);

/* Read the attachments of a volume. */
enum hv_code hv_volume_attachments(
	struct hv_volumes *volumes, const char *name, struct hv_records *ret, struct hv_error *err);

/* Go on from the volume at `at` to the one that it is another name of (option from), in `kept`,
 * which is zeroed or a volume to be freed, and may be at `at`.  `at` is NULL if there is no other.
 * Returns HV_OK, HV_NO_SUCH_VOLUME or HV_STATE_UNREADABLE. */
enum hv_code hv_volume_step(struct hv_volumes *volumes, const struct hv_volume **at,
	struct hv_volume *kept, struct hv_error *err);

/* The volume whose data an alias (option from) shows; `ret` is zeroed or a volume to be freed. */
enum hv_code hv_volume_origin(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume *ret, struct hv_error *err);

/* The kind of the volume whose data this one shows: its own kind, or its origin's.
 * HV_UNSUPPORTED: of a kind that is not known. */
enum hv_code hv_volume_data_kind(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct hv_volume_kind **ret, struct hv_error *err);

/* Whether another volume shows the data of this one (option from): HV_OK or HV_VOLUME_IN_USE.
 * `what` cannot be done then: "be removed". */
enum hv_code hv_volume_check_aliases(
	struct hv_volumes *volumes, const char *name, const char *what, struct hv_error *err);

/* The volume of this name that is in any phase but HV_VOLUME_READY; `ret->name` is NULL if there is
 * none. The caller frees it with hv_volume_done(), whatever is returned.  HV_UNSUPPORTED: there is
 * one, of a kind that is not known. */
enum hv_code hv_volume_find_unfinished(
	struct hv_volumes *volumes, const char *name, struct hv_volume *ret, struct hv_error *err);

#endif

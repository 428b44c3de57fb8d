/* SPDX-License-Identifier: Apache-2.0 */
/* The health of volumes: whether a volume could be used now, and will be for a while.
 *
 * Somebody looks again and again (daemon/checker.h); nothing here is on disk. */
#ifndef VOLUME_HEALTH_H
#define VOLUME_HEALTH_H

#include <stdint.h>

#include "volume/volume.h"

/* In the order in which one hides the next. */
enum hv_health {
	HV_HEALTH_UNKNOWN, /* it was not looked at yet */
	HV_HEALTH_GOOD,
	HV_HEALTH_SILENT,      /* its server does not answer */
	HV_HEALTH_DEAD,        /* its server has ended, its disk is gone */
	HV_HEALTH_UNMOUNTED,   /* the file system that it is on */
	HV_HEALTH_MISSING,     /* its directory, or the image or device of its file system */
	HV_HEALTH_REFUSED,     /* its directory cannot be opened for another reason */
	HV_HEALTH_REPLACED,    /* its directory, by another */
	HV_HEALTH_READ_ONLY,   /* its file system has become so */
	HV_HEALTH_NEARLY_FULL, /* its file system, in bytes or inodes */
	HV_HEALTH_COUNT,
	HV_HEALTH_PROBLEM = HV_HEALTH_SILENT, /* from here on */
};

/* So much is nearly full, in percent; it ends a percent below. */
enum { HV_NEARLY_FULL = 95 };

/* The word: "nearly-full".  Static.  Any thread. */
const char *hv_health_name(enum hv_health health);

/* A volume that is looked at, and the memory of the looks before. */
struct hv_checkup {
	struct hv_volume volume; /* owned, as all below */
	struct hv_texts devices; /* paths that its file system is mounted from */
	bool is_file_system;     /* mounted while it is used */
	bool requires_mount;     /* option require-mount */
	/* The directory as it was looked at first, or used since. */
	uint64_t dev; /* makedev() */
	uint64_t ino; /* 0: not known */
	uint64_t born_ns;
	char *mountpoint;         /* of the file system that it is on; NULL: not known */
	bool has_lasting_numbers; /* of inodes, the file system */
	bool is_writable;         /* the file system was */
	bool was_mounted;         /* the same, of one that is mounted while it is used */
	/* Of the last look. */
	enum hv_health health;
	struct hv_error problem; /* HV_OK: there is none */
};

/* Begin with a volume, which is taken over in any case.  Returns HV_OK, or, of an alias,
 * HV_NO_SUCH_VOLUME or HV_STATE_UNREADABLE: then there is nothing to be released. */
enum hv_code hv_checkup_init(struct hv_volumes *volumes, struct hv_volume *volume,
	struct hv_checkup *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));
void hv_checkup_done(struct hv_checkup *checkup) __attribute__((nonnull));

/* Take over what is known from looks at the same volume as it was before. */
void hv_checkup_inherit(struct hv_checkup *checkup, struct hv_checkup *before)
	__attribute__((nonnull));

/* The server that a look has to wait for; 0: none.  Those with the same may be looked at together.
 * Returns false if it is not to be looked at now: the look would have something mounted. */
bool hv_checkup_route(struct hv_volumes *volumes, const struct hv_checkup *checkup,
	uint64_t *ret_server) __attribute__((nonnull, warn_unused_result));

/* Look at volumes that wait for the same server, or for none, and judge their health.  After a
 * look that itself fails the health is as before.  Takes up to some seconds where one does not
 * answer. Any thread; a checkup is in one thread at a time. */
void hv_volumes_check(struct hv_volumes *volumes, struct hv_checkup *const *checkups, size_t count,
	uint64_t server) __attribute__((nonnull));

/* Write the event that a volume has a problem (`sentence`), or has none any more (NULL).
 * Returns HV_OK or denied by the disk.  Any thread. */
enum hv_code hv_volume_tell_health(struct hv_volumes *volumes, const char *name,
	const char *sentence, struct hv_error *err) __attribute__((nonnull(1, 2, 4)));

/* The volumes of which an event said last that they have a problem, appended to `ret`, which the
 * caller frees with hv_texts_done() either way. */
enum hv_code hv_volumes_ill_before(struct hv_volumes *volumes, struct hv_texts *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

#endif

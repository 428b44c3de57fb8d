/* SPDX-License-Identifier: Apache-2.0 */
/* The current state of an attachment, from the kernel. */
#ifndef ATTACH_OBSERVE_H
#define ATTACH_OBSERVE_H

#include "attach/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/mount_look.h"
#include "mountcore/ns.h"
#include "store/store.h"

/* A look at one container: its namespace, and its mount table as of its opening.  Records of the
 * same start share it. */
struct hv_sight {
	bool is_watched; /* its mounts are to be told from now on */
	long long pid;   /* the record's */
	struct mc_ns ns;
	struct mc_mount_look *looks; /* owned; at its mounts, without the table */
	size_t look_count;
	int mountinfo;            /* with is_watched: of its table, opened before that was read */
	struct mc_mounts *mounts; /* NULL: the table was not needed */
};
#define HV_SIGHT_NONE ((struct hv_sight){.ns = MC_NS_NONE, .mountinfo = MC_FD_NONE})

/* Set the state and the problem of a record's view from the kernel's mount table, now. */
enum hv_code hv_attachment_refresh(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err);

/* The same from the table in `sight`, which is read first if it is of another container or start:
 * records are best given container by container.  Release with hv_sight_done(). */
enum hv_code hv_attachment_refresh_in(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_record *record, struct hv_error *err);

/* Look at the mounts of records of one container at once, where the kernel can: a sure look needs
 * no table.  `records` are borrowed. */
void hv_sight_look(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_record *const *records, size_t count);

/* Have the table of the record's container in sight.  Returns as hv_record_open_ns(). */
enum hv_code hv_sight_open(struct hv_attacher *attacher, struct hv_sight *sight,
	const struct hv_record *record, struct hv_error *err);

/* Whether the mount of a record and the one that it replaces are in the table that was read last.
 */
enum hv_code hv_sight_has_former(struct hv_attacher *attacher, const struct hv_sight *sight,
	const struct hv_record *record, bool *ret_has_new, bool *ret_has_former,
	struct hv_error *err);

#define hv_auto_sight HV_AUTO(hv_sight_done)
void hv_sight_done(struct hv_sight *sight);

#endif

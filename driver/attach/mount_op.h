/* SPDX-License-Identifier: Apache-2.0 */
/* An attach on its way. */
#ifndef ATTACH_ATTEMPT_H
#define ATTACH_ATTEMPT_H

#include "container.h"
#include "siblings.h"

struct hv_mount_op {
	struct hv_attacher *attacher;
	const struct hv_attach_request *request;
	/* From the request (request.c). */
	char target[PATH_MAX];  /* clean */
	char subpath[PATH_MAX]; /* clean, relative; "" for none */
	char path[PATH_MAX];    /* of the host, clean; "": the source is a volume */
	bool may_map;           /* map owners if the container has a user namespace */
	bool must_map;          /* also if the volume's directory belongs to one of its users */
	struct hv_as as;        /* the owner to appear; none: as the volume says */
	bool only_check;        /* nothing is written */
	bool follow;            /* as asked for, or as the volume says */
	bool is_slave;          /* later mounts of the host below the source are to appear */
	bool is_following;      /* the mount of the record is replaced by the present source */
	/* Found on the way. */
	struct hv_volume volume;
	bool keeps_suid;          /* the volume's set-user-ID bits, also with another owner */
	struct hv_volume_ref use; /* of the volume, from the preparation on */
	struct hv_target container;
	struct hv_record record; /* record.replace is of the request */
	/* All records of the container: their mounts are our own.  NULL if none is at or below the
	 * target.  Borrowed, perhaps from `read`. */
	const struct hv_records *siblings;
	struct hv_records read;
	/* Of the earlier attachments: their volumes; of the mounted one, or else of the first, the
	 * paths created for it and its mountpoint, or NULL. */
	struct hv_texts volumes_before;
	bool is_mounted_before;
	char *made_before;
	char *path_before;
	struct mc_attach *mount;
	bool is_there;          /* it was asked for before: there is nothing to do */
	bool is_mounted;        /* the mount was made, whatever came after */
	bool is_kept;           /* its keeper was made, or was to be (keeper.c) */
	bool has_replaced_kept; /* and so had one that it replaces */
	bool is_waited_for;     /* perhaps: an attachment of the container is not there yet */
	bool is_outdated;       /* the volume is not any more what was read of it */
	/* Directories made in the source for the subpath (subpath.c); made_source: "" for none. */
	char made_source[PATH_MAX];
	struct mc_made made_in_source;
};

#define hv_auto_attempt HV_AUTO(hv_mount_op_done)
void hv_mount_op_done(struct hv_mount_op *attempt);

/* Whether its container runs; else it is only recorded, for the next start. */
static inline bool hv_mount_op_is_running(const struct hv_mount_op *attempt)
{
	return attempt->container.ns.ns_fd >= 0;
}

/* Whether the source is there only while it is attached: not a volume of hostvol. */
static inline bool hv_mount_op_has_borrowed(const struct hv_mount_op *attempt)
{
	return attempt->record.is_borrowed;
}

/* A new ID, which the caller frees. */
enum hv_code hv_mount_op_new_id(char **ret, struct hv_error *err);

/* Look up the volume of the request, or borrow the source that is none. */
enum hv_code hv_mount_op_find_volume(struct hv_mount_op *attempt, struct hv_error *err);

/* Read the records of the container, which is held if it is more than a check. */
enum hv_code hv_mount_op_read_siblings(struct hv_mount_op *attempt, struct hv_error *err);

/* Fill in the fields that depend on the container: owners, set-user-ID bits, its start. */
enum hv_code hv_attachment_apply_container(struct hv_mount_op *attempt, struct hv_error *err);

/* Of these, only the owners and the bits: once the volume's file system is mounted. */
void hv_mount_op_decide_map(struct hv_mount_op *attempt);

/* Fill in every field of the record that does not depend on the mount. */
enum hv_code hv_mount_op_fill(struct hv_mount_op *attempt, struct hv_error *err);

/* Copy the data of the prepared mount, or of the committed one (`is_mounted`), into the record. */
enum hv_code hv_attachment_set_mount(
	struct hv_mount_op *attempt, bool is_mounted, struct hv_error *err);

#endif

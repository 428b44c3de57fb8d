/* An attach on its way. */
#ifndef ATTACH_ATTEMPT_H
#define ATTACH_ATTEMPT_H

#include "attach/attach.h"
#include "mountcore/attach.h"

#include "container.h"
#include "siblings.h"

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

/* The steps of an attach up to the mount itself, for attach.c and check.c.  Nothing is changed. */
enum hv_code hv_attempt_find_volume(struct hv_attempt *attempt, struct hv_error *err);
enum hv_code hv_attempt_prepare(struct hv_attempt *attempt, struct hv_error *err);
void hv_attempt_done(struct hv_attempt *attempt);

/* What of the record the container decides: owners, set-user-ID bits; which start it is of. */
enum hv_code hv_attempt_fit(struct hv_attempt *attempt, struct hv_error *err);

/* Make the prepared mount; fills the record.  What fails leaves no mount. */
enum hv_code hv_attempt_mount(struct hv_attempt *attempt, struct hv_error *err);

#endif

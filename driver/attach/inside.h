/* What the files of the attachment rules share. */
#ifndef ATTACH_INSIDE_H
#define ATTACH_INSIDE_H

#include "attach/attach.h"
#include "mountcore/attach.h"
#include "mountcore/ns.h"

/* A running container whose process was identified. */
struct hv_target {
	struct hv_container container;
	struct mc_ns ns;
};

/* Look up a container and open its process, and make sure that they are one: inspect, open, check
 * the process's marks, inspect again.  The caller closes `ret` with hv_target_close() either way.
 * Returns HV_OK, HV_NO_SUCH_CONTAINER, HV_AMBIGUOUS, HV_NOT_RUNNING, HV_CONTAINER_CHANGED … */
enum hv_code hv_target_open(struct hv_attacher *attacher, const char *name, struct hv_target *ret,
	struct hv_error *err);
void hv_target_close(struct hv_target *target);

/* Open the mount namespace that a record was made in.  Returns HV_OK, or HV_NOT_RUNNING when that
 * process has ended or is another one now.  Asks the kernel only. */
enum hv_code hv_record_open_ns(
	struct hv_attacher *attacher, const struct hv_record *record, struct mc_ns *ret);

/* The place of a mount namespace. */
struct mc_place hv_place_of(const struct mc_ns *ns);

/* Unmount what a record stands for, if it is there, and its directories. */
enum hv_code hv_record_unmount(struct hv_attacher *attacher, const struct hv_record *record,
	bool lazy, struct hv_error *err);

/* Set the state and the problem of a record's view from the kernel's mount table, now. */
enum hv_code hv_attachment_refresh(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err);

/* The directories made, as the store keeps them: "dev:ino dev:ino".  Owned; NULL on ENOMEM. */
char *hv_made_format(const struct mc_made *made);
void hv_made_parse(const char *text, struct mc_made *ret);

/* How long the Engine may take to answer one request. */
enum { HV_ENGINE_TIMEOUT_MS = 10000, HV_ENGINE_TIMEOUT_REMOVE_MS = 2000 };

#endif

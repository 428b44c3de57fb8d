/* A record, as the kernel sees it now. */
#ifndef ATTACH_LIST_H
#define ATTACH_LIST_H

#include "attach/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"
#include "mountcore/ns.h"

/* What was seen of one container: its namespace, and its mount table as it was when that was
 * opened. Records of the same start share it. */
struct hv_sight {
	long long pid; /* the record's */
	struct mc_ns ns;
	int mountinfo;            /* of its table, opened before that was read */
	struct mc_mounts *mounts; /* NULL: nothing is in sight */
};
#define HV_SIGHT_NONE ((struct hv_sight){.ns = MC_NS_NONE, .mountinfo = MC_FD_NONE})

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

#endif

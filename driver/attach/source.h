/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what is attached is what the path leads to now. */
#ifndef ATTACH_SOURCE_H
#define ATTACH_SOURCE_H

#include "looks.h"
#include "observe.h"

/* The state of the path that an attachment was made of. */
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
#define hv_auto_source_change HV_AUTO(hv_source_change_done)
void hv_source_change_done(struct hv_source_change *change);

/* Compare a record whose mount stands, by the table in `sight`, with its source (source.c).  A
 * server is waited for as for an attach; with `looks` (or NULL) not so long, and once for all.
 * Returns HV_OK with `ret`, or why it cannot be told. */
enum hv_code hv_record_check_source(struct hv_attacher *attacher, const struct hv_sight *sight,
	const struct hv_record *record, struct hv_looks *looks, struct hv_source_change *ret,
	struct hv_error *err);

/* Look, and tell the change in the record's problem: "source-replaced: …", "source-dead: …". */
enum hv_code hv_record_note_source(struct hv_attacher *attacher, const struct hv_sight *sight,
	struct hv_record *record, struct hv_looks *looks, struct hv_error *err);

/* The code and the sentence for who attaches it again without replacing it. */
enum hv_code hv_source_refuse(const struct hv_record *record, const struct hv_source_change *change,
	struct hv_error *err);

#endif

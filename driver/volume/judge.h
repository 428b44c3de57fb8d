/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement: facts to health, and health to a sentence. */
#ifndef VOLUME_JUDGE_H
#define VOLUME_JUDGE_H

#include "mountcore/err.h"
#include "volume/health.h"

/* The facts of one look.  Zeroed: all is well. */
struct hv_health_facts {
	struct mc_err source;    /* of opening the directory */
	struct mc_err device;    /* and the paths that the file system is mounted from */
	const char *device_path; /* which; borrowed */
	const char *away;        /* the file system of the directory is not mounted there any more;
				  * borrowed; NULL: it is */
	bool is_other;           /* the directory is another one than before */
	bool is_taken_out;       /* the volume's own file system, while the volume is used */
	bool has_become_read_only; /* the file system */
	unsigned space_percent;    /* in use */
	unsigned inodes_percent;
};

/* The health by the facts alone.  `before`: by the last look.  HV_HEALTH_UNKNOWN: the look itself
 * failed. */
enum hv_health hv_health_judge(const struct hv_health_facts *facts, enum hv_health before)
	__attribute__((nonnull, pure));

/* Fill `err` with the sentence about a volume, and a hint.  For a problem. */
void hv_health_explain(enum hv_health health, const struct hv_health_facts *facts,
	const struct hv_volume *volume, struct hv_error *err) __attribute__((nonnull));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The mount table for jobs (job.h), where libmount has no place: one line at a time, in fixed
 * memory. */
#ifndef MOUNTCORE_SRC_LINES_H
#define MOUNTCORE_SRC_LINES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mc_core;

enum { MC_LINE_OPTIONS = 256, MC_LINE_FSTYPE = 64 };

/* Fields of a line of mountinfo (proc_pid_mountinfo(5)). */
struct mc_line {
	uint64_t id;                   /* column 1 */
	uint64_t dev;                  /* column 3, as makedev() */
	char target[PATH_MAX];         /* column 5, unescaped */
	char options[MC_LINE_OPTIONS]; /* column 6 */
	char fstype[MC_LINE_FSTYPE];   /* behind the "-" */
	bool is_cut;                   /* the target or the options are longer than their place */
	unsigned column;               /* the reader's own */
	unsigned type_column;
	unsigned major, minor;
	bool is_minor;
	size_t length;
};

/* Call `visit` for each mount of the namespace we are in until it returns something else than 0.
 * Returns that, or a negative errno. */
int mc_lines_visit(const struct mc_core *core, int (*visit)(struct mc_line *line, void *context),
	void *context);

/* Put the characters of "\040" and the like in their place (proc_pid_mountinfo(5)). */
void mc_unescape(char *text);

/* Whether the mount with this number (column 1) is in the namespace we are in.  Yes, if it cannot
 * be told. */
bool mc_mountinfo_has_id(const struct mc_core *core, uint64_t mountinfo_id);

#endif

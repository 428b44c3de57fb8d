/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: errors to stderr, the rest to stdout: the Engine and systemd sort by the stream.
 *
 * One line for each call: control characters are replaced, long lines cut.  A reader that does not
 * read (a stopped dockerd) must not stop the daemon: both streams are non-blocking, and text that
 * does not fit into the pipe is lost. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stddef.h>

enum hv_level { HV_LOG_ERROR, HV_LOG_WARN, HV_LOG_INFO, HV_LOG_DEBUG };

struct hv_log {
	enum hv_level level; /* lines above it are left out */
};

/* Set the level by its name ("info") and make the streams non-blocking. */
void hv_log_init(struct hv_log *log, const char *level) __attribute__((nonnull));

void hv_log_line(const struct hv_log *log, enum hv_level level, const char *format, ...)
	__attribute__((nonnull, format(printf, 3, 4)));

/* How many attachments something happened to. */
struct hv_log_count {
	unsigned count;
	enum hv_level level;
	const char *what;
};

/* A line for each that is not 0: "container 'NAME': 2 attachments WHAT". */
void hv_log_counts(const struct hv_log *log, const char *container,
	const struct hv_log_count *counts, size_t size) __attribute__((nonnull));

/* The words for attachments for which a start was refused. */
extern const char hv_log_refused[];

#endif

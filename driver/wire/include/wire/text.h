/* SPDX-License-Identifier: Apache-2.0 */
/* Text on the heap. */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include <stdarg.h>

/* Owned by the caller; NULL on ENOMEM. */
char *hv_text_format(const char *format, ...)
	__attribute__((nonnull(1), format(printf, 1, 2), warn_unused_result));

/* The same; the caller ends `args`. */
char *hv_text_format_list(const char *format, va_list args)
	__attribute__((nonnull(1), format(printf, 1, 0), warn_unused_result));

#endif

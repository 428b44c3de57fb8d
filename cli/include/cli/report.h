/* SPDX-License-Identifier: Apache-2.0 */
/* Failures on stderr. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "wire/error.h"

/* Print the sentence, the processes and the hint of `err`.  `operand`, or NULL, is the word of the
 * command line that failed, where there are several. */
void hv_report(const char *operand, const struct hv_error *err) __attribute__((nonnull(2)));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and files for a test. */
#ifndef TESTS_DRIVER_SCRATCH_H
#define TESTS_DRIVER_SCRATCH_H

#include <stdbool.h>

/* A new directory below /tmp; scratch_free() deletes it with all that is in it. */
char *scratch_new(void);
void scratch_free(char *dir);

/* `dir`/`name`, owned by the caller. */
char *scratch_path(const char *dir, const char *name);

/* Make the file `path` with this text. */
void scratch_write(const char *path, const char *text);

bool scratch_exists(const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories that are closed when their variable goes out of scope. */
#ifndef CLI_CLEANUP_H
#define CLI_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "wire/cleanup.h"

#define hv_auto_file HV_AUTO(hv_close_file)
#define hv_auto_dir HV_AUTO(hv_close_dir)
#define hv_auto_fd HV_AUTO(hv_close_fd)

static inline void hv_close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file); /* only for reading: no data to lose */
}

static inline void hv_close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static inline void hv_close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* of memory: no data to lose */
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A disk: ext4 on a loop device, mounted in the sandbox; in it a directory with a file. */
#ifndef MOUNTCORE_DISK_H
#define MOUNTCORE_DISK_H

#define DISK "/tmp/disk"
#define DISK_SOURCE DISK "/deep/source" /* has "file" in it */

/* Call them in hv_in_namespace. */
void disk_open(void);
void disk_close(void);

#endif

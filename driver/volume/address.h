/* SPDX-License-Identifier: Apache-2.0 */
/* The servers of network file systems: the kernel wants an address, users give names. */
#ifndef VOLUME_ADDRESS_H
#define VOLUME_ADDRESS_H

#include "mountcore/fs.h"
#include "wire/error.h"

/* Put the address of the server where the kernel wants it: addr=, or SMB's ip=.  Of those that need
 * one (NFS, SMB) and were given a name; IPv4 if the name has one.
 * Returns HV_OK, HV_BAD_REQUEST, HV_SOURCE_MISSING, HV_TIMEOUT. */
enum hv_code hv_fs_resolve(const char *name, struct mc_fs *fs, struct hv_error *err);

#endif

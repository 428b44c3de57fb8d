/* SPDX-License-Identifier: Apache-2.0 */
/* The kind of a volume: one table gives each its word, in Status.kind and in the store. */
#ifndef WIRE_KIND_H
#define WIRE_KIND_H

enum hv_kind {
	HV_KIND_UNKNOWN,    /* a word of another version */
	HV_KIND_MANAGED,    /* the directory is hostvol's own */
	HV_KIND_PATH,       /* the directory is one of the user's */
	HV_KIND_ALIAS,      /* the directory is that of another volume */
	HV_KIND_FILESYSTEM, /* a file system, mounted while it is used */
	HV_KIND_HOST,       /* a directory of the host, only while it is attached */
	HV_KIND_ENGINE,     /* a volume of another driver, only while it is attached */
	HV_KIND_COUNT,
};

/* The kind of a word; HV_KIND_UNKNOWN for NULL and unknown words. */
enum hv_kind hv_kind_parse(const char *name);

#endif

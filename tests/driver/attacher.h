/* SPDX-License-Identifier: Apache-2.0 */
/* The attachments of a world. */
#ifndef TESTS_DRIVER_ATTACHER_H
#define TESTS_DRIVER_ATTACHER_H

#include "attach/attach.h"

#include "world.h"

/* Make the attacher of the world's volumes, its records read.  Free with hv_attacher_free(). */
struct hv_attacher *attacher_new(struct volume_fixture *world, struct hv_engine *engine);

#endif

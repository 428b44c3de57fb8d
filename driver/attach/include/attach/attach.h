/* The rules of attachments: a volume into and out of a running container. */
#ifndef ATTACH_ATTACH_H
#define ATTACH_ATTACH_H

#include <stdatomic.h>

#include "engine/engine.h"
#include "store/store.h"
#include "volume/volume.h"
#include "wire/types.h"

struct hv_attacher {
	struct mc_core *core;
	struct hv_store *store;
	struct hv_engine *engine;
	struct hv_volumes *volumes;
	struct hv_keylock locks; /* by container ID */
	atomic_bool is_stopping; /* the daemon ends: nobody waits any longer */
};

/* Attach.  The same volume, container, target and options again answer with what is there.
 * `ret` is filled on success; the caller frees it with hv_attachment_done() either way.
 * Returns HV_OK when the mount was verified from inside and the record is on disk; else any code of
 * wire/code.h that a sentence goes with, and nothing was changed: no mount, no directory, no
 * record.  At most two durable commits.  Any thread. */
enum hv_code hv_attach(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Detach by ID, or by container and target.  `ret` is the attachment as it was.
 * One whose container has ended, or whose mount someone took out inside, is forgotten.
 * Returns HV_OK, HV_BAD_REQUEST, HV_NO_SUCH_CONTAINER, HV_NO_SUCH_ATTACHMENT, HV_BUSY, HV_TIMEOUT,
 * HV_STATE_UNREADABLE. */
enum hv_code hv_detach(struct hv_attacher *attacher, const struct hv_detach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The attachments that match, oldest first, each with its state as the kernel tells it now.
 * Free with hv_attachments_free(). */
enum hv_code hv_attachments_list(struct hv_attacher *attacher,
	const struct hv_list_request *request, struct hv_attachment **ret, size_t *ret_count,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));
void hv_attachments_free(struct hv_attachment *attachments, size_t count);

/* What an attach would come to: each thing that was looked at, the first failure last.  Changes
 * nothing.  Free with hv_checks_free().  Returns HV_OK whatever was found; HV_INTERNAL. */
enum hv_code hv_attach_check(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_check **ret, size_t *ret_count, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));
void hv_checks_free(struct hv_check *checks, size_t count);

/* Forget the attachments of `volume` whose containers the Engine no longer knows, so that it can be
 * removed.  Returns HV_OK, or HV_VOLUME_IN_USE when the Engine does not answer within two seconds
 * and there is one to ask about. */
enum hv_code hv_attachments_release(struct hv_attacher *attacher, const char *volume,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Take back what a crash left half done: attaches that were begun and never acknowledged.
 * Once, before any request. */
enum hv_code hv_attachments_recover(struct hv_attacher *attacher, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif

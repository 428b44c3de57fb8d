/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences for the steps that concern the volume's side of a mount: its directory, its owners. */
#ifndef VOLUME_EXPLAIN_SOURCE_H
#define VOLUME_EXPLAIN_SOURCE_H

#include "volume/explain.h"

/* The kernel's text for the errno. */
const char *hv_explain_reason(const struct mc_err *cause);

/* MC_STEP_SOURCE: the directory cannot be opened. */
enum hv_code hv_explain_source(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names);

/* The file system of the source does not work any more: mc_err_is_dead(). */
enum hv_code hv_explain_dead(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names);

/* MC_STEP_SUBPATH: a path inside the directory cannot be opened. */
enum hv_code hv_explain_subpath(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names);

/* MC_STEP_CLONE with -EINVAL. */
enum hv_code hv_explain_clone(struct hv_error *err, const struct hv_error_subject *names);

/* Steps CLONE with these codes: the block-device engine (mountcore's legacy.h). */
enum hv_code hv_explain_legacy(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names);

/* MC_STEP_IDMAP: its owners cannot be mapped for the container. */
enum hv_code hv_explain_idmap(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names);

/* The same step, where the owner is to appear as another. */
enum hv_code hv_explain_as(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names);

/* MC_STEP_USERNS: no user namespace can be made to show the owner as another. */
enum hv_code hv_explain_userns(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names);

/* MC_STEP_PROPAGATION: nothing can propagate from the directory's mount. */
enum hv_code hv_explain_propagation(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names);

#endif

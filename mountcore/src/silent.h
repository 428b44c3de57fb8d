/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that let a look wait in vain: for a while no other look waits for them. */
#ifndef MOUNTCORE_SRC_SILENT_H
#define MOUNTCORE_SRC_SILENT_H

#include <stdbool.h>
#include <stdint.h>

struct mc_core;

enum { MC_LOOK_TIMEOUT_MS = 1000 };

/* Whether a look waited for this (mc_job.waits_for) in vain, within the last ten seconds. */
bool mc_silent_has(struct mc_core *core, uint64_t waits_for);

/* A look has waited in vain. */
void mc_silent_note(struct mc_core *core, uint64_t waits_for);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The identity of the Engine that answers, as it is remembered. */
#ifndef ENGINE_ABOUT_H
#define ENGINE_ABOUT_H

#include "engine/engine.h"

/* Another Engine may answer from now on. */
void hv_engine_forget_identity(struct hv_engine *engine);

#endif

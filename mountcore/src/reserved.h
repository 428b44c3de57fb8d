/* SPDX-License-Identifier: Apache-2.0 */
/* The reserved words of structs that callers fill (core.h). */
#ifndef MOUNTCORE_SRC_RESERVED_H
#define MOUNTCORE_SRC_RESERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether all `count` words are 0, as a caller leaves those that it does not know. */
bool mc_reserved_is_zero(const uint64_t *words, size_t count) __attribute__((nonnull));

/* The same for a member that is an array. */
#define MC_RESERVED_IS_ZERO(words) mc_reserved_is_zero(words, sizeof(words) / sizeof((words)[0]))

#endif

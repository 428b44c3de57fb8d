/* SPDX-License-Identifier: Apache-2.0 */
#include "reserved.h"

bool mc_reserved_is_zero(const uint64_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (words[i] != 0)
			return false;
	return true;
}

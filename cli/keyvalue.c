/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keyvalue.h"

#include <string.h>

enum hv_code hv_keyvalue_add(
	const char *word, const char *hint, struct hv_opts *opts, struct hv_error *err)
{
	const char *value = strchr(word, '=');
	hv_auto_free char *key = NULL;

	if (!value || value == word) {
		hv_fail(err, HV_BAD_REQUEST, "\"%s\" is not KEY=VALUE", word);
		return hv_hint(err, "%s", hint);
	}
	key = strndup(word, (size_t)(value - word));
	if (!key)
		return hv_oom(err);
	if (hv_opts_get(opts, key))
		return hv_fail(err, HV_BAD_REQUEST, "option %s is given twice", key);
	return hv_opts_add(opts, key, value + 1) < 0 ? hv_oom(err) : HV_OK;
}

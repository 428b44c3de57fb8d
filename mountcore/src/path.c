/* SPDX-License-Identifier: Apache-2.0 */
#include "mountcore/path.h"

#include <errno.h>
#include <string.h>

/* Drop the last component of the `used` bytes in `ret`; the root stays. */
static size_t drop_last(const char *ret, size_t used)
{
	while (used > 0 && ret[used - 1] != '/')
		used--;
	return used > 0 ? used - 1 : 0;
}

int mc_path_clean(const char *path, char *ret, size_t size)
{
	size_t used = 0;

	if (path[0] != '/')
		return -EINVAL;
	while (*path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 2 && path[0] == '.' && path[1] == '.') {
			used = drop_last(ret, used);
		} else if (length > 0 && !(length == 1 && path[0] == '.')) {
			if (used + length + 2 > size)
				return -ENAMETOOLONG;
			ret[used++] = '/';
			memcpy(ret + used, path, length);
			used += length;
		}
		path += length;
	}
	if (!used) {
		if (size < 2)
			return -ENAMETOOLONG;
		ret[used++] = '/';
	}
	ret[used] = '\0';
	return 0;
}

bool mc_path_is_below(const char *path, const char *top)
{
	size_t length = strlen(top);

	if (length == 1)
		return true;
	return strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

bool mc_path_is_refused(const char *path)
{
	return path[1] == '\0' || mc_path_is_below(path, "/proc") ||
	       mc_path_is_below(path, "/sys") || mc_path_is_below(path, "/dev");
}

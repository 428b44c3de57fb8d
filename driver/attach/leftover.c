/* SPDX-License-Identifier: Apache-2.0 */
/* Leftovers: paths created for attachments that could not be deleted with them.
 *
 * A directory created for one attachment stays while another lies below it or is mounted over it.
 * The record of that one, the heir, then lists the directory, which is deleted with the heir.  The
 * list of a record is a text of lines "LENGTH:PATH DEV:INO DEV:INO…", each with the path of the
 * deepest. */
#include "leftover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/detach.h"
#include "mountcore/path.h"
#include "wire/text.h"

#include "attachments.h"
#include "created_dirs.h"
#include "siblings.h"

enum { LIST_MAX = 64 * 1024 }; /* paths past this limit stay in the container */

struct leftover {
	char path[PATH_MAX];
	struct mc_made made;
};

/* The next of a list; false at its end. */
static bool next(const char **at, struct leftover *ret)
{
	char *colon;
	unsigned long length = strtoul(*at, &colon, 10);
	const char *end;

	if (*colon != ':' || length >= sizeof(ret->path) || strlen(colon + 1) < length)
		return false;
	memcpy(ret->path, colon + 1, length);
	ret->path[length] = '\0';
	end = strchr(colon + 1 + length, '\n');
	if (!end)
		return false;
	hv_made_parse(colon + 1 + length, &ret->made);
	*at = end + 1;
	return true;
}

/* Without its last `count` components. */
static void strip(char *path, unsigned count)
{
	char *slash;

	for (; count > 0 && (slash = strrchr(path, '/')); count--)
		*slash = '\0';
}

/* Only what is known by its inode. */
static void cut_unknown(struct leftover *leftover)
{
	unsigned known = 0;

	while (known < leftover->made.count && leftover->made.ids[known].ino)
		known++;
	if (known < leftover->made.count)
		leftover->made.is_file = false;
	strip(leftover->path, leftover->made.count - known);
	leftover->made.count = known;
}

/* Add one to an owned list (NULL: empty), unless it is in it. */
static enum hv_code add(char **list, const struct leftover *item, struct hv_error *err)
{
	struct leftover known = *item;
	hv_auto_free char *made = NULL, *line = NULL;
	char *longer;

	cut_unknown(&known);
	if (known.made.count == 0)
		return HV_OK;
	made = hv_made_join(NULL, &known.made);
	if (made)
		line = hv_text_format("%zu:%s %s\n", strlen(known.path), known.path, made);
	if (!line)
		return hv_oom(err);
	if (*list && (strstr(*list, line) || strlen(*list) + strlen(line) > LIST_MAX))
		return HV_OK;
	longer = hv_text_format("%s%s", *list ? *list : "", line);
	if (!longer)
		return hv_oom(err);
	free(*list);
	*list = longer;
	return HV_OK;
}

static enum hv_code add_list(char **list, const char *other, struct hv_error *err)
{
	const char *at = other ? other : "";
	struct leftover item;

	while (next(&at, &item))
		if (add(list, &item, err) != HV_OK)
			return err->code;
	return HV_OK;
}

/* The paths created for the record itself. */
static void read_own(const struct hv_record *record, struct leftover *ret)
{
	snprintf(ret->path, sizeof(ret->path), "%s", record->path ? record->path : "");
	hv_made_parse(record->made ? record->made : "", &ret->made);
}

enum hv_code hv_leftovers_add(char **list, const struct hv_record *record, struct hv_error *err)
{
	struct leftover own;

	read_own(record, &own);
	if (add(list, &own, err) != HV_OK)
		return err->code;
	return add_list(list, record->leftovers, err);
}

/* Whether a list has a directory. */
static bool has(const char *list, const struct mc_file_id *id)
{
	struct leftover item;

	while (next(&list, &item))
		for (unsigned i = 0; i < item.made.count; i++)
			if (item.made.ids[i].dev == id->dev && item.made.ids[i].ino == id->ino)
				return true;
	return false;
}

/* Without the outer ones that are in `kept`. */
static void cut_kept(struct mc_made *made, const char *kept)
{
	unsigned first = 0;

	while (first < made->count && has(kept, &made->ids[first]))
		first++;
	made->count -= first;
	made->is_file = made->is_file && made->count > 0;
	memmove(made->ids, made->ids + first, made->count * sizeof(made->ids[0]));
}

enum hv_code hv_leftovers_leave(struct hv_record *record, const char *kept, struct hv_error *err)
{
	const char *at = record->leftovers ? record->leftovers : "";
	hv_auto_free char *list = NULL;
	struct leftover item;
	char *made;

	while (next(&at, &item)) {
		cut_kept(&item.made, kept);
		if (add(&list, &item, err) != HV_OK)
			return err->code;
	}
	read_own(record, &item);
	cut_kept(&item.made, kept);
	made = hv_made_join(NULL, &item.made);
	if (!made)
		return hv_oom(err);
	free(record->leftovers);
	free(record->made);
	record->leftovers = mc_take_ptr(&list);
	record->made = made;
	return HV_OK;
}

enum hv_code hv_leftovers_remove(struct hv_attacher *attacher, const struct mc_place *place,
	const struct mc_made *left, struct hv_record *record, struct hv_error *err)
{
	const char *at = record->leftovers ? record->leftovers : "";
	hv_auto_free char *list = NULL;
	struct leftover item;
	unsigned count;

	read_own(record, &item);
	count = item.made.count;
	item.made = *left;
	strip(item.path, count - left->count);
	if (add(&list, &item, err) != HV_OK)
		return err->code;
	while (next(&at, &item)) { /* as far as each can be removed; the rest is kept */
		count = item.made.count;
		mc_made_remove(attacher->core, place, item.path, &item.made);
		strip(item.path, count - item.made.count);
		if (add(&list, &item, err) != HV_OK)
			return err->code;
	}
	free(record->leftovers);
	record->leftovers = mc_take_ptr(&list);
	*record->made = '\0';
	return HV_OK;
}

/* Whether it cannot be removed before `record` ends: that is below it, or mounted over it. */
static bool is_kept_by(const struct leftover *item, const struct hv_record *record)
{
	struct leftover outermost = *item;

	strip(outermost.path, item->made.count - 1);
	return mc_path_is_below(record->path, outermost.path) ||
	       mc_path_is_below(item->path, record->path);
}

/* The record that keeps one of the `leftovers` of the record `id`, or NULL. */
static const struct hv_record *find_heir(
	const struct hv_records *siblings, const char *id, const char *leftovers)
{
	struct leftover item;

	for (struct hv_record *record = NULL; (record = hv_records_next(siblings, record));) {
		const char *at = leftovers;

		while (strcmp(record->view.id, id) != 0 && next(&at, &item))
			if (is_kept_by(&item, record))
				return record;
	}
	return NULL;
}

enum hv_code hv_leftovers_find_heir(struct hv_attacher *attacher, const struct hv_record *record,
	char **ret_id, char **ret_leftovers, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};
	hv_auto_free char *list = NULL;
	const char *id = record->view.id;
	const struct hv_record *heir;

	if (!(record->made && *record->made) && !(record->leftovers && *record->leftovers))
		return HV_OK;
	if (hv_siblings_read(attacher, record->view.container_id, &siblings, err) != HV_OK ||
		hv_leftovers_add(&list, record, err) != HV_OK)
		return err->code;
	/* Its own are read anew, as another may have left it some meanwhile. */
	for (struct hv_record *now = NULL; (now = hv_records_next(&siblings, now));)
		if (strcmp(now->view.id, id) == 0 && add_list(&list, now->leftovers, err) != HV_OK)
			return err->code;
	heir = list ? find_heir(&siblings, id, list) : NULL;
	if (!heir)
		return HV_OK;
	*ret_id = strdup(heir->view.id);
	if (!*ret_id)
		return hv_oom(err);
	if (add_list(ret_leftovers, heir->leftovers, err) != HV_OK)
		return err->code;
	return add_list(ret_leftovers, list, err);
}

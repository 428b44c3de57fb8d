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

#include "made.h"
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
	char *made, *line = NULL, *longer = NULL;
	int rc = -1;

	cut_unknown(&known);
	if (known.made.count == 0)
		return HV_OK;
	made = hv_made_join(NULL, &known.made);
	if (made)
		rc = asprintf(&line, "%zu:%s %s\n", strlen(known.path), known.path, made);
	free(made);
	if (rc < 0)
		return hv_oom(err);
	if (*list && (strstr(*list, line) || strlen(*list) + strlen(line) > LIST_MAX)) {
		free(line);
		return HV_OK;
	}
	rc = asprintf(&longer, "%s%s", *list ? *list : "", line);
	free(line);
	if (rc < 0)
		return hv_oom(err);
	free(*list);
	*list = longer;
	return HV_OK;
}

static enum hv_code add_list(char **list, const char *other, struct hv_error *err)
{
	const char *at = other ? other : "";
	enum hv_code code = HV_OK;
	struct leftover item;

	while (code == HV_OK && next(&at, &item))
		code = add(list, &item, err);
	return code;
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
	enum hv_code code;

	read_own(record, &own);
	code = add(list, &own, err);
	return code == HV_OK ? add_list(list, record->leftovers, err) : code;
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
	struct leftover item;
	char *list = NULL, *made;
	enum hv_code code = HV_OK;

	while (code == HV_OK && next(&at, &item)) {
		cut_kept(&item.made, kept);
		code = add(&list, &item, err);
	}
	read_own(record, &item);
	cut_kept(&item.made, kept);
	made = hv_made_join(NULL, &item.made);
	if (code == HV_OK && !made)
		code = hv_oom(err);
	if (code != HV_OK) {
		free(list);
		free(made);
		return code;
	}
	free(record->leftovers);
	free(record->made);
	record->leftovers = list;
	record->made = made;
	return HV_OK;
}

/* Remove it as far as that can be, and keep the rest. */
static enum hv_code remove_one(struct hv_attacher *attacher, const struct mc_place *place,
	struct leftover *item, char **ret_left, struct hv_error *err)
{
	unsigned count = item->made.count;

	mc_made_remove(attacher->core, place, item->path, &item->made);
	strip(item->path, count - item->made.count);
	return add(ret_left, item, err);
}

enum hv_code hv_leftovers_remove(struct hv_attacher *attacher, const struct mc_place *place,
	const struct mc_made *left, struct hv_record *record, struct hv_error *err)
{
	const char *at = record->leftovers ? record->leftovers : "";
	struct leftover item;
	char *list = NULL;
	unsigned count;
	enum hv_code code;

	read_own(record, &item);
	count = item.made.count;
	item.made = *left;
	strip(item.path, count - left->count);
	code = add(&list, &item, err);
	while (code == HV_OK && next(&at, &item))
		code = remove_one(attacher, place, &item, &list, err);
	if (code != HV_OK) {
		free(list);
		return code;
	}
	free(record->leftovers);
	record->leftovers = list;
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

static bool is_heir(const struct hv_record *record, const char *id, const char *list)
{
	struct leftover item;

	if (strcmp(record->view.id, id) == 0)
		return false;
	while (next(&list, &item))
		if (is_kept_by(&item, record))
			return true;
	return false;
}

/* All leftovers of the record: read anew, as another may have left it some meanwhile. */
static enum hv_code collect(const struct hv_siblings *siblings, const struct hv_record *record,
	char **ret, struct hv_error *err)
{
	enum hv_code code = hv_leftovers_add(ret, record, err);

	for (size_t i = 0; code == HV_OK && i < siblings->count; i++)
		if (strcmp(siblings->records[i].view.id, record->view.id) == 0)
			code = add_list(ret, siblings->records[i].leftovers, err);
	return code;
}

static enum hv_code find_heir(const struct hv_siblings *siblings, const struct hv_record *record,
	struct hv_inheritance *ret, struct hv_error *err)
{
	const struct hv_record *heir = NULL;
	char *list = NULL;
	enum hv_code code = collect(siblings, record, &list, err);

	for (size_t i = 0; code == HV_OK && list && !heir && i < siblings->count; i++)
		if (is_heir(&siblings->records[i], record->view.id, list))
			heir = &siblings->records[i];
	if (heir) {
		ret->id = strdup(heir->view.id);
		code = ret->id ? add_list(&ret->leftovers, heir->leftovers, err) : hv_oom(err);
	}
	if (heir && code == HV_OK)
		code = add_list(&ret->leftovers, list, err);
	free(list);
	return code;
}

enum hv_code hv_inheritance_find(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_inheritance *ret, struct hv_error *err)
{
	struct hv_siblings siblings = {0};
	enum hv_code code;

	if (!(record->made && *record->made) && !(record->leftovers && *record->leftovers))
		return HV_OK;
	code = hv_siblings_read(attacher, record->view.container_id, &siblings, err);
	if (code == HV_OK)
		code = find_heir(&siblings, record, ret, err);
	hv_siblings_done(&siblings);
	return code;
}

void hv_inheritance_done(struct hv_inheritance *inheritance)
{
	free(inheritance->id);
	free(inheritance->leftovers);
	*inheritance = (struct hv_inheritance){0};
}

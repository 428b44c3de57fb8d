/* SPDX-License-Identifier: Apache-2.0 */
/* The identity of the Engine that answers: GET /info.
 *
 * It is the Engine's ID and its data directory.  Podman makes up an ID for each answer, so the
 * Engine is asked twice, and a part that differs is left out. */
#include "about.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "wire/text.h"

#include "client.h"

static enum hv_code ask(
	struct hv_engine *engine, long timeout_ms, struct hv_engine_info *ret, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};

	if (hv_engine_get(engine, "http://docker/info", timeout_ms, &answer, err) != HV_OK)
		return err->code;
	if (answer.status != 200)
		return hv_fail(err, HV_INTERNAL,
			"the Docker Engine at %s does not tell about itself: HTTP %ld",
			engine->socket_path, answer.status);
	return hv_engine_info_parse(hv_answer_text(&answer), answer.size, ret, err);
}

static bool is_same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static enum hv_code join(const struct hv_engine_info *first, const struct hv_engine_info *second,
	char **ret, struct hv_error *err)
{
	const char *id = is_same(first->id, second->id) ? first->id : "";
	const char *root = is_same(first->root, second->root) ? first->root : "";

	if (!*id && !*root)
		return hv_fail(err, HV_INTERNAL, "the Docker Engine does not tell which it is");
	*ret = hv_text_format("%s %s", id, root);
	return *ret ? HV_OK : hv_oom(err);
}

enum hv_code hv_engine_identify(struct hv_engine *engine, long timeout_ms, char **ret_identity,
	long long *ret_containers, struct hv_error *err)
{
	hv_auto_about struct hv_engine_info first = {0}, second = {0};

	if (ask(engine, timeout_ms, &first, err) != HV_OK ||
		ask(engine, timeout_ms, &second, err) != HV_OK ||
		join(&first, &second, ret_identity, err) != HV_OK)
		return err->code;
	*ret_containers = second.containers;
	return HV_OK;
}

void hv_engine_forget_identity(struct hv_engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	free(engine->identity);
	engine->identity = NULL;
	engine->is_kind_known = false;
	engine->forgotten++;
	hv_engine_drop_kept(engine);
	pthread_mutex_unlock(&engine->lock);
}

unsigned hv_engine_changes(struct hv_engine *engine)
{
	unsigned changes;

	pthread_mutex_lock(&engine->lock);
	changes = engine->forgotten;
	pthread_mutex_unlock(&engine->lock);
	return changes;
}

/* The known identity; NULL if the Engine is to be asked. */
static char *get_known(struct hv_engine *engine, unsigned *ret_forgotten)
{
	char *known;

	pthread_mutex_lock(&engine->lock);
	known = engine->identity ? strdup(engine->identity) : NULL;
	*ret_forgotten = engine->forgotten;
	pthread_mutex_unlock(&engine->lock);
	return known;
}

/* Keep it, unless another Engine may answer since it was asked. */
static void keep(struct hv_engine *engine, const char *identity, unsigned forgotten)
{
	pthread_mutex_lock(&engine->lock);
	if (engine->forgotten == forgotten && !engine->identity)
		engine->identity = strdup(identity); /* without memory it is asked again */
	pthread_mutex_unlock(&engine->lock);
}

enum hv_code hv_engine_identity(
	struct hv_engine *engine, long timeout_ms, char **ret, struct hv_error *err)
{
	unsigned forgotten = 0;
	long long containers;
	enum hv_code code;

	*ret = get_known(engine, &forgotten);
	if (*ret)
		return HV_OK;
	code = hv_engine_identify(engine, timeout_ms, ret, &containers, err);
	if (code == HV_OK && *ret)
		keep(engine, *ret, forgotten);
	return code;
}

static enum hv_code ask_version(
	struct hv_engine *engine, long timeout_ms, bool *ret_is_podman, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};

	if (hv_engine_get(engine, "http://docker/version", timeout_ms, &answer, err) != HV_OK)
		return err->code;
	if (answer.status != 200)
		return hv_fail(err, HV_INTERNAL,
			"the Docker Engine at %s does not tell its version: HTTP %ld",
			engine->socket_path, answer.status);
	*ret_is_podman = hv_version_is_podman(hv_answer_text(&answer), answer.size);
	return HV_OK;
}

static enum hv_code ask_kind(
	struct hv_engine *engine, long timeout_ms, struct hv_engine_kind *ret, struct hv_error *err)
{
	hv_auto_about struct hv_engine_info about = {0};
	enum hv_code code = ask(engine, timeout_ms, &about, err);

	*ret = (struct hv_engine_kind){.remap_uid = about.remap_uid, .remap_gid = about.remap_gid};
	return code == HV_OK ? ask_version(engine, timeout_ms, &ret->is_podman, err) : code;
}

enum hv_code hv_engine_learn(
	struct hv_engine *engine, long timeout_ms, struct hv_engine_kind *ret, struct hv_error *err)
{
	unsigned forgotten;
	bool is_known;
	enum hv_code code;

	pthread_mutex_lock(&engine->lock);
	is_known = engine->is_kind_known;
	*ret = engine->kind;
	forgotten = engine->forgotten;
	pthread_mutex_unlock(&engine->lock);
	if (is_known)
		return HV_OK;
	code = ask_kind(engine, timeout_ms, ret, err);
	pthread_mutex_lock(&engine->lock);
	if (code == HV_OK && engine->forgotten == forgotten) {
		engine->kind = *ret;
		engine->is_kind_known = true;
	}
	pthread_mutex_unlock(&engine->lock);
	return code;
}

bool hv_engine_is_known_as_podman(struct hv_engine *engine)
{
	bool is_podman;

	pthread_mutex_lock(&engine->lock);
	is_podman = engine->kind.is_podman; /* it may be down: the last one that was known */
	pthread_mutex_unlock(&engine->lock);
	return is_podman;
}

enum hv_code hv_engine_id(
	struct hv_engine *engine, long timeout_ms, char **ret, struct hv_error *err)
{
	hv_auto_about struct hv_engine_info about = {0};

	if (ask(engine, timeout_ms, &about, err) != HV_OK)
		return err->code;
	if (!about.id)
		return hv_fail(err, HV_INTERNAL, "the Docker Engine did not tell its ID");
	*ret = about.id;
	about.id = NULL;
	return HV_OK;
}

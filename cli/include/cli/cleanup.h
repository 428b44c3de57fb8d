/* Variables that release what they hold when they go out of scope. */
#ifndef CLI_CLEANUP_H
#define CLI_CLEANUP_H

#include <dirent.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/error.h"

#define HV_AUTO(release) __attribute__((cleanup(release)))

#define hv_auto_free HV_AUTO(hv_free_pointer)
#define hv_auto_file HV_AUTO(hv_close_file)
#define hv_auto_dir HV_AUTO(hv_close_dir)
#define hv_auto_json HV_AUTO(hv_put_json)
#define hv_auto_error HV_AUTO(hv_error_done)

/* glibc's free() keeps errno. */
static inline void hv_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void hv_close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file); /* only for reading: no data to lose */
}

static inline void hv_close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static inline void hv_put_json(struct json_object **object)
{
	json_object_put(*object);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The main of a fuzz target that is built without libFuzzer: each argument is a file of input. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static int replay(const char *path, uint8_t *room)
{
	FILE *file = fopen(path, "re");
	uint8_t *data;
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(room, 1, INPUT_MAX, file);
	fclose(file);
	/* Of its exact size, so that a sanitizer sees a read behind the end. */
	data = malloc(size + !size);
	if (!data)
		return 1;
	for (size_t i = 0; i < size; i++)
		data[i] = room[i];
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t *room = malloc(INPUT_MAX);
	int failed = !room;

	for (int i = 1; i < argc && !failed; i++)
		failed = replay(argv[i], room);
	free(room);
	return failed;
}

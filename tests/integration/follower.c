/* SPDX-License-Identifier: Apache-2.0 */
/* follower FILE END: reads FILE again and again until END is there, and prints its first line each
 * time it has changed, with the milliseconds that the one before was seen for: "3 12.1".  A file
 * that is not there, or empty, is "missing"; another error its number. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void look(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (length < 0 && errno != ENOENT)
		snprintf(ret, size, "error %d", errno);
	else if (length <= 0)
		snprintf(ret, size, "missing");
	else
		ret[length] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	char last[64] = "", text[64];
	double since = now_ms();
	unsigned long reads = 0;

	if (argc != 3)
		return 64;
	for (; access(argv[2], F_OK) < 0; reads++) {
		look(argv[1], text, sizeof(text));
		if (strcmp(text, last) == 0)
			continue;
		printf("%s %.1f\n", text, now_ms() - since);
		fflush(stdout);
		memcpy(last, text, sizeof(last));
		since = now_ms();
	}
	printf("reads %lu\n", reads);
	return 0;
}

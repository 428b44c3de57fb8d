/* SPDX-License-Identifier: Apache-2.0 */
#include "villain.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the box: its functions run there. */
static pid_t villain;

static void swap(unsigned round)
{
	static const char *const places[] = {"/tmp", "/", "/etc", "../../..", "/proc", "/mnt/d"};

	if (renameat2(AT_FDCWD, "/mnt/d", AT_FDCWD, "/mnt/link", RENAME_EXCHANGE) < 0 || round % 16)
		return;
	/* An even round: the names are what they were at first. */
	if (unlink("/mnt/link") < 0 ||
		symlink(places[round / 16 % (sizeof(places) / sizeof(places[0]))], "/mnt/link") < 0)
		_exit(1);
}

static void rename_and_remove(unsigned round)
{
	mkdir("/mnt/d/" VILLAIN_NAME, 0755);
	rename("/mnt/d/" VILLAIN_NAME, "/mnt/d/other");
	rmdir("/mnt/d/other");
	if (round % 2 == 0)
		return;
	rename("/mnt/d", "/mnt/e");
	rename("/mnt/e", "/mnt/d");
}

static void cover(unsigned round)
{
	mount("villain", "/mnt/d", "tmpfs", 0, NULL);
	umount2("/mnt/d", MNT_DETACH);
	if (round % 8)
		return;
	for (int i = 0; i < 8 && umount2("/mnt/d", MNT_DETACH) == 0; i++)
		;
}

static int start(void (*act)(unsigned round), unsigned rounds)
{
	mkdir("/tmp", 0755);
	mkdir("/etc", 0755);
	if (mkdir("/mnt/d", 0755) < 0 && errno != EEXIST)
		return -errno;
	villain = fork();
	if (villain < 0)
		return -errno;
	if (villain > 0)
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (rounds > 0)
		raise(SIGSTOP); /* the box has to answer before it ends */
	for (unsigned round = 1; rounds == 0 || round <= rounds; round++)
		act(round);
	kill(getppid(), SIGKILL);
	_exit(0);
}

static int start_swap(unsigned rounds)
{
	if (symlink("/tmp", "/mnt/link") < 0 && errno != EEXIST)
		return -errno;
	return start(swap, rounds);
}

int in_villain_swap(const char *text)
{
	(void)text;
	return start_swap(0);
}

int in_villain_rename(const char *text)
{
	(void)text;
	return start(rename_and_remove, 0);
}

int in_villain_cover(const char *text)
{
	(void)text;
	return start(cover, 0);
}

int in_villain_exit(const char *text)
{
	int rc = start_swap((unsigned)strtoul(text, NULL, 10));

	if (rc == 0 && waitpid(villain, NULL, WUNTRACED) != villain)
		rc = -ECHILD;
	return rc < 0 ? rc : villain;
}

static int send(int signal, int options)
{
	if (kill(villain, signal) < 0)
		return -errno;
	return waitpid(villain, NULL, options) == villain ? 0 : -ECHILD;
}

int in_villain_pause(const char *text)
{
	(void)text;
	return send(SIGSTOP, WUNTRACED);
}

int in_villain_resume(const char *text)
{
	(void)text;
	return send(SIGCONT, WCONTINUED);
}

int in_villain_stop(const char *text)
{
	(void)text;
	return send(SIGKILL, 0);
}

pid_t villain_swap_here(const char *one, const char *other)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) == 0)
		;
	_exit(1);
}

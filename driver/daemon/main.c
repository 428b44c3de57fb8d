/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <malloc.h>
#include <nss.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon.h"

/* Each container with attachments takes one descriptor, each connection another.  The soft limit is
 * 1024 for most programs, for the sake of select(2), which nothing here uses. */
static void raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* A core dump taken while a thread is in a container's mount namespace would land in the
 * container; nothing there may trace us; a working directory would pin a mount. */
static void harden(void)
{
	const struct rlimit none = {0, 0};

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	if (chdir("/") < 0)
		abort(); /* cannot happen */
	(void)umask(077);
}

/* Each connection has a thread, which would get an arena of its own, and never give it back. */
static void limit_memory(void)
{
	enum { TRIM_BYTES = 64 * 1024 };

	(void)mallopt(M_ARENA_MAX, 1); /* NOLINT(concurrency-mt-unsafe): before any thread */
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES); /* NOLINT(concurrency-mt-unsafe) */
}

/* A static program has these two services inside, and must load no other: it would bring a libc of
 * another build with it.  Source: nss.h of glibc. */
static void limit_resolver(void)
{
#ifdef HOSTVOL_STATIC
	if (__nss_configure_lookup("hosts", "files dns") < 0)
		abort(); /* it is out of memory at the start */
#endif
}

/* Blocked here and in every thread to come: as PID 1, or under systemd, none has a default that
 * would be right.  Returns the set that ends the daemon. */
static sigset_t block_signals(void)
{
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ending, NULL);
	signal(SIGPIPE, SIG_IGN);
	return ending;
}

int main(int argc, char **argv)
{
	static struct hv_daemon daemon; /* large: paths */
	struct hv_config config;
	sigset_t ending;
	int rc = hv_config_read(argc, argv, &config), received, status;

	if (rc != 0) {
		hv_config_done(&config);
		return rc > 0 ? EXIT_SUCCESS : 2;
	}
	harden();
	raise_limit();
	limit_memory();
	limit_resolver();
	ending = block_signals();
	rc = hv_daemon_start(&daemon, &config);
	(void)malloc_trim(0); /* of the start */
	if (rc == 0)
		while (sigwait(&ending, &received) != 0)
			continue;
	status = rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	hv_daemon_stop(&daemon, status);
	return status;
}

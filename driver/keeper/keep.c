/* SPDX-License-Identifier: Apache-2.0 */
/* The program of a keeper (attach/keeper.c): it waits for ever, as PID 1 of a container that has
 * nothing else.  Only SIGKILL ends it.
 *
 * Without a libc where the call is written below: a few hundred bytes, the same from each build. */
#ifdef KEEP_FREESTANDING

#include <sys/syscall.h>

/* ppoll(NULL, 0, NULL, NULL): aarch64 has no pause(). */
static void wait_for_signal(void)
{
#if defined(__x86_64__)
	register long mask __asm__("r10") = 0;
	long rc = SYS_ppoll;

	__asm__ volatile("syscall"
			 : "+a"(rc)
			 : "D"(0L), "S"(0L), "d"(0L), "r"(mask)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long call __asm__("x8") = SYS_ppoll;
	register long fds __asm__("x0") = 0;
	register long count __asm__("x1") = 0;
	register long timeout __asm__("x2") = 0;
	register long mask __asm__("x3") = 0;

	__asm__ volatile("svc 0"
			 : "+r"(fds)
			 : "r"(call), "r"(count), "r"(timeout), "r"(mask)
			 : "memory");
#else
#error "driver/keeper/CMakeLists.txt takes another machine for one of the above"
#endif
}

__attribute__((noreturn)) void _start(void);
__attribute__((noreturn)) void _start(void)
{
	for (;;)
		wait_for_signal();
}

#else

#include <unistd.h>

int main(void)
{
	for (;;)
		pause();
}

#endif

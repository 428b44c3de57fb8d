/* cmocka and its headers: 1.1.5 does not include them itself, and an include sorter must not take
 * the lines apart. */
#ifndef SUPPORT_HV_TEST_H
#define SUPPORT_HV_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#undef stop /* a macro from cmocka 2.0 on; it takes the name away from functions */

/* Deprecated from cmocka 2.0 on, without a successor that 1.1.5 has: refused with both. */
#undef assert_in_range
#undef assert_not_in_range
#pragma GCC poison assert_in_range assert_not_in_range

/* How many descriptors this process has open. */
unsigned hv_count_fds(void);

/* Whether the test may make mount namespaces.  With HOSTVOL_MUST_RUN_PRIV=1 in the environment, no
 * means failure (exit 1); else the program should exit HV_SKIP after the reason was printed. */
enum { HV_SKIP = 77 };
int hv_need_privilege(void);

/* Run `fn` in a child that has a mount namespace of its own, all private, with an empty tmpfs at
 * `hv_sandbox`, and assert that it returned.  Assertions inside fail the test. */
void hv_in_namespace(void (*fn)(void));
extern const char hv_sandbox[];

/* main() of a program whose tests all run in one namespace: hv_need_privilege(), hv_in_namespace().
 * Return the status to exit with. */
int hv_run_in_namespace(void (*fn)(void));

/* Define a test whose body runs in hv_in_namespace(): NS_TEST(name) { ... } */
#define NS_TEST(name)                                                                              \
	static void name##_inside(void);                                                           \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		hv_in_namespace(name##_inside);                                                    \
	}                                                                                          \
	static void name##_inside(void)

#endif

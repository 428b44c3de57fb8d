/* SPDX-License-Identifier: Apache-2.0 */
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

/* A test adds itself to its program, whose tests run in the order of their definition:
 *   TEST(name) { ... }
 *   NS_TEST(name) { ... }                         the body runs in hv_in_namespace()
 *   TEST_WITH(name, setup, teardown) { ... }      cmocka's fixtures; the body has `void **state`
 *   STATE_TEST(name, type, variable, setup, teardown) { ... }
 *                                                 the body has `type *variable`, which is *state
 * A file with one fixture defines a macro of one argument for it. */
#define TEST(name)                                                                                 \
	static void name##_body(void);                                                             \
	TEST_WITH(name, NULL, NULL)                                                                \
	{                                                                                          \
		name##_body();                                                                     \
	}                                                                                          \
	static void name##_body(void)

#define NS_TEST(name)                                                                              \
	static void name##_inside(void);                                                           \
	TEST(name)                                                                                 \
	{                                                                                          \
		hv_in_namespace(name##_inside);                                                    \
	}                                                                                          \
	static void name##_inside(void)

#define TEST_WITH(name, setup, teardown)                                                           \
	static void name(__attribute__((unused)) void **state);                                    \
	__attribute__((constructor)) static void name##_add(void)                                  \
	{                                                                                          \
		static struct hv_test test = {{#name, name, setup, teardown, NULL}, NULL};         \
		hv_add_test(&test);                                                                \
	}                                                                                          \
	static void name(__attribute__((unused)) void **state)

/* NOLINTBEGIN(bugprone-macro-parentheses): a type and the name of a parameter take none. */
#define STATE_TEST(name, type, variable, setup, teardown)                                          \
	static void name##_with(type *variable);                                                   \
	TEST_WITH(name, setup, teardown)                                                           \
	{                                                                                          \
		name##_with(*state);                                                               \
	}                                                                                          \
	static void name##_with(__attribute__((unused)) type *variable)
/* NOLINTEND(bugprone-macro-parentheses) */

struct hv_test {
	struct CMUnitTest test;
	struct hv_test *next;
};

void hv_add_test(struct hv_test *test);

/* Run the tests of this program: as they are; after hv_need_privilege(); after that in one
 * namespace.  Return the status to exit with, 0 if none failed. */
int hv_run_tests(void);
int hv_run_tests_privileged(void);
int hv_run_tests_in_namespace(void);

/* The program's main(). */
#define TEST_MAIN()                                                                                \
	int main(void)                                                                             \
	{                                                                                          \
		return hv_run_tests();                                                             \
	}

#define TEST_MAIN_PRIVILEGED()                                                                     \
	int main(void)                                                                             \
	{                                                                                          \
		return hv_run_tests_privileged();                                                  \
	}

#define TEST_MAIN_IN_NAMESPACE()                                                                   \
	int main(void)                                                                             \
	{                                                                                          \
		return hv_run_tests_in_namespace();                                                \
	}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The declarations of the library's API: a header of it has them between MC_DECLS_BEGIN and
 * MC_DECLS_END.  The library is compiled with -fvisibility=hidden, so the shared one exports what
 * stands there, as far as libmountcore.map names it.  In C++ the names are those of C. */
#ifndef MOUNTCORE_DECLS_H
#define MOUNTCORE_DECLS_H

/* clang-format off */
#ifdef __cplusplus
#define MC_DECLS_BEGIN _Pragma("GCC visibility push(default)") extern "C" {
#define MC_DECLS_END } _Pragma("GCC visibility pop")
#else
#define MC_DECLS_BEGIN _Pragma("GCC visibility push(default)")
#define MC_DECLS_END _Pragma("GCC visibility pop")
#endif
/* clang-format on */

#endif

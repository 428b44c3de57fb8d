/* SPDX-License-Identifier: Apache-2.0 */
/* The listening unix socket. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

/* The file of a socket that was made here; none (ino 0) of one that systemd made and keeps. */
struct hv_socket_file {
	dev_t dev;
	ino_t ino;
};

/* Listen on `path`, mode 0600, its directory made if missing; a socket that is there and that
 * nobody answers on is replaced.  With a descriptor from systemd (LISTEN_FDS) that one is taken.
 * `ret_file` (may be NULL) is for hv_unlisten().
 * Returns a descriptor, -EADDRINUSE when another daemon answers there, or a negative errno.
 * Source: unix(7), sd_listen_fds(3). */
int hv_listen(const char *path, struct hv_socket_file *ret_file)
	__attribute__((nonnull(1), warn_unused_result));

/* Remove the file, if it is ours, so that nobody connects any more (dockerd waits 15 s for a socket
 * on which nobody answers), and wait until who connected before has been accepted, which another
 * thread does meanwhile; at most a second.  Nothing for a socket of systemd: it keeps the
 * connections that come for the next daemon.  `fd` stays open. */
void hv_unlisten(int fd, const char *path, const struct hv_socket_file *file)
	__attribute__((nonnull));

/* Whether `text` is ADDRESS:PORT: a numeric IPv4 address, or a numeric IPv6 address in brackets,
 * and a port of 1 to 65535. */
bool hv_address_is_valid(const char *text) __attribute__((nonnull));

/* Listen for TCP connections at ADDRESS:PORT.  Of an IPv6 address IPv6 alone.
 * Returns a descriptor, -EINVAL if it is no such text, or the error of socket(2), bind(2) or
 * listen(2): -EADDRINUSE, -EADDRNOTAVAIL, -EACCES.  Source: ip(7), ipv6(7). */
int hv_listen_tcp(const char *text) __attribute__((nonnull, warn_unused_result));

#endif

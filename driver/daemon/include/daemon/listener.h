/* The listening unix socket. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

/* Listen on `path`, mode 0600, its directory made if missing; a socket that is there and that
 * nobody answers on is replaced.  With a descriptor from systemd (LISTEN_FDS) that one is taken.
 * Returns a descriptor, -EADDRINUSE when another daemon answers there, or a negative errno.
 * Source: unix(7), sd_listen_fds(3). */
int hv_listen(const char *path) __attribute__((nonnull, warn_unused_result));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors in a message. */
#ifndef MOUNTCORE_SRC_MESSAGE_H
#define MOUNTCORE_SRC_MESSAGE_H

#include <sys/types.h>

/* Send a message with the descriptors of fds[] that are not the ones it `had`: one byte for each
 * slot says whether a descriptor for it follows.  In a helper, too.  Returns as sendmsg(2). */
ssize_t mc_message_send(int socket_fd, const int *had, const int *fds);

/* Receive one.  Returns 0 or a negative errno; either way the caller owns the received `fds`. */
int mc_message_receive(int socket_fd, int *fds);

#endif

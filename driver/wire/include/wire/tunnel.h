/* SPDX-License-Identifier: Apache-2.0 */
/* An answer that travels as the error of a volume: the word that begins it. */
#ifndef WIRE_TUNNEL_H
#define WIRE_TUNNEL_H

/* It is followed by the HTTP status, a space, and the answer's JSON. */
#define HV_TUNNEL_ANSWER "hostvol-answer "

/* The longest wait of a detach that comes so: the Engine gives up on a call after 30 seconds. */
enum { HV_TUNNEL_WAIT_SECONDS = 25 };

#endif

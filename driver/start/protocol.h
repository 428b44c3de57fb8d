/* SPDX-License-Identifier: Apache-2.0 */
/* The messages between the daemon and the gate: one struct each, on a SEQPACKET socket; with
 * HV_GATE_HELD a descriptor. */
#ifndef START_PROTOCOL_H
#define START_PROTOCOL_H

#include <limits.h>
#include <stddef.h>
#include <sys/socket.h>

#include "start/gate.h"

/* Room for the descriptor, aligned as cmsg(3) wants it. */
union hv_control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

enum hv_order_kind {
	HV_ORDER_FOLLOW,
	HV_ORDER_KNOW,
	HV_ORDER_FORGET,
	HV_ORDER_MARK,
	HV_ORDER_RELEASE,
	HV_ORDER_REFUSE,
	HV_ORDER_LOOK
};

struct hv_order {
	enum hv_order_kind kind;
	uint32_t seq;
	bool is_early;
	bool must_deny;
	char name[PATH_MAX]; /* a root or an ID; sent as long as it is */
};

#endif

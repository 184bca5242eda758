/* packet-mcas.h
 * What the parts of the plugin know of each other.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_MCAS_H
#define PACKET_MCAS_H

#include <stdbool.h>

#include <epan/packet.h>

#include "mcas.h"
#include "ws_compat.h"

/* A request and the response to it. File scope. */
typedef struct mcas_exchange {
    uint32_t request_frame;  /* 0: not in the capture */
    uint32_t response_frame; /* 0: not (yet) seen */
    nstime_t request_time;
    uint32_t request_type;   /* MCAS_TYPE_..., NONE for a web page's */
    uint32_t request_method;
    bool     request_whole;  /* not only its head was seen */
    uint32_t request_ack;    /* server's next byte when it was sent */
    uint32_t response_seq;   /* where the response began, once it has */
    bool     answering;      /* the response has begun, not ended */
    struct mcas_exchange *next;
} mcas_exchange;

/*
 * A message that was recognised, as it was decided on the first pass; every
 * later visit of the frame gets the very same. File scope.
 */
typedef struct mcas_found {
    uint32_t offset;      /* in the bytes that TCP handed over */
    uint32_t length;      /* captured bytes of the message */
    uint32_t missing;     /* announced bytes behind the captured ones */
    bool     among_others; /* messages that are not ours stand beside it */
    mcas_context context;  /* what it has to be parsed with */
    mcas_exchange *exchange;
    struct mcas_found *next;
} mcas_found;

extern int proto_mcas;

struct tcpinfo;

/* gate.c: the way from TCP through HTTP to the dissector. */
void mcas_gate_register(void);
void mcas_gate_handoff(void);

/* packet-mcas.c: shows the messages of a mcas_found, which is the data; or
 * without data the one at the beginning. */
int dissect_mcas(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
                 void *data);

/*
 * exchange.c: requests and responses of a connection, and what of them is
 * ours.
 */
void mcas_exchange_register(void);

/* Remembers that the bytes at hand are requests of another kind. */
void mcas_other_request(packet_info *pinfo, tvbuff_t *tvb,
                        const struct tcpinfo *tcp);

/*
 * Finds the messages of ours among the first `limit` bytes, on the first
 * pass only. Where there is one, *claim tells whether the connection should
 * be followed from here on.
 */
mcas_found *mcas_decide(packet_info *pinfo, tvbuff_t *tvb, uint32_t limit,
                        const struct tcpinfo *tcp, bool *claim);

#endif /* PACKET_MCAS_H */

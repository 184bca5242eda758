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
    bool     taught;       /* was given to learned.c */
    mcas_context context;  /* what it has to be parsed with */
    mcas_message *parsed;  /* packet scope: not on later visits */
    mcas_exchange *exchange;
    struct mcas_learned *learned; /* what its values taught, once it is read */
    struct mcas_found *next;
} mcas_found;

/*
 * What listeners of the tap "mcas" are told of each message. They read its
 * items from the bytes with the library, as any program does. Packet scope.
 */
typedef struct {
    const mcas_message *message;
    const uint8_t *bytes;    /* that it was parsed from; NULL without head */
    const uint8_t *body;     /* the body without chunk marks, except for an
                                image that no export asked for */
    uint32_t body_length;    /* 0 where the head was cut */
    const mcas_exchange *exchange; /* or NULL */
    const char *type;        /* name of the message type */
    const char *summary;     /* as in the Info column */
} mcas_tap_message;

extern int proto_mcas;
extern int mcas_tap;

struct conversation;
struct tcpinfo;

/* An item of the bytes as text, in a style of MCAS_FORMAT_.... */
char *mcas_item_text(wmem_allocator_t *scope, const uint8_t *bytes,
                     size_t length, const mcas_item *item, uint32_t style);

/* Takes out of a text, in place, all that could break the line that it stands
 * in, or colour it or turn it round on a terminal. */
char *mcas_printable(char *text);

/* Wireshark's number of a field (MCAS_FIELD_...). */
int mcas_hf(uint32_t field);

/* gate.c: the way from TCP through HTTP to the dissector. */
void mcas_gate_register(void);
void mcas_gate_handoff(void);

/* packet-mcas.c: shows the message at the beginning, for whoever calls "mcas"
 * by its name. Their data is not looked at: it is what they have for others,
 * and a capture of exported PDUs chooses name and data. */
int dissect_mcas(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
                 void *data);

/* Shows the messages of a mcas_found, which is the data. */
int dissect_mcas_found(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
                       void *data);

/* tap.c: the tap, whether somebody listens to it, or to another that it
 * goes to, and reading of what came through it. */
void mcas_tap_register(void);
bool mcas_tap_wanted(void);
void mcas_tap_queue(packet_info *pinfo, const mcas_tap_message *message);

/* Where the reading of a message's items stands; all zeros at the start. */
typedef struct {
    enum { MCAS_TAP_START, MCAS_TAP_HEAD, MCAS_TAP_BODY } part;
    const uint8_t *bytes; /* that the last item was read from */
    size_t length;
    mcas_iter iter;
} mcas_tap_walk;

/* The next item, of the head first and then of the body. */
bool mcas_tap_next(const mcas_tap_message *from, mcas_tap_walk *walk,
                   mcas_item *item);

/* The item just read as text, in a style of MCAS_FORMAT_...., that nothing
 * in it can break the line of, or colour. */
const char *mcas_tap_text(wmem_allocator_t *scope, const mcas_tap_walk *walk,
                          const mcas_item *item, uint32_t style);

/* What the item just read says of the result, such as "Success (0000)", or
 * NULL. One that is no number is a note; a number that is no success is a
 * field and then a note. */
const char *mcas_tap_result(wmem_allocator_t *scope,
                            const mcas_tap_walk *walk, const mcas_item *item);

/* Value of the first item of a field (MCAS_FIELD_...), or NULL. */
const char *mcas_tap_value(wmem_allocator_t *scope,
                           const mcas_tap_message *from, uint32_t field);

/* tap-….c: what listens to it, until then at no cost. */
void mcas_provisioning_register(void);
void mcas_counters_register(void);
void mcas_response_time_register(void);
void mcas_flow_register(void);
void mcas_config_register(void);
void mcas_boot_register(void);

/* export.c: bodies as objects to save. Whether somebody wants them. */
extern int mcas_export_tap;
void mcas_export_register(void);
bool mcas_export_wanted(void);

/* credentials.c: for Wireshark's table of them. */
void mcas_credentials_register(void);
bool mcas_credentials_wanted(void);
void mcas_credentials_queue(packet_info *pinfo,
                            const mcas_tap_message *message);

/* filter.c: "M-CAS" among the conversation filters. */
void mcas_filter_register(void);

/* learned.c: endpoints that answers name, found again in what follows. The
 * first visit of a message learns; each lists what was learned below it. */
void mcas_learned_register(void);
void mcas_learned_handoff(void);
void mcas_learned_learn(packet_info *pinfo, const mcas_tap_message *message,
                        mcas_found *found);
void mcas_learned_draw(proto_tree *tree, tvbuff_t *tvb,
                       const mcas_found *found);

/* Order of TCP's sequence numbers, which wrap. */
static inline bool
mcas_behind(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

/* others.c: requests of another kind, and whether a response answers one. The
 * bytes given are those of the packet that was captured. */
typedef struct mcas_other_request mcas_other_request;

void mcas_others_register(void);
void mcas_others_note(const packet_info *pinfo, const struct tcpinfo *tcp,
                      const uint8_t *bytes, uint32_t captured,
                      uint32_t reported);

/* The one that a response answers, where that is quick to say, or NULL. Tell
 * it when HTTP has all of the answer. */
mcas_other_request *mcas_others_asked(const packet_info *pinfo,
                                      const struct tcpinfo *tcp);
void mcas_others_end_answer(mcas_other_request *request,
                            const struct tcpinfo *tcp);

/* Whether a response is the answer to one that was seen. */
bool mcas_others_answered(const packet_info *pinfo,
                          const struct tcpinfo *tcp);

/* How many of them wait for an answer in front of the request at hand. */
uint32_t mcas_others_waiting(const packet_info *pinfo,
                             const struct tcpinfo *tcp);

/* exchange.c: requests and responses of a connection, and what of them is
 * ours. A message that nothing is known of, and only the head matters of. */
extern const mcas_context mcas_head_only;

/*
 * Finds the messages of ours among the first `limit` bytes, on the first
 * pass only. Writes *follow if the connection should be followed from here
 * on: its conversation.
 */
mcas_found *mcas_decide(packet_info *pinfo, tvbuff_t *tvb, uint32_t limit,
                        const struct tcpinfo *tcp,
                        struct conversation **follow);

#endif /* PACKET_MCAS_H */

/* exchange.c
 * Requests and responses of a connection, and what of them is ours.
 *
 * A response of this protocol is recognised by its request, so requests and
 * responses are paired here, in the order of the connection. HTTP pairs them
 * too, but wrongly where they are pipelined, and in 4.0 takes a 100 Continue
 * for the response. All of this happens on the first pass; later visits of a
 * frame find the outcome.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/conversation.h>
#include <epan/dissectors/packet-tcp.h>

/* The message that HTTP waits for the rest of. TCP hands it over again with
 * each segment, so what was found in it is kept. File scope. */
typedef struct {
    uint32_t seq; /* where it begins */
    mcas_progress progress;
} begun;

/* A connection on which something of ours was seen, or may be in what has
 * begun. File scope. */
typedef struct {
    mcas_exchange *first;   /* requests that wait for their response */
    mcas_exchange **end;    /* where the next one is appended */
    wmem_tree_t *requests;  /* exchanges by sequence number of the request */
    wmem_tree_t *responses; /* and of the response: for retransmissions */
    uint32_t server_end;    /* server's bytes up to here are accounted for */
    bool     server_seen;   /* whether that is known */
    uint32_t orphan_ack;    /* client's next byte, as a response said that
                               had no request */
    bool     orphan_seen;   /* whether there was one */
    bool     tunnel;        /* no more HTTP: after 101 or CONNECT */
    bool     followed;
    uint32_t client_port;
    uint32_t body_end[2];   /* of a body that is not reassembled, by side */
    bool     body_open[2];
    begun   *begun[2];      /* by side */
} connection;

/* Sequence number of the first of the bytes that TCP handed over. Where a
 * FIN ends what had no other end, TCP tells that of its last segment. */
static uint32_t
first_seq(tvbuff_t *tvb, const struct tcpinfo *tcp)
{
    uint32_t length = tvb_reported_length(tvb);
    bool ended = (tcp->flags & TH_FIN) && !tcp->is_reassembled
        && length > tcp->nxtseq - tcp->seq;

    return ended ? tcp->nxtseq - length : tcp->seq;
}

const mcas_context mcas_head_only = { .flags = MCAS_CONTEXT_HEAD_ONLY };

/* Announced bytes that are not at hand, as far as sequence numbers and
 * Wireshark's lengths can tell. */
static uint32_t
missing_bytes(const mcas_message *message)
{
    return (uint32_t)MIN(message->body_missing,
                         (uint64_t)(INT32_MAX - message->length));
}

static void
append_request(connection *conn, mcas_exchange *exchange)
{
    *conn->end = exchange;
    conn->end = &exchange->next;
}

static void
drop_first(connection *conn)
{
    conn->first = conn->first->next;
    if (!conn->first)
        conn->end = &conn->first;
}

static connection *
get_connection(conversation_t *conversation)
{
    return (connection *)conversation_get_proto_data(conversation,
                                                     proto_mcas);
}

static connection *
make_connection(conversation_t *conversation)
{
    connection *conn = get_connection(conversation);

    if (!conn) {
        conn = wmem_new0(wmem_file_scope(), connection);
        conversation_add_proto_data(conversation, proto_mcas, conn);
    }
    return conn;
}

/* Begins to keep requests and responses of a connection. */
static void
follow_connection(connection *conn, packet_info *pinfo,
                  const struct tcpinfo *tcp, uint32_t client_port)
{
    conn->followed = true;
    conn->end = &conn->first;
    conn->requests = wmem_tree_new(wmem_file_scope());
    conn->responses = wmem_tree_new(wmem_file_scope());
    conn->client_port = client_port;
    if (tcp && pinfo->srcport == client_port)
        for (uint32_t i = mcas_others_waiting(pinfo, tcp); i > 0; i--) {
            mcas_exchange *exchange =
                wmem_new0(wmem_file_scope(), mcas_exchange);

            exchange->request_type = MCAS_TYPE_NONE;
            exchange->request_ack = tcp->lastackseq;
            append_request(conn, exchange);
        }
}

/*
 * A request, of any kind, as soon as its head is there: a server may answer
 * before the body has come. A retransmission gets the exchange it had.
 */
static mcas_exchange *
add_request(connection *conn, packet_info *pinfo, const struct tcpinfo *tcp,
            uint32_t seq, const mcas_message *message)
{
    mcas_exchange *exchange = tcp
        ? (mcas_exchange *)wmem_tree_lookup32(conn->requests, seq)
        : NULL;

    if (exchange && exchange->request_whole)
        return exchange;
    if (!exchange && tcp) {
        /* A client that acknowledges bytes of the server beyond those that
         * were seen has had its answers in them: they are lost to us, and
         * without this every later response would get the wrong request. */
        while (conn->first && !conn->first->answering) {
            uint32_t seen = conn->first->request_ack;

            if (conn->server_seen && mcas_behind(conn->server_end, seen))
                seen = conn->server_end;
            if (!mcas_behind(tcp->lastackseq, seen))
                break;
            drop_first(conn);
        }
    }
    if (!exchange) {
        exchange = wmem_new0(wmem_file_scope(), mcas_exchange);
        if (tcp) {
            exchange->request_ack = tcp->lastackseq;
            wmem_tree_insert32(conn->requests, seq, exchange);
        }
        /* A request that is seen only after its response (out of order, or
         * put together late) waits for no other one. */
        if (!tcp || !conn->orphan_seen
            || mcas_behind(seq + message->length, conn->orphan_ack))
            append_request(conn, exchange);
    }
    exchange->request_type = message->message_type;
    exchange->request_method = message->method;
    exchange->request_whole = (message->flags & MCAS_MESSAGE_COMPLETE) != 0;
    /* The frame that shows it; but what a response refers to must not change
     * between one visit of the response's frame and the next. */
    if (!exchange->response_frame) {
        exchange->request_frame = pinfo->num;
        exchange->request_time = pinfo->abs_ts;
    }
    return exchange;
}

/* The exchange that a response at this sequence number ends, still in the
 * queue; NULL if no request waits for one. */
static mcas_exchange *
waiting_exchange(connection *conn, const struct tcpinfo *tcp, uint32_t seq)
{
    if (tcp) {
        mcas_exchange *exchange =
            (mcas_exchange *)wmem_tree_lookup32(conn->responses, seq);

        if (exchange)
            return exchange;
        /* A response that began elsewhere and never ended was lost. */
        while (conn->first && conn->first->answering
               && conn->first->response_seq != seq)
            drop_first(conn);
        /* One that began before a request was sent does not answer it. */
        if (conn->first && mcas_behind(conn->first->request_ack, seq))
            return NULL;
    }
    return conn->first;
}

/* What a response has to be parsed with. */
static mcas_context
response_context(packet_info *pinfo, const struct tcpinfo *tcp,
                 const mcas_exchange *exchange)
{
    mcas_context context = {0};

    if (exchange) {
        context.request = MCAS_REQUEST_SEEN;
        context.request_type = exchange->request_type;
        context.request_method = exchange->request_method;
    } else if (mcas_others_answered(pinfo, tcp)) {
        context.request = MCAS_REQUEST_SEEN;
        context.request_type = MCAS_TYPE_NONE;
    }
    if (tcp && (tcp->flags & TH_FIN))
        context.flags = MCAS_CONTEXT_END_OF_STREAM;
    return context;
}

/* A message that was parsed, and of what. */
typedef struct {
    const uint8_t *bytes;
    uint32_t length;
    mcas_context context;
    mcas_message message;
    bool http;
} parsed;

/* Parses the message at the beginning of some bytes, unless it is the one
 * that was parsed last; tells whether it is HTTP. */
static bool
parse(parsed *last, const uint8_t *bytes, uint32_t length,
      const mcas_context *context)
{
    if (last->bytes != bytes || last->length != length
        || memcmp(&last->context, context, sizeof(*context)) != 0) {
        last->bytes = bytes;
        last->length = length;
        last->context = *context;
        last->http = mcas_message_parse(bytes, length, context,
                                        &last->message) >= 0;
    }
    return last->http;
}

/* The same of a message that begins at a sequence number and is not whole:
 * what was looked at when less of it was there is not looked at again. */
static bool
parse_on(parsed *last, connection *conn, int side, uint32_t seq,
         const uint8_t *bytes, uint32_t length, const mcas_context *context)
{
    begun *known = conn->begun[side];

    if (!known || known->seq != seq) {
        if (!known)
            known = conn->begun[side] = wmem_new(wmem_file_scope(), begun);
        memset(known, 0, sizeof(*known));
        known->seq = seq;
    }
    last->bytes = bytes;
    last->length = length;
    last->context = *context;
    last->http = mcas_message_resume(bytes, length, context,
                                     &known->progress, &last->message) >= 0;
    return last->http;
}

static bool
is_response(const uint8_t *bytes, uint32_t length)
{
    while (length > 0 && (*bytes == '\r' || *bytes == '\n'))
        bytes++, length--;
    return length >= 5 && memcmp(bytes, "HTTP/", 5) == 0;
}

/*
 * Whether the bytes hold anything that the connection has to be followed
 * for: a message that is ours by itself, or CONNECT. Tells also of a 101.
 */
static bool
worth_following(conversation_t *conversation, packet_info *pinfo,
                tvbuff_t *tvb, const uint8_t *bytes, uint32_t length,
                const struct tcpinfo *tcp, parsed *last, bool *upgraded)
{
    const mcas_context context = response_context(pinfo, tcp, NULL);
    const mcas_message *message = &last->message;
    connection *conn = get_connection(conversation);
    int side = is_response(bytes, length) ? 1 : 0;
    uint32_t base = tcp ? first_seq(tvb, tcp) : 0;

    for (uint32_t at = 0; at < length; at += message->length) {
        const begun *known = tcp && conn ? conn->begun[side] : NULL;

        if (!(known && known->seq == base + at
              ? parse_on(last, conn, side, base + at, bytes + at,
                         length - at, &context)
              : parse(last, bytes + at, length - at, &context)))
            return false;
        if (message->message_type != MCAS_TYPE_NONE
            || (message->kind == MCAS_KIND_REQUEST
                && message->method == MCAS_METHOD_CONNECT))
            return true;
        if (message->status == 101) {
            *upgraded = true;
            return false;
        }
        if (!(message->flags & MCAS_MESSAGE_COMPLETE)
            || message->length == 0) {
            if (tcp && !known)
                parse_on(last, make_connection(conversation), side, base + at,
                         bytes + at, length - at, &context);
            return false;
        }
    }
    return false;
}

/* A message that HTTP waits for the rest of. */
static void
begin_message(connection *conn, packet_info *pinfo,
              const struct tcpinfo *tcp, uint32_t seq, const uint8_t *bytes,
              uint32_t length)
{
    static const mcas_context nothing = {0};
    const mcas_message *message;
    parsed last;

    if (is_response(bytes, length)) {
        mcas_exchange *exchange = waiting_exchange(conn, tcp, seq);

        /* Its request is being answered: what the client acknowledges from
         * now on does not mean that the answer was lost. */
        if (exchange && exchange == conn->first) {
            exchange->answering = true;
            exchange->response_seq = seq;
        }
        return;
    }
    message = &last.message;
    if (parse_on(&last, conn, 0, seq, bytes, length, &nothing)
        && message->kind == MCAS_KIND_REQUEST
        && (message->flags & MCAS_MESSAGE_HEAD_COMPLETE))
        add_request(conn, pinfo, tcp, seq, message);
}

/* The connection of the bytes, if it is one that is followed, or has to be
 * from here on; NULL where nothing can be ours. */
static connection *
followed_connection(conversation_t *conversation, packet_info *pinfo,
                    tvbuff_t *tvb, const uint8_t *bytes, uint32_t captured,
                    const struct tcpinfo *tcp, parsed *last)
{
    bool response = is_response(bytes, captured);
    uint32_t client_port = response ? pinfo->destport : pinfo->srcport;
    connection *conn = get_connection(conversation);
    bool worth, upgraded = false;

    if (conn && (conn->tunnel || conn->followed))
        return conn->tunnel ? NULL : conn;
    worth = worth_following(conversation, pinfo, tvb, bytes, captured, tcp,
                            last, &upgraded);
    if (worth) {
        conn = make_connection(conversation);
        follow_connection(conn, pinfo, tcp, client_port);
        return conn;
    }
    if (upgraded)
        make_connection(conversation)->tunnel = true;
    else if (!response)
        mcas_others_note(pinfo, tcp, bytes, captured,
                         tvb_reported_length(tvb));
    return NULL;
}

/* A response that has ended, and the exchange that waited for it, if any.
 * Tells the exchange that it belongs to: none for an interim one. */
static mcas_exchange *
take_response(connection *conn, packet_info *pinfo, const struct tcpinfo *tcp,
              uint32_t seq, const mcas_message *message,
              mcas_exchange *exchange)
{
    bool interim = message->status >= 100 && message->status < 200;
    uint32_t end = seq + message->length + missing_bytes(message);

    /* A retransmission does not take it back. */
    if (!conn->server_seen || mcas_behind(end, conn->server_end))
        conn->server_end = end;
    conn->server_seen = true;
    conn->tunnel = message->status == 101
        || (message->method == MCAS_METHOD_CONNECT
            && message->status / 100 == 2);
    if (!exchange && !interim && tcp) {
        conn->orphan_ack = tcp->lastackseq;
        conn->orphan_seen = true;
    }
    if (exchange && exchange == conn->first) {
        exchange->answering = false;
        if (!interim) {
            drop_first(conn);
            exchange->response_seq = seq;
            /* Cut before its status it is not shown: no link leads to it. */
            if (message->message_type != MCAS_TYPE_NONE)
                exchange->response_frame = pinfo->num;
            if (tcp)
                wmem_tree_insert32(conn->responses, seq, exchange);
        }
    }
    return interim ? NULL : exchange;
}

/* Without reassembly the rest of a body comes by itself: how many of the
 * bytes belong to it. */
static uint32_t
rest_of_body(connection *conn, int side, uint32_t base, uint32_t captured)
{
    uint32_t end = conn->body_end[side];

    if (!conn->body_open[side])
        return 0;
    if (!mcas_behind(end, base + captured))
        conn->body_open[side] = false;
    return mcas_behind(end, base) ? end - base : 0;
}

mcas_found *
mcas_decide(packet_info *pinfo, tvbuff_t *tvb, uint32_t limit,
            const struct tcpinfo *tcp, conversation_t **follow)
{
    uint32_t captured = tvb_captured_length(tvb);
    uint32_t base = tcp ? first_seq(tvb, tcp) : 0;
    mcas_found *first = NULL, **end = &first;
    unsigned messages = 0, ours = 0;
    const mcas_message *message;
    conversation_t *conversation;
    const uint8_t *bytes;
    connection *conn;
    parsed last;
    int side;

    if (captured == 0)
        return NULL;
    bytes = tvb_get_ptr(tvb, 0, (int)captured);
    last.bytes = NULL;
    message = &last.message;
    conversation = find_or_create_conversation(pinfo);
    conn = followed_connection(conversation, pinfo, tvb, bytes, captured,
                               tcp, &last);
    if (!conn)
        return NULL;
    *follow = conversation;

    side = pinfo->srcport == conn->client_port ? 0 : 1;
    limit = MIN(limit, captured);
    for (uint32_t at = rest_of_body(conn, side, base, captured);
         at < limit && !conn->tunnel;) {
        uint32_t seq = base + at;
        bool response = is_response(bytes + at, limit - at);
        mcas_exchange *exchange =
            response ? waiting_exchange(conn, tcp, seq) : NULL;
        mcas_context context = response_context(pinfo, tcp, exchange);

        if (!parse(&last, bytes + at, limit - at, &context)
            || message->kind == MCAS_KIND_UNKNOWN || message->length == 0)
            break;
        exchange = message->kind == MCAS_KIND_REQUEST
            ? add_request(conn, pinfo, tcp, seq, message)
            : take_response(conn, pinfo, tcp, seq, message, exchange);
        if (message->message_type != MCAS_TYPE_NONE) {
            mcas_found *found = wmem_new0(wmem_file_scope(), mcas_found);

            found->offset = at;
            found->length = message->length;
            found->missing = missing_bytes(message);
            found->context = context;
            found->parsed = wmem_new(pinfo->pool, mcas_message);
            *found->parsed = *message;
            found->exchange = exchange;
            *end = found;
            end = &found->next;
            ours++;
        }
        messages++;
        at += message->length;
        if (!(message->flags & MCAS_MESSAGE_COMPLETE)) {
            conn->body_open[side] = tcp && message->body_missing > 0;
            conn->body_end[side] = base + at + missing_bytes(message);
            break;
        }
    }

    if (tcp && limit < captured && !conn->tunnel)
        begin_message(conn, pinfo, tcp, base + limit, bytes + limit,
                      captured - limit);
    for (mcas_found *found = first; found; found = found->next)
        found->among_others = ours < messages || limit < captured;
    return first;
}

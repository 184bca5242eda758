/* others.c
 * Requests of another kind, on connections without M-CAS.
 *
 * They are remembered for two questions. Whether a response that looks like
 * ours, but has no request of ours, answers one of these: then it is not ours.
 * And whether the first request of ours on a connection has others before it
 * that wait for an answer.
 *
 * Web traffic is full of them, and who asks for certain is rare. So the last
 * of each connection stands in a table, which answers at once, and where that
 * of another connection may take its place. Only one that still waits for its
 * answer is kept in a map then; a second answer to one that had its own is
 * judged by itself. Of requests that were pipelined not all are counted (two
 * in a segment are one, those before an acknowledgement none), so of such
 * connections the last one is always kept.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/dissectors/packet-tcp.h>

/* The last request of a connection, of those that were seen. */
struct mcas_other_request {
    uint64_t key;       /* of client, server and their ports */
    uint32_t start;     /* where it begins */
    uint32_t end;       /* client's next byte behind it */
    uint32_t ack;       /* server's next byte when it was sent */
    uint32_t answer;    /* where the next answer begins, or before that */
    uint32_t waiting;   /* requests whose answer has not ended, with this */
    bool     kept;      /* in the map when it loses its place, even answered */
};

static mcas_other_request recent[256]; /* by their key */
static wmem_map_t *kept;               /* by their key, too */

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static uint64_t
add_to_key(uint64_t key, const address *end)
{
    const uint8_t *data = (const uint8_t *)end->data;
    int at = 0;

    for (; at + 4 <= end->len; at += 4) {
        uint32_t part;

        memcpy(&part, data + at, sizeof(part));
        key = (key ^ part) * MULTIPLIER;
        key ^= key >> 29;
    }
    for (; at < end->len; at++)
        key = (key ^ data[at]) * MULTIPLIER;
    return key;
}

/* A key for one direction of a connection; of IPv4 in half the time. */
static inline uint64_t
direction_key(const address *from, uint32_t from_port, const address *to,
              uint32_t to_port)
{
    uint64_t ports = (uint64_t)from_port << 16 ^ to_port;
    uint32_t a, b;

    if (from->type != AT_IPv4 || to->type != AT_IPv4)
        return add_to_key(add_to_key(ports, from), to);
    memcpy(&a, from->data, sizeof(a));
    memcpy(&b, to->data, sizeof(b));
    return (ports * MULTIPLIER ^ ((uint64_t)a << 32 | b)) * MULTIPLIER;
}

static uint64_t
request_key(const packet_info *pinfo)
{
    return direction_key(&pinfo->src, pinfo->srcport, &pinfo->dst,
                         pinfo->destport);
}

static uint64_t
response_key(const packet_info *pinfo)
{
    return direction_key(&pinfo->dst, pinfo->destport, &pinfo->src,
                         pinfo->srcport);
}

static mcas_other_request *
recent_place(uint64_t key)
{
    return &recent[key >> 56];
}

/* The last request of a connection, or NULL. */
static const mcas_other_request *
find_last(uint64_t key)
{
    const mcas_other_request *recently = recent_place(key);

    return recently->key == key
        ? recently
        : (const mcas_other_request *)wmem_map_lookup(kept, &key);
}

/* Keeps the last request of a connection that loses its place. */
static void
keep(const mcas_other_request *request)
{
    mcas_other_request *known =
        (mcas_other_request *)wmem_map_lookup(kept, &request->key);

    if (!known) {
        known = wmem_new(wmem_file_scope(), mcas_other_request);
        known->key = request->key;
        wmem_map_insert(kept, &known->key, known);
    }
    *known = *request;
    known->kept = true;
}

/* How many bytes of a request's body come behind the segment it begins in. No
 * more of them than can be told from what stands in front of the request. */
static uint32_t
announced(const uint8_t *bytes, uint32_t captured, uint32_t reported)
{
    mcas_message message;

    if (mcas_message_parse(bytes, captured, &mcas_head_only, &message) < 0)
        return 0;
    return (uint32_t)MIN(message.body_missing, INT32_MAX - (uint64_t)reported);
}

/* Adds to the requests that wait with one those that did before it, if there
 * was no answer between. The same request again, as when more of it has come,
 * counts once. */
static void
count_before(mcas_other_request *request, const mcas_other_request *before)
{
    bool again = !mcas_behind(request->start, before->start);

    request->kept = before->kept || (before->waiting > 0 && !again);
    if (before->ack != request->ack)
        return;
    request->answer = before->answer;
    if (before->waiting > 0)
        request->waiting += before->waiting - again;
}

void
mcas_others_note(const packet_info *pinfo, const struct tcpinfo *tcp,
                 const uint8_t *bytes, uint32_t captured, uint32_t reported)
{
    mcas_other_request request, *place;
    const mcas_other_request *before;

    if (!tcp)
        return;
    request.key = request_key(pinfo);
    request.start = tcp->seq;
    request.end = tcp->seq + reported;
    if (*bytes == 'P') /* POST, PUT, PATCH */
        request.end += announced(bytes, captured, reported);
    request.ack = tcp->lastackseq;
    request.answer = tcp->lastackseq;
    request.waiting = 1;
    request.kept = false;
    before = find_last(request.key);
    if (before)
        count_before(&request, before);
    place = recent_place(request.key);
    if (place->key != request.key && (place->waiting > 0 || place->kept))
        keep(place);
    *place = request;
}

/* The server has received nothing behind the request. It may answer before it
 * has received all of it. */
static bool
is_answered(const mcas_other_request *request, const struct tcpinfo *tcp)
{
    return mcas_behind(tcp->lastackseq, request->start)
        && !mcas_behind(tcp->lastackseq, request->end);
}

mcas_other_request *
mcas_others_asked(const packet_info *pinfo, const struct tcpinfo *tcp)
{
    uint64_t key = response_key(pinfo);
    mcas_other_request *last = recent_place(key);

    return tcp && last->key == key && is_answered(last, tcp) ? last : NULL;
}

void
mcas_others_end_answer(mcas_other_request *request, const struct tcpinfo *tcp)
{
    /* One that was there before, or that began before the requests that wait
     * were sent, answers none of them. */
    if (request->waiting == 0 || mcas_behind(request->answer, tcp->seq))
        return;
    request->waiting--;
    request->answer = tcp->seq + 1;
}

bool
mcas_others_answered(const packet_info *pinfo, const struct tcpinfo *tcp)
{
    const mcas_other_request *last = find_last(response_key(pinfo));

    return tcp && last && is_answered(last, tcp);
}

uint32_t
mcas_others_waiting(const packet_info *pinfo, const struct tcpinfo *tcp)
{
    const mcas_other_request *last = find_last(request_key(pinfo));

    /* They were sent before this one, and the server has answered none. */
    return last && last->ack == tcp->lastackseq
        && !mcas_behind(last->end, tcp->seq)
        ? last->waiting
        : 0;
}

static void
forget_requests(void)
{
    memset(recent, 0, sizeof(recent));
}

void
mcas_others_register(void)
{
    register_init_routine(forget_requests);
    kept = wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(),
                                  g_int64_hash, g_int64_equal);
}

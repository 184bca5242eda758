/* others.c
 * Requests of another kind, on connections without M-CAS.
 *
 * They are remembered for two questions. Whether a response that looks like
 * ours, but has no request of ours, answers one of these: then it is not ours.
 * And whether the first request of ours on a connection has others before it
 * that wait for an answer.
 *
 * Web traffic is full of them, and who asks for certain is rare: so they are
 * only noted down, one after the other, and put into a map when somebody does.
 * What the gate asks of every response of the web is asked of a table, where
 * a connection may take another's place, instead of looking into the response.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/dissectors/packet-tcp.h>

typedef struct {
    uint64_t key;   /* of client, server and their ports */
    uint32_t start; /* where it begins */
    uint32_t end;   /* client's next byte behind it */
    uint32_t ack;   /* server's next byte when it was sent */
} request;

/* The last request of a connection. */
typedef struct {
    request  last;
    uint32_t count; /* sent one after the other without an answer between */
} requests;

static wmem_array_t *noted; /* request */
static unsigned mapped;     /* how many of them are in the map */
static wmem_map_t *map;     /* requests by their key */
static request recent[256]; /* the last one of a connection, by its key */

static uint64_t
add_to_key(uint64_t key, const address *end)
{
    const uint8_t *data = (const uint8_t *)end->data;
    int at = 0;

    for (; at + 4 <= end->len; at += 4) {
        uint32_t part;

        memcpy(&part, data + at, sizeof(part));
        key = (key ^ part) * UINT64_C(0x9e3779b97f4a7c15);
        key ^= key >> 29;
    }
    for (; at < end->len; at++)
        key = (key ^ data[at]) * UINT64_C(0x9e3779b97f4a7c15);
    return key;
}

/* A key for one direction of a connection. */
static uint64_t
direction_key(const address *from, uint32_t from_port, const address *to,
              uint32_t to_port)
{
    return add_to_key(add_to_key(((uint64_t)from_port << 16) ^ to_port, from),
                      to);
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

static request *
recent_place(uint64_t key)
{
    return &recent[key % array_length(recent)];
}

void
mcas_others_note(const packet_info *pinfo, tvbuff_t *tvb,
                 const struct tcpinfo *tcp)
{
    request request;
    mcas_message message;
    const uint8_t *bytes;
    uint64_t all;
    uint32_t length;

    if (!tcp)
        return;
    all = tvb_reported_length(tvb);
    length = tvb_captured_length(tvb);
    bytes = tvb_get_ptr(tvb, 0, (int)length);
    /* POST, PUT, PATCH: the body may come in segments of its own. No more of
     * it than can be told from what stands in front of the request. */
    if (*bytes == 'P'
        && mcas_message_parse(bytes, length, &mcas_head_only, &message) >= 0)
        all += MIN(message.body_missing, INT32_MAX - all);
    request.key = request_key(pinfo);
    request.start = tcp->seq;
    request.end = tcp->seq + (uint32_t)all;
    request.ack = tcp->lastackseq;
    wmem_array_append_one(noted, request);
    *recent_place(request.key) = request;
}

/* The server has received nothing behind the request. It may answer before it
 * has received all of it. */
static bool
is_answered(const request *request, const struct tcpinfo *tcp)
{
    return mcas_behind(tcp->lastackseq, request->start)
        && !mcas_behind(tcp->lastackseq, request->end);
}

bool
mcas_others_recently_answered(const packet_info *pinfo,
                              const struct tcpinfo *tcp)
{
    uint64_t key = response_key(pinfo);
    const request *last = recent_place(key);

    return tcp && last->key == key && is_answered(last, tcp);
}

static void
map_request(const request *request)
{
    requests *known = (requests *)wmem_map_lookup(map, &request->key);

    if (!known) {
        known = wmem_new0(wmem_file_scope(), requests);
        known->last.key = request->key;
        wmem_map_insert(map, &known->last.key, known);
    }
    /* The same request again, when more of it has come, counts once. */
    if (known->count == 0 || known->last.ack != request->ack)
        known->count = 0;
    if (known->count == 0 || mcas_behind(request->end, known->last.end))
        known->count++;
    known->last = *request;
}

static const requests *
find_requests(uint64_t key)
{
    for (; mapped < wmem_array_get_count(noted); mapped++)
        map_request((const request *)wmem_array_index(noted, mapped));
    return (const requests *)wmem_map_lookup(map, &key);
}

bool
mcas_others_answered(const packet_info *pinfo, const struct tcpinfo *tcp)
{
    const requests *known =
        tcp ? find_requests(response_key(pinfo)) : NULL;

    return known && is_answered(&known->last, tcp);
}

uint32_t
mcas_others_waiting(const packet_info *pinfo, const struct tcpinfo *tcp)
{
    const requests *known = find_requests(request_key(pinfo));

    /* They were sent before this one, and the server has answered none. */
    return known && known->last.ack == tcp->lastackseq
        && !mcas_behind(known->last.end, tcp->seq)
        ? known->count
        : 0;
}

static void
forget_requests(void)
{
    noted = wmem_array_new(wmem_file_scope(), sizeof(request));
    mapped = 0;
    memset(recent, 0, sizeof(recent));
}

void
mcas_others_register(void)
{
    register_init_routine(forget_requests);
    map = wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(),
                                 g_int64_hash, g_int64_equal);
}

/* learned.c
 * What an answer teaches of the traffic behind it: where the device speaks
 * SIP, where its RTP arrives, and where update notifications go.
 *
 * What is learned is asked for by heuristics, and so only of packets that
 * neither a conversation's dissector nor a port's has taken: signalling that
 * claims a port, Decode As and well-known ports all go before it, and an
 * answer that lies cannot take anything away from them. The packet must look
 * the part, too. All that an answer costs is a few records: a range of 65,536
 * ports is no more than one of two.
 *
 * An answer is read when first somebody asks, a heuristic or who shows it,
 * since in most captures nobody does. Decisions fall on the first pass, where
 * a packet is claimed by giving its conversation a dissector from this packet
 * on; on later visits it goes there again.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/conversation.h>
#include <epan/dissectors/packet-rtcp.h>
#include <epan/dissectors/packet-rtp.h>
#include <epan/prefs.h>

/* By MCAS_PROTOCOL_.... */
#define PROTOCOLS 3
static ws_bool_t pref_learn[PROTOCOLS] = { TRUE, TRUE, TRUE };

/* What is listed below the answer that taught it. File scope. */
struct mcas_learned {
    mcas_endpoint at;
    struct mcas_learned *next;
};

/* What is looked for. File scope. */
typedef struct {
    uint64_t key;
    uint32_t frame; /* of the last answer that named it */
    uint16_t first, last;
} endpoint;

static wmem_map_t *endpoints;

/* An answer, with what tells the packet that brought it. */
typedef struct lesson {
    mcas_found *found; /* to be listed there */
    mcas_tap_message tapped;
    uint32_t frame;
    address receiver;
    ws_bool_t wanted[PROTOCOLS]; /* preferences, as they were */
    struct lesson *next;
} lesson;

/* Answers that nobody has asked for, in their order. A longer one costs more
 * to keep than to read. File scope. */
static lesson *unread, **unread_end = &unread;
#define UNREAD_LENGTH 4096u

static dissector_handle_t sip_handle, sip_tcp_handle;
static dissector_handle_t rtp_handle, rtcp_handle;
static dissector_handle_t gate_handle;

static int ett_learned = -1;

/* RTP has one range for an address, so that the last answer goes. */
static uint64_t
endpoint_key(uint32_t protocol, const void *address, uint32_t port)
{
    uint32_t ip;

    memcpy(&ip, address, sizeof(ip));
    return (uint64_t)protocol << 48 | (uint64_t)ip << 16
        | (protocol == MCAS_PROTOCOL_RTP ? 0 : port);
}

static const endpoint *
learned_endpoint(uint32_t protocol, const address *at, uint32_t port)
{
    const endpoint *found;
    uint64_t key;

    if (at->type != AT_IPv4)
        return NULL;
    key = endpoint_key(protocol, at->data, port);
    found = (const endpoint *)wmem_map_lookup(endpoints, &key);
    return found && found->first <= port && port <= found->last ? found
                                                               : NULL;
}

/* What is learned is a stranger's choice: GLib's hash of 64 bits may be the
 * lower half of them, where all devices of a network are alike. */
static unsigned
endpoint_hash(const void *key)
{
    return wmem_strong_hash((const uint8_t *)key, sizeof(uint64_t));
}

/* Whether no dissector is registered for a port, by whomever. */
static bool
port_is_free(const char *table, uint32_t port)
{
    return !dissector_get_uint_handle(find_dissector_table(table), port);
}

/* Learning. */

/* Whether what is at an endpoint would be nobody's. Of a range, a port is
 * looked at once something comes to it. */
static bool
is_free(const mcas_endpoint *at)
{
    return at->protocol == MCAS_PROTOCOL_RTP
        || ((!(at->transports & MCAS_TRANSPORT_UDP)
             || port_is_free("udp.port", at->first_port))
            && (!(at->transports & MCAS_TRANSPORT_TCP)
                || port_is_free("tcp.port", at->first_port)));
}

/* Keeps an endpoint. */
static struct mcas_learned *
learn(const lesson *from, const mcas_endpoint *at)
{
    uint64_t key = endpoint_key(at->protocol, at->address, at->first_port);
    struct mcas_learned *learned = wmem_new0(wmem_file_scope(),
                                             struct mcas_learned);
    endpoint *known = (endpoint *)wmem_map_lookup(endpoints, &key);

    if (!known) {
        known = wmem_new(wmem_file_scope(), endpoint);
        known->key = key;
        wmem_map_insert(endpoints, &known->key, known);
    }
    known->frame = from->frame;
    known->first = at->first_port;
    known->last = at->last_port;
    learned->at = *at;
    return learned;
}

static void
learn_from(const lesson *from)
{
    const mcas_tap_message *tapped = &from->tapped;
    const address *receiver = &from->receiver;
    struct mcas_learned **next = &from->found->learned;
    mcas_endpoint named[MCAS_ENDPOINTS_MOST];
    size_t count = 0;

    mcas_message_endpoints(
        tapped->message, tapped->bytes,
        tapped->bytes ? tapped->message->length : 0, tapped->body,
        tapped->body_length,
        receiver->type == AT_IPv4 ? (const uint8_t *)receiver->data : NULL,
        named, array_length(named), &count);
    for (const mcas_endpoint *at = named; at < named + count; at++) {
        if ((at->flags & MCAS_ENDPOINT_IMPLAUSIBLE)
            || !from->wanted[at->protocol] || !is_free(at))
            continue;
        *next = learn(from, at);
        next = &(*next)->next;
    }
}

static void
learn_unread(void)
{
    lesson *next;

    for (; unread; unread = next) {
        next = unread->next;
        learn_from(unread);
        wmem_free(wmem_file_scope(), (void *)unread->tapped.body);
        wmem_free(wmem_file_scope(), (void *)unread->tapped.message);
        free_address_wmem(wmem_file_scope(), &unread->receiver);
        wmem_free(wmem_file_scope(), unread);
    }
    unread_end = &unread;
}

/* Responses say it in their body alone. */
static void
keep_unread(const lesson *from)
{
    const mcas_tap_message *tapped = &from->tapped;
    lesson *kept = wmem_new0(wmem_file_scope(), lesson);

    kept->found = from->found;
    kept->frame = from->frame;
    memcpy(kept->wanted, from->wanted, sizeof(kept->wanted));
    copy_address_wmem(wmem_file_scope(), &kept->receiver, &from->receiver);
    kept->tapped.message = (const mcas_message *)wmem_memdup(
        wmem_file_scope(), tapped->message, sizeof(*tapped->message));
    kept->tapped.body = (const uint8_t *)wmem_memdup(
        wmem_file_scope(), tapped->body, tapped->body_length);
    kept->tapped.body_length = tapped->body_length;
    *unread_end = kept;
    unread_end = &kept->next;
}

/* With a file goes all that was allocated in its scope. */
static void
forget_unread(void)
{
    unread = NULL;
    unread_end = &unread;
}

/* Whether a message may name endpoints. An answer whose request was not seen
 * is anybody's. */
static bool
may_teach(const mcas_message *message)
{
    uint32_t type = message->message_type;

    return !(message->flags & MCAS_MESSAGE_UNMATCHED)
        && (type == MCAS_TYPE_PROVISIONING_RESPONSE
            || type == MCAS_TYPE_EXTENSION_CONFIGURATION_RESPONSE
            || type == MCAS_TYPE_SETUP_PUSH);
}

void
mcas_learned_learn(packet_info *pinfo, const mcas_tap_message *message,
                   mcas_found *found)
{
    lesson from = {
        .found = found,
        .tapped = *message,
        .frame = pinfo->num,
        .receiver = pinfo->dst,
    };

    if (!found || found->taught || PINFO_FD_VISITED(pinfo)
        || !may_teach(message->message))
        return;
    found->taught = true;
    memcpy(from.wanted, pref_learn, sizeof(from.wanted));
    if (message->message->message_type != MCAS_TYPE_SETUP_PUSH
        && message->body && message->body_length <= UNREAD_LENGTH) {
        keep_unread(&from);
    } else {
        learn_unread();
        learn_from(&from);
    }
}

void
mcas_learned_draw(proto_tree *tree, tvbuff_t *tvb, const mcas_found *found)
{
    if (!found)
        return;
    learn_unread();
    for (const struct mcas_learned *learned = found->learned; learned;
         learned = learned->next) {
        const mcas_endpoint *at = &learned->at;
        proto_item *items[5];
        proto_tree *below;
        char text[64] = "";
        size_t needed;
        uint32_t address;
        unsigned count = 0;

        mcas_endpoint_format(at, text, sizeof(text), &needed);
        memcpy(&address, at->address, sizeof(address));
        items[count++] = proto_tree_add_string(
            tree, mcas_hf(MCAS_FIELD_LEARNED), tvb, 0, 0, text);
        below = proto_item_add_subtree(items[0], ett_learned);
        items[count++] = proto_tree_add_string(
            below, mcas_hf(MCAS_FIELD_LEARNED_PROTOCOL), tvb, 0, 0,
            mcas_protocol_name(at->protocol));
        items[count++] = proto_tree_add_ipv4(
            below, mcas_hf(MCAS_FIELD_LEARNED_ADDR), tvb, 0, 0, address);
        items[count++] = proto_tree_add_uint(
            below, mcas_hf(MCAS_FIELD_LEARNED_PORT), tvb, 0, 0,
            at->first_port);
        if (at->protocol == MCAS_PROTOCOL_RTP)
            items[count++] = proto_tree_add_uint(
                below, mcas_hf(MCAS_FIELD_LEARNED_LAST_PORT), tvb, 0, 0,
                at->last_port);
        while (count > 0)
            proto_item_set_generated(items[--count]);
    }
}

/* Recognising. */

/* Has a dissector take the packet, and what follows on its connection. */
static bool
claim(dissector_handle_t handle, tvbuff_t *tvb, packet_info *pinfo,
      proto_tree *tree, void *data)
{
    conversation_t *conversation = find_or_create_conversation(pinfo);

    /* What somebody else has set stays, and what is not of these two ends
     * alone is not ours to set. */
    if ((conversation->options & (NO_ADDR2 | NO_PORT2))
        || conversation_get_dissector(conversation, pinfo->num))
        return false;
    conversation_set_dissector_from_frame_number(conversation, pinfo->num,
                                                 handle);
    /* As from the gate to HTTP: TCP calls us in the dissector's place. What
     * asks for more bytes may return less than 0. */
    if (pinfo->can_desegment > 0)
        pinfo->can_desegment++;
    return call_dissector_only(handle, tvb, pinfo, tree, data) != 0;
}

static bool
is_learned(uint32_t protocol, const packet_info *pinfo)
{
    return learned_endpoint(protocol, &pinfo->src, pinfo->srcport)
        || learned_endpoint(protocol, &pinfo->dst, pinfo->destport);
}

/* What a packet looks like that came to a learned endpoint, or from one:
 * MCAS_PACKET_.... */
static uint32_t
look(uint32_t protocol, tvbuff_t *tvb)
{
    unsigned length = tvb_captured_length(tvb);
    uint32_t answer = MCAS_PACKET_OTHER;

    if (length > 0)
        mcas_protocol_look(protocol, tvb_get_ptr(tvb, 0, (int)length), length,
                           &answer);
    return answer;
}

static bool
claim_sip(dissector_handle_t handle, tvbuff_t *tvb, packet_info *pinfo,
          proto_tree *tree, void *data)
{
    /* Its own heuristic wants the whole of the first line, which TCP may
     * deliver in pieces. */
    return handle && is_learned(MCAS_PROTOCOL_SIP, pinfo)
        && look(MCAS_PROTOCOL_SIP, tvb) == MCAS_PACKET_SIP
        && claim(handle, tvb, pinfo, tree, data);
}

/*
 * RTP, or RTCP, at a learned port. That is a conversation of its own, with
 * the device's end alone, as signalling sets it up: "rtp.setup-frame" names
 * the answer.
 */
static bool
claim_rtp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    const endpoint *learned;
    conversation_t *conversation;
    address device = pinfo->src, other = ADDRESS_INIT_NONE;
    uint32_t port = pinfo->srcport;
    uint32_t packet;
    bool control;

    learned = learned_endpoint(MCAS_PROTOCOL_RTP, &device, port);
    if (!learned) {
        device = pinfo->dst;
        port = pinfo->destport;
        learned = learned_endpoint(MCAS_PROTOCOL_RTP, &device, port);
    }
    /* Either port may be another dissector's, which is asked before us, unless
     * heuristics go first; and RTP has little to be known by. */
    if (!learned || !rtp_handle || !rtcp_handle
        || !port_is_free("udp.port", pinfo->srcport)
        || !port_is_free("udp.port", pinfo->destport))
        return false;
    packet = look(MCAS_PROTOCOL_RTP, tvb);
    if (packet == MCAS_PACKET_OTHER
        || find_conversation(learned->frame, &device, &other,
                             CONVERSATION_UDP, port, 0,
                             NO_ADDR_B | NO_PORT_B))
        return false;

    /* RTP hands on the RTCP that shares its port; not the other way round. */
    control = packet == MCAS_PACKET_RTCP && port % 2 == 1;
    if (control)
        rtcp_add_address(pinfo, &device, (int)port, 0, "M-CAS",
                         learned->frame);
    else
        rtp_add_address(pinfo, PT_UDP, &device, (int)port, 0, "M-CAS",
                        learned->frame, RTP_MEDIA_AUDIO, NULL);
    conversation = find_conversation(learned->frame, &device, &other,
                                     CONVERSATION_UDP, port, 0,
                                     NO_ADDR_B | NO_PORT_B);
    /* It names the answer, but begins here: what came to this port between
     * the two was taken by another, and must be on later visits, too. */
    if (conversation)
        conversation->setup_frame = pinfo->num;
    return call_dissector_only(control ? rtcp_handle : rtp_handle, tvb,
                               pinfo, tree, data) != 0;
}

/* HTTP, for the gate to look for M-CAS in. */
static bool
claim_http(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    return is_learned(MCAS_PROTOCOL_HTTP, pinfo)
        && look(MCAS_PROTOCOL_HTTP, tvb) == MCAS_PACKET_HTTP
        && claim(gate_handle, tvb, pinfo, tree, data);
}

/* UDP and TCP come back with what was claimed, and perhaps with what was
 * not. */
static bool
revisit(conversation_type type, tvbuff_t *tvb, packet_info *pinfo,
        proto_tree *tree, void *data)
{
    if (pinfo->can_desegment > 0)
        pinfo->can_desegment++;
    return try_conversation_dissector(&pinfo->dst, &pinfo->src, type,
                                      pinfo->destport, pinfo->srcport, tvb,
                                      pinfo, tree, data,
                                      NO_ADDR_B | NO_PORT_B);
}

/* Whether there is anything to look for, with all that has come read. */
static bool
learned_anything(void)
{
    learn_unread();
    return wmem_map_size(endpoints) > 0;
}

static ws_bool_t
heuristic_udp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    if (!learned_anything())
        return FALSE;
    if (PINFO_FD_VISITED(pinfo))
        return revisit(CONVERSATION_UDP, tvb, pinfo, tree, data);
    return claim_sip(sip_handle, tvb, pinfo, tree, data)
        || claim_rtp(tvb, pinfo, tree, data);
}

static ws_bool_t
heuristic_tcp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    if (!learned_anything())
        return FALSE;
    if (PINFO_FD_VISITED(pinfo))
        return revisit(CONVERSATION_TCP, tvb, pinfo, tree, data);
    return claim_sip(sip_tcp_handle, tvb, pinfo, tree, data)
        || claim_http(tvb, pinfo, tree, data);
}

void
mcas_learned_register(void)
{
    static int *ett[] = { &ett_learned };
    module_t *module = prefs_find_module("mcas");

    proto_register_subtree_array(ett, array_length(ett));
    prefs_register_bool_preference(
        module, "learn_sip", "Look for SIP where answers say it is",
        "Whether SIP is looked for at the server and registrar that a "
        "gateway or phone was given, where their port is not one that "
        "Wireshark knows.",
        &pref_learn[MCAS_PROTOCOL_SIP]);
    prefs_register_bool_preference(
        module, "learn_rtp", "Look for RTP where answers say it is",
        "Whether RTP and RTCP are looked for at the address and the ports "
        "that a gateway or phone was given, where no signalling says what "
        "is there.",
        &pref_learn[MCAS_PROTOCOL_RTP]);
    prefs_register_bool_preference(
        module, "learn_http", "Look for M-CAS where answers say it is",
        "Whether M-CAS is looked for where update notifications are sent "
        "to, even if it is not looked for on any TCP port.",
        &pref_learn[MCAS_PROTOCOL_HTTP]);
    endpoints = wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(),
                                       endpoint_hash, g_int64_equal);
    register_init_routine(forget_unread);
}

void
mcas_learned_handoff(void)
{
    sip_handle = find_dissector("sip");
    sip_tcp_handle = find_dissector("sip.tcp");
    rtp_handle = find_dissector("rtp");
    rtcp_handle = find_dissector("rtcp");
    gate_handle = find_dissector("mcas_http");
    /* Without a protocol, as that of the gate. */
    heur_dissector_add("udp", heuristic_udp, "SIP and RTP learned from M-CAS",
                       "mcas_learned_udp", -1, HEURISTIC_ENABLE);
    heur_dissector_add("tcp", heuristic_tcp,
                       "SIP and HTTP learned from M-CAS", "mcas_learned_tcp",
                       -1, HEURISTIC_ENABLE);
}

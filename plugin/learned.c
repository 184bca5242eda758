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

#include <stdlib.h>
#include <string.h>

#include <epan/conversation.h>
#include <epan/dissectors/packet-rtcp.h>
#include <epan/dissectors/packet-rtp.h>
#include <epan/prefs.h>
#include <wsutil/inet_addr.h>

enum { SIP, RTP, HTTP, KINDS };
static const char *const kind_names[KINDS] = { "SIP", "RTP", "HTTP" };
static ws_bool_t pref_learn[KINDS] = { TRUE, TRUE, TRUE };

/* What is listed below the answer that taught it. File scope. */
struct mcas_learned {
    unsigned kind;
    uint32_t address; /* as it stands in a packet */
    uint16_t first, last;
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
    ws_bool_t wanted[KINDS]; /* preferences, as they were */
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
endpoint_key(unsigned kind, uint32_t address, uint32_t port)
{
    return (uint64_t)kind << 48 | (uint64_t)address << 16
        | (kind == RTP ? 0 : port);
}

static const endpoint *
learned_endpoint(unsigned kind, const address *at, uint32_t port)
{
    const endpoint *found;
    uint64_t key;
    uint32_t ip;

    if (at->type != AT_IPv4)
        return NULL;
    memcpy(&ip, at->data, sizeof(ip));
    key = endpoint_key(kind, ip, port);
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

/* The values of an answer, each the first of its key; 0 or NULL where it has
 * none. */
typedef struct {
    uint32_t address[MCAS_FIELD_RTPPORT2 + 1];
    uint16_t port[MCAS_FIELD_RTPPORT2 + 1];
    bool     seen[MCAS_FIELD_RTPPORT2 + 1];
    bool     failed;
    char    *url; /* to be freed */
} answer;

static answer
read_answer(const mcas_tap_message *tapped)
{
    mcas_tap_walk walk = { .part = MCAS_TAP_START };
    mcas_item item;
    answer read = { .url = NULL };

    while (mcas_tap_next(tapped, &walk, &item)) {
        /* A result that is no number has no field, and is none either. */
        if (item.table == MCAS_TABLE_NOTES
            && item.id == MCAS_NOTE_RESULT_CODE_FAILURE)
            read.failed = true;
        if (item.table != MCAS_TABLE_FIELDS || item.id > MCAS_FIELD_RTPPORT2
            || read.seen[item.id])
            continue;
        read.seen[item.id] = true;
        switch (item.id) {
        case MCAS_FIELD_IP_ADDR:
        case MCAS_FIELD_SIPSV_ADDR:
        case MCAS_FIELD_REGSV_ADDR:
            memcpy(&read.address[item.id], item.bytes, sizeof(uint32_t));
            break;
        case MCAS_FIELD_SIPSV_PORT:
        case MCAS_FIELD_REGSV_PORT:
        case MCAS_FIELD_RTPPORT1:
        case MCAS_FIELD_RTPPORT2:
            read.port[item.id] = (uint16_t)item.number;
            break;
        case MCAS_FIELD_URL_UPDATE_CAS:
            read.url = mcas_item_text(NULL, walk.bytes, walk.length, &item,
                                      MCAS_FORMAT_VALUE);
            break;
        }
    }
    return read;
}

/*
 * Address and port of a URL. A host that is a name is not looked for: what
 * it stands for is the word of whoever answered, and M-CAS is recognised
 * there by its headers all the same.
 */
static bool
url_endpoint(const char *url, uint32_t *address, uint16_t *port)
{
    char host[16];
    size_t length;

    if (!url || g_ascii_strncasecmp(url, "http://", 7) != 0)
        return false;
    url += 7;
    length = strspn(url, "0123456789.");
    if (length >= sizeof(host))
        return false;
    memcpy(host, url, length);
    host[length] = '\0';
    url += length;
    *port = 80;
    if (*url == ':') {
        length = strspn(++url, "0123456789");
        if (length == 0 || length > 5 || strtoul(url, NULL, 10) > UINT16_MAX)
            return false;
        *port = (uint16_t)strtoul(url, NULL, 10);
        url += length;
    }
    return strchr("/?", *url) && ws_inet_pton4(host, address);
}

/* Keeps an endpoint, unless no host can have it. */
static void
learn(const lesson *from, unsigned kind, uint32_t address, uint16_t first,
      uint16_t last)
{
    struct mcas_learned **list = &from->found->learned;
    uint64_t key = endpoint_key(kind, address, first);
    struct mcas_learned *learned;
    endpoint *known;

    if (!from->wanted[kind] || first == 0 || first > last || address == 0
        || g_ntohl(address) >= 0xe0000000) /* multicast, broadcast */
        return;
    for (; *list; list = &(*list)->next)
        if ((*list)->kind == kind && (*list)->address == address
            && (*list)->first == first)
            return;
    learned = wmem_new0(wmem_file_scope(), struct mcas_learned);
    learned->kind = kind;
    learned->address = address;
    learned->first = first;
    learned->last = last;
    *list = learned;

    known = (endpoint *)wmem_map_lookup(endpoints, &key);
    if (!known) {
        known = wmem_new(wmem_file_scope(), endpoint);
        known->key = key;
        wmem_map_insert(endpoints, &known->key, known);
    }
    known->frame = from->frame;
    known->first = first;
    known->last = last;
}

static void
learn_from(const lesson *from)
{
    static const struct {
        uint32_t address, port;
    } servers[] = {
        { MCAS_FIELD_SIPSV_ADDR, MCAS_FIELD_SIPSV_PORT },
        { MCAS_FIELD_REGSV_ADDR, MCAS_FIELD_REGSV_PORT },
    };
    answer read = read_answer(&from->tapped);
    uint32_t device = read.address[MCAS_FIELD_IP_ADDR];
    uint32_t host;
    uint16_t port, host_port;
    bool has_host = url_endpoint(read.url, &host, &host_port);

    wmem_free(NULL, read.url);
    if (read.failed)
        return;
    for (unsigned i = 0; i < array_length(servers); i++) {
        port = read.port[servers[i].port];
        if (port_is_free("udp.port", port) && port_is_free("tcp.port", port))
            learn(from, SIP, read.address[servers[i].address], port, port);
    }
    /* Phones in the home have the address that they got the answer at. */
    if (from->tapped.message->message_type != MCAS_TYPE_PROVISIONING_RESPONSE
        && from->receiver.type == AT_IPv4)
        memcpy(&device, from->receiver.data, sizeof(device));
    learn(from, RTP, device, read.port[MCAS_FIELD_RTPPORT1],
          read.port[MCAS_FIELD_RTPPORT2]);
    if (has_host && port_is_free("tcp.port", host_port))
        learn(from, HTTP, host, host_port, host_port);
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

static bool
teaches(const mcas_message *message)
{
    switch (message->message_type) {
    case MCAS_TYPE_PROVISIONING_RESPONSE:
    case MCAS_TYPE_EXTENSION_CONFIGURATION_RESPONSE:
        return message->status == 200;
    case MCAS_TYPE_SETUP_PUSH:
        return true;
    default:
        return false;
    }
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
        || !teaches(message->message))
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
mcas_learned_draw(packet_info *pinfo, proto_tree *tree, tvbuff_t *tvb,
                  const mcas_found *found)
{
    if (!found)
        return;
    learn_unread();
    for (const struct mcas_learned *learned = found->learned; learned;
         learned = learned->next) {
        const uint8_t *ip = (const uint8_t *)&learned->address;
        const char *name = kind_names[learned->kind];
        proto_item *items[5];
        proto_tree *below;
        const char *text = wmem_strdup_printf(
            pinfo->pool, "%s at %u.%u.%u.%u:%u", name, ip[0], ip[1], ip[2],
            ip[3], learned->first);
        unsigned count = 0;

        if (learned->last != learned->first)
            text = wmem_strdup_printf(pinfo->pool, "%s-%u", text,
                                      learned->last);
        items[count++] = proto_tree_add_string(
            tree, mcas_hf(MCAS_FIELD_LEARNED), tvb, 0, 0, text);
        below = proto_item_add_subtree(items[0], ett_learned);
        items[count++] = proto_tree_add_string(
            below, mcas_hf(MCAS_FIELD_LEARNED_PROTOCOL), tvb, 0, 0, name);
        items[count++] = proto_tree_add_ipv4(
            below, mcas_hf(MCAS_FIELD_LEARNED_ADDR), tvb, 0, 0,
            learned->address);
        items[count++] = proto_tree_add_uint(
            below, mcas_hf(MCAS_FIELD_LEARNED_PORT), tvb, 0, 0,
            learned->first);
        if (learned->kind == RTP)
            items[count++] = proto_tree_add_uint(
                below, mcas_hf(MCAS_FIELD_LEARNED_LAST_PORT), tvb, 0, 0,
                learned->last);
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
is_learned(unsigned kind, const packet_info *pinfo)
{
    return learned_endpoint(kind, &pinfo->src, pinfo->srcport)
        || learned_endpoint(kind, &pinfo->dst, pinfo->destport);
}

/* Whether bytes begin as SIP does. Its own heuristic wants the whole of the
 * first line, which TCP may deliver in pieces. */
static bool
looks_like_sip(const uint8_t *bytes, unsigned length)
{
    static const char *const schemes[] = { "sip:", "sips:", "tel:" };
    unsigned at = 0;

    if (length >= 8 && memcmp(bytes, "SIP/2.0 ", 8) == 0)
        return true;
    while (at < length && g_ascii_isupper(bytes[at]))
        at++;
    if (at < 3 || at == length || bytes[at++] != ' ')
        return false;
    for (unsigned i = 0; i < array_length(schemes); i++) {
        size_t wanted = strlen(schemes[i]);

        if (length - at >= wanted
            && g_ascii_strncasecmp((const char *)bytes + at, schemes[i],
                                   wanted) == 0)
            return true;
    }
    return false;
}

static bool
claim_sip(dissector_handle_t handle, tvbuff_t *tvb, packet_info *pinfo,
          proto_tree *tree, void *data)
{
    unsigned length = tvb_captured_length(tvb);

    return handle && is_learned(SIP, pinfo) && length > 0
        && looks_like_sip(tvb_get_ptr(tvb, 0, (int)length), length)
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
    const uint8_t *bytes;
    bool control;

    learned = learned_endpoint(RTP, &device, port);
    if (!learned) {
        device = pinfo->dst;
        port = pinfo->destport;
        learned = learned_endpoint(RTP, &device, port);
    }
    /* Either port may be another dissector's, which is asked before us, unless
     * heuristics go first; and RTP has little to be known by. */
    if (!learned || !rtp_handle || !rtcp_handle
        || tvb_captured_length(tvb) < 8
        || !port_is_free("udp.port", pinfo->srcport)
        || !port_is_free("udp.port", pinfo->destport))
        return false;
    bytes = tvb_get_ptr(tvb, 0, 2);
    /* Version 2; the second byte tells them apart (RFC 5761, section 4). */
    control = bytes[1] >= 192 && bytes[1] <= 223;
    if (bytes[0] >> 6 != 2 || (!control && tvb_captured_length(tvb) < 12)
        || find_conversation(learned->frame, &device, &other,
                             CONVERSATION_UDP, port, 0,
                             NO_ADDR_B | NO_PORT_B))
        return false;

    /* RTP hands on the RTCP that shares its port; not the other way round. */
    control = control && port % 2 == 1;
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
    unsigned length = tvb_captured_length(tvb);
    uint32_t answer = MCAS_SNIFF_NO;
    const uint8_t *bytes;

    if (!is_learned(HTTP, pinfo) || length == 0)
        return false;
    bytes = tvb_get_ptr(tvb, 0, (int)length);
    mcas_sniff(bytes, length, &answer);
    return (answer != MCAS_SNIFF_NO
            || (length >= 7 && memcmp(bytes, "HTTP/1.", 7) == 0))
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
        &pref_learn[SIP]);
    prefs_register_bool_preference(
        module, "learn_rtp", "Look for RTP where answers say it is",
        "Whether RTP and RTCP are looked for at the address and the ports "
        "that a gateway or phone was given, where no signalling says what "
        "is there.",
        &pref_learn[RTP]);
    prefs_register_bool_preference(
        module, "learn_http", "Look for M-CAS where answers say it is",
        "Whether M-CAS is looked for where update notifications are sent "
        "to, even if it is not looked for on any TCP port.",
        &pref_learn[HTTP]);
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

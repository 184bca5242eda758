/* gate.c
 * The way from TCP through HTTP to the M-CAS dissector.
 *
 * HTTP owns TCP port 80 and shows a later dissector neither a GET nor the
 * headers of anything. So a gate stands in HTTP's place: it looks at the
 * first bytes, lets HTTP dissect them exactly as it would have, and then
 * shows the M-CAS messages among those that HTTP found whole.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/conversation.h>
#include <epan/exceptions.h>
#include <epan/prefs.h>
#include <epan/proto_data.h>
#include <epan/dissectors/packet-tcp.h>

static dissector_handle_t http_handle;
static dissector_handle_t mcas_handle;
static dissector_handle_t gate_handle;     /* in HTTP's place on a port */
static dissector_handle_t followed_handle; /* on a connection with M-CAS */

static int proto_mcas_http = -1;
static const protocol_t *protocol_mcas;
static const protocol_t *protocol_http;
static const char *http_name; /* as pinfo->current_proto points to it */
static const heur_dtbl_entry_t *heuristic_http_tcp;
static const heur_dtbl_entry_t *heuristic_mcas_tcp;

static ws_bool_t pref_heuristic = TRUE;

/*
 * Every call of a dissector takes one off can_desegment, and only the one
 * right above TCP may ask for more segments. The gate must not cost HTTP its
 * reassembly, so it gives the one back.
 */
static int
call_http(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    if (pinfo->can_desegment > 0)
        pinfo->can_desegment++;
    return call_dissector_only(http_handle, tvb, pinfo, tree, data);
}

/* The messages in a run of bytes, of which a frame can hold several. */
typedef struct _run {
    struct _run *next;
    uint32_t     seq;
    int          offset; /* in the frame, or in what was put together */
    unsigned     source; /* length of that */
    mcas_found  *found;
} run;

static run
run_of(tvbuff_t *tvb, packet_info *pinfo, const struct tcpinfo *tcp)
{
    run here = {
        NULL, tcp ? tcp->seq : pinfo->curr_layer_num, (int)tvb_raw_offset(tvb),
        tvb_captured_length(tvb_get_ds_tvb(tvb)), NULL
    };

    return here;
}

/* What was kept of a run: the one with its sequence number, wherever TCP has
 * put it together since; else, as a later packet may have changed what those
 * are counted from, the one in its place. */
static mcas_found *
kept_messages(tvbuff_t *tvb, packet_info *pinfo, const struct tcpinfo *tcp)
{
    const run *kept = (const run *)p_get_proto_data(wmem_file_scope(), pinfo,
                                                    proto_mcas_http, 0);
    mcas_found *found = NULL;
    run here;

    if (!kept)
        return NULL;
    here = run_of(tvb, pinfo, tcp);
    for (; kept; kept = kept->next) {
        if (kept->seq == here.seq)
            return kept->found;
        if (kept->offset == here.offset && kept->source == here.source)
            found = kept->found;
    }
    return found;
}

static void
keep_messages(tvbuff_t *tvb, packet_info *pinfo, const struct tcpinfo *tcp,
              mcas_found *found)
{
    run *first = (run *)p_get_proto_data(wmem_file_scope(), pinfo,
                                         proto_mcas_http, 0);
    run *kept = wmem_new(wmem_file_scope(), run);

    *kept = run_of(tvb, pinfo, tcp);
    kept->found = found;
    if (first) {
        kept->next = first->next;
        first->next = kept;
    } else {
        p_add_proto_data(wmem_file_scope(), pinfo, proto_mcas_http, 0, kept);
    }
}

/*
 * Shows the M-CAS messages among the first `limit` bytes. What they are is
 * decided on the first pass and kept with the frame.
 */
static void
show_messages(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
              const struct tcpinfo *tcp, uint32_t limit)
{
    mcas_found *found = kept_messages(tvb, pinfo, tcp);

    if (!found && !PINFO_FD_VISITED(pinfo)) {
        conversation_t *conversation = NULL;

        found = mcas_decide(pinfo, tvb, limit, tcp, &conversation);
        if (found)
            keep_messages(tvb, pinfo, tcp, found);
        if (conversation) {
            dissector_handle_t present =
                conversation_get_dissector(conversation, pinfo->num);

            /* Whatever else a dissector above HTTP has set stays. */
            if (!present || present == gate_handle)
                conversation_set_dissector_from_frame_number(
                    conversation, pinfo->num, followed_handle);
        }
    }
    if (found)
        call_dissector_only(mcas_handle, tvb, pinfo, tree, found);
}

/* Set while HTTP dissects a connection that is looked at. */
static bool inside_http;

/* Whether HTTP calls, and not TCP: from 4.6 on, it gives what is in a tunnel
 * (CONNECT) to the dissector of the tunnel's port, which may be the gate, or
 * to the heuristics. Where the outer connection is not looked at, HTTP is the
 * current protocol; the gate, one in name only, never is. */
static bool
is_tunnelled(const packet_info *pinfo)
{
    return inside_http || pinfo->current_proto == http_name;
}

/* Whether anything may be ours; nothing in a tunnel is. */
static bool
is_open(const packet_info *pinfo)
{
    return proto_is_protocol_enabled(protocol_mcas) && !is_tunnelled(pinfo);
}

/* Dissects bytes that hold, or may hold, something of ours. */
static int
dissect_candidate(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
                  void *data)
{
    volatile int consumed = 0;

    inside_http = true;
    TRY {
        consumed = call_http(tvb, pinfo, tree, data);
    }
    CATCH_BOUNDS_ERRORS {
        /* A truncated packet ends HTTP, but what is there is ours to show;
         * the exception then goes on its way with everything as it was. */
        uint16_t can_desegment = pinfo->can_desegment;

        show_messages(tvb, pinfo, tree, (const struct tcpinfo *)data,
                      tvb_captured_length(tvb));
        pinfo->can_desegment = can_desegment;
        RETHROW;
    }
    FINALLY {
        inside_http = false;
    }
    ENDTRY;

    /* Where HTTP asked for more segments, it has not dissected what stands
     * behind desegment_offset, and will be given it again. */
    if (consumed != 0)
        show_messages(tvb, pinfo, tree, (const struct tcpinfo *)data,
                      pinfo->desegment_len
                      ? (uint32_t)pinfo->desegment_offset
                      : tvb_captured_length(tvb));
    return consumed;
}

/* What the first look at bytes says, MCAS_SNIFF_.... Rust returns before any
 * other call is made. */
static uint32_t
sniff(const uint8_t *bytes, unsigned length)
{
    uint32_t answer = MCAS_SNIFF_NO;

    mcas_sniff(bytes, length, &answer);
    return answer;
}

/* Whether bytes begin as a final response does. */
static bool
is_final_response(const uint8_t *bytes, unsigned length)
{
    static const char version[] = "HTTP/1.1 ";
    enum { STATUS = sizeof(version) - 1 };

    return length > STATUS && memcmp(bytes, version, STATUS) == 0
        && bytes[STATUS] >= '2' && bytes[STATUS] <= '5';
}

/* Dissects the answer to a request of another kind: whatever is in it, it is
 * not ours. */
static int
dissect_answer(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
               void *data, mcas_other_request *request)
{
    int consumed = call_http(tvb, pinfo, tree, data);

    if (pinfo->desegment_len == 0 && !PINFO_FD_VISITED(pinfo))
        mcas_others_end_answer(request, (const struct tcpinfo *)data);
    return consumed;
}

/* Web traffic comes through here, segment by segment: no more is done for it
 * than must be (docs/performance.md). */
static int
dissect_gate(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    const struct tcpinfo *tcp = (const struct tcpinfo *)data;
    unsigned length = tvb_captured_length(tvb);
    const uint8_t *bytes;

    if (length == 0)
        return call_http(tvb, pinfo, tree, data);
    bytes = tvb_get_ptr(tvb, 0, (int)length);
    if (is_final_response(bytes, length)) {
        mcas_other_request *request = mcas_others_asked(pinfo, tcp);

        if (request)
            return dissect_answer(tvb, pinfo, tree, data, request);
    }
    switch (sniff(bytes, length)) {
    case MCAS_SNIFF_CANDIDATE:
        if (is_open(pinfo))
            return dissect_candidate(tvb, pinfo, tree, data);
        break;
    case MCAS_SNIFF_OTHER_REQUEST:
        if (!is_tunnelled(pinfo) && !PINFO_FD_VISITED(pinfo))
            mcas_others_note(pinfo, tcp, bytes, length,
                             tvb_reported_length(tvb));
        break;
    }
    return call_http(tvb, pinfo, tree, data);
}

/* On a connection that had M-CAS, a response without a mark of its own may
 * answer a request of ours: everything is looked at. */
static int
dissect_followed(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
                 void *data)
{
    if (is_open(pinfo))
        return dissect_candidate(tvb, pinfo, tree, data);
    if (is_tunnelled(pinfo)) {
        /* A tunnel to the very port it goes through. HTTP knows itself as
         * the dissector of the connection and goes no deeper; it does not
         * know this one. */
        call_data_dissector(tvb, pinfo, tree);
        return (int)tvb_captured_length(tvb);
    }
    return call_http(tvb, pinfo, tree, data);
}

/* Whether bytes begin with a message of ours, all by themselves. */
static bool
begins_with_mcas(tvbuff_t *tvb)
{
    unsigned length = tvb_captured_length(tvb);
    const uint8_t *bytes;
    mcas_message message;

    if (length == 0)
        return false;
    bytes = tvb_get_ptr(tvb, 0, (int)length);
    return sniff(bytes, length) == MCAS_SNIFF_CANDIDATE
        && mcas_message_parse(bytes, length, NULL, &message) >= 0
        && message.message_type != MCAS_TYPE_NONE;
}

/* Whether HTTP's own heuristic would claim these bytes: the first line
 * begins or ends with HTTP/1. */
static bool
http_would_claim(tvbuff_t *tvb)
{
    int next;
    int length = tvb_find_line_end(tvb, 0, -1, &next, TRUE);

    return length > 8
        && (tvb_strncaseeql(tvb, length - 8, "HTTP/1.", 7) == 0
            || tvb_strncaseeql(tvb, 0, "HTTP/1.", 7) == 0);
}

/*
 * The heuristic for ports that nobody owns. One that matches moves to the
 * head of the list, so if HTTP's own could ever match before this one, it
 * would take the connection for good and hide M-CAS in it. This one claims
 * therefore what HTTP's would, and lets the gate decide message by message.
 */
static ws_bool_t
heuristic_tcp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    conversation_t *conversation;

    /* Registered without a protocol (under one, the first frame would show
     * a layer too many), it has to look at all the switches itself. */
    if (!pref_heuristic || !heuristic_mcas_tcp->enabled
        || !is_open(pinfo)
        || !proto_is_protocol_enabled(protocol_http))
        return FALSE;
    if (heuristic_http_tcp && heuristic_http_tcp->enabled
        ? !http_would_claim(tvb)
        : !begins_with_mcas(tvb))
        return FALSE;

    conversation = find_or_create_conversation(pinfo);
    conversation_set_dissector_from_frame_number(conversation, pinfo->num,
                                                 gate_handle);
    dissect_gate(tvb, pinfo, tree, data);
    return TRUE;
}

/* A port that HTTP owns. */
typedef struct {
    uint32_t port;
    bool     by_user; /* and that the user gave it */
} http_port;

static void
collect_http_port(const char *table _U_, ftenum_t type _U_, void *key,
                  void *value, void *ports)
{
    dtbl_entry_t *entry = (dtbl_entry_t *)value;
    dissector_handle_t current = dtbl_entry_get_handle(entry);
    dissector_handle_t initial = dtbl_entry_get_initial_handle(entry);

    /* The gate on a port that is HTTP's anyway comes from an entry that was
     * saved while the gate had the port: it is no choice of the user's. */
    if (current == http_handle
        || (current == gate_handle && initial == http_handle)) {
        http_port port = { GPOINTER_TO_UINT(key), initial != http_handle };

        wmem_array_append_one((wmem_array_t *)ports, port);
    }
}

/*
 * Puts the gate where HTTP is, whenever a capture is opened: a change of
 * HTTP's port preference puts HTTP itself back. Any other dissector on a port
 * stays. An entry that the user made stays one, so that their Decode As line
 * is still saved, and none of ours is.
 */
static void
take_http_ports(void)
{
    wmem_array_t *ports = wmem_array_new(NULL, sizeof(http_port));

    dissector_table_foreach("tcp.port", collect_http_port, ports);
    for (unsigned i = 0; i < wmem_array_get_count(ports); i++) {
        const http_port *port =
            (const http_port *)wmem_array_index(ports, i);

        if (port->by_user)
            dissector_change_uint("tcp.port", port->port, gate_handle);
        else
            dissector_add_uint("tcp.port", port->port, gate_handle);
    }
    wmem_destroy_array(ports);
}

void
mcas_gate_register(void)
{
    module_t *module;

    /* A protocol in name only, child of HTTP: it adds no layer, is off when
     * HTTP is, and stays on when M-CAS is switched off. */
    proto_mcas_http = proto_register_protocol_in_name_only(
        "M-CAS over HTTP", "M-CAS over HTTP", "mcas_http",
        proto_get_id_by_filter_name("http"), FT_PROTOCOL);
    gate_handle = register_dissector("mcas_http", dissect_gate,
                                     proto_mcas_http);
    followed_handle = create_dissector_handle(dissect_followed,
                                              proto_mcas_http);
    register_dissector("mcas", dissect_mcas, proto_mcas);
    mcas_handle = create_dissector_handle(dissect_mcas_found, proto_mcas);

    module = prefs_register_protocol(proto_mcas, NULL);
    prefs_register_bool_preference(
        module, "heuristic", "Recognise M-CAS on any TCP port",
        "Whether M-CAS is looked for on TCP ports that are not HTTP's. Same "
        "as the heuristic \"mcas_tcp\" of the enabled protocols, where it "
        "cannot be switched in the dialog.",
        &pref_heuristic);
    register_init_routine(take_http_ports);
}

void
mcas_gate_handoff(void)
{
    int proto_http = proto_get_id_by_filter_name("http");

    http_handle = find_dissector_add_dependency("http-over-tcp", proto_mcas);
    protocol_mcas = find_protocol_by_id(proto_mcas);
    protocol_http = find_protocol_by_id(proto_http);
    http_name = proto_get_protocol_short_name(protocol_http);
    heur_dissector_add("tcp", heuristic_tcp, "M-CAS over HTTP over TCP",
                       "mcas_tcp", -1, HEURISTIC_ENABLE);
    heuristic_mcas_tcp = find_heur_dissector_by_unique_short_name("mcas_tcp");
    heuristic_http_tcp = find_heur_dissector_by_unique_short_name("http_tcp");
    dissector_add_for_decode_as("tcp.port", gate_handle);
}

/* packet-mcas.c
 * Routines for M-CAS dissection.
 *
 * M-CAS is the HTTP protocol by which the home gateways of NTT's Hikari
 * Denwa get their telephone settings and firmware. There is no public
 * specification; what is known comes from two published observations (a
 * packet diary of September 2011 and VoIP-Info.jp).
 *
 * The parsing is libmcas's, in Rust. Rust never calls Wireshark, which
 * throws with longjmp: this file asks, gets an answer in plain structs, and
 * draws once the call has returned. Fields, value strings and expert items
 * are registered from the library's tables.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/addr_resolv.h>
#include <epan/expert.h>
#include <epan/proto_data.h>
#include <epan/tap.h>
#include <wsutil/wslog.h>

void mcas_shim_register(void);

int proto_mcas = -1;

static int expert_tap;

/* By MCAS_FIELD_... and MCAS_NOTE_..., from the library's tables. */
static int *hf;
static mcas_field_info *fields;
static expert_field *ei;
static mcas_note_info *notes;

/* Depth of items below the message, and subtrees: the message's own and one
 * for the children of each level but the last. */
#define LEVELS 3
static int ett_mcas[LEVELS] = { -1, -1, -1 };

/* Items that are drawn in one frame: far more than any real message has, and
 * few beside the million at which Wireshark gives up on the frame. */
#define MOST_ITEMS 50000

/* A message being drawn. */
typedef struct {
    packet_info *pinfo;
    proto_tree *tree;
    proto_item *item;          /* of the whole message */
    bool summarised;           /* somebody reads the summary */
    proto_item *last[LEVELS];  /* last item of each level */
    unsigned *count;           /* items drawn in this frame */
    bool limited;              /* they are too many, and it was said */
    unsigned terminals;        /* so many were named */
    const char *vendor;        /* of the first, for the summary, or NULL */
} drawing;

/* Bytes that items are read from, and where they are shown. */
typedef struct {
    tvbuff_t *tvb;
    const uint8_t *bytes;
    uint32_t length;
} source;

int
mcas_hf(uint32_t field)
{
    return hf[field];
}

char *
mcas_item_text(wmem_allocator_t *scope, const uint8_t *bytes, size_t length,
               const mcas_item *item, uint32_t style)
{
    char near[256];
    size_t needed = 0;
    char *text;

    if (mcas_item_format(bytes, length, item, style, near, sizeof(near),
                         &needed) == MCAS_OK)
        return wmem_strndup(scope, near, needed);
    text = (char *)wmem_alloc(scope, needed + 1);
    mcas_item_format(bytes, length, item, style, text, needed + 1, &needed);
    return text;
}

char *
mcas_printable(char *text)
{
    char *to = text;

    for (const char *from = text; *from;) {
        gunichar c = g_utf8_get_char_validated(from, -1);
        /* (gunichar)-1 and -2: no UTF-8 */
        bool valid = c < (gunichar)-2;
        int size = valid ? g_utf8_skip[*(const unsigned char *)from] : 1;

        if (valid && g_unichar_isprint(c)) {
            memmove(to, from, (size_t)size);
            to += size;
        } else {
            *to++ = '.';
        }
        from += size;
    }
    *to = '\0';
    return text;
}

static const char *
item_text(const drawing *draw, const source *from, const mcas_item *item)
{
    return mcas_item_text(draw->pinfo->pool, from->bytes, from->length, item,
                          MCAS_FORMAT_TEXT);
}

/* The vendor by the first half of a terminal id, as Ethernet shows it for an
 * address; and its short name for the summary. */
static void
draw_vendor(drawing *draw, proto_tree *tree, const source *from,
            const mcas_item *item)
{
    uint8_t *oui = (uint8_t *)wmem_alloc(draw->pinfo->pool, 3);
    const char *vendor;
    proto_item *resolved;

    oui[0] = (uint8_t)(item->number >> 16);
    oui[1] = (uint8_t)(item->number >> 8);
    oui[2] = (uint8_t)item->number;
    vendor = WS_VENDOR(oui);
    if (!vendor)
        return;
    resolved = proto_tree_add_string(
        tree, hf[MCAS_FIELD_TERMINAL_ID_OUI_RESOLVED], from->tvb,
        (int)item->span.offset, (int)item->span.length, vendor);
    proto_item_set_generated(resolved);
    /* The short one is its first half in digits where names are not asked
     * for (-n). */
    vendor = tvb_get_manuf_name(
        tvb_new_child_real_data(from->tvb, oui, 3, 3), 0);
    if (draw->terminals == 1 && !strchr(vendor, ':'))
        draw->vendor = vendor;
}

static proto_item *
draw_field(drawing *draw, proto_tree *tree, const source *from,
           const mcas_item *item)
{
    int id = hf[item->id];
    int start = (int)item->span.offset;
    int length = (int)item->span.length;
    tvbuff_t *tvb = from->tvb;

    switch (fields[item->id].value_type) {
    case MCAS_VALUE_STRING:
        /* Where nobody reads it, Wireshark throws the text away. */
        return proto_tree_add_string(
            tree, id, tvb, start, length,
            proto_field_is_referenced(tree, id)
            ? item_text(draw, from, item) : "");
    case MCAS_VALUE_IPV4: {
        uint32_t address;

        memcpy(&address, item->bytes, sizeof(address));
        return proto_tree_add_ipv4(tree, id, tvb, start, length, address);
    }
    case MCAS_VALUE_IPV6: {
        ws_in6_addr address;

        memcpy(&address, item->bytes, sizeof(address));
        return proto_tree_add_ipv6(tree, id, tvb, start, length, &address);
    }
    case MCAS_VALUE_ETHER:
        return proto_tree_add_ether(tree, id, tvb, start, length,
                                    item->bytes);
    case MCAS_VALUE_UINT64:
        return proto_tree_add_uint64(tree, id, tvb, start, length,
                                     item->number);
    default:
        return proto_tree_add_uint(tree, id, tvb, start, length,
                                   (uint32_t)item->number);
    }
}

static void
draw_note(drawing *draw, proto_item *about, const source *from,
          const mcas_item *item)
{
    const char *what = notes[item->id].summary;

    if (item->id == MCAS_NOTE_PARAM_MISSING
        || item->id == MCAS_NOTE_VALUE_INCONSISTENT) {
        expert_add_info_format(draw->pinfo, about, &ei[item->id], "%s: %s",
                               what, fields[item->number].label);
    } else if (item->id == MCAS_NOTE_VALUE_HOST_BITS) {
        expert_add_info_format(draw->pinfo, about, &ei[item->id], "%s: %s",
                               what, item_text(draw, from, item));
    } else {
        expert_add_info(draw->pinfo, about, &ei[item->id]);
    }
}

/* Draws all items of a head or a body; tells whether any was read from its
 * bytes, so that bytes which were put together are worth showing. */
static bool
draw_items(drawing *draw, mcas_iter *iter, const source *from)
{
    bool read = false;
    mcas_item item;

    while (mcas_next(from->bytes, from->length, iter, &item) == MCAS_OK) {
        if (++*draw->count > MOST_ITEMS) {
            if (!draw->limited)
                expert_add_info(draw->pinfo, draw->item,
                                &ei[MCAS_NOTE_LIMIT]);
            draw->limited = true;
            break;
        }

        unsigned level = MIN(item.level, LEVELS - 1);
        proto_item *parent = level > 0 ? draw->last[level - 1] : draw->item;
        proto_tree *tree = level > 0
            ? proto_item_add_subtree(parent, ett_mcas[level]) : draw->tree;
        proto_item *drawn;

        if (item.table == MCAS_TABLE_NOTES) {
            draw_note(draw, parent, from, &item);
            continue;
        }
        drawn = draw_field(draw, tree, from, &item);
        if (item.flags & MCAS_ITEM_GENERATED)
            proto_item_set_generated(drawn);
        else
            read = true;
        draw->last[level] = drawn;
        if (item.id == MCAS_FIELD_TERMINAL_ID)
            draw->terminals++;
        if (item.id == MCAS_FIELD_TERMINAL_ID_OUI)
            draw_vendor(draw, tree, from, &item);
    }
    return read;
}

/* The digest of a whole image, where somebody looks at it: it costs more
 * than everything else. */
static void
draw_digest(drawing *draw, const mcas_message *message, const source *body)
{
    int id = hf[MCAS_FIELD_FIRMWARE_SHA256];
    uint8_t digest[32];
    gsize length = sizeof(digest);
    GChecksum *checksum;

    if (message->message_type != MCAS_TYPE_FIRMWARE_RESPONSE
        || message->status != 200 || message->method == MCAS_METHOD_HEAD
        || (message->flags & (MCAS_MESSAGE_COMPLETE | MCAS_MESSAGE_BODY_CODED
                              | MCAS_MESSAGE_BODY_BROKEN))
            != MCAS_MESSAGE_COMPLETE
        || !proto_field_is_referenced(draw->tree, id))
        return;
    checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(checksum, body->bytes, body->length);
    g_checksum_get_digest(checksum, digest, &length);
    g_checksum_free(checksum);
    proto_item_set_generated(proto_tree_add_bytes_with_length(
        draw->tree, id, body->tvb, 0, (int)body->length, digest,
        sizeof(digest)));
}

/* Draws the body's items; tells where its bytes are, without chunk marks. */
static source
draw_body(drawing *draw, const mcas_message *message, const source *head)
{
    source body;
    mcas_iter iter;
    bool chunked = message->framing == MCAS_FRAMING_CHUNKED;
    bool firmware = message->message_type == MCAS_TYPE_FIRMWARE_RESPONSE;
    const uint8_t *sent = head->bytes + message->body.offset;

    body.tvb = tvb_new_subset_length(head->tvb, (int)message->body.offset,
                                     (int)message->body.length);
    body.bytes = sent;
    body.length = message->body.length;
    /* An image is not read, so its chunks matter to its digest and to who
     * saves it only. */
    if (chunked
        && (!firmware || mcas_export_wanted()
            || proto_field_is_referenced(
                draw->tree, hf[MCAS_FIELD_FIRMWARE_SHA256]))) {
        uint8_t *whole = (uint8_t *)wmem_alloc(draw->pinfo->pool,
                                               message->body_length + 1);
        size_t length = 0;

        mcas_body_dechunk(sent, message->body.length, whole,
                          message->body_length, &length);
        body.tvb = tvb_new_child_real_data(head->tvb, whole,
                                           (unsigned)length, (int)length);
        body.bytes = whole;
        body.length = (uint32_t)length;
    }
    mcas_body_items(message, body.bytes, body.length, &iter);
    if (draw_items(draw, &iter, &body) && chunked)
        add_new_data_source(draw->pinfo, body.tvb, "De-chunked M-CAS body");
    draw_digest(draw, message, &body);
    return body;
}

/* The links between a request and its response. */
static void
draw_exchange(drawing *draw, const mcas_message *message, tvbuff_t *tvb,
              const mcas_exchange *exchange)
{
    proto_item *item;

    if (!exchange)
        return;
    if (message->kind == MCAS_KIND_REQUEST) {
        if (exchange->response_frame) {
            item = proto_tree_add_uint(draw->tree,
                                       hf[MCAS_FIELD_RESPONSE_IN], tvb, 0, 0,
                                       exchange->response_frame);
            proto_item_set_generated(item);
        }
    } else if (exchange->request_frame) {
        nstime_t delta;

        item = proto_tree_add_uint(draw->tree, hf[MCAS_FIELD_RESPONSE_TO],
                                   tvb, 0, 0, exchange->request_frame);
        proto_item_set_generated(item);
        nstime_delta(&delta, &draw->pinfo->abs_ts, &exchange->request_time);
        item = proto_tree_add_time(draw->tree, hf[MCAS_FIELD_TIME], tvb, 0,
                                   0, &delta);
        proto_item_set_generated(item);
    }
}

/* The message in a line. */
static const char *
summary(const drawing *draw, const mcas_message *message, const source *head,
        const source *body)
{
    char *line = NULL;

    for (size_t room = 256, needed = 0;; room = needed + 1) {
        line = (char *)wmem_realloc(draw->pinfo->pool, line, room);
        *line = '\0';
        if (mcas_summary_format(message, head->bytes, head->length,
                                body->bytes, body->length, draw->vendor,
                                line, room, &needed) != MCAS_PARTIAL)
            return mcas_printable(line);
    }
}

/* Puts a summary into the Info column, beside those of the messages before
 * it in the same frame. */
static void
set_columns(packet_info *pinfo, const char *line, bool among_others)
{
    wmem_strbuf_t *joined = (wmem_strbuf_t *)p_get_proto_data(
        pinfo->pool, pinfo, proto_mcas, 0);

    /* TCP guards the column once it has handed over other bytes of the same
     * frame. */
    if (!joined && !col_get_writable(pinfo->cinfo, COL_PROTOCOL))
        among_others = true;
    col_set_str(pinfo->cinfo, COL_PROTOCOL, "M-CAS");
    if (among_others) {
        /* What HTTP says of the others stays. */
        col_append_sep_str(pinfo->cinfo, COL_INFO, "; ", line);
        return;
    }
    if (joined) {
        wmem_strbuf_append_printf(joined, "; %s", line);
    } else {
        joined = wmem_strbuf_new(pinfo->pool, line);
        p_add_proto_data(pinfo->pool, pinfo, proto_mcas, 0, joined);
    }
    /* HTTP has put a fence behind its own text. */
    col_clear_fence(pinfo->cinfo, COL_INFO);
    col_add_str(pinfo->cinfo, COL_INFO, wmem_strbuf_get_str(joined));
}

/* How many items were drawn in this frame, of all its messages. */
static unsigned *
items_drawn(packet_info *pinfo)
{
    unsigned *count = (unsigned *)p_get_proto_data(pinfo->pool, pinfo,
                                                   proto_mcas, 1);

    if (!count) {
        count = wmem_new0(pinfo->pool, unsigned);
        p_add_proto_data(pinfo->pool, pinfo, proto_mcas, 1, count);
    }
    return count;
}

/* Whether anything of a protocol was asked for by a filter, a column, a tap
 * or -e. */
static bool
is_asked_for(int proto)
{
    return proto_registrar_get_nth(proto)->ref_type != HF_REF_TYPE_NONE;
}

/* Reads what the message says, and shows it. */
static void
draw_message(drawing *draw, const mcas_message *message, const source *head,
             mcas_found *found)
{
    source body = { NULL, NULL, 0 };
    mcas_tap_message tapped = {
        .message = message,
        .bytes = head->bytes,
        .exchange = found ? found->exchange : NULL,
    };
    mcas_iter iter;

    draw->count = items_drawn(draw->pinfo);
    mcas_head_items(message, &iter);
    draw_items(draw, &iter, head);
    if (message->flags & MCAS_MESSAGE_HEAD_COMPLETE)
        body = draw_body(draw, message, head);
    draw_exchange(draw, message, head->tvb, tapped.exchange);

    tapped.body = body.bytes;
    tapped.body_length = body.length;
    tapped.type = mcas_value_name(MCAS_FIELD_TYPE, message->message_type);
    mcas_learned_learn(draw->pinfo, &tapped, found);
    mcas_learned_draw(draw->tree, head->tvb, found);
    if (draw->summarised) {
        tapped.summary = summary(draw, message, head, &body);
        proto_item_set_text(draw->item, "M-CAS, %s", tapped.summary);
        set_columns(draw->pinfo, tapped.summary,
                    found && found->among_others);
        mcas_tap_queue(draw->pinfo, &tapped);
    }
}

/* Learns from a message that is not drawn, and has no chunks. */
static void
learn_undrawn(packet_info *pinfo, const mcas_message *message,
              const source *head, mcas_found *found)
{
    const mcas_tap_message tapped = {
        .message = message,
        .bytes = head->bytes,
        .body = head->bytes + message->body.offset,
        .body_length = message->body.length,
    };

    mcas_learned_learn(pinfo, &tapped, found);
}

/* Shows the message at the beginning of a buffer; tells its length. */
static uint32_t
dissect_message(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
                mcas_found *found)
{
    drawing draw = { .pinfo = pinfo };
    source head = { tvb, NULL, tvb_captured_length(tvb) };
    mcas_message message;

    if (head.length == 0)
        return 0;
    /* The captured bytes, all of them at once: Rust gets a slice of them on
     * each call, and has returned before anything here can throw. */
    head.bytes = tvb_get_ptr(tvb, 0, (int)head.length);
    if (found && !PINFO_FD_VISITED(pinfo))
        message = *found->parsed; /* just now, to decide on it */
    else if (mcas_message_parse(head.bytes, head.length,
                                found ? &found->context : NULL, &message) < 0
             || message.message_type == MCAS_TYPE_NONE)
        return 0;

    draw.item = proto_tree_add_item(tree, proto_mcas, tvb, 0,
                                    (int)message.length, ENC_NA);
    draw.tree = proto_item_add_subtree(draw.item, ett_mcas[0]);
    draw.summarised = pinfo->cinfo || mcas_tap_wanted()
        || (tree && PTREE_DATA(tree)->visible);
    /* Statistics and filters that are about something else run over a
     * capture without asking for anything of ours: only that there is a
     * message. (A body that is put together is shown as bytes, too.) */
    if (draw.summarised || is_asked_for(proto_mcas)
        || is_asked_for(proto_expert) || have_tap_listener(expert_tap)
        || message.framing == MCAS_FRAMING_CHUNKED)
        draw_message(&draw, &message, &head, found);
    else
        learn_undrawn(pinfo, &message, &head, found);
    return message.length;
}

int
dissect_mcas(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
             void *data _U_)
{
    return (int)dissect_message(tvb, pinfo, tree, NULL);
}

/* All messages of a run of bytes in one call, since each call of a dissector
 * is a layer, and Wireshark stops at some hundreds of them. */
int
dissect_mcas_found(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree,
                   void *data)
{
    uint32_t captured = tvb_captured_length(tvb);

    for (mcas_found *found = (mcas_found *)data;
         found && found->length <= captured
         && found->offset <= captured - found->length;
         found = found->next)
        dissect_message(
            tvb_new_subset_length_caplen(
                tvb, (int)found->offset, (int)found->length,
                (int)(found->length + found->missing)),
            pinfo, tree, found);
    return (int)captured;
}

/* The names of a field's values, in the form that Wireshark wants. */
static const value_string *
value_strings(uint32_t id)
{
    wmem_array_t *strings = wmem_array_new(wmem_epan_scope(),
                                           sizeof(value_string));
    value_string string = { 0, NULL };

    while (mcas_field_value_name(id, wmem_array_get_count(strings),
                                 &string.value, &string.strptr) == MCAS_OK)
        wmem_array_append_one(strings, string);
    if (wmem_array_get_count(strings) == 0) {
        wmem_destroy_array(strings);
        return NULL;
    }
    wmem_array_set_null_terminator(strings);
    return (const value_string *)wmem_array_get_raw(strings);
}

/* Type of a field in Wireshark's terms. */
static enum ftenum
field_type(const mcas_field_info *field)
{
    switch (field->value_type) {
    case MCAS_VALUE_UINT8: return FT_UINT8;
    case MCAS_VALUE_UINT16: return FT_UINT16;
    case MCAS_VALUE_UINT24: return FT_UINT24;
    case MCAS_VALUE_UINT32: return FT_UINT32;
    case MCAS_VALUE_UINT64: return FT_UINT64;
    case MCAS_VALUE_IPV4: return FT_IPv4;
    case MCAS_VALUE_IPV6: return FT_IPv6;
    case MCAS_VALUE_ETHER: return FT_ETHER;
    case MCAS_VALUE_BYTES: return FT_BYTES;
    case MCAS_VALUE_FRAME_NUMBER: return FT_FRAMENUM;
    case MCAS_VALUE_RELATIVE_TIME: return FT_RELATIVE_TIME;
    default: return FT_STRING;
    }
}

/* How it is displayed in Wireshark's terms. */
static int
field_display(const mcas_field_info *field)
{
    if (field->display == MCAS_DISPLAY_OUI)
        return BASE_OUI;
    if (field->display == MCAS_DISPLAY_HEX)
        return BASE_HEX;
    if (field->value_type >= MCAS_VALUE_UINT8
        && field->value_type <= MCAS_VALUE_UINT64)
        return BASE_DEC;
    return BASE_NONE;
}

static void
register_fields(void)
{
    uint32_t count = 0;
    mcas_field_info info;
    hf_register_info *rows;

    while (mcas_field_get(count, &info) == MCAS_OK)
        count++;
    fields = wmem_alloc_array(wmem_epan_scope(), mcas_field_info, count);
    hf = wmem_alloc_array(wmem_epan_scope(), int, count);
    rows = wmem_alloc0_array(wmem_epan_scope(), hf_register_info, count);
    for (uint32_t id = 0; id < count; id++) {
        const mcas_field_info *field = &fields[id];
        header_field_info *row = &rows[id].hfinfo;

        mcas_field_get(id, &fields[id]);
        hf[id] = -1;
        rows[id].p_id = &hf[id];
        row->name = field->label;
        row->abbrev = field->name;
        row->type = field_type(field);
        row->display = field_display(field);
        row->strings = value_strings(id);
        if (field->display == MCAS_DISPLAY_REQUEST)
            row->strings = FRAMENUM_TYPE(FT_FRAMENUM_REQUEST);
        if (field->display == MCAS_DISPLAY_RESPONSE)
            row->strings = FRAMENUM_TYPE(FT_FRAMENUM_RESPONSE);
        row->blurb = field->description;
        HFILL_INIT(rows[id]);
    }
    proto_register_field_array(proto_mcas, rows, (int)count);
}

static void
register_notes(void)
{
    static const int groups[] = {
        [MCAS_GROUP_PROTOCOL] = PI_PROTOCOL,
        [MCAS_GROUP_RESPONSE_CODE] = PI_RESPONSE_CODE,
        [MCAS_GROUP_UNDECODED] = PI_UNDECODED,
        [MCAS_GROUP_SEQUENCE] = PI_SEQUENCE,
        [MCAS_GROUP_SECURITY] = PI_SECURITY,
    };
    static const int severities[] = {
        [MCAS_SEVERITY_CHAT] = PI_CHAT,
        [MCAS_SEVERITY_NOTE] = PI_NOTE,
        [MCAS_SEVERITY_WARN] = PI_WARN,
    };
    static const expert_field unset = EI_INIT;
    uint32_t count = 0;
    mcas_note_info info;
    ei_register_info *rows;

    while (mcas_note_get(count, &info) == MCAS_OK)
        count++;
    notes = wmem_alloc_array(wmem_epan_scope(), mcas_note_info, count);
    ei = wmem_alloc_array(wmem_epan_scope(), expert_field, count);
    rows = wmem_alloc0_array(wmem_epan_scope(), ei_register_info, count);
    for (uint32_t id = 0; id < count; id++) {
        static const expert_field_info filled = { NULL, 0, 0, NULL,
                                                  EXPFILL };

        mcas_note_get(id, &notes[id]);
        ei[id] = unset;
        rows[id].ids = &ei[id];
        rows[id].eiinfo = filled;
        rows[id].eiinfo.name = notes[id].name;
        rows[id].eiinfo.group = groups[notes[id].group];
        rows[id].eiinfo.severity = severities[notes[id].severity];
        rows[id].eiinfo.summary = notes[id].summary;
    }
    expert_register_field_array(expert_register_protocol(proto_mcas), rows,
                                (int)count);
}

static void
mcas_register(void)
{
    static int *ett[] = { &ett_mcas[0], &ett_mcas[1], &ett_mcas[2] };

    proto_mcas = proto_register_protocol(
        "M-CAS (Hikari Denwa provisioning)", "M-CAS", "mcas");
    register_fields();
    register_notes();
    proto_register_subtree_array(ett, array_length(ett));
    mcas_tap_register();
    mcas_provisioning_register();
    mcas_counters_register();
    mcas_response_time_register();
    mcas_flow_register();
    mcas_config_register();
    mcas_boot_register();
    mcas_others_register();
    mcas_gate_register();
    mcas_learned_register();
    mcas_export_register();
    mcas_credentials_register();
    mcas_filter_register();
}

static void
mcas_handoff(void)
{
    expert_tap = register_tap("expert"); /* Wireshark does so later */
    mcas_gate_handoff();
    mcas_learned_handoff();
}

void
mcas_shim_register(void)
{
    static proto_plugin plugin;

    /* A library of another ABI than this file was compiled for would give
     * wrong answers: better none. */
    if (mcas_abi_version() != MCAS_ABI_VERSION) {
        ws_warning("M-CAS: the parsing library has another ABI version");
        return;
    }
    plugin.register_protoinfo = mcas_register;
    plugin.register_handoff = mcas_handoff;
    proto_register_plugin(&plugin);
}

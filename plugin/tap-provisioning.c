/* tap-provisioning.c
 * The table `-z mcas,provisioning`: a row for each terminal and server.
 *
 * A row tells of the last time that the terminal asked that server. Firmware
 * requests name no terminal; they belong to the one whose address they come
 * from, or whose MAC address the frame has, as when a gateway opens a second
 * PPPoE session for them. A terminal without an id goes by its address.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/addr_resolv.h>
#include <epan/stat_tap_ui.h>
#include <epan/to_str.h>

enum {
    TERMINAL, VENDOR, MODEL, FIRMWARE, FIRMWARE_FILE, NUMBERS, ADDRESS,
    SIP_SERVER, RESULT, REQUESTS, REQUEST_FRAME, RESPONSE_FRAME, CLIENT,
    SERVER, TIME, RESPONSE_TIME, COLUMNS
};

/* The response time stands last: where there is none, tshark ends the row. */
static stat_tap_table_item columns[COLUMNS] = {
    [TERMINAL] = { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Terminal", "%-17s" },
    [VENDOR] = { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Vendor", "%s" },
    [MODEL] = { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Model", "%s" },
    [FIRMWARE] = { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Firmware", "%s" },
    [FIRMWARE_FILE] =
        { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Firmware file", "%s" },
    [NUMBERS] = { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Number", "%s" },
    [ADDRESS] = { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Address", "%s" },
    [SIP_SERVER] =
        { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "SIP server", "%s" },
    [RESULT] = { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Result", "%s" },
    [REQUESTS] = { TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Requests", "%u" },
    [REQUEST_FRAME] =
        { TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Request frame", "%u" },
    [RESPONSE_FRAME] =
        { TABLE_ITEM_UINT, TAP_ALIGN_RIGHT, "Response frame", "%u" },
    [CLIENT] = { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Client", "%s" },
    [SERVER] = { TABLE_ITEM_STRING, TAP_ALIGN_LEFT, "Server", "%s" },
    [TIME] = { TABLE_ITEM_FLOAT, TAP_ALIGN_RIGHT, "Time", "%.6f" },
    [RESPONSE_TIME] =
        { TABLE_ITEM_FLOAT, TAP_ALIGN_RIGHT, "Response time", "%.6f" },
};

/* What is known of a terminal but for its provisioning. */
typedef struct {
    bool provisioned;  /* and not only known by what it downloaded */
    char *columns[COLUMNS]; /* MODEL, FIRMWARE, FIRMWARE_FILE: of all rows */
    size_t room[COLUMNS];
    const char *file;  /* that was asked for last */
    const mcas_exchange *download;
    wmem_list_t *rows; /* that show it */
} device;

typedef struct {
    unsigned place;   /* in the table */
    device *of;
    const mcas_exchange *exchange; /* the last one; file scope */
    uint32_t frame;   /* its request's */
    bool named;       /* its request was seen */
} row;

/* Wireshark has one table of a kind, however often it is shown, and so there
 * is one of these. */
static struct {
    wmem_allocator_t *pool;  /* of all below, and of the text in the table */
    wmem_map_t *devices;     /* by terminal and by address */
    wmem_map_t *strangers;   /* by MAC address: not yet provisioned ones */
    wmem_map_t *rows;        /* by terminal and server */
    wmem_map_t *exchanges;   /* rows by exchange */
    GPtrArray *dropped;      /* rows that the table had before */
} seen;

/* What a message says of these matters; NULL where nothing. */
typedef struct {
    const char *columns[COLUMNS];
    const char *netmask;
    const char *sip_port;
    wmem_strbuf_t *numbers;
    unsigned terminals;
} facts;

static void
keep_first(const char **place, const char *text)
{
    if (!*place)
        *place = text;
}

static const char *
vendor_of(uint64_t oui)
{
    uint8_t bytes[3] = { (uint8_t)(oui >> 16), (uint8_t)(oui >> 8),
                         (uint8_t)oui };
    const char *vendor = WS_VENDOR(bytes);

    return wmem_strdup(seen.pool, vendor ? vendor : "");
}

static facts
read_facts(const mcas_tap_message *message)
{
    facts found = { .netmask = NULL };
    mcas_tap_walk walk = { .part = MCAS_TAP_START };
    mcas_item item;

    found.numbers = wmem_strbuf_new(seen.pool, "");
    while (mcas_tap_next(message, &walk, &item)) {
        const char **place;

        keep_first(&found.columns[RESULT],
                   mcas_tap_result(seen.pool, &walk, &item));
        if (item.table != MCAS_TABLE_FIELDS)
            continue;
        switch (item.id) {
        case MCAS_FIELD_TERMINAL_ID:
            found.terminals++;
            place = &found.columns[TERMINAL];
            break;
        case MCAS_FIELD_TERMINAL_ID_MAC:
            /* In place of the id as it was sent. */
            if (found.terminals > 1)
                continue;
            place = &found.columns[TERMINAL];
            *place = NULL;
            break;
        case MCAS_FIELD_TERMINAL_ID_OUI:
            if (found.terminals == 1)
                found.columns[VENDOR] = vendor_of(item.number);
            continue;
        case MCAS_FIELD_IP_TEL_NUM:
            wmem_strbuf_append_printf(
                found.numbers, "%s%s",
                wmem_strbuf_get_len(found.numbers) > 0 ? "," : "",
                mcas_tap_text(seen.pool, &walk, &item, MCAS_FORMAT_VALUE));
            continue;
        case MCAS_FIELD_DEVICE_MODEL: place = &found.columns[MODEL]; break;
        case MCAS_FIELD_DEVICE_FIRMWARE:
            place = &found.columns[FIRMWARE];
            break;
        case MCAS_FIELD_FIRMWARE_FILE:
            place = &found.columns[FIRMWARE_FILE];
            break;
        case MCAS_FIELD_IP_ADDR: place = &found.columns[ADDRESS]; break;
        case MCAS_FIELD_NETMASK: place = &found.netmask; break;
        case MCAS_FIELD_SIPSV_ADDR:
            place = &found.columns[SIP_SERVER];
            break;
        case MCAS_FIELD_SIPSV_PORT: place = &found.sip_port; break;
        default: continue;
        }
        keep_first(place, mcas_tap_text(seen.pool, &walk, &item,
                                        MCAS_FORMAT_VALUE));
    }
    return found;
}

static stat_tap_table_item_type *
cell(stat_tap_table *table, const row *at, unsigned column)
{
    return stat_tap_get_field_data(table, at->place, column);
}

static void
set_text(stat_tap_table *table, const row *at, unsigned column,
         const char *text)
{
    cell(table, at, column)->value.string_value = text ? text : "";
}

static void
set_number(stat_tap_table *table, const row *at, unsigned column,
           unsigned number)
{
    cell(table, at, column)->value.uint_value = number;
}

/* No type: no value. */
static void
set_seconds(stat_tap_table *table, const row *at, unsigned column,
            const nstime_t *seconds)
{
    stat_tap_table_item_type *data = cell(table, at, column);

    data->type = seconds ? TABLE_ITEM_FLOAT : TABLE_ITEM_NONE;
    data->value.float_value = seconds ? nstime_to_sec(seconds) : 0;
}

static const char *
text_of(const address *of)
{
    return address_to_str(seen.pool, of);
}

static void
show_software(stat_tap_table *table, const row *at)
{
    for (unsigned column = MODEL; column <= FIRMWARE_FILE; column++)
        set_text(table, at, column, at->of->columns[column]);
}

/*
 * Remembers what a message says of a device's software, for all its rows,
 * which there may be many of: so that the text is changed where it stands, as
 * long as there is room.
 */
static void
keep_software(stat_tap_table *table, device *of, const facts *found)
{
    bool moved = false;

    for (unsigned column = MODEL; column <= FIRMWARE_FILE; column++) {
        const char *text = found->columns[column];
        size_t size = text ? strlen(text) + 1 : 0;

        if (size > of->room[column]) {
            of->room[column] = MAX(size, 2 * of->room[column]);
            of->columns[column] = wmem_alloc_array(seen.pool, char,
                                                   of->room[column]);
            moved = true;
        }
        if (text)
            memcpy(of->columns[column], text, size);
    }
    for (wmem_list_frame_t *at = wmem_list_head(of->rows); moved && at;
         at = wmem_list_frame_next(at))
        show_software(table, (const row *)wmem_list_frame_data(at));
}

static device *
new_device(void)
{
    device *made = wmem_new0(seen.pool, device);

    made->rows = wmem_list_new(seen.pool);
    return made;
}

/* The device that asks to be provisioned, or is without having asked. */
static device *
provisioned_device(const char *terminal, const char *client)
{
    device *found = (device *)wmem_map_lookup(seen.devices, terminal);

    if (!found) {
        /* Perhaps it has downloaded before. */
        found = (device *)wmem_map_lookup(seen.devices, client);
        if (!found || found->provisioned)
            found = (device *)wmem_map_lookup(seen.strangers, terminal);
        if (!found || found->provisioned)
            found = new_device();
        found->provisioned = true;
        wmem_map_insert(seen.devices, terminal, found);
    }
    wmem_map_insert(seen.devices, client, found);
    return found;
}

static row *
new_row(stat_tap_table *table, device *of, const char *client,
        const char *server)
{
    stat_tap_table_item_type cells[COLUMNS];
    row *made = wmem_new0(seen.pool, row);

    memset(cells, 0, sizeof(cells));
    for (unsigned column = 0; column < COLUMNS; column++) {
        cells[column].type = columns[column].type;
        if (columns[column].type == TABLE_ITEM_STRING)
            cells[column].value.string_value = "";
    }
    cells[CLIENT].value.string_value = client;
    cells[SERVER].value.string_value = server;
    cells[RESPONSE_TIME].type = TABLE_ITEM_NONE;
    made->place = table->num_elements;
    made->of = of;
    stat_tap_init_table_row(table, made->place, COLUMNS, cells);
    wmem_list_append(of->rows, made);
    show_software(table, made);
    return made;
}

/* The row that tells of an exchange; not of one that was in the same place of
 * memory before tshark -M forgot it. */
static row *
row_of(const mcas_exchange *exchange)
{
    row *found = exchange
        ? (row *)wmem_map_lookup(seen.exchanges, exchange) : NULL;

    return found && found->exchange == exchange
        && found->frame == exchange->request_frame ? found : NULL;
}

/* When the request was sent, as time since the capture's start. */
static nstime_t
request_time(const packet_info *pinfo, const mcas_exchange *exchange)
{
    nstime_t since, sent = pinfo->rel_ts;

    nstime_delta(&since, &pinfo->abs_ts, &exchange->request_time);
    nstime_subtract(&sent, &since);
    return sent;
}

static void
begin_exchange(stat_tap_table *table, row *at, const packet_info *pinfo,
               const mcas_exchange *exchange)
{
    nstime_t began = pinfo->rel_ts;

    at->exchange = exchange;
    at->frame = exchange ? exchange->request_frame : 0;
    if (exchange) {
        wmem_map_insert(seen.exchanges, exchange, at);
        if (exchange->request_frame)
            began = request_time(pinfo, exchange);
    }
    set_text(table, at, NUMBERS, NULL);
    set_text(table, at, ADDRESS, NULL);
    set_text(table, at, SIP_SERVER, NULL);
    set_text(table, at, RESULT, "no response");
    set_number(table, at, REQUEST_FRAME, at->frame);
    set_number(table, at, RESPONSE_FRAME, 0);
    set_seconds(table, at, TIME, &began);
    set_seconds(table, at, RESPONSE_TIME, NULL);
}

static void
provisioning_request(stat_tap_table *table, const packet_info *pinfo,
                     const mcas_tap_message *message)
{
    const char *client = text_of(&pinfo->src), *server = text_of(&pinfo->dst);
    facts found = read_facts(message);
    const char *sent = found.columns[TERMINAL];
    const char *terminal = sent && *sent ? sent : client;
    const char *key = wmem_strdup_printf(seen.pool, "%s\n%s", terminal,
                                         server);
    device *asking = provisioned_device(terminal, client);
    row *at = row_of(message->exchange);

    if (at && at->named)
        return; /* a retransmission */
    if (at) {
        /* It was answered before it was complete. */
        wmem_list_remove(at->of->rows, at);
        at->of = asking;
        wmem_list_append(asking->rows, at);
        show_software(table, at);
        wmem_map_insert(seen.rows, key, at);
    } else {
        at = (row *)wmem_map_lookup(seen.rows, key);
        if (!at) {
            at = new_row(table, asking, client, server);
            wmem_map_insert(seen.rows, key, at);
        }
        begin_exchange(table, at, pinfo, message->exchange);
        if (!at->frame)
            set_number(table, at, REQUEST_FRAME, pinfo->num);
    }
    at->named = true;
    set_text(table, at, TERMINAL, sent);
    set_text(table, at, VENDOR, found.columns[VENDOR]);
    set_text(table, at, CLIENT, client);
    cell(table, at, REQUESTS)->value.uint_value++;
    keep_software(table, asking, &found);
}

static void
provisioning_response(stat_tap_table *table, const packet_info *pinfo,
                      const mcas_tap_message *message)
{
    const char *client = text_of(&pinfo->dst), *server = text_of(&pinfo->src);
    facts found = read_facts(message);
    const char *address = found.columns[ADDRESS];
    const char *sip_server = found.columns[SIP_SERVER];
    const char *result = found.columns[RESULT];
    row *at = row_of(message->exchange);

    /* An earlier request's, while the row has gone on to a later one. */
    if (!at && message->exchange
        && wmem_map_contains(seen.exchanges, message->exchange))
        return;
    if (!at) {
        const char *key = wmem_strdup_printf(seen.pool, "\n%s\n%s", client,
                                             server);

        at = (row *)wmem_map_lookup(seen.rows, key);
        if (!at || at->named) {
            at = new_row(table, provisioned_device(client, client), client,
                         server);
            wmem_map_insert(seen.rows, key, at);
        }
        begin_exchange(table, at, pinfo, message->exchange);
    }
    if (address && found.netmask)
        address = wmem_strdup_printf(seen.pool, "%s/%s", address,
                                     found.netmask);
    if (address)
        wmem_map_insert(seen.devices, found.columns[ADDRESS], at->of);
    if (sip_server && found.sip_port)
        sip_server = wmem_strdup_printf(seen.pool, "%s:%s", sip_server,
                                        found.sip_port);
    if (!result)
        result = wmem_strdup_printf(seen.pool, "HTTP %u",
                                    message->message->status);
    set_text(table, at, NUMBERS, wmem_strbuf_get_str(found.numbers));
    set_text(table, at, ADDRESS, address);
    set_text(table, at, SIP_SERVER, sip_server);
    set_text(table, at, RESULT, result);
    set_number(table, at, RESPONSE_FRAME, pinfo->num);
    if (message->exchange && message->exchange->request_frame) {
        nstime_t since;

        nstime_delta(&since, &pinfo->abs_ts,
                     &message->exchange->request_time);
        set_seconds(table, at, RESPONSE_TIME, &since);
    }
}

static void
firmware_request(stat_tap_table *table, const packet_info *pinfo,
                 const mcas_tap_message *message)
{
    const char *client = text_of(&pinfo->src);
    const char *mac = text_of(&pinfo->dl_src);
    facts found = read_facts(message);
    device *asking = (device *)wmem_map_lookup(seen.devices, client);

    if (!asking)
        asking = (device *)wmem_map_lookup(seen.devices, mac);
    if (!asking) {
        asking = new_device();
        wmem_map_insert(seen.strangers, mac, asking);
    }
    wmem_map_insert(seen.devices, client, asking);
    if (found.columns[FIRMWARE_FILE]) {
        asking->file = found.columns[FIRMWARE_FILE];
        asking->download = message->exchange;
        found.columns[FIRMWARE_FILE] = wmem_strdup_printf(
            seen.pool, "%s (asked for)", asking->file);
    }
    keep_software(table, asking, &found);
}

static void
firmware_response(stat_tap_table *table, const packet_info *pinfo,
                  const mcas_tap_message *message)
{
    device *asked = (device *)wmem_map_lookup(seen.devices,
                                              text_of(&pinfo->dst));
    unsigned status = message->message->status;
    facts found = { .netmask = NULL };

    if (!asked || !message->exchange || asked->download != message->exchange
        || message->message->method == MCAS_METHOD_HEAD)
        return;
    found.columns[FIRMWARE_FILE] = status == 200
        ? asked->file
        : wmem_strdup_printf(seen.pool, "%s (%u)", asked->file, status);
    keep_software(table, asked, &found);
}

static tap_packet_status
provisioning_packet(void *data, packet_info *pinfo, epan_dissect_t *edt,
                    const void *queued, tap_flags_t flags)
{
    const stat_data_t *shown = (const stat_data_t *)data;
    const mcas_tap_message *message = (const mcas_tap_message *)queued;
    stat_tap_table *table = g_array_index(shown->stat_tap_data->tables,
                                          stat_tap_table *, 0);

    (void)edt;
    (void)flags;
    switch (message->message->message_type) {
    case MCAS_TYPE_PROVISIONING_REQUEST:
    case MCAS_TYPE_EXTENSION_CONFIGURATION_REQUEST:
        provisioning_request(table, pinfo, message);
        return TAP_PACKET_REDRAW;
    case MCAS_TYPE_PROVISIONING_RESPONSE:
    case MCAS_TYPE_EXTENSION_CONFIGURATION_RESPONSE:
        /* An interim one says nothing yet. */
        if (message->message->status / 100 == 1)
            return TAP_PACKET_DONT_REDRAW;
        provisioning_response(table, pinfo, message);
        return TAP_PACKET_REDRAW;
    case MCAS_TYPE_FIRMWARE_REQUEST:
        firmware_request(table, pinfo, message);
        return TAP_PACKET_REDRAW;
    case MCAS_TYPE_FIRMWARE_RESPONSE:
        firmware_response(table, pinfo, message);
        return TAP_PACKET_REDRAW;
    default:
        return TAP_PACKET_DONT_REDRAW;
    }
}

static void
forget_messages(void)
{
    seen.devices = wmem_map_new(seen.pool, wmem_str_hash, g_str_equal);
    seen.strangers = wmem_map_new(seen.pool, wmem_str_hash, g_str_equal);
    seen.rows = wmem_map_new(seen.pool, wmem_str_hash, g_str_equal);
    seen.exchanges = wmem_map_new(seen.pool, g_direct_hash, g_direct_equal);
}

/* Frees all that is held, once nothing shows the table. */
static void
free_all(void)
{
    if (!seen.pool)
        return;
    g_ptr_array_free(seen.dropped, TRUE);
    wmem_destroy_allocator(seen.pool);
    memset(&seen, 0, sizeof(seen));
}

/*
 * Empties the table. Another window may still show the rows that it had, and
 * reads them when it is sorted: so they, and their text, are kept for as long
 * as there is one.
 */
static void
provisioning_reset(stat_tap_table *table)
{
    for (unsigned i = 0; i < table->num_elements; i++)
        g_ptr_array_add(seen.dropped, table->elements[i]);
    table->num_elements = 0;
    forget_messages();
}

static void
provisioning_init(stat_tap_table_ui *ui)
{
    static const char title[] = "M-CAS Provisioning";
    stat_tap_table *table = stat_tap_find_table(ui, title);

    if (table) {
        provisioning_reset(table);
        return;
    }
    free_all();
    seen.pool = wmem_allocator_new(WMEM_ALLOCATOR_BLOCK);
    seen.dropped = g_ptr_array_new_with_free_func(g_free);
    forget_messages();
    stat_tap_add_table(ui, stat_tap_init_table(title, COLUMNS, 0, NULL));
}

static void
provisioning_free_cell(stat_tap_table *table, unsigned at, unsigned column,
                       stat_tap_table_item_type *data)
{
    (void)data;
    /* The last one: Wireshark frees the table. */
    if (at + 1 == table->num_elements && column + 1 == table->num_fields)
        free_all();
}

void
mcas_provisioning_register(void)
{
    static tap_param filter = { PARAM_FILTER, "filter", "Filter", NULL,
                                true };
    static stat_tap_table_ui ui = {
        .group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
        .title = "M-CAS Provisioning",
        .tap_name = "mcas",
        .cli_string = "mcas,provisioning",
        .stat_tap_init_cb = provisioning_init,
        .packet_func = provisioning_packet,
        .stat_tap_reset_table_cb = provisioning_reset,
        .stat_tap_free_table_item_cb = provisioning_free_cell,
        .nfields = COLUMNS,
        .fields = columns,
        .nparams = 1,
        .params = &filter,
    };

    register_stat_tap_table_ui(&ui);
}

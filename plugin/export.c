/* export.c
 * Firmware images and provisioning documents as objects to save: File,
 * Export Objects, and tshark's --export-objects mcas,FOLDER.
 *
 * An object is a whole body as the server meant it, chunks joined. What is
 * cut, a part (206) or in a content coding is no object: saved under the name
 * of the whole, it would pass for it.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/export_object.h>
#include <epan/tap.h>
#include <epan/to_str.h>

int mcas_export_tap = -1;

/* What a request says of the object that answers it, by exchange. Collected
 * only while somebody wants objects. File scope. */
typedef struct {
    const char *host;
    const char *terminal;
    const char *model;
    const char *file;
} asked_for;

static wmem_map_t *asked;

static asked_for
read_request(wmem_allocator_t *scope, const mcas_tap_message *request)
{
    asked_for read = {
        mcas_tap_value(scope, request, MCAS_FIELD_HOST),
        mcas_tap_value(scope, request, MCAS_FIELD_TERMINAL_ID),
        mcas_tap_value(scope, request, MCAS_FIELD_FIRMWARE_MODEL),
        mcas_tap_value(scope, request, MCAS_FIELD_FIRMWARE_FILE),
    };

    return read;
}

static tap_packet_status
export_object(void *list, packet_info *pinfo, epan_dissect_t *edt _U_,
              const void *data, tap_flags_t flags _U_)
{
    export_object_list_t *objects = (export_object_list_t *)list;
    const mcas_tap_message *object = (const mcas_tap_message *)data;
    const mcas_message *message = object->message;
    asked_for request = { NULL, NULL, NULL, NULL };
    const char *device;
    char name[256];
    size_t needed;
    export_object_entry_t *entry;

    if (message->kind == MCAS_KIND_REQUEST) {
        request = read_request(pinfo->pool, object);
        if (object->exchange
            && !wmem_map_lookup(asked, object->exchange)) {
            asked_for *kept = wmem_new(wmem_file_scope(), asked_for);

            *kept = read_request(wmem_file_scope(), object);
            wmem_map_insert(asked, object->exchange, kept);
        }
    } else if (object->exchange) {
        const asked_for *kept = (const asked_for *)wmem_map_lookup(
            asked, object->exchange);

        if (kept)
            request = *kept;
    }
    device = request.terminal && *request.terminal
        ? request.terminal : address_to_str(pinfo->pool, &pinfo->dst);
    if (mcas_file_name(message, device, request.model, request.file, name,
                       sizeof(name), &needed) != MCAS_OK)
        return TAP_PACKET_DONT_REDRAW;

    entry = g_new0(export_object_entry_t, 1);
    entry->pkt_num = pinfo->num;
    entry->hostname = g_strdup(
        request.host ? request.host
                     : address_to_str(pinfo->pool, &pinfo->src));
    entry->content_type = g_strndup(
        (const char *)object->bytes + message->media_type.offset,
        message->media_type.length);
    entry->filename = g_strdup(name);
    entry->payload_len = object->body_length;
    entry->payload_data =
        (uint8_t *)g_memdup2(object->body, object->body_length);
    objects->add_entry(objects->gui_data, entry);
    return TAP_PACKET_REDRAW;
}

bool
mcas_export_wanted(void)
{
    return have_tap_listener(mcas_export_tap);
}

void
mcas_export_register(void)
{
    mcas_export_tap = register_export_object(proto_mcas, export_object,
                                             NULL);
    asked = wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(),
                                   g_direct_hash, g_direct_equal);
}

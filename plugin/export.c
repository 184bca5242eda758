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

/* A name that no file system minds, and that is of one part only. */
static char *
safe_name(wmem_allocator_t *scope, const char *name)
{
    static const size_t longest = 100;
    size_t length = strlen(name);
    char *safe;

    /* The end is worth more: there is the extension. */
    safe = wmem_strdup(scope, length > longest ? name + length - longest
                                               : name);
    for (char *c = safe; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("-_.", *c))
            *c = '_';
    if (*safe == '.')
        *safe = '_';
    return safe;
}

/* What kind of document a message is, or NULL. */
static const char *
document(const mcas_message *message)
{
    switch (message->message_type) {
    case MCAS_TYPE_PROVISIONING_RESPONSE:
        return message->status == 200 ? "provisioning" : NULL;
    case MCAS_TYPE_EXTENSION_CONFIGURATION_RESPONSE:
        return message->status == 200 ? "configuration" : NULL;
    case MCAS_TYPE_SETUP_PUSH:
        return "setup-push";
    default:
        return NULL;
    }
}

static const char *
object_name(packet_info *pinfo, const mcas_message *message,
            const asked_for *request)
{
    const char *kind = document(message);
    char *device, *model, *file;

    if (kind) {
        device = safe_name(
            pinfo->pool,
            request->terminal && *request->terminal
            ? request->terminal : address_to_str(pinfo->pool, &pinfo->dst));
        for (char *c = device; *c; c++)
            *c = g_ascii_tolower(*c);
        return wmem_strdup_printf(pinfo->pool, "%s-%s.txt", device, kind);
    }
    model = safe_name(pinfo->pool, request->model ? request->model : "");
    file = safe_name(pinfo->pool, request->file ? request->file
                                                : "firmware.bin");
    return *model ? wmem_strdup_printf(pinfo->pool, "%s-%s", model, file)
                  : file;
}

static bool
is_object(const mcas_tap_message *object)
{
    const mcas_message *message = object->message;
    bool image = message->message_type == MCAS_TYPE_FIRMWARE_RESPONSE
        && message->status == 200;

    return (image || document(message)) && object->body_length > 0
        && (message->flags & (MCAS_MESSAGE_COMPLETE | MCAS_MESSAGE_BODY_CODED
                              | MCAS_MESSAGE_BODY_BROKEN))
            == MCAS_MESSAGE_COMPLETE;
}

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
    if (!is_object(object))
        return TAP_PACKET_DONT_REDRAW;

    entry = g_new0(export_object_entry_t, 1);
    entry->pkt_num = pinfo->num;
    entry->hostname = g_strdup(
        request.host ? request.host
                     : address_to_str(pinfo->pool, &pinfo->src));
    entry->content_type = g_strndup(
        (const char *)object->bytes + message->media_type.offset,
        message->media_type.length);
    entry->filename = g_strdup(object_name(pinfo, message, &request));
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

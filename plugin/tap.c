/* tap.c
 * What statistics, exports and the like are told of each message, and how
 * they read it.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <epan/tap.h>

int mcas_tap = -1;

void
mcas_tap_register(void)
{
    mcas_tap = register_tap("mcas");
}

bool
mcas_tap_wanted(void)
{
    return have_tap_listener(mcas_tap) || mcas_export_wanted()
        || mcas_credentials_wanted();
}

void
mcas_tap_queue(packet_info *pinfo, const mcas_tap_message *message)
{
    mcas_tap_message *queued;
    mcas_message *parsed;

    if (!mcas_tap_wanted())
        return;
    parsed = wmem_new(pinfo->pool, mcas_message);
    *parsed = *message->message;
    queued = wmem_new(pinfo->pool, mcas_tap_message);
    *queued = *message;
    queued->message = parsed;
    tap_queue_packet(mcas_tap, pinfo, queued);
    tap_queue_packet(mcas_export_tap, pinfo, queued);
    mcas_credentials_queue(pinfo, queued);
}

bool
mcas_tap_next(const mcas_tap_message *from, mcas_tap_walk *walk,
              mcas_item *item)
{
    for (;;) {
        if (walk->bytes
            && mcas_next(walk->bytes, walk->length, &walk->iter, item)
                == MCAS_OK)
            return true;
        switch (walk->part) {
        case MCAS_TAP_START:
            walk->part = MCAS_TAP_HEAD;
            walk->bytes = from->bytes;
            walk->length = from->message->length;
            mcas_head_items(from->message, &walk->iter);
            break;
        case MCAS_TAP_HEAD:
            walk->part = MCAS_TAP_BODY;
            walk->bytes = from->body;
            walk->length = from->body_length;
            mcas_body_items(from->message, from->body, from->body_length,
                            &walk->iter);
            break;
        case MCAS_TAP_BODY:
            return false;
        }
    }
}

const char *
mcas_tap_value(wmem_allocator_t *scope, const mcas_tap_message *from,
               uint32_t field)
{
    mcas_tap_walk walk = { .part = MCAS_TAP_START };
    mcas_item item;

    while (mcas_tap_next(from, &walk, &item))
        if (item.table == MCAS_TABLE_FIELDS && item.id == field)
            return mcas_item_text(scope, walk.bytes, walk.length, &item,
                                  MCAS_FORMAT_VALUE);
    return NULL;
}

const char *
mcas_tap_text(wmem_allocator_t *scope, const mcas_tap_walk *walk,
              const mcas_item *item, uint32_t style)
{
    return mcas_printable(mcas_item_text(scope, walk->bytes, walk->length,
                                         item, style));
}

const char *
mcas_tap_result(wmem_allocator_t *scope, const mcas_tap_walk *walk,
                const mcas_item *item)
{
    bool result = item->table == MCAS_TABLE_FIELDS
        ? item->id == MCAS_FIELD_RESULT_CODE
        : item->id == MCAS_NOTE_RESULT_CODE_FAILURE && item->span.length > 0;

    return result ? mcas_tap_text(scope, walk, item, MCAS_FORMAT_NAMED)
                  : NULL;
}

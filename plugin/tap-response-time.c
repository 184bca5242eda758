/* tap-response-time.c
 * The table `-z mcas,srt`: how long responses took, by what was asked for.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/srt_table.h>

/* A row has the number of its request's type, so that "mcas.type == number"
 * is a filter for it: there are rows of responses too, which stay empty. */
static void
response_time_init(struct register_srt *srt, GArray *tables)
{
    static const char last_word[] = " request";
    mcas_type_info type;
    uint32_t count = 0;
    srt_stat_table *table;

    (void)srt;
    while (mcas_type_get(count, &type) == MCAS_OK)
        count++;
    table = init_srt_table("M-CAS response times", NULL, tables, (int)count,
                           "Asked for", "mcas.type", NULL);
    for (uint32_t id = 0; id < count; id++) {
        char *name;

        mcas_type_get(id, &type);
        name = g_strdup(type.name);
        if (g_str_has_suffix(name, last_word))
            name[strlen(name) - strlen(last_word)] = '\0';
        init_srt_table_row(table, (int)id, name);
        g_free(name);
    }
}

static tap_packet_status
response_time_packet(void *data, packet_info *pinfo, epan_dissect_t *edt,
                     const void *queued, tap_flags_t flags)
{
    const srt_data_t *srt = (const srt_data_t *)data;
    const mcas_tap_message *message = (const mcas_tap_message *)queued;
    const mcas_exchange *exchange = message->exchange;
    mcas_type_info type;

    (void)edt;
    (void)flags;
    if (message->message->kind != MCAS_KIND_RESPONSE || !exchange
        || !exchange->request_frame
        || mcas_type_get(exchange->request_type, &type) != MCAS_OK)
        return TAP_PACKET_DONT_REDRAW;
    add_srt_table_data(g_array_index(srt->srt_array, srt_stat_table *, 0),
                       (int)type.id, &exchange->request_time, pinfo);
    return TAP_PACKET_REDRAW;
}

void
mcas_response_time_register(void)
{
    register_srt_table(proto_mcas, "mcas", 1, response_time_packet,
                       response_time_init, NULL);
}

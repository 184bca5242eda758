/* tap-counters.c
 * The tree `-z mcas,tree`: how many messages there are of each kind, and
 * which result codes, models, firmware versions, carriers and hosts they say.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <epan/stats_tree.h>

/* Branches of the tree, each with a twig for every value of its field. */
static struct {
    uint32_t field;
    const char *name;
    int node;
} branches[] = {
    { MCAS_FIELD_TYPE, "Message types", 0 },
    { MCAS_FIELD_RESULT_CODE, "Result codes", 0 },
    { MCAS_FIELD_DEVICE_MODEL, "Device models", 0 },
    { MCAS_FIELD_DEVICE_FIRMWARE, "Firmware versions", 0 },
    { MCAS_FIELD_DEVICE_CARRIER, "Carriers", 0 },
    { MCAS_FIELD_HOST, "Hosts", 0 },
};

static void
counters_init(stats_tree *tree)
{
    for (size_t i = 0; i < array_length(branches); i++)
        branches[i].node = stats_tree_create_node(
            tree, branches[i].name, 0, STAT_DT_INT, true);
}

static tap_packet_status
counters_packet(stats_tree *tree, packet_info *pinfo, epan_dissect_t *edt,
                const void *queued, tap_flags_t flags)
{
    const mcas_tap_message *message = (const mcas_tap_message *)queued;
    mcas_tap_walk walk = { .part = MCAS_TAP_START };
    mcas_item item;
    uint32_t before = MCAS_FIELD_TYPE;

    (void)edt;
    (void)flags;
    while (mcas_tap_next(message, &walk, &item)) {
        uint32_t field = item.id;

        if (item.table == MCAS_TABLE_NOTES) {
            /* A result that is no number has no field. */
            if (item.id != MCAS_NOTE_RESULT_CODE_FAILURE
                || before == MCAS_FIELD_RESULT_CODE || item.span.length == 0)
                continue;
            field = MCAS_FIELD_RESULT_CODE;
        }
        before = field;
        for (size_t i = 0; i < array_length(branches); i++) {
            if (branches[i].field != field)
                continue;
            tick_stat_node(tree, branches[i].name, 0, true);
            tick_stat_node(tree,
                           mcas_tap_text(pinfo->pool, &walk, &item,
                                         MCAS_FORMAT_NAMED),
                           branches[i].node, false);
        }
    }
    return TAP_PACKET_REDRAW;
}

void
mcas_counters_register(void)
{
    stats_tree_register_plugin("mcas", "mcas",
                               "M-CAS" WS_STATS_SUBMENU "Counters", 0,
                               counters_packet, counters_init, NULL);
}

/* tap-flow.c
 * M-CAS in Statistics > Flow Graph, and `-z flow,mcas,standard`: an arrow for
 * each frame, with its Info column.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <epan/proto_data.h>
#include <epan/tap.h>

/*
 * From epan/sequence_analysis.h, which is not installed with the development
 * files. What these have is the same in 4.0, 4.4 and 4.6, which its structs
 * are not: so no item is made here, and nothing of a struct is known.
 */
struct register_analysis;
void register_seq_analysis(const char *name, const char *ui_name,
                           const int proto_id, const char *tap_listener,
                           unsigned tap_flags, tap_packet_cb tap_func);
struct register_analysis *sequence_analysis_find_by_name(const char *name);
tap_packet_cb
sequence_analysis_get_packet_func(struct register_analysis *analysis);

/* Key of the first message of a frame; packet-mcas.c has others. */
#define FIRST_OF_FRAME 2

/* Has Wireshark's own graph of all frames draw this one. */
static tap_packet_status
flow_packet(void *graph, packet_info *pinfo, epan_dissect_t *edt,
            const void *message, tap_flags_t flags)
{
    struct register_analysis *all = sequence_analysis_find_by_name("any");
    const void *first = p_get_proto_data(pinfo->pool, pinfo, proto_mcas,
                                         FIRST_OF_FRAME);

    if (!first)
        p_add_proto_data(pinfo->pool, pinfo, proto_mcas, FIRST_OF_FRAME,
                         (void *)message);
    else if (first != message)
        return TAP_PACKET_DONT_REDRAW;
    if (!all)
        return TAP_PACKET_DONT_REDRAW;
    return sequence_analysis_get_packet_func(all)(graph, pinfo, edt, message,
                                                  flags);
}

void
mcas_flow_register(void)
{
    register_seq_analysis("mcas", "M-CAS Flows", proto_mcas, "mcas",
                          TL_REQUIRES_COLUMNS, flow_packet);
}

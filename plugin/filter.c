/* filter.c
 * "M-CAS" among the conversation filters: all M-CAS between the two ends of
 * a packet, on whichever connections.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <epan/conversation_filter.h>
#include <epan/to_str.h>

static ws_bool_t
is_ours(WS_FILTER_PARAMETERS(pinfo))
{
    return proto_is_frame_protocol(pinfo->layers, "mcas")
        && (pinfo->net_src.type == AT_IPv4
            || pinfo->net_src.type == AT_IPv6);
}

static char *
between_ends(WS_FILTER_PARAMETERS(pinfo))
{
    const char *field = pinfo->net_src.type == AT_IPv6 ? "ipv6" : "ip";

    return g_strdup_printf("mcas and %s.addr eq %s and %s.addr eq %s", field,
                           address_to_str(pinfo->pool, &pinfo->net_src),
                           field,
                           address_to_str(pinfo->pool, &pinfo->net_dst));
}

void
mcas_filter_register(void)
{
    WS_REGISTER_CONVERSATION_FILTER("mcas", "M-CAS", is_ours, between_ends);
}

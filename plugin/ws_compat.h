/* ws_compat.h
 * What differs between the Wireshark versions that this plugin builds for:
 * every #if on a version stands here and nowhere else.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WS_COMPAT_H
#define WS_COMPAT_H

#include <ws_version.h>

#define WS_AT_LEAST(major, minor) \
    (WIRESHARK_VERSION_MAJOR > (major) \
     || (WIRESHARK_VERSION_MAJOR == (major) \
         && WIRESHARK_VERSION_MINOR >= (minor)))

/* Answer of a heuristic dissector, and variable of a boolean preference */
#if WS_AT_LEAST(4, 4)
typedef bool ws_bool_t;
#else
typedef gboolean ws_bool_t;
#endif

/* Full name of a vendor by the first three bytes of a MAC address, or NULL */
#if WS_AT_LEAST(4, 4)
#define WS_VENDOR(oui) get_manuf_name_if_known((oui), 3)
#elif WS_AT_LEAST(4, 2)
#define WS_VENDOR(oui) \
    get_manuf_name_if_known( \
        (const uint8_t[6]){ (oui)[0], (oui)[1], (oui)[2] }, 6)
#else
#define WS_VENDOR(oui) get_manuf_name_if_known(oui)
#endif

/* Between a submenu of Statistics and the name of a tree of counters in it */
#if WS_AT_LEAST(4, 4)
#define WS_STATS_SUBMENU "//"
#else
#define WS_STATS_SUBMENU "/"
#endif

/* The value of a field_info */
#if WS_AT_LEAST(4, 2)
#define WS_FIELD_VALUE(field) ((field)->value)
#else
#define WS_FIELD_VALUE(field) ((fvalue_t *)&(field)->value)
#endif

/* What the callback of a statistic's -z option returns, and how it ends.
 * Where it cannot tell of a failure, Wireshark's own exit. */
#if WS_AT_LEAST(4, 6)
typedef bool ws_stat_init_t;
#define WS_STAT_INIT_DONE return true
#define WS_STAT_INIT_FAIL return false
#else
typedef void ws_stat_init_t;
#define WS_STAT_INIT_DONE return
#define WS_STAT_INIT_FAIL exit(1)
#endif

/* Callbacks of a conversation filter, and their registration */
#if WS_AT_LEAST(4, 2)
#define WS_FILTER_PARAMETERS(pinfo) packet_info *pinfo, void *user_data _U_
#define WS_REGISTER_CONVERSATION_FILTER(proto, name, valid, build) \
    register_conversation_filter((proto), (name), (valid), (build), NULL)
#else
#define WS_FILTER_PARAMETERS(pinfo) packet_info *pinfo
#define WS_REGISTER_CONVERSATION_FILTER(proto, name, valid, build) \
    register_conversation_filter((proto), (name), (valid), (build))
#endif

/* How a program of its own starts libwireshark (tests/c/) */
#if WS_AT_LEAST(4, 6)
#define WS_LOG_INIT(program) ws_log_init(NULL)
#define WS_CONFIGURATION_INIT(path) configuration_init(path)
#else
#define WS_LOG_INIT(program) ws_log_init((program), NULL)
#define WS_CONFIGURATION_INIT(path) configuration_init((path), NULL)
#endif

#endif /* WS_COMPAT_H */

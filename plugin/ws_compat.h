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

#if WS_AT_LEAST(4, 4)
/* Answer of a heuristic dissector, and variable of a boolean preference. */
typedef bool ws_bool_t;
/* Full name of a vendor by the first three bytes of a MAC address, or NULL */
#define WS_VENDOR(oui) get_manuf_name_if_known((oui), 3)
#else
typedef gboolean ws_bool_t;
#define WS_VENDOR(oui) get_manuf_name_if_known(oui)
#endif

#endif /* WS_COMPAT_H */

/* decode_as.c
 * Saves the Decode As entries as Wireshark's dialog does, which tshark never
 * does: starts libwireshark as tshark does, takes the steps that the
 * arguments name, and saves.
 *
 *   open              opens a capture (of no packets)
 *   PORT=DISSECTOR    chooses a dissector for a TCP port
 *   PORT=             takes that choice back
 *   PREFERENCE:VALUE  changes a preference
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <epan/epan.h>
#include <epan/decode_as.h>
#include <epan/packet.h>
#include <epan/prefs.h>
#include <wiretap/wtap.h>
#include <wsutil/filesystem.h>
#include <wsutil/privileges.h>
#include <wsutil/wslog.h>

#include "../../plugin/ws_compat.h"

static void
fail(const char *what, const char *why)
{
    fprintf(stderr, "decode_as: %s: %s\n", what, why);
    exit(1);
}

static void
take_step(char *step)
{
    static const struct packet_provider_funcs no_provider;
    char *name = strchr(step, '=');
    char *error = NULL;

    if (strcmp(step, "open") == 0) {
        epan_free(epan_new(NULL, &no_provider));
    } else if (name) {
        unsigned port = (unsigned)strtoul(step, NULL, 10);
        dissector_handle_t handle;

        if (*++name == '\0') {
            dissector_reset_uint("tcp.port", port);
            return;
        }
        handle = dissector_table_get_dissector_handle(
            find_dissector_table("tcp.port"), name);
        if (!handle)
            fail(step, "no such dissector");
        dissector_change_uint("tcp.port", port, handle);
    } else {
        if (prefs_set_pref(step, &error) != PREFS_SET_OK)
            fail(step, error ? error : "not set");
        prefs_apply_all();
    }
}

int
main(int argc, char **argv)
{
    char *error;

    WS_LOG_INIT("decode_as"); /* else it logs every step */
    init_process_policies();
    error = WS_CONFIGURATION_INIT(argv[0]);
    if (error)
        fail("configuration_init", error);
    wtap_init(TRUE);
    if (!epan_init(NULL, NULL, TRUE))
        fail("epan_init", "failed");
    epan_load_settings();
    prefs_apply_all();
    for (int i = 1; i < argc; i++)
        take_step(argv[i]);
    if (save_decode_as_entries(&error) != 0)
        fail("save_decode_as_entries", error);
    epan_cleanup();
    wtap_cleanup();
    return 0;
}

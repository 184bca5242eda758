/* tap-config.c
 * -z mcas,config, and Statistics, M-CAS Configuration: the settings of each
 * answer as commands, to be pasted into a shell. What they are is the
 * library's matter (mcas_config_format); this file says whose they are.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <stdio.h>
#include <string.h>

#include <epan/funnel.h>
#include <epan/stat_tap_ui.h>
#include <epan/tap.h>
#include <epan/to_str.h>
#include <wsutil/report_message.h>

#define CLI_STRING "mcas,config"
#define SECRETS ",secrets"
#define MENU "M-CAS Configuration"

typedef struct {
    funnel_text_window_t *window; /* where to show it, NULL for stdout */
    uint32_t    flags;     /* MCAS_CONFIG_... */
    GString    *text;      /* of all answers so far */
    GHashTable *terminals; /* MAC addresses, by mcas_exchange */
    GHashTable *frames;    /* where settings came first, by their text */
} config;

static void
add(config *to, packet_info *pinfo, const mcas_tap_message *message)
{
    const mcas_exchange *exchange = message->exchange;
    const char *device = NULL;
    unsigned before;
    char *text;
    size_t needed;

    if (mcas_config_format(message->message, message->body,
                           message->body_length, to->flags, NULL, 0, &needed)
        != MCAS_PARTIAL)
        return;
    text = wmem_alloc_array(pinfo->pool, char, needed + 1);
    if (mcas_config_format(message->message, message->body,
                           message->body_length, to->flags, text, needed + 1,
                           &needed)
        != MCAS_OK)
        return;
    if (exchange)
        device = (const char *)g_hash_table_lookup(to->terminals, exchange);
    g_string_append_printf(to->text, "\n# %s in frame %u",
                           message->type, pinfo->num);
    if (device)
        g_string_append_printf(to->text, ", terminal %s", device);
    g_string_append_printf(to->text, ", to %s from %s\n",
                           address_to_str(pinfo->pool, &pinfo->net_dst),
                           address_to_str(pinfo->pool, &pinfo->net_src));
    /* Phones ask twice. */
    before = GPOINTER_TO_UINT(g_hash_table_lookup(to->frames, text));
    if (before) {
        g_string_append_printf(to->text, "# the same as in frame %u\n",
                               before);
        return;
    }
    g_hash_table_insert(to->frames, g_strdup(text),
                        GUINT_TO_POINTER(pinfo->num));
    g_string_append(to->text, text);
}

static tap_packet_status
config_packet(void *data, packet_info *pinfo, epan_dissect_t *edt _U_,
              const void *tapped, tap_flags_t flags _U_)
{
    config *to = (config *)data;
    const mcas_tap_message *message = (const mcas_tap_message *)tapped;
    size_t length = to->text->len;
    const char *device;

    if (message->message->kind != MCAS_KIND_REQUEST) {
        add(to, pinfo, message);
        return to->text->len > length ? TAP_PACKET_REDRAW
                                      : TAP_PACKET_DONT_REDRAW;
    }
    /* The answer does not say which device it is for. A terminal id that is
     * no MAC address is a stranger's text, and must not get into a shell. */
    device = message->exchange
        ? mcas_tap_value(pinfo->pool, message, MCAS_FIELD_TERMINAL_ID_MAC)
        : NULL;
    if (device)
        g_hash_table_insert(to->terminals, (void *)message->exchange,
                            g_strdup(device));
    return TAP_PACKET_DONT_REDRAW;
}

static void
config_reset(void *data)
{
    config *to = (config *)data;

    g_string_truncate(to->text, 0);
    g_hash_table_remove_all(to->terminals);
    g_hash_table_remove_all(to->frames);
}

static void
config_draw(void *data)
{
    const config *to = (const config *)data;
    char *text = g_strconcat(
        "# M-CAS settings as commands: read them before you run them\n",
        to->text->len ? to->text->str : "# no settings in this capture\n",
        NULL);

    if (to->window)
        funnel_get_funnel_ops()->set_text(to->window, text);
    else
        fputs(text, stdout);
    g_free(text);
}

static void
config_finish(void *data)
{
    config *to = (config *)data;

    g_string_free(to->text, TRUE);
    g_hash_table_destroy(to->terminals);
    g_hash_table_destroy(to->frames);
    g_free(to);
}

/* Begins to listen; frees what it cannot use. */
static bool
config_listen(config *to, const char *filter)
{
    GString *error;

    to->text = g_string_new(NULL);
    to->terminals = g_hash_table_new_full(g_direct_hash, g_direct_equal,
                                          NULL, g_free);
    to->frames = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    error = register_tap_listener("mcas", to, filter, TL_REQUIRES_NOTHING,
                                  config_reset, config_packet, config_draw,
                                  config_finish);
    if (!error)
        return true;
    report_failure("%s: %s", CLI_STRING, error->str);
    g_string_free(error, TRUE);
    config_finish(to);
    return false;
}

static ws_stat_init_t
config_init(const char *argument, void *userdata _U_)
{
    config *to = g_new0(config, 1);
    const char *filter = argument + strlen(CLI_STRING);

    if (g_str_has_prefix(filter, SECRETS)
        && (filter[strlen(SECRETS)] == '\0'
            || filter[strlen(SECRETS)] == ',')) {
        filter += strlen(SECRETS);
        to->flags |= MCAS_CONFIG_SECRETS;
    }
    if (*filter == ',')
        filter++;
    if (!config_listen(to, *filter ? filter : NULL))
        WS_STAT_INIT_FAIL;
    WS_STAT_INIT_DONE;
}

/* The text in a window of its own. A table, which is all that has an entry in
 * a menu otherwise, is nothing to paste into a shell. */
static void
config_window(void *userdata _U_)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    config *to;

    if (!ops || !ops->new_text_window)
        return;
    to = g_new0(config, 1);
    to->window = ops->new_text_window(ops->ops_id, "M-CAS configuration");
    if (!config_listen(to, NULL))
        return;
    if (ops->set_close_cb)
        ops->set_close_cb(to->window, remove_tap_listener, to);
    /* Wireshark has not read the packets again, though a menu may ask. */
    if (ops->retap_packets)
        ops->retap_packets(ops->ops_id);
}

void
mcas_config_register(void)
{
    static stat_tap_ui ui = {
        .group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
        .title = MENU,
        .cli_string = CLI_STRING,
        .tap_init_cb = config_init,
    };

    register_stat_tap_ui(&ui, NULL);
    funnel_register_menu(MENU, REGISTER_PACKET_STAT_GROUP_UNSORTED,
                         config_window, NULL, NULL, FALSE);
}

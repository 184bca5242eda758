/* tap-config.c
 * -z mcas,config, and Statistics, M-CAS Configuration: the settings of each
 * answer as commands, to be pasted into a shell. What they are is the
 * library's matter (mcas_config_format); this file says whose they are.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tap-text.h"

#include <string.h>

#include <epan/tap.h>
#include <epan/to_str.h>

#define SECRETS "secrets"

typedef struct {
    funnel_text_window_t *window;
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

    mcas_text_show(to->window, text);
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

/* Whether the arguments ask for secrets; takes that off, a filter is left. */
static bool
take_secrets(const char **arguments)
{
    const char *rest = *arguments ? *arguments : "";

    if (!g_str_has_prefix(rest, SECRETS))
        return false;
    rest += strlen(SECRETS);
    if (*rest != '\0' && *rest != ',')
        return false;
    *arguments = *rest ? rest + 1 : NULL;
    return true;
}

static void *
config_listen(funnel_text_window_t *window, const char *arguments,
              GString **error)
{
    config *to = g_new0(config, 1);

    to->window = window;
    if (take_secrets(&arguments))
        to->flags |= MCAS_CONFIG_SECRETS;
    to->text = g_string_new(NULL);
    to->terminals = g_hash_table_new_full(g_direct_hash, g_direct_equal,
                                          NULL, g_free);
    to->frames = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    *error = register_tap_listener("mcas", to, arguments, TL_REQUIRES_NOTHING,
                                   config_reset, config_packet, config_draw,
                                   config_finish);
    if (!*error)
        return to;
    config_finish(to);
    return NULL;
}

void
mcas_config_register(void)
{
    static const mcas_text statistic = { "mcas,config", "M-CAS Configuration",
                                         1, config_listen };

    mcas_text_register(&statistic);
}

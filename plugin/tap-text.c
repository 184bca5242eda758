/* tap-text.c
 * Statistics that are a text: on standard output for -z, or in a window of
 * its own from Wireshark's Statistics menu. A table, which is all that has an
 * entry there otherwise, is nothing to read as a story or to paste.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tap-text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <epan/stat_tap_ui.h>
#include <epan/tap.h>
#include <wsutil/report_message.h>

/* A window, and what fills it. */
typedef struct {
    const mcas_text *statistic;
    void *listener;
} open_window;

void
mcas_text_show(funnel_text_window_t *window, const char *text)
{
    if (window)
        funnel_get_funnel_ops()->set_text(window, text);
    else
        fputs(text, stdout);
}

/* NULL once the user was told why not. */
static void *
listen(const mcas_text *statistic, funnel_text_window_t *window,
       const char *arguments)
{
    GString *error = NULL;
    void *listener = statistic->listen(window, arguments, &error);

    if (!listener) {
        report_failure("-z %s: %s", statistic->option, error->str);
        g_string_free(error, TRUE);
    }
    return listener;
}

static ws_stat_init_t
begin_from_command_line(const char *option, void *data)
{
    const mcas_text *statistic = (const mcas_text *)data;
    const char *arguments = option + strlen(statistic->option);

    if (*arguments == ',')
        arguments++;
    if (!listen(statistic, NULL, *arguments ? arguments : NULL))
        WS_STAT_INIT_FAIL;
    WS_STAT_INIT_DONE;
}

static void
end_window(void *data)
{
    open_window *window = (open_window *)data;

    /* Each call finds one of its taps; the last frees it. */
    for (unsigned i = 0; i < window->statistic->taps; i++)
        remove_tap_listener(window->listener);
    g_free(window);
}

static void
begin_from_menu(void *data)
{
    const funnel_ops_t *windows = funnel_get_funnel_ops();
    open_window *opened = g_new0(open_window, 1);
    funnel_text_window_t *window;

    opened->statistic = (const mcas_text *)data;
    window = windows->new_text_window(windows->ops_id,
                                      opened->statistic->title);
    opened->listener = listen(opened->statistic, window, NULL);
    if (!opened->listener) {
        g_free(opened);
        return;
    }
    windows->set_close_cb(window, end_window, opened);
    /* The packets have been read before. */
    windows->retap_packets(windows->ops_id);
}

void
mcas_text_register(const mcas_text *statistic)
{
    static tap_param filter = { PARAM_FILTER, "filter", "Filter", NULL,
                                true };
    stat_tap_ui *ui = wmem_new0(wmem_epan_scope(), stat_tap_ui);

    ui->group = REGISTER_PACKET_STAT_GROUP_UNSORTED;
    ui->title = statistic->title;
    ui->cli_string = statistic->option;
    ui->tap_init_cb = begin_from_command_line;
    ui->nparams = 1;
    ui->params = &filter;
    register_stat_tap_ui(ui, (void *)statistic);
    funnel_register_menu(statistic->title,
                         REGISTER_PACKET_STAT_GROUP_UNSORTED,
                         begin_from_menu, (void *)statistic, NULL, FALSE);
}

/* tap-boot.c
 * -z mcas,boot, and Statistics, M-CAS Boot Sequence: how devices came up.
 * tap-boot-collect.c reads packets, tap-boot-steps.c keeps what they say,
 * tap-boot-tell.c tells it. Nothing listens until it is asked for.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tap-boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <epan/funnel.h>
#include <epan/stat_tap_ui.h>
#include <epan/tap.h>

/* A story that is being listened to. */
typedef struct {
    boot_story story;
    funnel_text_window_t *window; /* or NULL: standard output */
} listener;

static tap_packet_status
collect_frame(void *data, packet_info *pinfo, epan_dissect_t *edt,
              const void *tapped _U_, tap_flags_t flags _U_)
{
    boot_collect_frame(&((listener *)data)->story, pinfo, edt);
    return TAP_PACKET_REDRAW;
}

static tap_packet_status
collect_message(void *data, packet_info *pinfo, epan_dissect_t *edt _U_,
                const void *tapped, tap_flags_t flags _U_)
{
    boot_collect_message(&((listener *)data)->story, pinfo,
                         (const mcas_tap_message *)tapped);
    return TAP_PACKET_REDRAW;
}

static void
reset(void *data)
{
    boot_story *story = &((listener *)data)->story;

    wmem_free_all(story->pool);
    boot_begin(story);
}

static void
draw(void *data)
{
    listener *listening = (listener *)data;
    wmem_allocator_t *scope = wmem_allocator_new(WMEM_ALLOCATOR_SIMPLE);
    const char *told = boot_tell(&listening->story, scope);

    if (listening->window)
        funnel_get_funnel_ops()->set_text(listening->window, told);
    else
        fputs(told, stdout);
    wmem_destroy_allocator(scope);
}

static void
finish(void *data)
{
    listener *listening = (listener *)data;

    wmem_destroy_allocator(listening->story.pool);
    g_free(listening);
}

/* NULL, or why not. */
static GString *
listen(listener *listening, const char *users)
{
    GString *error;
    char *filter;

    listening->story.pool = wmem_allocator_new(WMEM_ALLOCATOR_BLOCK);
    boot_begin(&listening->story);
    /* The story is begun anew, told and freed by the other listener below.
     * This is the first because it complains of the user's filter alone. */
    error = register_tap_listener("mcas", listening,
                                  users && *users ? users : NULL,
                                  TL_REQUIRES_NOTHING, NULL, collect_message,
                                  NULL, NULL);
    if (error) {
        finish(listening);
        return error;
    }
    filter = boot_filter(users);
    error = register_tap_listener("frame", listening, filter,
                                  TL_REQUIRES_PROTO_TREE, reset,
                                  collect_frame, draw, finish);
    g_free(filter);
    return error;
}

/* -z mcas,boot[,filter] */
static ws_stat_init_t
begin_from_command_line(const char *argument, void *data _U_)
{
    static const char own[] = "mcas,boot";
    const char *users = argument + strlen(own);
    GString *error = listen(g_new0(listener, 1),
                            *users == ',' ? users + 1 : users);

    if (error) {
        fprintf(stderr, "%s: %s\n", argument, error->str);
        g_string_free(error, TRUE);
        WS_STAT_INIT_FAIL;
    }
    WS_STAT_INIT_DONE;
}

static void
stop(void *data)
{
    /* Each call finds one of the two. */
    remove_tap_listener(data);
    remove_tap_listener(data);
}

/* Statistics, M-CAS Boot Sequence: Wireshark alone has such windows. */
static void
begin_from_menu(void *data _U_)
{
    const funnel_ops_t *windows = funnel_get_funnel_ops();
    listener *listening = g_new0(listener, 1);
    GString *error;

    listening->window = windows->new_text_window(windows->ops_id,
                                                 "M-CAS Boot Sequence");
    error = listen(listening, NULL);
    if (error) {
        g_string_free(error, TRUE);
        return;
    }
    windows->set_close_cb(listening->window, stop, listening);
    windows->retap_packets(windows->ops_id);
}

void
mcas_boot_register(void)
{
    static tap_param filter = { PARAM_FILTER, "filter", "Filter", NULL,
                                true };
    static stat_tap_ui boot = { REGISTER_PACKET_STAT_GROUP_UNSORTED, NULL,
                                "mcas,boot", begin_from_command_line, 1,
                                &filter };

    register_stat_tap_ui(&boot, NULL);
    funnel_register_menu("M-CAS Boot Sequence",
                         REGISTER_PACKET_STAT_GROUP_UNSORTED,
                         begin_from_menu, NULL, NULL, false);
}

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
#include "tap-text.h"

#include <epan/tap.h>

/* A story that is being listened to. */
typedef struct {
    boot_story story;
    funnel_text_window_t *window;
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

    mcas_text_show(listening->window, boot_tell(&listening->story, scope));
    wmem_destroy_allocator(scope);
}

static void
finish(void *data)
{
    listener *listening = (listener *)data;

    wmem_destroy_allocator(listening->story.pool);
    g_free(listening);
}

static void *
listen(funnel_text_window_t *window, const char *users, GString **error)
{
    listener *listening = g_new0(listener, 1);
    char *filter;

    listening->window = window;
    listening->story.pool = wmem_allocator_new(WMEM_ALLOCATOR_BLOCK);
    boot_begin(&listening->story);
    /* The story is begun anew, told and freed by the other listener below.
     * This is the first because it complains of the user's filter alone. */
    *error = register_tap_listener("mcas", listening, users,
                                   TL_REQUIRES_NOTHING, NULL,
                                   collect_message, NULL, NULL);
    if (*error) {
        finish(listening);
        return NULL;
    }
    filter = boot_filter(users);
    *error = register_tap_listener("frame", listening, filter,
                                   TL_REQUIRES_PROTO_TREE, reset,
                                   collect_frame, draw, finish);
    g_free(filter);
    if (*error) {
        remove_tap_listener(listening);
        finish(listening);
        return NULL;
    }
    return listening;
}

void
mcas_boot_register(void)
{
    static const mcas_text boot = { "mcas,boot", "M-CAS Boot Sequence", 2,
                                    listen };

    mcas_text_register(&boot);
}

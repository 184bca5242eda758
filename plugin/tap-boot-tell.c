/* tap-boot-tell.c
 * Tells the story of -z mcas,boot: a section for each device, a line for each
 * step, and what is missing, in words.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tap-boot.h"

#include <stdlib.h>
#include <string.h>

#define RULE \
    "===================================================================\n"

/* Seconds after which what has no answer is not going to get one. */
#define PATIENCE 2
#define PATIENCE_WITH_SERVERS 30

/* So many of a line's sessions are named. */
#define NAMED 8

/* So often it is asked whether a session takes a device's place: of more
 * devices and sessions, each device looks at the first ones only. */
#define ASKED 100000000u

static double
seconds(const nstime_t *from, const nstime_t *to)
{
    nstime_t delta;

    nstime_delta(&delta, to, from);
    return nstime_to_sec(&delta);
}

static bool
is_unanswered(const boot_step *step)
{
    return step->awaits && step->answer_frame == 0;
}

/* Unanswered, and not because the capture ends too soon. */
static bool
is_ignored(const boot_story *story, const boot_step *step)
{
    return is_unanswered(step)
        && seconds(&step->when, &story->end) >= PATIENCE;
}

/* --- A step ------------------------------------------------------------- */

static void
tell_flood(const boot_step *step, wmem_strbuf_t *to)
{
    wmem_strbuf_append_printf(
        to, "ARP flood: %u requests, %s to %s, in %.6f s", step->tries,
        step->what, step->outcome, seconds(&step->when, &step->last_try));
}

static void
tell_answer(const boot_story *story, const boot_step *step,
            wmem_strbuf_t *to)
{
    if (step->tries > 1)
        wmem_strbuf_append_printf(to, ", %u times in %.6f s", step->tries,
                                  seconds(&step->when, &step->last_try));
    if (step->answer_frame == 0)
        wmem_strbuf_append(to, is_ignored(story, step)
                                   ? ": unanswered"
                                   : ": unanswered when the capture ends");
    else if (step->kind == BOOT_REQUEST)
        wmem_strbuf_append_printf(
            to, ": answered after %.6f s",
            seconds(&step->last_try, &step->answer_time));
    else
        wmem_strbuf_append_printf(to, ": %s", step->outcome);
    if (step->answer_frame && step->answer_frame != step->frame)
        wmem_strbuf_append_printf(to, " in frame %u", step->answer_frame);
}

static void
tell_step(const boot_story *story, const boot_device *device,
          const boot_step *step, wmem_strbuf_t *to)
{
    wmem_strbuf_append_printf(to, "%8u %12.6f  ", step->frame,
                              seconds(&device->first, &step->when));
    if (step->kind == BOOT_ARP) {
        tell_flood(step, to);
    } else {
        wmem_strbuf_append(to, step->what);
        if (step->awaits)
            tell_answer(story, step, to);
        else if (step->answer_frame)
            wmem_strbuf_append_printf(to, ", %s in frame %u", step->outcome,
                                      step->answer_frame);
    }
    wmem_strbuf_append_c(to, '\n');
}

/* --- What is missing ---------------------------------------------------- */

static bool
concentrates(const boot_story *story, const char *end)
{
    const boot_device *device =
        (const boot_device *)wmem_map_lookup(story->devices, end);

    return device && device->concentrates;
}

/* Both ends are named where nothing shows which of them is the client. */
static void
name_session(const boot_story *story, const boot_session *session,
             wmem_strbuf_t *to)
{
    if (session->client)
        wmem_strbuf_append(to, session->client->name);
    else if (concentrates(story, session->ends[0]))
        wmem_strbuf_append(to, session->ends[1]);
    else if (concentrates(story, session->ends[1]))
        wmem_strbuf_append(to, session->ends[0]);
    else
        wmem_strbuf_append_printf(to, "%s or %s", session->ends[0],
                                  session->ends[1]);
    wmem_strbuf_append_printf(
        to, " (%s, session 0x%04x)",
        session->user ? session->user : "user not in the capture",
        session->id);
}

/* A line is known by its VLANs, where the capture has them. */
static bool
takes_place(const boot_session *session, const boot_device *device,
            const boot_step *step)
{
    if (session->line && device->line && session->line != device->line)
        return false;
    if (session->has_opening
        && nstime_cmp(&session->opened, &step->last_try) > 0)
        return false;
    return !session->has_end
        || nstime_cmp(&session->ended, &step->when) > 0;
}

static void
tell_taken(const boot_story *story, const boot_device *device,
           const boot_step *step, wmem_strbuf_t *to)
{
    unsigned sessions = wmem_array_get_count(story->sessions);
    unsigned most = ASKED / wmem_array_get_count(story->in_order);
    unsigned taken = 0;

    wmem_strbuf_append(to, "PADI or PADR unanswered: ");
    for (unsigned i = 0; i < MIN(sessions, most); i++) {
        const boot_session *session =
            *(boot_session **)wmem_array_index(story->sessions, i);

        if (!takes_place(session, device, step))
            continue;
        if (++taken > NAMED)
            continue;
        wmem_strbuf_append(to, taken == 1
                                   ? "the line's sessions are taken, by "
                                   : ", ");
        name_session(story, session, to);
    }
    if (taken > NAMED)
        wmem_strbuf_append_printf(to, " and %u more", taken - NAMED);
    if (!taken)
        wmem_strbuf_append(to, "no other session is in the capture");
    if (most < sessions)
        wmem_strbuf_append_printf(to, " (of the first %u of %u sessions)",
                                  most, sessions);
}

/* "Provisioning request": "no provisioning response after 30 s" */
static void
tell_no_response(const boot_story *story, const boot_step *step,
                 const char *type, wmem_strbuf_t *to)
{
    double waited = seconds(&step->when, &story->end);
    const char *rest = strstr(type, " request");
    int length = rest ? (int)(rest - type) : (int)strlen(type);

    wmem_strbuf_append_printf(to, "no %c%.*s response ",
                              g_ascii_tolower(*type), length - 1, type + 1);
    if (waited >= PATIENCE_WITH_SERVERS)
        wmem_strbuf_append_printf(to, "after %d s", PATIENCE_WITH_SERVERS);
    else
        wmem_strbuf_append_printf(to, "in the %.6f s until the capture ends",
                                  waited);
}

/* The last of a step's kind went wrong: how. False if it did not. */
static bool
tell_missing(const boot_story *story, const boot_device *device,
             const boot_step *step, const char *key, wmem_strbuf_t *to)
{
    if (step->kind == BOOT_REQUEST) {
        if (is_unanswered(step))
            tell_no_response(story, step, key, to);
        else if (step->failed)
            wmem_strbuf_append_printf(to, "refused: %s", step->outcome);
        else
            return false;
        return true;
    }
    if (!step->failed && !is_ignored(story, step))
        return false;
    /* Any host may ask for an address in vain. */
    if (step->kind == BOOT_DHCP && !device->ours)
        return false;
    if (step->kind == BOOT_PADI || step->kind == BOOT_PADR) {
        tell_taken(story, device, step, to);
        return true;
    }
    /* "PAP user", "DNS name": the protocol comes first. */
    wmem_strbuf_append_printf(to, "%.*s %s:%s", (int)strcspn(key, " "), key,
                              is_unanswered(step) ? "unanswered"
                                                  : step->outcome,
                              key + strcspn(key, " "));
    return true;
}

typedef struct {
    const char *key;
    const boot_step *step;
} asked;

static void
keep_asked(void *key, void *value, void *data)
{
    asked one = { (const char *)key, (const boot_step *)value };

    wmem_array_append_one((wmem_array_t *)data, one);
}

static int
by_order(const void *a, const void *b)
{
    unsigned one = ((const asked *)a)->step->order;
    unsigned other = ((const asked *)b)->step->order;

    return (one > other) - (one < other);
}

/* Returns how many lines there are. */
static unsigned
tell_all_missing(const boot_story *story, const boot_device *device,
                 wmem_allocator_t *scope, wmem_strbuf_t *to)
{
    wmem_array_t *latest = wmem_array_new(scope, sizeof(asked));
    bool taken = false;
    unsigned lines = 0;

    if (device->latest)
        wmem_map_foreach(device->latest, keep_asked, latest);
    wmem_array_sort(latest, by_order);
    for (unsigned i = 0; i < wmem_array_get_count(latest); i++) {
        const asked *one = (const asked *)wmem_array_index(latest, i);
        wmem_strbuf_t *words = wmem_strbuf_new(scope, "");
        bool discovery = one->step->kind == BOOT_PADI
            || one->step->kind == BOOT_PADR;

        if ((discovery && taken)
            || !tell_missing(story, device, one->step, one->key, words))
            continue;
        taken |= discovery;
        wmem_strbuf_append_printf(to, "  ! %s\n",
                                  wmem_strbuf_get_str(words));
        lines++;
    }
    return lines;
}

/* --- A device, and all of them ------------------------------------------ */

static int
by_frame(const void *a, const void *b)
{
    const boot_step *one = *(boot_step *const *)a;
    const boot_step *other = *(boot_step *const *)b;

    if (one->frame != other->frame)
        return one->frame < other->frame ? -1 : 1;
    return (one->order > other->order) - (one->order < other->order);
}

static void
tell_device(const boot_story *story, const boot_device *device,
            wmem_allocator_t *scope, wmem_strbuf_t *to)
{
    wmem_strbuf_t *missing = wmem_strbuf_new(scope, "");
    unsigned lines;

    if (!device->steps)
        return;
    lines = tell_all_missing(story, device, scope, missing);
    /* A host that merely uses PPPoE is not of interest unless it fails. */
    if (!device->ours && lines == 0)
        return;
    if (device->has_new_dhcp && !device->has_message)
        wmem_strbuf_append(missing, "  ! this line uses DHCP (option 125, "
                                    "enterprise 210): there is no M-CAS "
                                    "here\n");
    else if (lines == 0)
        wmem_strbuf_append(missing, device->has_message
                                        ? "  Nothing is missing.\n"
                                        : "  ! no M-CAS request follows\n");
    wmem_strbuf_append_printf(to, "\nDevice %s\n%8s %12s  %s\n",
                              device->name, "Frame", "Time", "Step");
    wmem_array_sort(device->steps, by_frame);
    for (unsigned i = 0; i < wmem_array_get_count(device->steps); i++)
        tell_step(story, device,
                  *(boot_step **)wmem_array_index(device->steps, i), to);
    wmem_strbuf_append(to, wmem_strbuf_get_str(missing));
}

const char *
boot_tell(const boot_story *story, wmem_allocator_t *scope)
{
    wmem_strbuf_t *told = wmem_strbuf_new(scope,
                                          "\n" RULE "M-CAS boot sequence\n");
    size_t before = wmem_strbuf_get_len(told);

    for (unsigned i = 0; i < wmem_array_get_count(story->in_order); i++)
        tell_device(story,
                    *(boot_device **)wmem_array_index(story->in_order, i),
                    scope, told);
    if (wmem_strbuf_get_len(told) == before)
        wmem_strbuf_append(told, "\nNo device comes up in this capture.\n");
    wmem_strbuf_append(told, RULE);
    return wmem_strbuf_get_str(told);
}

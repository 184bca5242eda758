/* tap-boot-steps.c
 * Devices and their steps, of which the story of -z mcas,boot consists.
 *
 * A device is a MAC address, as PPPoE and ARP know no other; outside of PPPoE
 * a router may stand before many, so there the IP address counts as well.
 * Everything is in a memory pool of the story's, which is freed as a whole:
 * what Wireshark throws in the midst of it can leave nothing behind.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tap-boot.h"

#include <string.h>

#include <epan/to_str.h>

/* --- Devices ------------------------------------------------------------ */

void
boot_begin(boot_story *story)
{
    wmem_allocator_t *pool = story->pool;

    memset(story, 0, sizeof(*story));
    story->pool = pool;
    story->devices = wmem_map_new(pool, wmem_str_hash, g_str_equal);
    story->in_order = wmem_array_new(pool, sizeof(boot_device *));
    story->open_sessions = wmem_map_new(pool, wmem_str_hash, g_str_equal);
    story->sessions = wmem_array_new(pool, sizeof(boot_session *));
    story->exchanges = wmem_map_new(pool, g_direct_hash, g_direct_equal);
}

boot_device *
boot_device_named(boot_story *story, const packet_info *pinfo,
                  const char *name)
{
    boot_device *device = (boot_device *)wmem_map_lookup(story->devices,
                                                         name);

    if (device)
        return device;
    device = wmem_new0(story->pool, boot_device);
    device->name = wmem_strdup(story->pool, name);
    device->first = pinfo->abs_ts;
    wmem_map_insert(story->devices, device->name, device);
    wmem_array_append_one(story->in_order, device);
    return device;
}

const char *
boot_end(const packet_info *pinfo, bool source)
{
    const address *link = source ? &pinfo->dl_src : &pinfo->dl_dst;

    return link->type == AT_ETHER ? address_to_str(pinfo->pool, link)
                                  : "PPP link";
}

/* Linux's "any" interface tells the sender's MAC address alone: what is for
 * the device is then known by its IP address. */
static void
know_by_ip(boot_story *story, boot_device *device, const char *ip)
{
    if (!wmem_map_contains(story->devices, ip))
        wmem_map_insert(story->devices, wmem_strdup(story->pool, ip),
                        device);
}

boot_device *
boot_device_of(boot_story *story, const packet_info *pinfo, bool source)
{
    const address *net = source ? &pinfo->net_src : &pinfo->net_dst;
    const address *link = source ? &pinfo->dl_src : &pinfo->dl_dst;
    bool has_mac = link->type == AT_ETHER;
    boot_device *device;
    const char *ip;

    if ((net->type != AT_IPv4 && net->type != AT_IPv6)
        || proto_is_frame_protocol(pinfo->layers, has_mac ? "pppoes" : "ppp"))
        return boot_device_named(story, pinfo, boot_end(pinfo, source));
    ip = address_to_str(pinfo->pool, net);
    if (!has_mac)
        return boot_device_named(story, pinfo, ip);
    device = boot_device_named(story, pinfo, boot_end(pinfo, source));
    if (!device->ip)
        device->ip = wmem_strdup(story->pool, ip);
    if (strcmp(device->ip, ip) != 0)
        device = boot_device_named(story, pinfo,
                                   wmem_strdup_printf(pinfo->pool, "%s, %s",
                                                      device->name, ip));
    know_by_ip(story, device, ip);
    return device;
}

void
boot_see(boot_story *story, const packet_info *pinfo)
{
    if (pinfo->dl_src.type == AT_ETHER)
        boot_device_named(story, pinfo, boot_end(pinfo, true));
    if (nstime_cmp(&pinfo->abs_ts, &story->end) > 0)
        story->end = pinfo->abs_ts;
}

/* --- Steps -------------------------------------------------------------- */

const char *
boot_clean(wmem_allocator_t *scope, const char *words)
{
    return mcas_printable(wmem_strdup(scope, words));
}

boot_step *
boot_new_step(boot_story *story, const packet_info *pinfo, boot_kind kind,
              const char *what)
{
    boot_step *step = wmem_new0(story->pool, boot_step);

    step->kind = kind;
    step->order = story->steps++;
    step->what = boot_clean(story->pool, what);
    step->frame = pinfo->num;
    step->when = step->last_try = pinfo->abs_ts;
    step->tries = 1;
    return step;
}

void
boot_append_step(boot_story *story, boot_device *device, boot_step *step)
{
    if (!device->steps)
        device->steps = wmem_array_new(story->pool, sizeof(boot_step *));
    wmem_array_append_one(device->steps, step);
}

boot_step *
boot_add_step(boot_story *story, const packet_info *pinfo,
              boot_device *device, boot_kind kind, const char *what)
{
    boot_step *step = boot_new_step(story, pinfo, kind, what);

    boot_append_step(story, device, step);
    return step;
}

static boot_step *
latest(const boot_device *device, const char *key)
{
    return device->latest
        ? (boot_step *)wmem_map_lookup(device->latest, key) : NULL;
}

void
boot_set_latest(boot_story *story, boot_device *device, const char *key,
                boot_step *step)
{
    if (!device->latest)
        device->latest = wmem_map_new(story->pool, wmem_str_hash,
                                      g_str_equal);
    wmem_map_insert(device->latest, wmem_strdup(story->pool, key), step);
}

static bool
is_last_step(const boot_device *device, const boot_step *step)
{
    unsigned count = wmem_array_get_count(device->steps);

    return *(boot_step **)wmem_array_index(device->steps, count - 1) == step;
}

boot_step *
boot_ask(boot_story *story, const packet_info *pinfo, boot_device *device,
         boot_kind kind, const char *what)
{
    boot_step *step;

    what = boot_clean(pinfo->pool, what);
    step = latest(device, what);
    /* A PADR after another PADI begins anew. */
    if (step && step->awaits && !step->answer_frame
        && (kind != BOOT_PADR || is_last_step(device, step))) {
        step->tries++;
        step->last_try = pinfo->abs_ts;
        return step;
    }
    step = boot_add_step(story, pinfo, device, kind, what);
    step->awaits = true;
    boot_set_latest(story, device, what, step);
    return step;
}

void
boot_answer(boot_story *story, const packet_info *pinfo, boot_step *step,
            bool failed, const char *outcome)
{
    /* The first one counts, but a yes more than a no. */
    if (step->answer_frame && (!step->failed || failed))
        return;
    step->failed = failed;
    step->outcome = boot_clean(story->pool, outcome);
    step->answer_frame = pinfo->num;
    step->answer_time = pinfo->abs_ts;
}

void
boot_answer_to(boot_story *story, const packet_info *pinfo,
               boot_device *device, boot_kind kind, const char *what,
               bool failed, const char *outcome)
{
    boot_step *step = latest(device, boot_clean(pinfo->pool, what));

    if (!step)
        step = boot_ask(story, pinfo, device, kind, what);
    boot_answer(story, pinfo, step, failed, outcome);
}

/* tap-boot.h
 * The story of -z mcas,boot, and what its parts know of each other.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TAP_BOOT_H
#define TAP_BOOT_H

#include "packet-mcas.h"

typedef enum {
    BOOT_ARP,
    BOOT_PADI,
    BOOT_PADR,
    BOOT_AUTHENTICATION,
    BOOT_ADDRESS,
    BOOT_SESSION_END,
    BOOT_DNS,
    BOOT_DHCP,
    BOOT_REQUEST,
    BOOT_RESPONSE,
} boot_kind;

/* What a device did, and what came of it: a line. */
typedef struct {
    boot_kind kind;
    unsigned order;        /* among the steps of a frame */
    const char *what;
    bool awaits;           /* an answer, that is */
    bool failed;           /* there is one, and it is no */
    const char *outcome;   /* the answer, in words */
    uint32_t frame;
    nstime_t when;
    unsigned tries;
    nstime_t last_try;     /* of an answered message, when it
                              began */
    uint32_t answer_frame; /* 0: there is none */
    nstime_t answer_time;
} boot_step;

typedef struct {
    const char *name;       /* MAC address, IP address, or both */
    const char *ip;         /* the first that it had outside of PPPoE */
    nstime_t first;         /* its first packet */
    bool concentrates;      /* the other end of PPPoE sessions */
    bool ours;              /* it does what only our gateways do */
    bool has_message;       /* of M-CAS */
    bool has_new_dhcp;      /* option 125 of enterprise 210 */
    uint64_t line;          /* VLAN ids of its PADI */
    wmem_array_t *steps;    /* boot_step * */
    wmem_map_t *latest;     /* boot_step * by what was asked */
    boot_step *arp;         /* the run of ARP requests that goes on: what
                               and outcome are its first and last targets */
} boot_device;

/* A PPPoE session. Which end is the client's shows late or never. */
typedef struct {
    const char *ends[2];
    unsigned id;
    uint64_t line;
    boot_device *client;
    const char *user;
    boot_step *authentication;
    boot_step *end;
    nstime_t opened;        /* or first seen */
    nstime_t ended;
    bool has_opening;
    bool has_end;
} boot_session;

typedef struct {
    wmem_allocator_t *pool;    /* of all that is below */
    wmem_map_t *devices;       /* boot_device by name */
    wmem_array_t *in_order;    /* boot_device *, as they appeared */
    wmem_map_t *open_sessions; /* boot_session by ends and id */
    wmem_array_t *sessions;    /* boot_session * */
    wmem_map_t *exchanges;     /* boot_step by mcas_exchange: of what came
                                  first of it */
    unsigned steps;
    nstime_t end;              /* of the capture */
} boot_story;

/* tap-boot-steps.c */

/* Begins a story in a pool without anything. */
void boot_begin(boot_story *story);

/* Every packet counts as its device's first, and as the capture's last. */
void boot_see(boot_story *story, const packet_info *pinfo);

/* The MAC address of either end of a packet. */
const char *boot_end(const packet_info *pinfo, bool source);

boot_device *boot_device_named(boot_story *story, const packet_info *pinfo,
                               const char *name);

/* The device that sent a packet, or that it is for. */
boot_device *boot_device_of(boot_story *story, const packet_info *pinfo,
                            bool source);

/* A copy in which nothing that somebody sent can break or colour a line. */
const char *boot_clean(wmem_allocator_t *scope, const char *words);

/* A step: of no device yet; or of one. */
boot_step *boot_new_step(boot_story *story, const packet_info *pinfo,
                         boot_kind kind, const char *what);
void boot_append_step(boot_story *story, boot_device *device,
                      boot_step *step);
boot_step *boot_add_step(boot_story *story, const packet_info *pinfo,
                         boot_device *device, boot_kind kind,
                         const char *what);

/* Makes a step the last word on what a device asks for. */
void boot_set_latest(boot_story *story, boot_device *device,
                     const char *key, boot_step *step);

/* A question, or the same again; and its answer. */
boot_step *boot_ask(boot_story *story, const packet_info *pinfo,
                    boot_device *device, boot_kind kind, const char *what);
void boot_answer(boot_story *story, const packet_info *pinfo,
                 boot_step *step, bool failed, const char *outcome);

/* An answer to what may have been asked before the capture. */
void boot_answer_to(boot_story *story, const packet_info *pinfo,
                    boot_device *device, boot_kind kind, const char *what,
                    bool failed, const char *outcome);

/* tap-boot-collect.c */

/* Fields are there for listeners if a filter names them: this one does, and
 * lets every packet pass that the user's own does. For g_free. */
char *boot_filter(const char *users);

void boot_collect_frame(boot_story *story, const packet_info *pinfo,
                        const epan_dissect_t *edt);
void boot_collect_message(boot_story *story, const packet_info *pinfo,
                          const mcas_tap_message *from);

/* tap-boot-tell.c: the story as text. */
const char *boot_tell(const boot_story *story, wmem_allocator_t *scope);

#endif /* TAP_BOOT_H */

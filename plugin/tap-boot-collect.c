/* tap-boot-collect.c
 * What the frames and messages of a capture say of how its devices come up,
 * for -z mcas,boot. Other protocols' values come from the fields of their
 * dissectors.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tap-boot.h"

#include <string.h>

#include <epan/epan_dissect.h>

/* Fields of other dissectors. */
enum {
    ARP_OPCODE, ARP_TARGET, VLAN_ID, PPPOE_CODE, PPPOE_SESSION, AC_NAME,
    GENERIC_ERROR, AC_SYSTEM_ERROR, SERVICE_NAME_ERROR, LCP, PPP_CODE,
    IPCP_ADDRESS, PAP_CODE, PAP_USER, PAP_MESSAGE, CHAP_CODE, CHAP_NAME,
    CHAP_MESSAGE, DNS_FLAGS, DNS_NAME, DNS_A, DNS_AAAA, DHCP_TYPE, DHCP_MAC,
    DHCP_ADDRESS, DHCP_ENTERPRISE, FIELDS
};
static const char *const field_names[FIELDS] = {
    [ARP_OPCODE] = "arp.opcode",
    [ARP_TARGET] = "arp.dst.proto_ipv4",
    [VLAN_ID] = "vlan.id",
    [PPPOE_CODE] = "pppoe.code",
    [PPPOE_SESSION] = "pppoe.session_id",
    [AC_NAME] = "pppoed.tags.ac_name",
    [GENERIC_ERROR] = "pppoed.tags.generic_error",
    [AC_SYSTEM_ERROR] = "pppoed.tags.ac_system_error",
    [SERVICE_NAME_ERROR] = "pppoed.tags.service_name_error",
    [LCP] = "lcp",
    [PPP_CODE] = "ppp.code",
    [IPCP_ADDRESS] = "ipcp.opt.ip_address",
    [PAP_CODE] = "pap.code",
    [PAP_USER] = "pap.peer_id",
    [PAP_MESSAGE] = "pap.message",
    [CHAP_CODE] = "chap.code",
    [CHAP_NAME] = "chap.name",
    [CHAP_MESSAGE] = "chap.message",
    [DNS_FLAGS] = "dns.flags",
    [DNS_NAME] = "dns.qry.name",
    [DNS_A] = "dns.a",
    [DNS_AAAA] = "dns.aaaa",
    [DHCP_TYPE] = "dhcp.option.dhcp",
    [DHCP_MAC] = "dhcp.hw.mac_addr",
    [DHCP_ADDRESS] = "dhcp.ip.your",
    [DHCP_ENTERPRISE] = "dhcp.option.vi.enterprise",
};
static int field_ids[FIELDS];

char *
boot_filter(const char *users)
{
    GString *filter = g_string_new("(frame");

    for (int which = 0; which < FIELDS; which++) {
        field_ids[which] = proto_registrar_get_id_byname(field_names[which]);
        g_string_append_printf(filter, " || %s", field_names[which]);
    }
    g_string_append_c(filter, ')');
    if (users && *users)
        g_string_append_printf(filter, " && (%s)", users);
    return g_string_free(filter, FALSE);
}

/* --- Fields of the packet at hand --------------------------------------- */

static const field_info *
field(const epan_dissect_t *edt, int which, unsigned nth)
{
    GPtrArray *found = proto_get_finfo_ptr_array(edt->tree,
                                                 field_ids[which]);

    return found && nth < found->len
        ? (const field_info *)g_ptr_array_index(found, nth) : NULL;
}

static uint32_t
number(const epan_dissect_t *edt, int which, uint32_t missing)
{
    const field_info *found = field(edt, which, 0);

    return found ? fvalue_get_uinteger(WS_FIELD_VALUE(found)) : missing;
}

static const char *
text_of(wmem_allocator_t *scope, const field_info *found)
{
    if (!found)
        return NULL;
    if (found->hfinfo->type == FT_STRING)
        return fvalue_get_string(WS_FIELD_VALUE(found));
    return fvalue_to_string_repr(scope, WS_FIELD_VALUE(found),
                                 FTREPR_DISPLAY, BASE_NONE);
}

static const char *
text(const packet_info *pinfo, const epan_dissect_t *edt, int which)
{
    return text_of(pinfo->pool, field(edt, which, 0));
}

/* The line that a packet is of: its VLANs. */
static uint64_t
line(const epan_dissect_t *edt)
{
    const field_info *id;
    uint64_t ids = 0;

    for (unsigned nth = 0; (id = field(edt, VLAN_ID, nth)) != NULL; nth++)
        ids = ids << 12 | fvalue_get_uinteger(WS_FIELD_VALUE(id));
    return ids;
}

static const char *
refused(const packet_info *pinfo, const char *reason)
{
    return reason && *reason
        ? wmem_strdup_printf(pinfo->pool, "refused (%s)", reason)
        : "refused";
}

/* --- ARP ---------------------------------------------------------------- */

/* So many ARP requests, each within a second of the last, are a flood. */
#define FLOOD 16
#define TARGET_SIZE 16

static void
collect_arp(boot_story *story, const packet_info *pinfo,
            const epan_dissect_t *edt)
{
    const char *target = text(pinfo, edt, ARP_TARGET);
    boot_device *device;
    boot_step *run;

    if (number(edt, ARP_OPCODE, 0) != 1 || !target
        || pinfo->dl_src.type != AT_ETHER)
        return;
    device = boot_device_named(story, pinfo, boot_end(pinfo, true));
    run = device->arp;
    if (run) {
        nstime_t gap;

        nstime_delta(&gap, &pinfo->abs_ts, &run->last_try);
        if (nstime_to_sec(&gap) > 1)
            run = NULL;
    }
    if (!run) {
        run = boot_new_step(story, pinfo, BOOT_ARP, target);
        run->outcome = (char *)wmem_alloc0(story->pool, TARGET_SIZE);
        run->tries = 0;
        device->arp = run;
    }
    run->last_try = pinfo->abs_ts;
    g_strlcpy((char *)run->outcome, target, TARGET_SIZE);
    if (++run->tries == FLOOD) {
        boot_append_step(story, device, run);
        device->ours = true;
    }
}

/* --- PPPoE -------------------------------------------------------------- */

static const char *
discovery_error(const packet_info *pinfo, const epan_dissect_t *edt)
{
    static const int errors[] = { AC_SYSTEM_ERROR, SERVICE_NAME_ERROR,
                                  GENERIC_ERROR };

    for (size_t i = 0; i < array_length(errors); i++)
        if (field(edt, errors[i], 0))
            return text(pinfo, edt, errors[i]);
    return NULL;
}

static const char *
offer(const packet_info *pinfo, const epan_dissect_t *edt)
{
    const char *name = text(pinfo, edt, AC_NAME);

    return wmem_strdup_printf(pinfo->pool, "PADO from %s",
                              name && *name ? name : boot_end(pinfo, true));
}

/* The session of a packet, between its two ends. */
static boot_session *
session_of(boot_story *story, const packet_info *pinfo,
           const epan_dissect_t *edt, unsigned id, bool opening)
{
    const char *ends[2] = { boot_end(pinfo, true), boot_end(pinfo, false) };
    int swapped = strcmp(ends[0], ends[1]) > 0;
    const char *key = wmem_strdup_printf(pinfo->pool, "%s %s %u",
                                         ends[swapped], ends[!swapped], id);
    boot_session *session =
        (boot_session *)wmem_map_lookup(story->open_sessions, key);

    /* The number may come again once the session has ended. */
    if (session && !(opening && session->has_end))
        return session;
    session = wmem_new0(story->pool, boot_session);
    session->ends[0] = wmem_strdup(story->pool, ends[0]);
    session->ends[1] = wmem_strdup(story->pool, ends[1]);
    session->id = id;
    session->line = line(edt);
    session->opened = pinfo->abs_ts;
    session->has_opening = opening;
    wmem_map_insert(story->open_sessions, wmem_strdup(story->pool, key),
                    session);
    wmem_array_append_one(story->sessions, session);
    return session;
}

static void
end_session(boot_story *story, const packet_info *pinfo,
            boot_session *session, bool terminated)
{
    bool by_client = session->client
        && strcmp(session->client->name, boot_end(pinfo, true)) == 0;

    if (!session->has_end) {
        session->has_end = true;
        session->ended = pinfo->abs_ts;
        if (session->client)
            session->end = boot_add_step(
                story, pinfo, session->client, BOOT_SESSION_END,
                wmem_strdup_printf(
                    pinfo->pool, "PPPoE session 0x%04x: ended by the %s%s",
                    session->id,
                    by_client ? "device" : "access concentrator",
                    terminated ? ", PADT" : ""));
    } else if (terminated && session->end) {
        boot_answer(story, pinfo, session->end, false, "PADT");
    }
}

static void
collect_discovery(boot_story *story, const packet_info *pinfo,
                  const epan_dissect_t *edt, unsigned code)
{
    const char *error = discovery_error(pinfo, edt);
    unsigned id = number(edt, PPPOE_SESSION, 0);
    boot_device *device;

    switch (code) {
    case 0x09: /* PADI */
    case 0x19: /* PADR */
        device = boot_device_named(story, pinfo, boot_end(pinfo, true));
        device->line = line(edt);
        boot_ask(story, pinfo, device, code == 0x09 ? BOOT_PADI : BOOT_PADR,
                 code == 0x09 ? "PPPoE PADI" : "PPPoE PADR");
        break;
    case 0x07: /* PADO */
        boot_device_named(story, pinfo, boot_end(pinfo, true))
            ->concentrates = true;
        boot_answer_to(story, pinfo,
                       boot_device_named(story, pinfo,
                                         boot_end(pinfo, false)),
                       BOOT_PADI, "PPPoE PADI", error != NULL,
                       error ? refused(pinfo, error) : offer(pinfo, edt));
        break;
    case 0x65: { /* PADS */
        boot_session *session;

        device = boot_device_named(story, pinfo, boot_end(pinfo, false));
        if (error || id == 0) {
            boot_answer_to(story, pinfo, device, BOOT_PADR, "PPPoE PADR", true,
                           refused(pinfo, error));
            break;
        }
        session = session_of(story, pinfo, edt, id, true);
        session->client = device;
        boot_answer_to(story, pinfo, device, BOOT_PADR, "PPPoE PADR", false,
                       wmem_strdup_printf(pinfo->pool, "session 0x%04x", id));
        break;
    }
    case 0xa7: /* PADT */
        end_session(story, pinfo, session_of(story, pinfo, edt, id, false),
                    true);
        break;
    }
}

/* A user who asks to be let in, by PAP or by CHAP. */
static void
authenticate(boot_story *story, const packet_info *pinfo,
             boot_session *session, const char *protocol, const char *user)
{
    if (!user)
        return;
    session->client = boot_device_of(story, pinfo, true);
    session->user = boot_clean(story->pool, user);
    session->authentication = boot_ask(
        story, pinfo, session->client, BOOT_AUTHENTICATION,
        wmem_strdup_printf(pinfo->pool, "%s %s", protocol, user));
    if (g_str_has_prefix(user, "guest@"))
        session->client->ours = true;
}

static void
authenticated(boot_story *story, const packet_info *pinfo,
              boot_session *session, bool success, const char *message)
{
    if (session->authentication)
        boot_answer(story, pinfo, session->authentication, !success,
                    success ? "accepted" : refused(pinfo, message));
}

/* What PPP says of itself in a session. */
static void
collect_session(boot_story *story, const packet_info *pinfo,
                const epan_dissect_t *edt)
{
    unsigned pap = number(edt, PAP_CODE, 0);
    unsigned chap = number(edt, CHAP_CODE, 0);
    unsigned code = number(edt, PPP_CODE, 0);
    boot_session *session;

    if (!field(edt, PPPOE_SESSION, 0) && !pap && !chap && !code)
        return;
    session = session_of(story, pinfo, edt, number(edt, PPPOE_SESSION, 0),
                         false);
    if (pap == 1)
        authenticate(story, pinfo, session, "PAP",
                     text(pinfo, edt, PAP_USER));
    else if (pap)
        authenticated(story, pinfo, session, pap == 2,
                      text(pinfo, edt, PAP_MESSAGE));
    else if (chap == 2)
        authenticate(story, pinfo, session, "CHAP",
                     text(pinfo, edt, CHAP_NAME));
    else if (chap > 2)
        authenticated(story, pinfo, session, chap == 3,
                      text(pinfo, edt, CHAP_MESSAGE));
    else if (code == 5 && field(edt, LCP, 0))
        end_session(story, pinfo, session, false);
    else if (code == 2 && field(edt, IPCP_ADDRESS, 0) && session->client
             && strcmp(session->client->name, boot_end(pinfo, false)) == 0)
        boot_add_step(story, pinfo, session->client, BOOT_ADDRESS,
                      wmem_strdup_printf(pinfo->pool, "IPCP: address %s",
                                         text(pinfo, edt, IPCP_ADDRESS)));
    else if (!session->client && pinfo->destport == 53)
        /* Joined in the middle: routers ask, access concentrators do not. */
        session->client = boot_device_named(story, pinfo,
                                            boot_end(pinfo, true));
}

/* --- DNS and DHCP ------------------------------------------------------- */

static const char *
dns_outcome(const packet_info *pinfo, const epan_dissect_t *edt,
            unsigned code)
{
    static const char *const codes[] = { NULL, "FORMERR", "SERVFAIL",
                                         "NXDOMAIN", "NOTIMP", "REFUSED" };
    static const int kinds[] = { DNS_A, DNS_AAAA };
    wmem_strbuf_t *addresses;
    const field_info *found;

    if (code >= array_length(codes))
        return wmem_strdup_printf(pinfo->pool, "response code %u", code);
    if (code > 0)
        return codes[code];
    addresses = wmem_strbuf_new(pinfo->pool, "");
    for (size_t kind = 0; kind < array_length(kinds); kind++)
        for (unsigned nth = 0; (found = field(edt, kinds[kind], nth)); nth++)
            wmem_strbuf_append_printf(
                addresses, "%s%s",
                wmem_strbuf_get_len(addresses) > 0 ? ", " : "",
                text_of(pinfo->pool, found));
    return wmem_strbuf_get_len(addresses) > 0
        ? wmem_strbuf_get_str(addresses) : "no address";
}

static void
collect_dns(boot_story *story, const packet_info *pinfo,
            const epan_dissect_t *edt)
{
    const char *name = text(pinfo, edt, DNS_NAME);
    unsigned flags = number(edt, DNS_FLAGS, 0);
    bool response = (flags & 0x8000) != 0;
    boot_device *device;
    const char *what;

    if (!name || (g_ascii_strcasecmp(name, "add-con.mcas") != 0
                  && g_ascii_strncasecmp(name, "verup-mcas.", 11) != 0))
        return;
    what = wmem_strdup_printf(pinfo->pool, "DNS %s", name);
    device = boot_device_of(story, pinfo, !response);
    device->ours = true;
    if (response) {
        const char *outcome = dns_outcome(pinfo, edt, flags & 15);

        boot_answer_to(story, pinfo, device, BOOT_DNS, what,
                       (flags & 15) != 0 || strcmp(outcome, "no address") == 0,
                       outcome);
    } else {
        boot_ask(story, pinfo, device, BOOT_DNS, what);
    }
}

#define NTT 210 /* its enterprise number */

static void
collect_dhcp(boot_story *story, const packet_info *pinfo,
             const epan_dissect_t *edt)
{
    unsigned type = number(edt, DHCP_TYPE, 0);
    const char *mac = text(pinfo, edt, DHCP_MAC);
    boot_device *device;
    bool theirs = false;
    const field_info *id;
    const char *given;

    if (!type || !mac)
        return;
    device = boot_device_named(story, pinfo, mac);
    if (type == 1 || type == 3) {
        boot_ask(story, pinfo, device, BOOT_DHCP,
                 type == 1 ? "DHCP Discover" : "DHCP Request");
        return;
    }
    for (unsigned nth = 0; (id = field(edt, DHCP_ENTERPRISE, nth)); nth++)
        theirs |= fvalue_get_uinteger(WS_FIELD_VALUE(id)) == NTT;
    if (type != 2 && type != 5 && type != 6)
        return;
    if (theirs)
        device->ours = device->has_new_dhcp = true;
    given = wmem_strdup_printf(
        pinfo->pool, "%s%s", text(pinfo, edt, DHCP_ADDRESS),
        theirs ? ", option 125 of enterprise 210" : "");
    boot_answer_to(story, pinfo, device, BOOT_DHCP,
                   type == 2 ? "DHCP Discover" : "DHCP Request", type == 6,
                   type == 6 ? "refused" : given);
}

/* --- M-CAS -------------------------------------------------------------- */

static bool
is_failure(const mcas_tap_message *from)
{
    mcas_tap_walk walk = { .part = MCAS_TAP_START };
    mcas_item item;

    /* A note, since a result that is no number has no field. */
    while (mcas_tap_next(from, &walk, &item))
        if (item.table == MCAS_TABLE_NOTES
            && item.id == MCAS_NOTE_RESULT_CODE_FAILURE)
            return true;
    return from->message->status >= 400;
}

/* Request and response, of which either may be complete first. */
static void
pair(boot_story *story, const mcas_exchange *exchange, boot_step *step)
{
    boot_step *other = (boot_step *)wmem_map_lookup(story->exchanges,
                                                    exchange);
    boot_step *request = step->awaits ? step : other;
    const boot_step *response = step->awaits ? other : step;

    if (!other)
        wmem_map_insert(story->exchanges, exchange, step);
    if (!request || !response || !request->awaits || response->awaits)
        return;
    request->last_try = exchange->request_time;
    request->failed = response->failed;
    request->outcome = response->what;
    request->answer_frame = response->frame;
    request->answer_time = response->when;
}

void
boot_collect_message(boot_story *story, const packet_info *pinfo,
                     const mcas_tap_message *from)
{
    bool request = from->message->kind == MCAS_KIND_REQUEST;
    /* The gateway pushes to a device. */
    bool push = from->message->message_type == MCAS_TYPE_SETUP_PUSH
        || from->message->message_type == MCAS_TYPE_SETUP_PUSH_RESPONSE;
    boot_device *device;
    boot_step *step;

    boot_see(story, pinfo);
    device = boot_device_of(story, pinfo, request != push);
    device->ours = device->has_message = true;
    step = boot_add_step(story, pinfo, device,
                         request ? BOOT_REQUEST : BOOT_RESPONSE,
                         from->summary);
    if (request) {
        step->awaits = true;
        boot_set_latest(story, device, from->type, step);
    } else {
        step->failed = is_failure(from);
    }
    if (from->exchange)
        pair(story, from->exchange, step);
}

/* --- All of them --------------------------------------------------------- */

void
boot_collect_frame(boot_story *story, const packet_info *pinfo,
                   const epan_dissect_t *edt)
{
    unsigned code = number(edt, PPPOE_CODE, 0);

    boot_see(story, pinfo);
    if (field(edt, ARP_OPCODE, 0))
        collect_arp(story, pinfo, edt);
    else if (code)
        collect_discovery(story, pinfo, edt, code);
    else
        collect_session(story, pinfo, edt);
    if (field(edt, DNS_FLAGS, 0))
        collect_dns(story, pinfo, edt);
    if (field(edt, DHCP_TYPE, 0))
        collect_dhcp(story, pinfo, edt);
}

/* credentials.c
 * User names and passwords for Wireshark's table of them: Tools,
 * Credentials, and tshark's -z credentials.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet-mcas.h"

#include <string.h>

#include <epan/tap.h>

static int credentials_tap = -1;

/* What listeners of the tap "credentials" want. That is declared in
 * Wireshark's ui/tap-credentials.h, which is not installed; the same in all
 * versions. */
typedef struct {
    unsigned num;            /* of the frame with the password */
    unsigned username_num;   /* and with the user name */
    unsigned password_hf_id;
    char *username;          /* neither this */
    const char *proto;
    char *info;              /* nor this may be NULL */
} tap_credential;

/* Rows of one message: each has the message's summary, which may be as long
 * as the message, and all of a frame's are held at once. */
#define MOST_ROWS 100

static void
queue(packet_info *pinfo, const mcas_tap_message *message,
      const char *username)
{
    tap_credential *row = wmem_new0(pinfo->pool, tap_credential);

    row->num = pinfo->num;
    row->username_num = pinfo->num;
    row->password_hf_id = (unsigned)mcas_hf(MCAS_FIELD_PASSWORD);
    /* "n.a." is the table's own word for it. */
    row->username = mcas_printable(
        wmem_strdup(pinfo->pool, username ? username : "n.a."));
    row->proto = "M-CAS";
    /* As much of it as in the Info column. Its last character may be cut. */
    row->info = mcas_printable(wmem_strndup(pinfo->pool, message->summary,
                                            COL_MAX_INFO_LEN));
    tap_queue_packet(credentials_tap, pinfo, row);
}

/* Empty is none, and masked is what nobody can register with. */
static bool
is_credential(const char *value)
{
    return value[strspn(value, "Xx*")] != '\0';
}

bool
mcas_credentials_wanted(void)
{
    return have_tap_listener(credentials_tap);
}

void
mcas_credentials_queue(packet_info *pinfo, const mcas_tap_message *message)
{
    mcas_tap_walk walk = { .part = MCAS_TAP_START };
    const char *username = NULL;
    bool password = false;
    unsigned rows = 0;
    mcas_item item;

    if (!mcas_credentials_wanted())
        return;
    /* Name and password come in either order; with several of them, a second
     * one of the same begins the next row. */
    while (rows < MOST_ROWS && mcas_tap_next(message, &walk, &item)) {
        const char *value;

        if (item.table != MCAS_TABLE_FIELDS
            || (item.id != MCAS_FIELD_USERNAME
                && item.id != MCAS_FIELD_PASSWORD))
            continue;
        value = mcas_item_text(pinfo->pool, walk.bytes, walk.length, &item,
                               MCAS_FORMAT_VALUE);
        if (!is_credential(value))
            continue;
        if (item.id == MCAS_FIELD_USERNAME ? username != NULL : password) {
            queue(pinfo, message, username);
            rows++;
            username = NULL;
            password = false;
        }
        if (item.id == MCAS_FIELD_USERNAME)
            username = value;
        else
            password = true;
    }
    if (rows < MOST_ROWS && (username || password))
        queue(pinfo, message, username);
}

void
mcas_credentials_register(void)
{
    credentials_tap = register_tap("credentials");
}

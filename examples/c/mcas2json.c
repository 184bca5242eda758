/*
 * mcas2json - M-CAS messages as JSON, one object a line.
 *
 *     cc mcas2json.c -o mcas2json $(pkg-config --cflags --libs mcas jansson)
 *     ./mcas2json REQUESTS [RESPONSES] | jq .
 *
 * REQUESTS and RESPONSES hold the bytes of one connection, a file for each
 * direction, as tcpflow writes them. Either may be there alone (/dev/null for
 * the other), but only its request makes a response the firmware's, say; they
 * are printed in pairs. Who answers whom is the library's matter (a tracker),
 * and so are messages that are not M-CAS, which are left out, and what makes
 * the connection a tunnel or another protocol's. A message is
 *
 *     {"type": 2, "type_name": "Provisioning response", "exchange": 1,
 *      "offset": 0, "length": 912, "complete": true, "items": [
 *       {"name": "mcas.netmask", "label": "Prefix length", "value": 30}, ...
 *
 * in which items are in the order of the message, and below others as they
 * are in Wireshark, each in the "items" of its parent. Numbers are numbers,
 * with their "meaning" where they have one; addresses and texts are strings;
 * a "secret" one is marked. What is odd in a message is an item with a "note"
 * in place of a value. So
 *
 *     jq -r '.. | objects | select(.name == "mcas.ip_addr").value'
 *
 * prints addresses. No field, note or type is named below: the library's
 * tables know them, also those of later versions.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <jansson.h>
#include <mcas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    const uint8_t *start;
    size_t length;
};

/* One direction of a connection, of which not all is read. */
struct direction {
    const char *name;
    FILE *file; /* NULL where there is none */
    int ended;
    int failed;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "mcas2json: %s: %s\n", what, why);
    exit(1);
}

/* A full disk, say; of a pipe that nobody reads any more the signal tells. */
static void die_of_output(void)
{
    perror("mcas2json: standard output");
    exit(1);
}

/* What has nothing to do with the bytes at hand: bugs, of either side. */
static void check(mcas_status status)
{
    if (status < 0)
        die("libmcas", mcas_status_text(status));
}

/* Room for so many bytes, and one more: none at all might be NULL. */
static void *allocate(size_t size)
{
    void *room = malloc(size + 1);

    if (room == NULL)
        die("memory", "exhausted");
    return room;
}

/* An item's value, or the line that says all of it, as a string. */
static json_t *text(struct bytes from, const mcas_item *item, uint32_t style)
{
    size_t needed;
    char *room;
    json_t *string;

    /* Without room it says how much it needs, like snprintf. */
    check(mcas_item_format(from.start, from.length, item, style, NULL, 0,
                           &needed));
    room = allocate(needed);
    check(mcas_item_format(from.start, from.length, item, style, room,
                           needed + 1, &needed));
    string = json_string(room);
    free(room);
    return string;
}

static void add_field(json_t *object, struct bytes from,
                      const mcas_item *item)
{
    mcas_field_info field;

    if (mcas_field_get(item->id, &field) != MCAS_OK)
        return;
    json_object_set_new(object, "name", json_string(field.name));
    json_object_set_new(object, "label", json_string(field.label));
    if (field.value_type >= MCAS_VALUE_UINT8 &&
        field.value_type <= MCAS_VALUE_UINT64 &&
        field.display != MCAS_DISPLAY_OUI) {
        const char *says = mcas_value_name(item->id, item->number);

        json_object_set_new(object, "value",
                            json_integer((json_int_t)item->number));
        if (says != NULL)
            json_object_set_new(object, "meaning", json_string(says));
    } else {
        json_object_set_new(object, "value",
                            text(from, item, MCAS_FORMAT_VALUE));
    }
    if (field.flags & MCAS_FLAG_SECRET || item->flags & MCAS_ITEM_SECRET)
        json_object_set_new(object, "secret", json_true());
}

static void add_note(json_t *object, struct bytes from,
                     const mcas_item *item)
{
    mcas_note_info note;

    if (mcas_note_get(item->id, &note) != MCAS_OK)
        return;
    json_object_set_new(object, "name", json_string(note.name));
    json_object_set_new(object, "note", text(from, item, MCAS_FORMAT_LINE));
}

/*
 * Appends items of one level, and below each of them those that belong to it,
 * until there is one of a lesser level.
 */
static void add_items(json_t *parent, unsigned level, struct bytes from,
                      mcas_iter *iter)
{
    json_t *last = parent;
    /* A copy looks ahead: what it finds may be somebody else's. */
    mcas_iter ahead = *iter;
    mcas_item item;

    while (mcas_next(from.start, from.length, &ahead, &item) == MCAS_OK &&
           item.level >= level) {
        json_t *object, *list;

        if (item.level > level) {
            add_items(last, level + 1, from, iter);
            ahead = *iter;
            continue;
        }
        *iter = ahead;
        object = json_object();
        if (item.table == MCAS_TABLE_FIELDS) {
            add_field(object, from, &item);
            last = object;
        } else {
            add_note(object, from, &item);
        }
        list = json_object_get(parent, "items");
        if (list == NULL) {
            list = json_array();
            json_object_set_new(parent, "items", list);
        }
        json_array_append_new(list, object);
    }
}

static void print_message(const mcas_tracked_message *found)
{
    const mcas_message *message = &found->message;
    struct bytes bytes = { found->bytes, found->length };
    size_t room = (size_t)message->body_length;
    uint8_t *start = allocate(room);
    struct bytes body = { start, 0 };
    json_t *object = json_object();
    mcas_type_info type;
    mcas_iter iter;

    if (mcas_type_get(message->message_type, &type) == MCAS_OK) {
        json_object_set_new(object, "type", json_integer(type.id));
        json_object_set_new(object, "type_name", json_string(type.name));
    }
    json_object_set_new(object, "exchange",
                        json_integer((json_int_t)found->exchange));
    if (found->flags & MCAS_TRACK_UNCERTAIN)
        json_object_set_new(object, "uncertain", json_true());
    json_object_set_new(object, "offset", json_integer(found->sequence));
    json_object_set_new(object, "length", json_integer(found->length));
    json_object_set_new(object, "complete",
                        json_boolean(message->flags & MCAS_MESSAGE_COMPLETE));

    check(mcas_head_items(message, &iter));
    add_items(object, 0, bytes, &iter);
    check(mcas_body_bytes(message, bytes.start, bytes.length, start, room,
                          &body.length));
    check(mcas_body_items(message, body.start, body.length, &iter));
    add_items(object, 0, body, &iter);
    free(start);

    if (json_dumpf(object, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF)
        die_of_output();
    json_decref(object);
}

static void print_found(mcas_tracker *tracker)
{
    mcas_tracked_message found;
    mcas_status status;

    while ((status = mcas_tracker_next(tracker, &found)) == MCAS_OK) {
        print_message(&found);
        /* What is known of its exchange is of no interest here. */
        check(mcas_tracker_forget(tracker, found.exchange - 1));
    }
    check(status);
}

/* Reads some of a direction; tells whether the other one should be next. */
static int read_some(mcas_tracker *tracker, struct direction *from,
                     uint32_t side)
{
    static uint8_t room[1 << 16];
    size_t length = 0;
    mcas_status status;

    if (from->file != NULL) {
        length = fread(room, 1, sizeof room, from->file);
        if (ferror(from->file)) /* a folder, say */
            die(from->name, strerror(errno));
    }
    from->ended = length == 0;
    if (from->ended)
        status = mcas_tracker_end(tracker, 1, side);
    else
        status = mcas_tracker_bytes(tracker, 1, side, 0, room, length);
    if (status == MCAS_ERR_NOT_HTTP) {
        /* The other direction is read nevertheless. */
        if (!from->failed)
            fprintf(stderr, "mcas2json: %s: %s\n", from->name,
                    mcas_status_text(status));
        from->failed = 1;
    } else {
        check(status);
    }
    print_found(tracker);
    return status == MCAS_PARTIAL || from->ended;
}

int main(int argc, char **argv)
{
    struct direction sides[2] = { { NULL, NULL, 0, 0 },
                                  { NULL, NULL, 0, 0 } };
    mcas_tracker *tracker;
    uint32_t side;

    if (argc != 2 && argc != 3) {
        fputs("usage: mcas2json REQUESTS [RESPONSES]\n", stderr);
        return 2;
    }
    /* Where the header and the library are of different versions. */
    if (mcas_abi_version() != MCAS_ABI_VERSION)
        die("libmcas", mcas_version());
    for (side = 0; (int)side + 1 < argc; side++) {
        sides[side].name = argv[side + 1];
        sides[side].file = fopen(argv[side + 1], "rb");
        if (sides[side].file == NULL)
            die(sides[side].name, strerror(errno));
    }
    check(mcas_tracker_new(&tracker));
    side = MCAS_SIDE_CLIENT;
    while (!sides[0].ended || !sides[1].ended) {
        if (sides[side].ended || read_some(tracker, &sides[side], side))
            side = !side;
    }
    check(mcas_tracker_finish(tracker));
    print_found(tracker);
    mcas_tracker_free(tracker);
    for (side = 0; side < 2; side++)
        if (sides[side].file != NULL)
            fclose(sides[side].file);
    /* What is still to be written may be too much for a full disk. */
    if (fclose(stdout) != 0)
        die_of_output();
    return sides[0].failed || sides[1].failed;
}

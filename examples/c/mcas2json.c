/*
 * mcas2json - M-CAS messages as JSON, one object a line.
 *
 *     cc mcas2json.c -o mcas2json $(pkg-config --cflags --libs mcas jansson)
 *     ./mcas2json REQUESTS [RESPONSES] | jq .
 *
 * REQUESTS and RESPONSES hold the bytes of one connection, a file for each
 * direction, as tcpflow writes them. Either may be there alone, but only its
 * request makes a response the firmware's, say; they are printed in pairs.
 * Messages that are not M-CAS, such as web pages on the same connection, are
 * left out, and nothing is read behind what makes the connection a tunnel
 * (CONNECT) or another protocol's (101). A message is
 *
 *     {"type": 2, "type_name": "Provisioning response", "offset": 0,
 *      "length": 912, "complete": true, "items": [
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
    uint8_t *start;
    size_t length;
};

/* One direction of a connection, of which some is read. */
struct stream {
    const char *name;
    struct bytes bytes;
    size_t offset;
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
static void *grow(void *start, size_t size)
{
    void *grown = realloc(start, size + 1);

    if (grown == NULL)
        die("memory", "exhausted");
    return grown;
}

static struct bytes read_file(const char *name)
{
    struct bytes file = { NULL, 0 };
    FILE *from = fopen(name, "rb");
    size_t room = 0, got;

    if (from == NULL)
        die(name, strerror(errno));
    do {
        room += 1 << 16;
        file.start = grow(file.start, room);
        got = fread(file.start + file.length, 1, room - file.length, from);
        file.length += got;
    } while (file.length == room);
    if (ferror(from)) /* a folder, say */
        die(name, strerror(errno));
    fclose(from);
    return file;
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
    room = grow(NULL, needed);
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

static void print_message(struct bytes stream, size_t offset,
                          const mcas_message *message)
{
    struct bytes rest = { stream.start + offset, stream.length - offset };
    struct bytes body;
    json_t *object = json_object();
    mcas_type_info type;
    mcas_iter iter;

    if (mcas_type_get(message->message_type, &type) == MCAS_OK) {
        json_object_set_new(object, "type", json_integer(type.id));
        json_object_set_new(object, "type_name", json_string(type.name));
    }
    json_object_set_new(object, "offset",
                        json_integer((json_int_t)(offset + message->begin)));
    json_object_set_new(object, "length",
                        json_integer(message->length - message->begin));
    json_object_set_new(object, "complete",
                        json_boolean(message->flags & MCAS_MESSAGE_COMPLETE));

    check(mcas_head_items(message, &iter));
    add_items(object, 0, rest, &iter);
    body.start = grow(NULL, (size_t)message->body_length);
    check(mcas_body_bytes(message, rest.start, rest.length, body.start,
                          (size_t)message->body_length, &body.length));
    check(mcas_body_items(message, body.start, body.length, &iter));
    add_items(object, 0, body, &iter);
    free(body.start);

    if (json_dumpf(object, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF)
        die_of_output();
    json_decref(object);
}

/* Reads the next message and prints it; 0 where there is none. */
static int next(struct stream *from, const mcas_context *context,
                mcas_message *message)
{
    size_t rest = from->bytes.length - from->offset;
    mcas_status status;

    if (rest == 0)
        return 0;
    status = mcas_message_parse(from->bytes.start + from->offset, rest,
                                context, message);
    if (status < 0) {
        /* The other direction is read nevertheless. */
        fprintf(stderr, "mcas2json: %s: %s\n", from->name,
                mcas_status_text(status));
        from->failed = 1;
        from->offset = from->bytes.length;
        return 0;
    }
    if (message->message_type != MCAS_TYPE_NONE)
        print_message(from->bytes, from->offset, message);
    if (message->flags & MCAS_MESSAGE_COMPLETE)
        from->offset += message->length;
    else
        from->offset = from->bytes.length;
    return 1;
}

/* Prints a request, and then what answers it; 0 where HTTP ends. */
static int print_exchange(struct stream *sent, struct stream *got)
{
    mcas_context context = { 0 };
    mcas_message message;
    int any, connects = 0;

    /* So a body without a length ends where the file does. */
    context.flags = MCAS_CONTEXT_END_OF_STREAM;
    any = next(sent, &context, &message);
    if (any && message.kind == MCAS_KIND_REQUEST) {
        context.request = MCAS_REQUEST_SEEN;
        context.request_type = message.message_type;
        context.request_method = message.method;
        connects = message.method == MCAS_METHOD_CONNECT;
    } else if (any && message.status == 101) {
        return 0; /* in responses that are there alone */
    }
    while (next(got, &context, &message)) {
        any = 1;
        if (message.status == 101)
            return 0;
        /* Others below 200 announce the response: no answer yet. */
        if (message.status >= 200)
            return !(connects && message.status < 300);
    }
    if (connects && sent->offset < sent->bytes.length) {
        fprintf(stderr, "mcas2json: %s: CONNECT has no answer, so what "
                        "follows it may be a tunnel: not read\n", sent->name);
        return 0;
    }
    return any;
}

int main(int argc, char **argv)
{
    struct stream streams[2] = { { NULL, { NULL, 0 }, 0, 0 },
                                 { NULL, { NULL, 0 }, 0, 0 } };
    int i;

    if (argc != 2 && argc != 3) {
        fputs("usage: mcas2json REQUESTS [RESPONSES]\n", stderr);
        return 2;
    }
    /* Where the header and the library are of different versions. */
    if (mcas_abi_version() != MCAS_ABI_VERSION)
        die("libmcas", mcas_version());
    for (i = 1; i < argc; i++) {
        streams[i - 1].name = argv[i];
        streams[i - 1].bytes = read_file(argv[i]);
    }
    while (print_exchange(&streams[0], &streams[1])) {
    }
    /* What is still to be written may be too much for a full disk. */
    if (fclose(stdout) != 0)
        die_of_output();
    for (i = 0; i < 2; i++)
        free(streams[i].bytes.start);
    return streams[0].failed || streams[1].failed;
}

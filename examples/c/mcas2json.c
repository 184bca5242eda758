/*
 * mcas2json - M-CAS messages as JSON, one object a line.
 *
 *     cc mcas2json.c -o mcas2json $(pkg-config --cflags --libs mcas jansson)
 *     ./mcas2json REQUESTS [RESPONSES] | jq .
 *
 * REQUESTS and RESPONSES hold the bytes of one connection, a file for each
 * direction, as tcpflow writes them. Either may be there alone, but only its
 * request makes a response the firmware's, say. Messages that are not M-CAS,
 * such as web pages on the same connection, are left out. A message is
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
#include <jansson.h>
#include <mcas.h>
#include <stdio.h>
#include <stdlib.h>

struct bytes {
    uint8_t *start;
    size_t length;
};

/* A request that waits for its response. */
struct request {
    uint32_t type, method;
};

/* Those of a connection, which are answered in their order. */
struct requests {
    struct request *list;
    size_t count, answered;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "mcas2json: %s: %s\n", what, why);
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

    if (from == NULL) {
        perror(name);
        exit(1);
    }
    do {
        room += 1 << 16;
        file.start = grow(file.start, room);
        got = fread(file.start + file.length, 1, room - file.length, from);
        file.length += got;
    } while (file.length == room);
    if (ferror(from))
        die(name, "cannot be read");
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
    if (field.kind >= MCAS_VALUE_UINT8 && field.kind <= MCAS_VALUE_UINT64 &&
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
    if (field.flags & MCAS_FLAG_SECRET)
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
        if (item.kind == MCAS_ITEM_FIELD) {
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

    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

/* Prints the messages of a file; keeps requests, gives responses theirs. */
static void print_messages(const char *name, struct requests *requests)
{
    struct bytes stream = read_file(name);
    size_t offset = 0;

    while (offset < stream.length) {
        mcas_context context = MCAS_CONTEXT_INIT;
        mcas_message message;
        mcas_status status;

        /* So a body without a length ends where the file does. */
        context.flags = MCAS_CONTEXT_END_OF_STREAM;
        if (requests->answered < requests->count) {
            const struct request *request =
                &requests->list[requests->answered];

            context.request_type = request->type;
            context.request_method = request->method;
        }
        status = mcas_message_parse(stream.start + offset,
                                    stream.length - offset, &context,
                                    &message);
        if (status < 0)
            die(name, mcas_status_text(status));
        if (message.message_type != MCAS_TYPE_NONE)
            print_message(stream, offset, &message);
        if (!(message.flags & MCAS_MESSAGE_COMPLETE))
            break;
        if (message.kind == MCAS_KIND_REQUEST) {
            size_t size = sizeof *requests->list;

            requests->list =
                grow(requests->list, (requests->count + 1) * size);
            requests->list[requests->count].type = message.message_type;
            requests->list[requests->count].method = message.method;
            requests->count++;
        } else if (message.status >= 200 &&
                   requests->answered < requests->count) {
            /* A status below 200 announces the response: no answer yet. */
            requests->answered++;
        }
        /* What follows these is not HTTP any more. */
        if (message.status == 101 || (message.status / 100 == 2 &&
                                      message.method == MCAS_METHOD_CONNECT))
            break;
        offset += message.length;
    }
    free(stream.start);
}

int main(int argc, char **argv)
{
    struct requests requests = { NULL, 0, 0 };
    int i;

    if (argc != 2 && argc != 3) {
        fputs("usage: mcas2json REQUESTS [RESPONSES]\n", stderr);
        return 2;
    }
    /* Where the header and the library are of different versions. */
    if (mcas_abi_version() != MCAS_ABI_VERSION)
        die("libmcas", mcas_version());
    for (i = 1; i < argc; i++)
        print_messages(argv[i], &requests);
    free(requests.list);
    return 0;
}

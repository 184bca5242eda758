/*
 * reader - prints the M-CAS messages in files: what a user of libmcas would
 * write, with nothing but mcas.h.
 *
 *     reader FILE...
 *
 * A file holds messages of one direction, one behind the other. A response is
 * taken as the answer to the request read last. There is no malloc here, nor
 * in stdio as it is used: what valgrind counts would be the library's.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcas.h"

static uint8_t input[1 << 20];
static uint8_t body[1 << 20];
static char text[(3 << 20) + 1];
static char printed[1 << 16];

/* Ends with the name of a status that is none of success. */
static void check(mcas_status status, const char *what)
{
    if (status < 0) {
        fflush(stdout);
        fprintf(stderr, "%s: %s\n", what, mcas_status_name(status));
        exit(1);
    }
}

static size_t read_file(const char *name)
{
    size_t length = 0;
    ssize_t got;
    int file = open(name, O_RDONLY);

    if (file < 0) {
        perror(name);
        exit(2);
    }
    while ((got = read(file, input + length, sizeof input - length)) > 0)
        length += (size_t)got;
    close(file);
    return length;
}

/* The name of a number, or "". */
static const char *value_name(uint32_t id, uint64_t value)
{
    const char *name;
    uint32_t number, i;

    for (i = 0; mcas_field_value_name(id, i, &number, &name) == MCAS_OK; i++)
        if (number == value)
            return name;
    return "";
}

static void print_text(const mcas_item *item, const uint8_t *buf, size_t len)
{
    size_t needed, i;

    check(mcas_item_format(buf, len, item, MCAS_FORMAT_VALUE, text,
                           sizeof text, &needed),
          "format");
    putchar('"');
    for (i = 0; i < needed; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            printf("\\x%02x", (unsigned)text[i]);
        else
            putchar(text[i]);
    putchar('"');
}

static void print_field(const mcas_item *item, const uint8_t *buf, size_t len)
{
    mcas_field_info info;
    char address[INET6_ADDRSTRLEN];
    const uint8_t *b = item->bytes;

    check(mcas_field_get(item->id, &info), "field");
    printf("%s: ", info.name);
    switch (info.value_type) {
    case MCAS_VALUE_STRING:
        print_text(item, buf, len);
        break;
    case MCAS_VALUE_IPV4:
        printf("%s", inet_ntop(AF_INET, b, address, sizeof address));
        break;
    case MCAS_VALUE_IPV6:
        printf("%s", inet_ntop(AF_INET6, b, address, sizeof address));
        break;
    case MCAS_VALUE_ETHER:
        printf("%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
               b[5]);
        break;
    default:
        if (info.display == MCAS_DISPLAY_PLAIN)
            printf("%" PRIu64, item->number);
        else
            printf("0x%" PRIx64, item->number);
        if (*value_name(item->id, item->number) != '\0')
            printf(" (%s)", value_name(item->id, item->number));
    }
}

static void print_note(const mcas_item *item)
{
    static const char *const severities[] = {"chat", "note", "warn"};
    mcas_note_info info;
    mcas_field_info field;

    check(mcas_note_get(item->id, &info), "note");
    printf("[%s] %s", severities[info.severity], info.summary);
    if (item->id == MCAS_NOTE_PARAM_MISSING) {
        check(mcas_field_get((uint32_t)item->number, &field), "field");
        printf(": %s", field.name);
    }
}

static void print_items(mcas_iter *iter, const uint8_t *buf, size_t len)
{
    mcas_item item;
    mcas_status status;

    while ((status = mcas_next(buf, len, iter, &item)) == MCAS_OK) {
        printf("%6" PRIu32 "+%-7" PRIu32 "%*s", item.span.offset,
               item.span.length, 2 * (int)item.level, "");
        if (item.table == MCAS_TABLE_FIELDS)
            print_field(&item, buf, len);
        else
            print_note(&item);
        puts(item.flags & MCAS_ITEM_GENERATED ? " *" : "");
    }
    check(status, "next");
}

/* The message in a line, and what it teaches. */
static void print_short(const mcas_message *message, const uint8_t *buf,
                        size_t len, size_t body_len)
{
    mcas_endpoint found[MCAS_ENDPOINTS_MOST];
    size_t needed, count = 0, i;

    check(mcas_summary_format(message, buf, len, body, body_len, NULL, text,
                              sizeof text, &needed),
          "summary");
    if (message->message_type != MCAS_TYPE_NONE)
        printf("= %s\n", text);
    check(mcas_message_endpoints(message, buf, len, body, body_len, NULL,
                                 found, MCAS_ENDPOINTS_MOST, &count),
          "endpoints");
    for (i = 0; i < count; i++) {
        check(mcas_endpoint_format(&found[i], text, sizeof text, &needed),
              "endpoint");
        printf("@ %s%s\n", text,
               found[i].flags & MCAS_ENDPOINT_IMPLAUSIBLE ? "?" : "");
    }
    if (mcas_file_name(message, NULL, NULL, NULL, text, sizeof text, &needed)
        == MCAS_OK)
        printf("> %s\n", text);
}

static void print_message(const mcas_message *message, const uint8_t *buf,
                          size_t len)
{
    size_t body_len;
    mcas_iter iter;

    printf("%s of %" PRIu32 " bytes%s\n",
           message->kind == MCAS_KIND_REQUEST ? "request" : "response",
           message->length,
           message->flags & MCAS_MESSAGE_COMPLETE ? "" : ", cut");
    check(mcas_head_items(message, &iter), "head");
    print_items(&iter, buf, len);

    check(mcas_body_bytes(message, buf, len, body, sizeof body, &body_len),
          "bytes");
    check(mcas_body_items(message, body, body_len, &iter), "body");
    printf("body of %zu bytes\n", body_len);
    print_items(&iter, body, body_len);
    print_short(message, buf, len, body_len);
}

int main(int argc, char **argv)
{
    mcas_context context = { 0 };
    mcas_message message;
    size_t len, at;
    uint32_t answer;
    mcas_class class;
    int i;

    if (mcas_abi_version() != MCAS_ABI_VERSION) {
        fputs("another libmcas than the header's\n", stderr);
        return 2;
    }
    context.flags = MCAS_CONTEXT_END_OF_STREAM;
    setvbuf(stdout, printed, _IOFBF, sizeof printed);
    for (i = 1; i < argc; i++) {
        len = read_file(argv[i]);
        check(mcas_sniff(input, len, &answer), "sniff");
        check(mcas_classify(input, len, NULL, &class), "classify");
        for (at = 0; at < len; at += message.length) {
            check(mcas_message_parse(input + at, len - at, &context,
                                     &message),
                  "parse");
            print_message(&message, input + at, len - at);
            if (message.kind == MCAS_KIND_REQUEST) {
                context.request = MCAS_REQUEST_SEEN;
                context.request_type = message.message_type;
                context.request_method = message.method;
            }
        }
    }
    return 0;
}

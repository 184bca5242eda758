/*
 * mcas.h - read M-CAS, the HTTP protocol by which the home gateways of NTT's
 * Hikari Denwa get their telephone settings and firmware.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A TOUR
 *
 * The library reads one HTTP message of either direction, from bytes that
 * the caller holds. It says where the message ends and what it is for, and
 * yields what is in it, one item at a time: fields with a typed value, and
 * notes on whatever is odd. A whole program:
 *
 *     #include <mcas.h>
 *     #include <stdio.h>
 *
 *     static void print_items(const uint8_t *buf, size_t len, mcas_iter iter)
 *     {
 *         mcas_item item;
 *         char line[256];
 *         size_t needed;
 *
 *         while (mcas_next(buf, len, &iter, &item) == MCAS_OK) {
 *             mcas_item_format(buf, len, &item, MCAS_FORMAT_LINE, line,
 *                              sizeof line, &needed);
 *             printf("%*s%s\n", 4 * item.level, "", line);
 *         }
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         static uint8_t buf[1 << 20], body[1 << 20];
 *         size_t len;
 *         mcas_tracker *tracker;
 *         mcas_tracked_message found;
 *         mcas_iter iter;
 *
 *         if (mcas_tracker_new(&tracker) < 0)
 *             return 1;
 *         // A file for each direction: what was asked, what was answered.
 *         for (uint32_t side = 0; side < 2 && (int)side + 1 < argc; side++) {
 *             FILE *file = fopen(argv[side + 1], "rb");
 *
 *             if (file == NULL)
 *                 return 1;
 *             while ((len = fread(buf, 1, sizeof buf, file)) > 0)
 *                 mcas_tracker_bytes(tracker, 1, side, 0, buf, len);
 *             if (mcas_tracker_end(tracker, 1, side) == MCAS_ERR_NOT_HTTP)
 *                 fprintf(stderr, "%s: not HTTP\n", argv[side + 1]);
 *             fclose(file);
 *         }
 *         mcas_tracker_finish(tracker);
 *         while (mcas_tracker_next(tracker, &found) == MCAS_OK) {
 *             printf("Exchange %u\n", (unsigned)found.exchange);
 *             mcas_head_items(&found.message, &iter);
 *             print_items(found.bytes, found.length, iter);
 *             // Without its chunks, if it has any.
 *             mcas_body_bytes(&found.message, found.bytes, found.length,
 *                             body, sizeof body, &len);
 *             if (len > sizeof body)
 *                 len = sizeof body;
 *             mcas_body_items(&found.message, body, len, &iter);
 *             print_items(body, len, iter);
 *         }
 *         mcas_tracker_free(tracker);
 *         return 0;
 *     }
 *
 * Try it:
 *
 *     cc tour.c -o tour $(pkg-config --cflags --libs mcas)
 *     printf 'POST / HTTP/1.1\r\nHost: add-con.mcas\r\n'\
 *     'Content-Length: 23\r\n\r\nTerminalID=001F67A1B2C3' >asked
 *     printf 'HTTP/1.1 200 OK\r\n\r\nResultCode=0000\r\n' >answered
 *     ./tour asked answered
 *
 * Where to begin:
 *
 * - with the bytes of both directions of a connection: mcas_tracker_bytes,
 *   as above; with TCP's segments: mcas_tracker_segment. Either says who
 *   answers whom;
 * - with the bytes of a message: mcas_message_parse;
 * - with the first bytes of a connection, and the question whether to read
 *   on: mcas_classify;
 * - with the same as more of it comes: mcas_classify_resume, and
 *   mcas_message_resume, which do not begin again each time;
 * - with HTTP that something else has taken apart (a proxy, Zeek, a web
 *   framework): mcas_message_from_parts, then mcas_body_items; and for the
 *   parts of the head, each a buffer of its own, mcas_target_items,
 *   mcas_host_items, mcas_user_agent_items and mcas_cookie_items;
 * - with chunks: mcas_body_dechunk;
 * - with packets by the million, most of them nothing: mcas_sniff first.
 *
 * What there is to find is listed by mcas_type_get, mcas_field_get,
 * mcas_field_value_name and mcas_note_get, so that no caller needs a table
 * of its own. mcas_item_format prints any item, mcas_summary_format a message
 * in a line; mcas_message_endpoints says where what follows it is spoken.
 *
 * A response does not say what it answers. A tracker knows, and gives the
 * mcas_context that says so; who parses messages without one, but has seen
 * the request, fills it. Without one, a body that begins ResultCode=
 * is taken for a provisioning response's (MCAS_MESSAGE_UNMATCHED), which
 * the answers to phones are not, though they look alike; and any other
 * response, such as a firmware image, is MCAS_TYPE_NONE.
 *
 * Who reads a connection without a tracker does so message by message, each
 * direction by itself: while one is MCAS_MESSAGE_COMPLETE, the next begins
 * message.length bytes further; but where one is MCAS_MESSAGE_BODY_BROKEN,
 * nobody can tell where the next begins, and the message has all of the
 * buffer. Responses come in the order of their requests, but a status of 100
 * or 102 to 199 answers nothing yet. Behind a 101, and behind a 2xx that
 * answers a CONNECT, there is no HTTP any more. (RFC 9110, sections 9.3.6 and
 * 15.2.)
 *
 * RULES THAT HOLD FOR EVERY FUNCTION
 *
 * Memory. There is none of the library's (but for the tracker, at the end):
 * structs and buffers are the caller's, there is no handle to free, and
 * nothing is allocated. Nothing is kept behind a call but what the structs
 * show. Strings that are returned are static, in UTF-8, and end in NUL; those
 * that are given end in NUL, too, and NULL stands for an empty one.
 *
 * Results are spans: offset and length in the buffer they were read from.
 * Hand in the same bytes on every call for a message; other bytes give wrong
 * spans, never undefined behaviour, and never spans outside of them.
 *
 * Status. 0 is MCAS_OK. What is positive is no error: MCAS_END, when there
 * is no more, and MCAS_PARTIAL, when an answer is given but not whole. What
 * is negative is a failure. Numbers are never reused. Trouble inside of a
 * message is not a failure; it is a note among its items.
 *
 * Outputs stand last and are written only if the status is not negative and
 * not MCAS_END; else do not use them. What is read and written is a mcas_iter
 * and a mcas_progress. No output may overlap an input.
 *
 * NULL with length 0 is an empty buffer. NULL with any other length, and
 * NULL for a struct or an output, is MCAS_ERR_NULL. A length above INT32_MAX,
 * also of room for output, is MCAS_ERR_TOO_LARGE.
 *
 * Panics do not leave the library: MCAS_ERR_PANIC, which is a bug of ours,
 * and the caller goes on.
 *
 * Other languages. What reads C declarations (cffi, say) can read what
 * `cc -E -P` makes of this file; numbers are one to a line, MCAS_NAME value.
 *
 * Threads. Reentrant; keeps no global mutable state; may be called from any
 * thread. Any number of threads may read the same buffer or message; no
 * other may use an iterator, a progress, an output, or what is written
 * meanwhile.
 *
 * Linking. Compare mcas_abi_version() with MCAS_ABI_VERSION where header and
 * library may differ. The static library is written in Rust and brings parts
 * of Rust's runtime along.
 *
 * Sources. There is no public specification. Provisioning and firmware are
 * read off a packet diary of September 2011 and VoIP-Info.jp, messages of the
 * LAN side off published clients; of update notifications only the URL is
 * known. The cookie is F5's (K6917).
 */
#ifndef MCAS_H
#define MCAS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * MCAS_ABI_VERSION: raised with every change of layout or meaning. Compare
 * it with mcas_abi_version() where header and library may differ.
 */
#define MCAS_ABI_VERSION 0u

/* mcas_status: what a function returns. */
typedef int32_t mcas_status;

#define MCAS_OK 0                    /* done */
#define MCAS_END 1                   /* there is no (further) one */
#define MCAS_PARTIAL 2               /* answered, but not whole */
#define MCAS_ERR_NULL (-1)           /* NULL where something must be */
#define MCAS_ERR_TOO_LARGE (-2)      /* a length above INT32_MAX */
#define MCAS_ERR_NOT_HTTP (-3)       /* the first line is not HTTP/1.x */
#define MCAS_ERR_RANGE (-4)          /* a number that may not stand there */
#define MCAS_ERR_PANIC (-5)          /* a bug of the library's */

/* mcas_span: a run of bytes of a buffer. */
typedef struct mcas_span {
    uint32_t offset; /* first byte */
    uint32_t length; /* number of bytes */
} mcas_span;

/*
 * Message types: the values of mcas.type. A response has the number behind
 * its request's; type 0 is answered by 13. Types 7 to 12 are the LAN side's,
 * between the gateway and the phones behind it.
 */
#define MCAS_TYPE_OTHER_REQUEST 0u
#define MCAS_TYPE_PROVISIONING_REQUEST 1u
#define MCAS_TYPE_PROVISIONING_RESPONSE 2u
#define MCAS_TYPE_FIRMWARE_REQUEST 3u
#define MCAS_TYPE_FIRMWARE_RESPONSE 4u
#define MCAS_TYPE_UPDATE_NOTIFICATION 5u
#define MCAS_TYPE_UPDATE_NOTIFICATION_RESPONSE 6u
#define MCAS_TYPE_EXTENSION_LIST_REQUEST 7u
#define MCAS_TYPE_EXTENSION_LIST_RESPONSE 8u
#define MCAS_TYPE_EXTENSION_CONFIGURATION_REQUEST 9u
#define MCAS_TYPE_EXTENSION_CONFIGURATION_RESPONSE 10u
#define MCAS_TYPE_SETUP_PUSH 11u
#define MCAS_TYPE_SETUP_PUSH_RESPONSE 12u
#define MCAS_TYPE_OTHER_RESPONSE 13u
#define MCAS_TYPE_NONE 0xffffffffu /* not a message of this protocol */

/* mcas_type_info: a row of the table of message types. */
typedef struct mcas_type_info {
    uint32_t id;             /* MCAS_TYPE_... */
    uint32_t kind;           /* MCAS_KIND_REQUEST or MCAS_KIND_RESPONSE */
    uint32_t counterpart;    /* of a request, the type of its response; of a
                                response, that of its request */
    uint32_t reserved;       /* 0 */
    const char *name;        /* for people */
    const char *description; /* what such a message is for */
} mcas_type_info;

/* Kinds of message. */
#define MCAS_KIND_UNKNOWN 0u /* too little is there to tell: "HT". What does
                                not begin HTTP/ is taken for a request until
                                its line shows that it is none */
#define MCAS_KIND_REQUEST 1u
#define MCAS_KIND_RESPONSE 2u

/* Methods that change how a message is read. */
#define MCAS_METHOD_OTHER 0u
#define MCAS_METHOD_GET 1u
#define MCAS_METHOD_HEAD 2u    /* its response has no body */
#define MCAS_METHOD_POST 3u
#define MCAS_METHOD_PUT 4u
#define MCAS_METHOD_CONNECT 5u /* after its success comes no HTTP */

/* How the end of a body is found (RFC 9112, section 6.3). */
#define MCAS_FRAMING_NONE 0u        /* there is no body */
#define MCAS_FRAMING_LENGTH 1u      /* by Content-Length */
#define MCAS_FRAMING_CHUNKED 2u     /* by its chunks */
#define MCAS_FRAMING_UNTIL_CLOSE 3u /* by the end of the connection */

/* What a Content-Type declares, as far as it matters here. */
#define MCAS_MEDIA_NONE 0u  /* there is none */
#define MCAS_MEDIA_FORM 1u  /* application/x-www-form-urlencoded */
#define MCAS_MEDIA_PLAIN 2u /* text/plain */
#define MCAS_MEDIA_OTHER 3u

/* Charsets that a Content-Type may declare. */
#define MCAS_CHARSET_UNKNOWN 0u   /* it declares none */
#define MCAS_CHARSET_UTF8 1u
#define MCAS_CHARSET_LATIN1 2u    /* ISO-8859-1, the known server's */
#define MCAS_CHARSET_SHIFT_JIS 3u /* as Windows has it */
#define MCAS_CHARSET_EUC_JP 4u
#define MCAS_CHARSET_OTHER 5u     /* read as if none were declared */

/* Flags of a message. */
#define MCAS_MESSAGE_COMPLETE 1u      /* its end was found */
#define MCAS_MESSAGE_HEAD_COMPLETE 2u /* its head's blank line is there */
#define MCAS_MESSAGE_BODY_CODED 4u    /* gzip or the like: not decoded */
#define MCAS_MESSAGE_UNMATCHED 8u     /* a response, taken for a provisioning
                                         response by its body alone */
#define MCAS_MESSAGE_BODY_BROKEN 16u  /* what should be a chunk is none; its
                                         end is the buffer's */
#define MCAS_MESSAGE_FRAMING_UNCLEAR 32u /* its headers do not agree on where
                                         the body ends (RFC 9112, section
                                         6.3). Chunks go before a length, the
                                         last length before other ones, as in
                                         Wireshark; others may take it
                                         otherwise */
#define MCAS_MESSAGE_HEAD_INVALID 64u /* its head breaks HTTP's grammar; it is
                                         read as Wireshark reads it */

/* Flags of a mcas_context. */
#define MCAS_CONTEXT_END_OF_STREAM 1u /* the connection ends behind the
                                         buffer: without it
                                         MCAS_FRAMING_UNTIL_CLOSE is never
                                         complete */
#define MCAS_CONTEXT_HEAD_ONLY 2u     /* only the head is of interest: the
                                         body is not looked at. A message in
                                         chunks does not count as complete,
                                         and the type is what its head says */

/* What a context knows of the request. */
#define MCAS_REQUEST_UNSEEN 0u /* nothing: there was none, or it is lost */
#define MCAS_REQUEST_SEEN 1u   /* its type and its method */

/*
 * mcas_context: what the caller knows about a message from outside of its
 * bytes. Each message is judged by itself or by the request it answers, so
 * this is what makes a response the firmware's or the provisioning's; a
 * request is the same whatever was asked before. One of zeros, as `= {0}`
 * makes it, knows nothing, and so does NULL in its place. One that knows of no
 * request but has a type or method of it is MCAS_ERR_RANGE, as a request that
 * is neither of the two is: it would not do what was meant.
 */
typedef struct mcas_context {
    uint32_t request;        /* of a response: MCAS_REQUEST_... */
    uint32_t request_type;   /* with MCAS_REQUEST_SEEN: its message_type; what
                                is no type of a request counts as
                                MCAS_TYPE_NONE, for one that is not ours */
    uint32_t request_method; /* with MCAS_REQUEST_SEEN: its method */
    uint32_t flags;          /* MCAS_CONTEXT_END_OF_STREAM and the like */
} mcas_context;

/* mcas_message: where the parts of a message are, and what it is for. */
typedef struct mcas_message {
    uint32_t kind;         /* MCAS_KIND_... */
    uint32_t message_type; /* MCAS_TYPE_...; for this context final once
                              MCAS_MESSAGE_COMPLETE: bytes to come may still
                              make a message ours, or tell one that is ours
                              more exactly */
    uint32_t flags;        /* MCAS_MESSAGE_COMPLETE and the like */
    uint32_t method;       /* MCAS_METHOD_... of the request, also in the
                              response */
    uint32_t status;       /* of a response; 0 if it is cut off */
    uint32_t framing;      /* MCAS_FRAMING_... */
    uint32_t media;        /* MCAS_MEDIA_... */
    uint32_t charset;      /* MCAS_CHARSET_... */
    uint32_t length;       /* bytes of the buffer that belong to it, from
                              the buffer's start; the next message begins
                              there if this one is MCAS_MESSAGE_COMPLETE. 0
                              only of an empty buffer */
    uint32_t begin;        /* offset of the start line: blank lines may
                              stand before it */
    mcas_span body;        /* as it was sent: chunks are still chunks */
    uint64_t body_length;  /* bytes of the body at hand, chunks undone */
    uint64_t body_missing; /* bytes that Content-Length announces but that
                              are not at hand */
    mcas_span status_digits;
    mcas_span authority;   /* host of an absolute target, without port */
    mcas_span path;        /* of the target, without query */
    mcas_span query;       /* behind the first '?' of the target */
    mcas_span host;        /* first Host header, without port */
    mcas_span user_agent;  /* first User-Agent header */
    mcas_span media_type;  /* of the body, without parameters */
    mcas_span cookies;     /* from the first Cookie or Set-Cookie header to
                              the value of the last, with what may stand
                              between them */
} mcas_message;

/*
 * mcas_bytes: bytes of the caller's, good for the time of a call. No NUL is
 * needed at their end. NULL with length 0 where there are none.
 */
typedef struct mcas_bytes {
    const uint8_t *start;
    size_t length;
} mcas_bytes;

/* Flags of mcas_parts. */
#define MCAS_PARTS_CUT 1u /* the body goes on behind the bytes at hand */

/*
 * mcas_parts: a message that something else has taken apart. What is not
 * known stays empty: one of zeros, as `= {0}` makes it, is a request of which
 * nothing is known.
 */
typedef struct mcas_parts {
    mcas_context context;        /* of a response: what it answers; its flags
                                    do not matter */
    uint32_t status;             /* of a response, at most 65535; 0 makes it
                                    a request */
    uint32_t flags;              /* MCAS_PARTS_CUT or 0 */
    mcas_bytes method;           /* of a request: "POST" */
    mcas_bytes target;           /* of a request: "/path?query", or
                                    "http://host/path?query" */
    mcas_bytes host;             /* of a request; a port may follow */
    mcas_bytes user_agent;       /* of a request */
    mcas_bytes content_type;     /* with its parameters */
    mcas_bytes content_encoding; /* if it was not undone */
} mcas_parts;

/* Tables: of which one an item has a row's number. */
#define MCAS_TABLE_FIELDS 1u
#define MCAS_TABLE_NOTES 2u

/* Flags of an item. */
#define MCAS_ITEM_GENERATED 1u       /* computed, not read as it stands */
#define MCAS_ITEM_PERCENT_ENCODED 2u /* so are the bytes of its span */
#define MCAS_ITEM_PARENT 4u          /* items that belong to it follow */
#define MCAS_ITEM_SECRET 8u          /* of a MCAS_FIELD_PARAM and its
                                        MCAS_FIELD_PARAM_VALUE: secret or
                                        personal, by its key, which sounds
                                        like that of a password, or is one of
                                        a field that has MCAS_FLAG_SECRET */

/*
 * mcas_item: a field with its value, or a note.
 *
 * Items come in the order in which header lines, parameters and entries of
 * lists stand in the message; what is said of the whole comes first or last.
 * An item of level 0 belongs to the message, one of level n to the last
 * field before it of level n - 1, though it need not lie inside of its span.
 * (There are three levels now, 0 to 2.) A note does not repeat the value that
 * it is about: show it below that field.
 *
 * What does not read as its type is no field of its own but a parameter:
 * MCAS_FIELD_PARAM with MCAS_FIELD_PARAM_NAME and MCAS_FIELD_PARAM_VALUE
 * below, and so is what is not known, and the last one of a message that is
 * cut.
 */
typedef struct mcas_item {
    uint16_t table;    /* MCAS_TABLE_FIELDS or MCAS_TABLE_NOTES */
    uint16_t level;    /* depth below the message */
    uint32_t id;       /* MCAS_FIELD_... or MCAS_NOTE_... */
    uint32_t flags;    /* MCAS_ITEM_GENERATED and the like */
    uint32_t charset;  /* MCAS_CHARSET_... of the span's bytes */
    mcas_span span;    /* where it is read from; of a text, the text */
    uint64_t number;   /* value of a numeric field; of a note, the
                          MCAS_FIELD_... that it is about: of a parameter
                          that failed to read, the field of its key; of the
                          whole message, MCAS_FIELD_TYPE */
    uint8_t bytes[16]; /* value of an address, its first 4, 6 or 16 bytes in
                          network order */
} mcas_item;

/*
 * mcas_iter: where reading stands. Made by the functions whose names end in
 * _items. It holds no pointer: it may be copied, which gives a second,
 * independent one, and it may outlive the message that it was made for, but
 * it is of use only with the same bytes. One of zeros is at its end.
 */
typedef struct mcas_iter {
    uint64_t state[104]; /* the library's own */
} mcas_iter;

/* How mcas_item_format writes an item. */
#define MCAS_FORMAT_VALUE 0u /* its value alone, for programs */
#define MCAS_FORMAT_TEXT 1u  /* what stands on the wire */
#define MCAS_FORMAT_LINE 2u  /* with its label, for people */
#define MCAS_FORMAT_NAMED 3u /* what it is called, and what stands there */

/* Types of field. */
#define MCAS_VALUE_STRING 0u        /* text: mcas_item_format */
#define MCAS_VALUE_UINT8 1u
#define MCAS_VALUE_UINT16 2u
#define MCAS_VALUE_UINT24 3u
#define MCAS_VALUE_UINT32 4u
#define MCAS_VALUE_UINT64 5u
#define MCAS_VALUE_IPV4 6u
#define MCAS_VALUE_IPV6 7u
#define MCAS_VALUE_ETHER 8u
#define MCAS_VALUE_BYTES 9u          /* known to a reader of captures only */
#define MCAS_VALUE_FRAME_NUMBER 10u  /* known to a reader of captures only */
#define MCAS_VALUE_RELATIVE_TIME 11u /* known to a reader of captures only */

/* How a number is shown where its type leaves a choice. */
#define MCAS_DISPLAY_PLAIN 0u
#define MCAS_DISPLAY_HEX 1u
#define MCAS_DISPLAY_OUI 2u      /* first half of a MAC address */
#define MCAS_DISPLAY_REQUEST 3u  /* link to the frame of a request */
#define MCAS_DISPLAY_RESPONSE 4u /* link to the frame of a response */

/* Flags of a field or note. */
#define MCAS_FLAG_SECRET 1u       /* secret or personal; also see
                                      MCAS_ITEM_SECRET */
#define MCAS_FLAG_HOST_PROGRAM 2u /* declared here, but yielded by the
                                      program that reads the capture alone */

/* mcas_field_info: a row of the table of fields. */
typedef struct mcas_field_info {
    uint32_t id;             /* MCAS_FIELD_... */
    uint32_t value_type;     /* MCAS_VALUE_STRING and the like */
    uint32_t display;        /* MCAS_DISPLAY_... */
    uint32_t flags;          /* MCAS_FLAG_SECRET and the like */
    const char *name;        /* as in Wireshark's display filters, permanent */
    const char *label;       /* for people */
    const char *description; /* what the label does not say */
    const char *key;         /* its usual key on the wire, in lower case, or
                                NULL. Phones say id for terminalid, and
                                term_type; ip_tel_num may have a number */
} mcas_field_info;

/* The fields, by their permanent numbers. */
#define MCAS_FIELD_TYPE                      0u
#define MCAS_FIELD_USER_AGENT                1u
#define MCAS_FIELD_USER_AGENT_VERSION        2u
#define MCAS_FIELD_DEVICE_MODEL              3u
#define MCAS_FIELD_DEVICE_FIRMWARE           4u
#define MCAS_FIELD_DEVICE_CARRIER            5u
#define MCAS_FIELD_HOST                      6u
#define MCAS_FIELD_ODM                       7u
#define MCAS_FIELD_COMPANY_CODE              8u
#define MCAS_FIELD_SERVICE_CODE              9u
#define MCAS_FIELD_CONTROL_CODE             10u
#define MCAS_FIELD_TERMINAL_ID              11u
#define MCAS_FIELD_TERMINAL_ID_MAC          12u
#define MCAS_FIELD_TERMINAL_ID_OUI          13u
#define MCAS_FIELD_TERMINAL_ID_OUI_RESOLVED 14u
#define MCAS_FIELD_RESULT_CODE              15u
#define MCAS_FIELD_IP_ADDR                  16u
#define MCAS_FIELD_NETMASK                  17u
#define MCAS_FIELD_GATEWAY                  18u
#define MCAS_FIELD_DEST_NW_ADDR             19u
#define MCAS_FIELD_DEST_NW_ADDR_NETWORK     20u
#define MCAS_FIELD_DEST_NW_ADDR_PREFIX      21u
#define MCAS_FIELD_SIPSV_ADDR               22u
#define MCAS_FIELD_SIPSV_PORT               23u
#define MCAS_FIELD_REGSV_ADDR               24u
#define MCAS_FIELD_REGSV_PORT               25u
#define MCAS_FIELD_SIP_DOMAIN               26u
#define MCAS_FIELD_USERNAME                 27u
#define MCAS_FIELD_PASSWORD                 28u
#define MCAS_FIELD_IP_TEL_NUM               29u
#define MCAS_FIELD_IP_TEL_NUM_INDEX         30u
#define MCAS_FIELD_AREA_CODE                31u
#define MCAS_FIELD_URL_UPDATE               32u
#define MCAS_FIELD_URL_UPDATE_CAS           33u
#define MCAS_FIELD_DSCP                     34u
#define MCAS_FIELD_DSCP_TOS                 35u
#define MCAS_FIELD_RTPPORT1                 36u
#define MCAS_FIELD_RTPPORT2                 37u
#define MCAS_FIELD_BIGIP                    38u
#define MCAS_FIELD_BIGIP_POOL               39u
#define MCAS_FIELD_BIGIP_ADDR               40u
#define MCAS_FIELD_BIGIP_ADDR6              41u
#define MCAS_FIELD_BIGIP_PORT               42u
#define MCAS_FIELD_BIGIP_ROUTE_DOMAIN       43u
#define MCAS_FIELD_FIRMWARE_PATH            44u
#define MCAS_FIELD_FIRMWARE_MODEL           45u
#define MCAS_FIELD_FIRMWARE_FILE            46u
#define MCAS_FIELD_FIRMWARE_SIZE            47u
#define MCAS_FIELD_FIRMWARE_SHA256          48u
#define MCAS_FIELD_TERM_TYPE                49u
#define MCAS_FIELD_EXTENSION                50u
#define MCAS_FIELD_STATUS                   51u
#define MCAS_FIELD_PARAM                    52u
#define MCAS_FIELD_PARAM_NAME               53u
#define MCAS_FIELD_PARAM_VALUE              54u
#define MCAS_FIELD_RESPONSE_IN              55u
#define MCAS_FIELD_RESPONSE_TO              56u
#define MCAS_FIELD_TIME                     57u
#define MCAS_FIELD_LEARNED                  58u
#define MCAS_FIELD_LEARNED_PROTOCOL         59u
#define MCAS_FIELD_LEARNED_ADDR             60u
#define MCAS_FIELD_LEARNED_PORT             61u
#define MCAS_FIELD_LEARNED_LAST_PORT        62u

/* How serious a note is. */
#define MCAS_SEVERITY_CHAT 0u
#define MCAS_SEVERITY_NOTE 1u
#define MCAS_SEVERITY_WARN 2u

/* What a note is about. */
#define MCAS_GROUP_PROTOCOL 0u
#define MCAS_GROUP_RESPONSE_CODE 1u
#define MCAS_GROUP_UNDECODED 2u
#define MCAS_GROUP_SEQUENCE 3u
#define MCAS_GROUP_SECURITY 4u

/* mcas_note_info: a row of the table of notes. */
typedef struct mcas_note_info {
    uint32_t id;             /* MCAS_NOTE_... */
    uint32_t group;          /* MCAS_GROUP_... */
    uint32_t severity;       /* MCAS_SEVERITY_... */
    uint32_t flags;          /* MCAS_FLAG_HOST_PROGRAM or 0 */
    const char *name;        /* display-filter name, permanent */
    const char *summary;     /* what it says, for people */
    const char *description; /* what it is about */
} mcas_note_info;

/* The notes, by their permanent numbers. */
#define MCAS_NOTE_RESULT_CODE_FAILURE  0u
#define MCAS_NOTE_VALUE_INVALID        1u
#define MCAS_NOTE_VALUE_MASKED         2u
#define MCAS_NOTE_VALUE_HOST_BITS      3u
#define MCAS_NOTE_VALUE_INCONSISTENT   4u
#define MCAS_NOTE_PARAM_UNKNOWN        5u
#define MCAS_NOTE_PARAM_MISSING        6u
#define MCAS_NOTE_CREDENTIALS          7u
#define MCAS_NOTE_TRUNCATED            8u
#define MCAS_NOTE_RESPONSE_UNMATCHED   9u
#define MCAS_NOTE_BODY_ENCODED        10u
#define MCAS_NOTE_FRAMING_UNCLEAR     11u
#define MCAS_NOTE_LIMIT               12u
#define MCAS_NOTE_HEAD_INVALID        13u
#define MCAS_NOTE_REQUEST_UNANSWERED  14u
#define MCAS_NOTE_REQUEST_RETRANSMITTED 15u
#define MCAS_NOTE_RESPONSE_BROKEN_OFF 16u
#define MCAS_NOTE_RESPONSE_UNCERTAIN  17u

/*
 * mcas_abi_version: the MCAS_ABI_VERSION that the library was built with.
 */
uint32_t mcas_abi_version(void);

/* mcas_version: the library's version, such as "0.1.0". */
const char *mcas_version(void);

/*
 * mcas_status_name: name of a status without its MCAS_, such as "END".
 * Any number may be given; never NULL.
 */
const char *mcas_status_name(mcas_status status);

/* mcas_status_text: what a status says, in a sentence; else likewise. */
const char *mcas_status_text(mcas_status status);

/*
 * mcas_type_get: the row of a message type. Count id up from 0 to list them
 * all.
 *
 * Returns: MCAS_OK; MCAS_END where there is no such type.
 */
mcas_status mcas_type_get(uint32_t id, mcas_type_info *out);

/*
 * mcas_field_get: the row of a field. Count id up from 0 to list them all.
 *
 * Returns: MCAS_OK; MCAS_END where there is no such field.
 */
mcas_status mcas_field_get(uint32_t id, mcas_field_info *out);

/*
 * mcas_field_value_name: a name that a value of a field has. Count index up
 * from 0 to list them all, in the order of the values.
 *
 * Parameters: id, MCAS_FIELD_...; index; number, the value; name, its name.
 * Returns: MCAS_OK; MCAS_END behind the last; MCAS_ERR_RANGE where there is
 * no such field.
 */
mcas_status mcas_field_value_name(uint32_t id, uint32_t index,
                                  uint32_t *number, const char **name);

/*
 * mcas_value_name: what a value of a field is called, such as "Success" for
 * number 0 of id MCAS_FIELD_RESULT_CODE.
 *
 * Returns: the name; NULL where there is none.
 */
const char *mcas_value_name(uint32_t id, uint64_t number);

/*
 * mcas_note_get: the row of a note. Count id up from 0 to list them all.
 *
 * Returns: MCAS_OK; MCAS_END where there is no such note.
 */
mcas_status mcas_note_get(uint32_t id, mcas_note_info *out);

/* Answers of mcas_sniff. */
#define MCAS_SNIFF_NO 0u            /* nothing of ours */
#define MCAS_SNIFF_OTHER_REQUEST 1u /* HTTP requests, none of them ours */
#define MCAS_SNIFF_CANDIDATE 2u     /* worth parsing */

/*
 * mcas_sniff: a first look at bytes that nothing is known of, such as a
 * packet's, which costs next to nothing where the answer is no. It speaks of
 * these bytes alone: more of them may change it, and it has no context, so
 * where the request is known ask mcas_classify. The first two answers are
 * certain: there is no message that mcas_message_parse, without a context,
 * would take for one of ours, among those whose heads are whole, of requests
 * those whose methods begin with a capital letter and have no small ones. But
 * behind a response that is not interim nothing is looked at.
 * MCAS_SNIFF_CANDIDATE promises nothing, and is also given for what ends HTTP
 * on a connection (CONNECT, 101), and for a head above 65536 bytes.
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_sniff(const uint8_t *buf, size_t len, uint32_t *out);

/* Answers of mcas_classify. */
#define MCAS_CLASS_NO 0u   /* not of this protocol, whatever follows */
#define MCAS_CLASS_YES 1u  /* of this protocol */
#define MCAS_CLASS_MORE 2u /* cannot be told yet */

/* mcas_class: what mcas_classify says. */
typedef struct mcas_class {
    uint32_t answer;       /* MCAS_CLASS_... */
    uint32_t message_type; /* with MCAS_CLASS_YES the type as far as it can be
                              told by now, else MCAS_TYPE_NONE */
    uint64_t more;         /* with MCAS_CLASS_MORE how many bytes more there
                              must be, at least 1, before the answer can be
                              yes, else 0 */
} mcas_class;

/*
 * mcas_classify: whether the first message of a stream is of this protocol;
 * of a stream of responses, the first that is not interim. For one context,
 * yes and no are final: more bytes do not change them, except that a yes
 * becomes a no where what follows is no HTTP after all. Without a context a
 * response is only ours if its body begins ResultCode=. All of the message
 * that is there is looked at on each call: to ask again when there is more,
 * see mcas_classify_resume.
 *
 * Parameters: context, what the stream answers, or NULL.
 * Returns: MCAS_OK; MCAS_ERR_RANGE as for any mcas_context.
 */
mcas_status mcas_classify(const uint8_t *buf, size_t len,
                          const mcas_context *context, mcas_class *out);

/*
 * mcas_message_parse: reads the message at the beginning of a buffer, which
 * may hold more.
 *
 * Parameters: context, or NULL for a message that nothing is known about.
 * Returns: MCAS_OK for a whole message; MCAS_PARTIAL for one that goes on
 * behind the buffer: what is there is told; MCAS_ERR_NOT_HTTP;
 * MCAS_ERR_RANGE as for any mcas_context.
 * Notes: a message that is HTTP but not of this protocol has type
 * MCAS_TYPE_NONE, and no items. All of the buffer that belongs to the
 * message is looked at: to come back when there is more after MCAS_PARTIAL,
 * see mcas_message_resume.
 */
mcas_status mcas_message_parse(const uint8_t *buf, size_t len,
                               const mcas_context *context,
                               mcas_message *out);

/*
 * mcas_progress: how far a message was read that comes in pieces. All zeros
 * before the first of them. It may be copied, and be given up at any time;
 * what is in it is the library's.
 */
typedef struct mcas_progress {
    uint64_t state[48];
} mcas_progress;

/*
 * mcas_message_resume: mcas_message_parse for a message that comes in pieces.
 * What was looked at on an earlier call is not looked at again, so that all
 * calls together cost what one does.
 *
 * Parameters: buf and len, all of the message that is there by now, from its
 * first byte on: the same bytes as on the last call, wherever they are now,
 * and maybe more behind them; context, the same as on the last call, but for
 * its flags; progress, one of zeros for the first piece, and the same one
 * for each other.
 * Returns: as mcas_message_parse, and the same message, with this exception:
 * of a head that is not whole and has more than 4096 bytes, it may be what
 * was known at half of its length.
 * Notes: with fewer bytes than before, or as the answer to another request,
 * it begins anew.
 */
mcas_status mcas_message_resume(const uint8_t *buf, size_t len,
                                const mcas_context *context,
                                mcas_progress *progress, mcas_message *out);

/*
 * mcas_classify_resume: mcas_classify for a stream that comes in pieces,
 * likewise. It has a progress of its own: not one that mcas_message_resume
 * has had.
 *
 * Parameters: as for mcas_classify and mcas_message_resume.
 * Returns: MCAS_OK, and the answer that mcas_classify gives, with the same
 * exception.
 */
mcas_status mcas_classify_resume(const uint8_t *buf, size_t len,
                                 const mcas_context *context,
                                 mcas_progress *progress, mcas_class *out);

/*
 * mcas_message_refused: where bytes that mcas_message_parse refuses cease to
 * be HTTP.
 *
 * Parameters: buf and len, what MCAS_ERR_NOT_HTTP was said of; offset, that
 * of the first byte with which no message can begin as they do: fewer of
 * them are not refused.
 * Returns: MCAS_OK; MCAS_END where they are not refused.
 * Notes: the first line is read once for each bit of the offset, so ask this
 * to tell somebody, and not as a matter of course.
 */
mcas_status mcas_message_refused(const uint8_t *buf, size_t len,
                                 size_t *offset);

/*
 * mcas_message_from_parts: what a message is for that something else has
 * taken apart, to be read on by mcas_body_items. It counts as complete
 * unless MCAS_PARTS_CUT says otherwise, its framing as MCAS_FRAMING_LENGTH,
 * and its spans are empty but for the body, which is all of body: of its
 * head, mcas_head_items gives the type, and the notes on that.
 *
 * Parameters: parts; body and body_len, its body with chunks undone.
 * Returns: MCAS_OK, also for one that is cut; MCAS_ERR_RANGE for a status
 * above 65535, and as for any mcas_context.
 */
mcas_status mcas_message_from_parts(const mcas_parts *parts,
                                    const uint8_t *body, size_t body_len,
                                    mcas_message *out);

/*
 * mcas_head_items: begins reading the head of a message. Go on with
 * mcas_next, giving it the message's buffer.
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_head_items(const mcas_message *message, mcas_iter *iter);

/*
 * mcas_body_items: begins reading the body of a message. Go on with
 * mcas_next, giving it the body's bytes; spans are places in them.
 *
 * Parameters: body and body_len, the body with its chunks undone, no more
 * and no less: what mcas_body_bytes wrote; or, if message->framing is not
 * MCAS_FRAMING_CHUNKED, buf + message->body.offset and message->body.length.
 * Returns: MCAS_OK.
 */
mcas_status mcas_body_items(const mcas_message *message, const uint8_t *body,
                            size_t body_len, mcas_iter *iter);

/*
 * mcas_user_agent_items: begins reading the value of a User-Agent header.
 * Go on with mcas_next, giving it the same bytes, as for those below.
 *
 * Returns: MCAS_OK, also where there will be no items since it is not a
 * gateway's.
 */
mcas_status mcas_user_agent_items(const uint8_t *buf, size_t len,
                                  mcas_iter *iter);

/*
 * mcas_cookie_items: begins reading the value of a Cookie or Set-Cookie
 * header: the BIG-IP persistence cookies in it.
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_cookie_items(const uint8_t *buf, size_t len,
                              mcas_iter *iter);

/*
 * mcas_bigip_items: begins reading the value of one BIG-IP persistence
 * cookie, such as 944474890.20480.0000 (F5, K6917).
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_bigip_items(const uint8_t *buf, size_t len,
                             mcas_iter *iter);

/*
 * mcas_target_items: begins reading the target of a request, or its path
 * alone: the host in it, the firmware that it names, and its query.
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_target_items(const uint8_t *buf, size_t len,
                              mcas_iter *iter);

/*
 * mcas_host_items: begins reading the value of a Host header; a port may
 * follow the host.
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_host_items(const uint8_t *buf, size_t len, mcas_iter *iter);

/*
 * mcas_next: the next item.
 *
 * Parameters: buf and len, the bytes that the iterator was made for.
 * Returns: MCAS_OK; MCAS_END behind the last item, and on every later call.
 * Notes: the number of items is at most 8 for each byte, plus 8; so a loop
 * ends.
 */
mcas_status mcas_next(const uint8_t *buf, size_t len, mcas_iter *iter,
                      mcas_item *out);

/*
 * mcas_next_many: the next items, as many as there are and as there is room
 * for: the same as mcas_next gives, in less time.
 *
 * Parameters: buf and len, the bytes that the iterator was made for; out,
 * room for most items; count, how many were written, at least 1.
 * Returns: MCAS_OK; MCAS_END behind the last item, and on every later call;
 * MCAS_ERR_RANGE where most is 0.
 * Notes: call it until MCAS_END. Calls of it and of mcas_next may take turns.
 */
mcas_status mcas_next_many(const uint8_t *buf, size_t len, mcas_iter *iter,
                           mcas_item *out, size_t most, size_t *count);

/*
 * mcas_item_format: an item as text, in UTF-8, percent-encoding undone.
 *
 * MCAS_FORMAT_VALUE writes a field's value alone: a text in full, numbers in
 * decimal (0xb8 where MCAS_DISPLAY_HEX, 00:1f:67 where MCAS_DISPLAY_OUI),
 * addresses as usual; of a note, the name (mcas_field_info) of the field that
 * it is about. MCAS_FORMAT_TEXT writes the bytes of the item's span, such as
 * 0000 for a result code of 0, or the value that a note is about.
 * MCAS_FORMAT_LINE writes "Result code: Success (0)", in brackets if the
 * value is computed, and "Warning: Values contradict each other (Gateway)";
 * control characters are shown by others, so it may go to a terminal as it
 * is. MCAS_FORMAT_NAMED writes "Success (0000)": what mcas_value_name says,
 * and in parentheses as MCAS_FORMAT_TEXT does or, where the value is computed,
 * as MCAS_FORMAT_VALUE does; where there is no name, that alone.
 *
 * Text is read in the charset of the item. Where it is none of that charset,
 * or none is declared, it is read as UTF-8, and where it is not that, as
 * ISO-8859-1; so no byte is lost. A NUL becomes U+2400.
 *
 * Parameters: buf and len, what the item was read from; style,
 * MCAS_FORMAT_...; out and out_len, room for the text and the NUL behind it;
 * needed, how many bytes the whole text has, without the NUL: in the first
 * two styles, at most three times the span's length, or 40. To ask for it give
 * NULL and 0, which is never room enough: the status is MCAS_PARTIAL then.
 * Returns: MCAS_OK; MCAS_PARTIAL if there was not room for all of it: then
 * out holds the whole characters that fit, and a NUL if out_len is not 0;
 * MCAS_ERR_RANGE where there is no such style.
 */
mcas_status mcas_item_format(const uint8_t *buf, size_t len,
                             const mcas_item *item, uint32_t style, char *out,
                             size_t out_len, size_t *needed);

/* Flags of mcas_config_format. */
#define MCAS_CONFIG_SECRETS 1u /* write the password, too */
#define MCAS_CONFIG_PJSIP 2u   /* only what is for Asterisk's pjsip.conf */

/*
 * mcas_config_format: the settings in an answer as a shell script, for those
 * who do without the gateway or the phone that asked: `ip addr` and `ip route`
 * with the networks put in order, and files for Asterisk, which it writes to
 * the current folder (hikari-0722123456-pjsip.conf, by the number, and
 * hikari-rtp.conf), unless there are such that are not its own. Run again it
 * changes nothing; its status is 0 if all of it succeeded, else 1. What is odd
 * about the settings stands in comments. The script is harmless whatever the
 * server sent: no value can become a line, a command or an option of its own,
 * and what does not fit is left out. Its lines end in LF.
 * With MCAS_CONFIG_PJSIP it is no script but the sections for pjsip.conf
 * alone, with comments that begin with `;`; where there can be none of them,
 * the comments say why.
 *
 * Parameters: message, a MCAS_TYPE_PROVISIONING_RESPONSE or
 * MCAS_TYPE_EXTENSION_CONFIGURATION_RESPONSE; body and body_len as for
 * mcas_body_items; flags, MCAS_CONFIG_...: without SECRETS a comment stands in
 * place of the password; out, out_len and needed as for mcas_item_format.
 * Returns: MCAS_OK; MCAS_PARTIAL if there was not room for all of it, then
 * out holds what fits, and must not be run; MCAS_END where the message is of
 * another type.
 * Notes: the text grows with the number of telephone numbers alone, and has
 * at most 16384 bytes for a body with one.
 */
mcas_status mcas_config_format(const mcas_message *message,
                               const uint8_t *body, size_t body_len,
                               uint32_t flags, char *out, size_t out_len,
                               size_t *needed);

/*
 * mcas_summary_format: a message in a line, such as "Provisioning response,
 * Success, 0312345678 at 172.20.184.194/30, SIP 121.0.34.41:5060". Control
 * characters and what turns the direction of writing are shown as dots, so it
 * may go to a terminal as it is.
 *
 * Parameters: message; buf and len, what it was parsed from; body and body_len
 * as for mcas_body_items; vendor, a string in UTF-8 that stands in parentheses
 * behind a terminal, for those who know whose MCAS_FIELD_TERMINAL_ID_OUI it
 * is, or NULL; out, out_len and needed as for mcas_item_format.
 * Returns: MCAS_OK; MCAS_PARTIAL as for mcas_item_format; MCAS_END where the
 * message is not of this protocol.
 * Notes: a text off the wire may make it as long as the message. Numbers of
 * terminals and telephones are in it, user names and passwords are not.
 */
mcas_status mcas_summary_format(const mcas_message *message,
                                const uint8_t *buf, size_t len,
                                const uint8_t *body, size_t body_len,
                                const char *vendor, char *out, size_t out_len,
                                size_t *needed);

/* What is spoken at an endpoint. */
#define MCAS_PROTOCOL_SIP 0u  /* at the SIP server, and at the registrar */
#define MCAS_PROTOCOL_RTP 1u  /* and RTCP beside it, at the device */
#define MCAS_PROTOCOL_HTTP 2u /* where update notifications go */

/* What it is spoken over. */
#define MCAS_TRANSPORT_UDP 1u
#define MCAS_TRANSPORT_TCP 2u

/* Flags of an endpoint. */
#define MCAS_ENDPOINT_IMPLAUSIBLE 1u /* no host can have it: its address is
                                        0.0.0.0 or for groups, its port is 0,
                                        or its last one before the first */
#define MCAS_ENDPOINT_IN_HEAD 2u     /* named in the head, by a query */

/* The most endpoints that a message names. */
#define MCAS_ENDPOINTS_MOST 4u

/* mcas_endpoint: an address, and where something is spoken there. */
typedef struct mcas_endpoint {
    uint32_t protocol;   /* MCAS_PROTOCOL_... */
    uint32_t transports; /* MCAS_TRANSPORT_UDP, MCAS_TRANSPORT_TCP or both */
    uint32_t flags;      /* MCAS_ENDPOINT_IMPLAUSIBLE and the like */
    uint32_t field;      /* MCAS_FIELD_... that names it: SIPSV_ADDR,
                            REGSV_ADDR, RTPPORT1 or URL_UPDATE_CAS */
    mcas_span span;      /* the value of that field: in the body or, with
                            MCAS_ENDPOINT_IN_HEAD, in the message's buffer */
    uint8_t address[4];  /* IPv4, in network order */
    uint16_t first_port;
    uint16_t last_port;  /* another one of a range only */
} mcas_endpoint;

/*
 * mcas_message_endpoints: where to look for what follows an answer: SIP at the
 * server and the registrar, RTP at the device, HTTP where update notifications
 * go if that is not a name. It is the word of whoever answered: whether a
 * packet looks the part says mcas_protocol_look, and an answer that is
 * MCAS_MESSAGE_UNMATCHED is anybody's.
 *
 * Parameters: message, buf, len, body and body_len as for mcas_summary_format;
 * receiver, the four bytes of the IPv4 address that the message was sent to,
 * which is where a phone's RTP arrives, or NULL if that is not known; out,
 * room for most endpoints; count, how many there are, 1 to
 * MCAS_ENDPOINTS_MOST.
 * Returns: MCAS_OK; MCAS_PARTIAL if there was not room for all: then out holds
 * the first ones; MCAS_END where it names none, as no message does but the
 * successful answers to a gateway and to a phone, and a setup push.
 */
mcas_status mcas_message_endpoints(const mcas_message *message,
                                   const uint8_t *buf, size_t len,
                                   const uint8_t *body, size_t body_len,
                                   const uint8_t *receiver,
                                   mcas_endpoint *out, size_t most,
                                   size_t *count);

/*
 * mcas_endpoint_format: an endpoint as "RTP at 198.51.100.7:5004-5035".
 *
 * Parameters: out, out_len and needed as for mcas_item_format; at most 40
 * bytes are needed.
 * Returns: MCAS_OK; MCAS_PARTIAL as for mcas_item_format.
 */
mcas_status mcas_endpoint_format(const mcas_endpoint *endpoint, char *out,
                                 size_t out_len, size_t *needed);

/*
 * mcas_protocol_name: name of a MCAS_PROTOCOL_..., such as "SIP".
 *
 * Returns: the name; NULL where there is none.
 */
const char *mcas_protocol_name(uint32_t protocol);

/* Answers of mcas_protocol_look. */
#define MCAS_PACKET_OTHER 0u /* none of these */
#define MCAS_PACKET_SIP 1u   /* a SIP message, or its beginning */
#define MCAS_PACKET_RTP 2u
#define MCAS_PACKET_RTCP 3u
#define MCAS_PACKET_HTTP 4u  /* worth mcas_classify, or any response */

/*
 * mcas_protocol_look: whether bytes look like what is spoken at an endpoint of
 * this protocol. RTP and RTCP have little to be known by: their version, which
 * is two bits, and that there are 12 bytes or 8.
 *
 * Parameters: protocol, MCAS_PROTOCOL_...; buf and len, the payload of a UDP
 * packet or a TCP segment; out, MCAS_PACKET_....
 * Returns: MCAS_OK; MCAS_ERR_RANGE where there is no such protocol.
 */
mcas_status mcas_protocol_look(uint32_t protocol, const uint8_t *buf,
                               size_t len, uint32_t *out);

/*
 * mcas_file_name: a name to save a message's body under that no file system
 * minds: "RTS300HI-PRRTRV-S3X0HI12020003.bin" for an image,
 * "001f67a1b2c3-provisioning.txt" for a document that a device is given.
 * There are letters, digits, '-', '_' and '.' in it, and no '.' is first.
 *
 * Parameters: device, of a document, a terminal id or an address; model and
 * file, of an image, values of MCAS_FIELD_FIRMWARE_MODEL and
 * MCAS_FIELD_FIRMWARE_FILE of its request: strings, or NULL; out, out_len and
 * needed as for mcas_item_format; at most 256 bytes are needed.
 * Returns: MCAS_OK; MCAS_PARTIAL as for mcas_item_format; MCAS_END where the
 * body is none of these, is empty, or is not whole: cut, broken, a part (206)
 * or in a content coding.
 */
mcas_status mcas_file_name(const mcas_message *message, const char *device,
                           const char *model, const char *file, char *out,
                           size_t out_len, size_t *needed);

/*
 * mcas_body_bytes: the body of a message, with its chunks undone.
 *
 * Parameters: buf and len, what the message was parsed from; out and
 * out_len, room for the body; needed, how many bytes it has:
 * message->body_length, which is at most len.
 * Returns: MCAS_OK, also for what is there of a body that is cut or broken;
 * MCAS_PARTIAL if there was not room for all of it: then out holds what fits.
 */
mcas_status mcas_body_bytes(const mcas_message *message, const uint8_t *buf,
                            size_t len, uint8_t *out, size_t out_len,
                            size_t *needed);

/*
 * mcas_body_dechunk: undoes the chunked transfer coding (RFC 9112, section
 * 7.1) of bytes that are known to have it.
 *
 * Parameters: buf and len, the chunks; out and out_len, room for their data;
 * needed, how many bytes of data there are, at most len.
 * Returns: MCAS_OK, also for what is there of chunks that are cut or broken,
 * of which mcas_message_parse tells; MCAS_PARTIAL if there was not room for
 * all of it: then out holds what fits.
 */
mcas_status mcas_body_dechunk(const uint8_t *buf, size_t len, uint8_t *out,
                              size_t out_len, size_t *needed);

/*
 * THE TRACKER: WHO ANSWERS WHOM
 *
 * The one part of the library with a handle. It is given TCP's segments, in
 * the order of the capture, and finds the messages of this protocol in them,
 * each with the exchange that it belongs to. A link between a response and a
 * request is meant to be certain, or there is none: captures lose packets,
 * and where a response may answer one of several requests, or one that was
 * not captured, it is MCAS_TRACK_UNCERTAIN. So is every response behind
 * missing bytes that may hold a request, and on a connection whose beginning
 * was not captured. This section is young: docs/security.md says how far that
 * has been shown, and functions may change. After each segment, and after
 * mcas_tracker_finish, call mcas_tracker_next until MCAS_END:
 *
 *     mcas_tracker_new(&tracker);
 *     while (next_packet(&segment)) {
 *         mcas_tracker_segment(tracker, &segment);
 *         while (mcas_tracker_next(tracker, &found) == MCAS_OK)
 *             print_items(found.bytes, found.length, ...);
 *     }
 *     mcas_tracker_finish(tracker);
 *     while (mcas_tracker_next(tracker, &found) == MCAS_OK)
 *         ...
 *     mcas_tracker_free(tracker);
 *
 * Segments need not come in the order in which they were sent: what is
 * missing is waited for, for some time, so that messages are found some
 * segments later, and with them what was captured too early.
 *
 * Who has the bytes of the two directions and no packets (a proxy, files of
 * tcpflow) gives them to mcas_tracker_bytes in the place of segments, in
 * whatever order they are at hand. Requests and responses are found in pairs
 * then, in the order of the connection.
 *
 * Memory: a tracker holds bytes of messages that are not whole, up to 16 MiB
 * of one, and 1 MiB of segments of a connection that wait for others, or 16
 * MiB of a direction's bytes. It follows 65536 connections, which hold no more
 * than 128 MiB together, and as many without packets; those that were quiet
 * for longest are given up. Each exchange takes some 120 bytes until
 * mcas_tracker_forget.
 *
 * Threads: one at a time may use a tracker.
 *
 * Panics poison a tracker: the call that met one returns MCAS_ERR_PANIC, and
 * so does every later one; it can still be freed.
 */
typedef struct mcas_tracker mcas_tracker;

/* Flags of a segment. */
#define MCAS_SEGMENT_SYN 1u  /* it opens a connection */
#define MCAS_SEGMENT_FIN 2u  /* nothing follows it */
#define MCAS_SEGMENT_RST 4u  /* the connection is broken off */
#define MCAS_SEGMENT_ACK 16u /* it has an acknowledgement */
#define MCAS_SEGMENT_IDENTIFIED 32u /* identification is known: the same
                                segment with the same one within a
                                millisecond is a mirror port's copy */

/* mcas_segment: a TCP segment, as far as it was captured. */
typedef struct mcas_segment {
    const uint8_t *bytes;    /* what was captured of its payload */
    const uint8_t *from;     /* address of who sent it */
    const uint8_t *to;       /* and of who receives it */
    uint64_t connection;     /* the caller's number for the connection, or 0:
                                another number begins anew */
    uint64_t tag;            /* handed back, such as a frame's number; 0 looks
                                like nothing */
    uint64_t time;           /* when it was captured, in nanoseconds */
    uint32_t captured;       /* number of bytes */
    uint32_t length;         /* of the payload on the wire */
    uint32_t sequence;       /* sequence number */
    uint32_t acknowledged;   /* with MCAS_SEGMENT_ACK */
    uint32_t flags;          /* MCAS_SEGMENT_... */
    uint32_t address_length; /* of each: 4 or 16 */
    uint16_t from_port;
    uint16_t to_port;
    uint16_t identification; /* of the IP packet, with
                                MCAS_SEGMENT_IDENTIFIED */
    uint16_t reserved;       /* 0 */
} mcas_segment;

/* Flags of a found message and of an exchange. */
#define MCAS_TRACK_ANSWERED 1u      /* a response was found for it */
#define MCAS_TRACK_UNCERTAIN 2u     /* the response may answer one of several
                                       requests, or one that was not captured:
                                       MCAS_NOTE_RESPONSE_UNCERTAIN */
#define MCAS_TRACK_UNANSWERED 4u    /* connection or capture have ended
                                       without one:
                                       MCAS_NOTE_REQUEST_UNANSWERED */
#define MCAS_TRACK_RETRANSMITTED 8u /* the request was sent again:
                                       MCAS_NOTE_REQUEST_RETRANSMITTED */
#define MCAS_TRACK_BROKEN_OFF 16u   /* the response ended early:
                                       MCAS_NOTE_RESPONSE_BROKEN_OFF */

/* mcas_tracked_message: a message that was found. */
typedef struct mcas_tracked_message {
    mcas_message message;
    const uint8_t *bytes;   /* what it was read from; the tracker's, until
                               the next call but mcas_tracker_exchange and
                               mcas_tracker_forget */
    uint64_t exchange;      /* number of its exchange */
    uint64_t first_tag;     /* of the segment that it begins in */
    uint64_t last_tag;      /* of the last segment with bytes of it */
    uint64_t time;          /* of the segment that it begins in */
    uint64_t missing;       /* bytes of its body that did not come */
    uint64_t connection;    /* the caller's number for its connection */
    mcas_context context;   /* that it was parsed with */
    uint8_t from[16];       /* address of who sent it */
    uint8_t to[16];         /* and of who receives it */
    uint32_t address_length; /* of each: 4 or 16; 0 where there are none */
    uint32_t length;        /* number of bytes */
    uint32_t sequence;      /* sequence number of the first; of
                               mcas_tracker_bytes, how many bytes of its
                               direction stand before it, modulo 2^32 */
    uint32_t flags;         /* MCAS_TRACK_UNCERTAIN or 0 */
    uint16_t from_port;     /* 0 where there are no addresses */
    uint16_t to_port;
    uint32_t reserved;      /* 0 */
} mcas_tracked_message;

/*
 * mcas_tracked_exchange: what is known of a request and its response, by now.
 * A tag is 0 where there is none.
 */
typedef struct mcas_tracked_exchange {
    uint64_t number;         /* from 1 */
    uint64_t request_tag;    /* where the request begins */
    uint64_t request_time;
    uint64_t last_try_tag;   /* where it was sent again for the last time */
    uint64_t last_try_time;
    uint64_t response_tag;   /* where the response begins */
    uint64_t response_time;
    uint64_t response_bytes; /* of its body, as far as they came */
    uint32_t request_type;   /* MCAS_TYPE_..., NONE if it was not captured */
    uint32_t request_method; /* MCAS_METHOD_... */
    uint32_t status;         /* of the response */
    uint32_t tries;          /* how often the request was sent */
    uint32_t flags;          /* MCAS_TRACK_... */
    uint32_t reserved;       /* 0 */
} mcas_tracked_exchange;

/*
 * mcas_tracker_new: a tracker that has seen nothing. To be freed by
 * mcas_tracker_free.
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_tracker_new(mcas_tracker **out);

/* mcas_tracker_free: frees a tracker, and all that it has handed out; NULL
 * is nothing. */
void mcas_tracker_free(mcas_tracker *tracker);

/*
 * mcas_tracker_segment: takes the next segment of the capture, of whatever
 * connection. One without payload and flags may be left out.
 *
 * Returns: MCAS_OK; MCAS_ERR_RANGE where addresses have another length.
 */
mcas_status mcas_tracker_segment(mcas_tracker *tracker,
                                 const mcas_segment *segment);

/* The sides of a connection. */
#define MCAS_SIDE_CLIENT 0u /* the one that asks */
#define MCAS_SIDE_SERVER 1u /* the one that answers */

/*
 * mcas_tracker_bytes: takes bytes of one side of a connection, right behind
 * those before, where there are no packets. Those of a response wait for its
 * request, and those of a request for the response to the one before it, so
 * that what follows a CONNECT is not read unless the server has refused it.
 * If more than 16 MiB of a side wait, they wait no longer, and links may be
 * lost.
 *
 * Parameters: connection, the caller's number for it; from, MCAS_SIDE_...;
 * tag, handed back, such as the time; buf and len, the bytes, which are
 * copied.
 * Returns: MCAS_OK; MCAS_PARTIAL where some wait for the other side's: who
 * can choose gives those next; MCAS_END where nothing of this side is read
 * any more, since a tunnel is in it, or another protocol;
 * MCAS_ERR_NOT_HTTP where what it sends is not HTTP, then and later, which
 * does no harm to others; MCAS_ERR_RANGE where there is no such side.
 */
mcas_status mcas_tracker_bytes(mcas_tracker *tracker, uint64_t connection,
                               uint32_t from, uint64_t tag,
                               const uint8_t *buf, size_t len);

/*
 * mcas_tracker_end: that side sends no more. Once that is said of both, the
 * number is free for another connection.
 *
 * Returns: as mcas_tracker_bytes.
 */
mcas_status mcas_tracker_end(mcas_tracker *tracker, uint64_t connection,
                             uint32_t from);

/*
 * mcas_tracker_finish: there are no more segments, and no more bytes. What
 * has waited for others is looked at, and what nobody has answered is
 * MCAS_TRACK_UNANSWERED.
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_tracker_finish(mcas_tracker *tracker);

/*
 * mcas_tracker_next: the next message of those that were found.
 *
 * Returns: MCAS_OK; MCAS_END where there is none (yet).
 */
mcas_status mcas_tracker_next(mcas_tracker *tracker,
                              mcas_tracked_message *out);

/*
 * mcas_tracker_exchange: what is known of an exchange by now.
 *
 * Returns: MCAS_OK; MCAS_END where there is none of that number.
 */
mcas_status mcas_tracker_exchange(mcas_tracker *tracker, uint64_t number,
                                  mcas_tracked_exchange *out);

/*
 * mcas_tracker_forget: forgets the exchanges up to this number.
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_tracker_forget(mcas_tracker *tracker, uint64_t number);

#ifdef __cplusplus
}
#endif

#endif /* MCAS_H */

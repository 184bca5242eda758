/*
 * mcas.h - read M-CAS, the HTTP protocol by which the home gateways of NTT's
 * Hikari Denwa get their telephone settings and firmware.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A TOUR
 *
 * The library reads one HTTP message of either direction, from bytes that
 * the caller holds. It says where the message ends and what it is for
 * (mcas_message_parse), and yields what is in it, one item at a time: fields
 * with a typed value, and notes on whatever is odd.
 *
 *     mcas_message message;
 *     mcas_iter iter;
 *     mcas_item item;
 *     mcas_field_info info;
 *
 *     if (mcas_message_parse(buf, len, NULL, &message) < 0)
 *         return;                               // not HTTP
 *     mcas_head_items(&message, &iter);
 *     while (mcas_next(&message, buf, len, &iter, &item) == MCAS_OK) {
 *         if (item.kind == MCAS_ITEM_FIELD
 *             && mcas_field_get(item.id, &info) == MCAS_OK)
 *             printf("%s at byte %u\n", info.name, item.span.offset);
 *     }
 *
 * The body is read the same way, after mcas_body_items. A chunked body has
 * no value in one piece, so mcas_body_dechunk puts it together in memory of
 * the caller's first.
 *
 * RULES THAT HOLD FOR EVERY FUNCTION
 *
 * Memory. There is none of the library's: structs and buffers are the
 * caller's, there is no handle to free, and nothing is allocated. Strings
 * that are returned are static.
 *
 * Results are spans: offset and length in the buffer they were read from.
 * Hand in the same bytes on every call for a message; other bytes give wrong
 * spans, never undefined behaviour.
 *
 * Status. 0 is MCAS_OK. What is positive is no error: MCAS_END, when there
 * is no more, and MCAS_PARTIAL, when an answer is given but not whole. What
 * is negative is a failure. Numbers are never reused. Trouble inside of a
 * message is not a failure; it is a note among its items.
 *
 * Outputs stand last and are written only if the status is not negative and
 * not MCAS_END. The one thing that is read and written is a mcas_iter.
 *
 * NULL with length 0 is an empty buffer. NULL with any other length, and
 * NULL for a struct or an output, is MCAS_ERR_NULL. A length above INT32_MAX
 * is MCAS_ERR_TOO_LARGE.
 *
 * Panics do not leave the library: MCAS_ERR_PANIC, which is a bug of ours,
 * and the caller goes on.
 *
 * Threads. Reentrant; keeps no global mutable state; may be called from any
 * thread, provided no other thread touches the same iterator, output or
 * buffer meanwhile.
 *
 * Sources. There is no public specification. Facts marked «observed» come
 * from a packet diary of September 2011 and from VoIP-Info.jp; all else is
 * inferred from them.
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
#define MCAS_ERR_TOO_MANY_HEADERS (-4) /* more than 256 header lines */
#define MCAS_ERR_RANGE (-5)          /* there is no such number */
#define MCAS_ERR_PANIC (-6)          /* a bug of the library's */

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
#define MCAS_TYPE_NONE 0xffffffffu   /* not a message of this protocol */
#define MCAS_TYPE_UNSEEN 0xfffffffeu /* mcas_context: no request was seen */

/* Kinds of message. */
#define MCAS_KIND_UNKNOWN 0u /* too little is there to tell */
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

/* Flags of a message. */
#define MCAS_COMPLETE 1u      /* nothing of it is missing */
#define MCAS_HEAD_COMPLETE 2u /* the head is there to its blank line */
#define MCAS_BODY_CODED 4u    /* gzip or the like: not decoded */
#define MCAS_BODY_LATIN1 8u   /* the body is declared ISO-8859-1 */
#define MCAS_UNMATCHED 16u    /* a response without request */
#define MCAS_BODY_BROKEN 32u  /* what should be a chunk is none */

/* Flags of a mcas_context. */
#define MCAS_END_OF_STREAM 1u /* the connection ends behind the buffer */
#define MCAS_HEAD_ONLY 2u     /* only the head is of interest: chunks, which
                                 can be many, are not walked, and such a
                                 message does not count as complete */

/*
 * mcas_context: what the caller knows about a message from outside of its
 * bytes. Each message is judged by itself or by the request it answers, so
 * this is what makes a response the firmware's or the provisioning's.
 */
typedef struct mcas_context {
    uint32_t request_type;   /* of a response: type of its request,
                                MCAS_TYPE_NONE for one that is not ours,
                                MCAS_TYPE_UNSEEN if there was none */
    uint32_t request_method; /* of a response: method of its request */
    uint32_t flags;          /* MCAS_END_OF_STREAM, MCAS_HEAD_ONLY */
} mcas_context;

/* mcas_message: where the parts of a message are, and what it is for. */
typedef struct mcas_message {
    uint32_t kind;         /* MCAS_KIND_... */
    uint32_t message_type; /* MCAS_TYPE_...; final once MCAS_COMPLETE: bytes
                              to come may still make a message ours, or tell
                              one that is ours more exactly */
    uint32_t flags;        /* MCAS_COMPLETE and the like */
    uint32_t method;       /* MCAS_METHOD_... of the request, also in the
                              response */
    uint32_t status;       /* of a response; 0 if it is cut off */
    uint32_t framing;      /* MCAS_FRAMING_... */
    uint32_t length;       /* bytes of the buffer that belong to it, from
                              the buffer's start; the next message begins
                              there if this one is MCAS_COMPLETE */
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
} mcas_message;

/* Kinds of item. */
#define MCAS_ITEM_FIELD 1u
#define MCAS_ITEM_NOTE 2u

/* Flags of an item. */
#define MCAS_ITEM_GENERATED 1u       /* computed, not read as it stands */
#define MCAS_ITEM_PERCENT_ENCODED 2u /* so are the bytes of its span */
#define MCAS_ITEM_LATIN1 4u          /* so are the bytes of its span */

/*
 * mcas_item: a field with its value, or a note.
 *
 * Items come in the order of the bytes they are read from. One of level 0
 * belongs to the message, one of level n to the last field before it of
 * level n - 1.
 */
typedef struct mcas_item {
    uint32_t kind;  /* MCAS_ITEM_... */
    uint32_t id;    /* MCAS_FIELD_... or MCAS_NOTE_... */
    uint32_t level; /* depth below the message */
    uint32_t flags;
    mcas_span span; /* where it is read from; of a text, the text */
    uint64_t number;   /* value of a numeric field; of a note that names a
                          field (MCAS_NOTE_PARAM_MISSING and
                          MCAS_NOTE_VALUE_INCONSISTENT), that field */
    uint8_t bytes[16]; /* value of an address, its first 4, 6 or 16 bytes in
                          network order */
} mcas_item;

/*
 * mcas_iter: where reading stands. Made by mcas_head_items or
 * mcas_body_items; may be copied, which gives a second, independent one.
 */
typedef struct mcas_iter {
    uint64_t state[64]; /* the library's own */
} mcas_iter;

/* Types of field. */
#define MCAS_STRING 0u        /* text: mcas_item_text */
#define MCAS_UINT8 1u
#define MCAS_UINT16 2u
#define MCAS_UINT24 3u
#define MCAS_UINT32 4u
#define MCAS_UINT64 5u
#define MCAS_IPV4 6u
#define MCAS_IPV6 7u
#define MCAS_ETHER 8u
#define MCAS_BYTES 9u
#define MCAS_FRAME_NUMBER 10u  /* known to a reader of captures only */
#define MCAS_RELATIVE_TIME 11u /* known to a reader of captures only */

/* How a number is shown where its type leaves a choice. */
#define MCAS_DISPLAY_PLAIN 0u
#define MCAS_DISPLAY_HEX 1u
#define MCAS_DISPLAY_OUI 2u      /* first half of a MAC address */
#define MCAS_DISPLAY_REQUEST 3u  /* link to the frame of a request */
#define MCAS_DISPLAY_RESPONSE 4u /* link to the frame of a response */

/* Flags of a field. */
#define MCAS_FLAG_SECRET 1u       /* secret or personal */
#define MCAS_FLAG_HOST_PROGRAM 2u /* declared here, but filled by the
                                      program that reads the capture */

/* mcas_field_info: a row of the table of fields. */
typedef struct mcas_field_info {
    uint32_t id;             /* MCAS_FIELD_... */
    uint32_t kind;           /* MCAS_STRING and the like */
    uint32_t display;        /* MCAS_DISPLAY_... */
    uint32_t flags;          /* MCAS_FLAG_SECRET and the like */
    const char *name;        /* display-filter name, permanent */
    const char *label;       /* for people */
    const char *description; /* what the label does not say, or NULL */
    const char *key;         /* on the wire, in lower case, or NULL */
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
    uint32_t id;         /* MCAS_NOTE_... */
    uint32_t group;      /* MCAS_GROUP_... */
    uint32_t severity;   /* MCAS_SEVERITY_... */
    uint32_t reserved;   /* 0 */
    const char *name;    /* display-filter name, permanent */
    const char *summary; /* what it says, for people */
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

/*
 * mcas_field_get: the row of a field. Count id up from 0 to list them all.
 *
 * Returns: MCAS_OK; MCAS_END where there is no such field.
 */
mcas_status mcas_field_get(uint32_t id, mcas_field_info *out);

/*
 * mcas_field_value: a name that a value of a field has. Count index up from
 * 0 to list them all, in the order of the values.
 *
 * Parameters: id, MCAS_FIELD_...; index; number, the value; name, its name.
 * Returns: MCAS_OK; MCAS_END behind the last; MCAS_ERR_RANGE where there is
 * no such field.
 */
mcas_status mcas_field_value(uint32_t id, uint32_t index, uint32_t *number,
                             const char **name);

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
 * mcas_sniff: a first look at bytes that nothing is known of, which costs
 * next to nothing where the answer is no. The first two answers are certain
 * for requests; of responses only the first that is not interim is looked
 * at. The third promises nothing, and is also given for what ends HTTP on a
 * connection (CONNECT, 101).
 *
 * Returns: MCAS_OK.
 */
mcas_status mcas_sniff(const uint8_t *buf, size_t len, uint32_t *out);

/*
 * mcas_message_parse: reads the message at the beginning of a buffer, which
 * may hold more.
 *
 * Parameters: context, or NULL for a message that nothing is known about.
 * Returns: MCAS_OK for a whole message; MCAS_PARTIAL for one that goes on
 * behind the buffer: what is there is told; MCAS_ERR_NOT_HTTP;
 * MCAS_ERR_TOO_MANY_HEADERS.
 * Notes: a message that is HTTP but not of this protocol has type
 * MCAS_TYPE_NONE, and no items.
 */
mcas_status mcas_message_parse(const uint8_t *buf, size_t len,
                               const mcas_context *context,
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
 * Parameters: buf and len, what the message was parsed from; body and
 * body_len, the bytes of message->body, with chunks undone.
 * Returns: MCAS_OK.
 */
mcas_status mcas_body_items(const mcas_message *message, const uint8_t *buf,
                            size_t len, const uint8_t *body,
                            size_t body_len, mcas_iter *iter);

/*
 * mcas_next: the next item.
 *
 * Parameters: message, the one that the iterator was made for; buf and len,
 * the message's buffer or the body's bytes, as the iterator wants it.
 * Returns: MCAS_OK; MCAS_END behind the last item, and on every later call.
 * Notes: the number of items is at most 8 for each byte, plus 8; so a loop
 * ends.
 */
mcas_status mcas_next(const mcas_message *message, const uint8_t *buf,
                      size_t len, mcas_iter *iter, mcas_item *out);

/*
 * mcas_item_text: the text of an item's span as UTF-8, percent-encoding
 * undone. Bytes that are not UTF-8, and all of an item that is
 * MCAS_ITEM_LATIN1, are read as ISO-8859-1. A NUL becomes U+2400. No NUL is
 * added at the end.
 *
 * Parameters: buf and len, what the item was read from; out and out_len,
 * room for the text; needed, how many bytes the whole text has, at most
 * three times the span's length.
 * Returns: MCAS_OK; MCAS_PARTIAL if there was not room for all of it: then
 * out holds the whole characters that fit.
 */
mcas_status mcas_item_text(const uint8_t *buf, size_t len,
                           const mcas_item *item, uint8_t *out,
                           size_t out_len, size_t *needed);

/*
 * mcas_body_dechunk: puts the chunks of a body together.
 *
 * Parameters: buf and len, the bytes of message->body; out and out_len, room
 * for the body; needed, how many bytes it has: message->body_length.
 * Returns: MCAS_OK; MCAS_PARTIAL if there was not room for all of it: then
 * out holds what fits.
 */
mcas_status mcas_body_dechunk(const uint8_t *buf, size_t len, uint8_t *out,
                              size_t out_len, size_t *needed);

#ifdef __cplusplus
}
#endif

#endif /* MCAS_H */

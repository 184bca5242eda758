#ifndef MCAS_H
#define MCAS_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#define MCAS_ABI_VERSION 0u
typedef int32_t mcas_status;
#define MCAS_OK 0
#define MCAS_END 1
#define MCAS_PARTIAL 2
#define MCAS_ERR_NULL (-1)
#define MCAS_ERR_TOO_LARGE (-2)
#define MCAS_ERR_NOT_HTTP (-3)
#define MCAS_ERR_RANGE (-4)
#define MCAS_ERR_PANIC (-5)
typedef struct mcas_span {
    uint32_t offset;
    uint32_t length;
} mcas_span;
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
#define MCAS_TYPE_NONE 0xffffffffu
typedef struct mcas_type_info {
    uint32_t id;
    uint32_t kind;
    uint32_t counterpart;
    uint32_t reserved;
    const char *name;
    const char *description;
} mcas_type_info;
#define MCAS_KIND_UNKNOWN 0u
#define MCAS_KIND_REQUEST 1u
#define MCAS_KIND_RESPONSE 2u
#define MCAS_METHOD_OTHER 0u
#define MCAS_METHOD_GET 1u
#define MCAS_METHOD_HEAD 2u
#define MCAS_METHOD_POST 3u
#define MCAS_METHOD_PUT 4u
#define MCAS_METHOD_CONNECT 5u
#define MCAS_FRAMING_NONE 0u
#define MCAS_FRAMING_LENGTH 1u
#define MCAS_FRAMING_CHUNKED 2u
#define MCAS_FRAMING_UNTIL_CLOSE 3u
#define MCAS_MEDIA_NONE 0u
#define MCAS_MEDIA_FORM 1u
#define MCAS_MEDIA_PLAIN 2u
#define MCAS_MEDIA_OTHER 3u
#define MCAS_CHARSET_UNKNOWN 0u
#define MCAS_CHARSET_UTF8 1u
#define MCAS_CHARSET_LATIN1 2u
#define MCAS_CHARSET_SHIFT_JIS 3u
#define MCAS_CHARSET_EUC_JP 4u
#define MCAS_CHARSET_OTHER 5u
#define MCAS_MESSAGE_COMPLETE 1u
#define MCAS_MESSAGE_HEAD_COMPLETE 2u
#define MCAS_MESSAGE_BODY_CODED 4u
#define MCAS_MESSAGE_UNMATCHED 8u
#define MCAS_MESSAGE_BODY_BROKEN 16u
#define MCAS_MESSAGE_FRAMING_UNCLEAR 32u
#define MCAS_MESSAGE_HEAD_INVALID 64u
#define MCAS_CONTEXT_END_OF_STREAM 1u
#define MCAS_CONTEXT_HEAD_ONLY 2u
#define MCAS_REQUEST_UNSEEN 0u
#define MCAS_REQUEST_SEEN 1u
typedef struct mcas_context {
    uint32_t request;
    uint32_t request_type;
    uint32_t request_method;
    uint32_t flags;
} mcas_context;
typedef struct mcas_message {
    uint32_t kind;
    uint32_t message_type;
    uint32_t flags;
    uint32_t method;
    uint32_t status;
    uint32_t framing;
    uint32_t media;
    uint32_t charset;
    uint32_t length;
    uint32_t begin;
    mcas_span body;
    uint64_t body_length;
    uint64_t body_missing;
    mcas_span status_digits;
    mcas_span authority;
    mcas_span path;
    mcas_span query;
    mcas_span host;
    mcas_span user_agent;
    mcas_span media_type;
    mcas_span cookies;
} mcas_message;
typedef struct mcas_bytes {
    const uint8_t *start;
    size_t length;
} mcas_bytes;
#define MCAS_PARTS_CUT 1u
typedef struct mcas_parts {
    mcas_context context;
    uint32_t status;
    uint32_t flags;
    mcas_bytes method;
    mcas_bytes target;
    mcas_bytes host;
    mcas_bytes user_agent;
    mcas_bytes content_type;
    mcas_bytes content_encoding;
} mcas_parts;
#define MCAS_TABLE_FIELDS 1u
#define MCAS_TABLE_NOTES 2u
#define MCAS_ITEM_GENERATED 1u
#define MCAS_ITEM_PERCENT_ENCODED 2u
#define MCAS_ITEM_PARENT 4u
#define MCAS_ITEM_SECRET 8u
typedef struct mcas_item {
    uint16_t table;
    uint16_t level;
    uint32_t id;
    uint32_t flags;
    uint32_t charset;
    mcas_span span;
    uint64_t number;
    uint8_t bytes[16];
} mcas_item;
typedef struct mcas_iter {
    uint64_t state[104];
} mcas_iter;
#define MCAS_FORMAT_VALUE 0u
#define MCAS_FORMAT_TEXT 1u
#define MCAS_FORMAT_LINE 2u
#define MCAS_FORMAT_NAMED 3u
#define MCAS_VALUE_STRING 0u
#define MCAS_VALUE_UINT8 1u
#define MCAS_VALUE_UINT16 2u
#define MCAS_VALUE_UINT24 3u
#define MCAS_VALUE_UINT32 4u
#define MCAS_VALUE_UINT64 5u
#define MCAS_VALUE_IPV4 6u
#define MCAS_VALUE_IPV6 7u
#define MCAS_VALUE_ETHER 8u
#define MCAS_VALUE_BYTES 9u
#define MCAS_VALUE_FRAME_NUMBER 10u
#define MCAS_VALUE_RELATIVE_TIME 11u
#define MCAS_DISPLAY_PLAIN 0u
#define MCAS_DISPLAY_HEX 1u
#define MCAS_DISPLAY_OUI 2u
#define MCAS_DISPLAY_REQUEST 3u
#define MCAS_DISPLAY_RESPONSE 4u
#define MCAS_FLAG_SECRET 1u
#define MCAS_FLAG_HOST_PROGRAM 2u
typedef struct mcas_field_info {
    uint32_t id;
    uint32_t value_type;
    uint32_t display;
    uint32_t flags;
    const char *name;
    const char *label;
    const char *description;
    const char *key;
} mcas_field_info;
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
#define MCAS_SEVERITY_CHAT 0u
#define MCAS_SEVERITY_NOTE 1u
#define MCAS_SEVERITY_WARN 2u
#define MCAS_GROUP_PROTOCOL 0u
#define MCAS_GROUP_RESPONSE_CODE 1u
#define MCAS_GROUP_UNDECODED 2u
#define MCAS_GROUP_SEQUENCE 3u
#define MCAS_GROUP_SECURITY 4u
typedef struct mcas_note_info {
    uint32_t id;
    uint32_t group;
    uint32_t severity;
    uint32_t flags;
    const char *name;
    const char *summary;
    const char *description;
} mcas_note_info;
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
uint32_t mcas_abi_version(void);
const char *mcas_version(void);
const char *mcas_status_name(mcas_status status);
const char *mcas_status_text(mcas_status status);
mcas_status mcas_type_get(uint32_t id, mcas_type_info *out);
mcas_status mcas_field_get(uint32_t id, mcas_field_info *out);
mcas_status mcas_field_value_name(uint32_t id, uint32_t index,
                                  uint32_t *number, const char **name);
const char *mcas_value_name(uint32_t id, uint64_t number);
mcas_status mcas_note_get(uint32_t id, mcas_note_info *out);
#define MCAS_SNIFF_NO 0u
#define MCAS_SNIFF_OTHER_REQUEST 1u
#define MCAS_SNIFF_CANDIDATE 2u
mcas_status mcas_sniff(const uint8_t *buf, size_t len, uint32_t *out);
#define MCAS_CLASS_NO 0u
#define MCAS_CLASS_YES 1u
#define MCAS_CLASS_MORE 2u
typedef struct mcas_class {
    uint32_t answer;
    uint32_t message_type;
    uint64_t more;
} mcas_class;
mcas_status mcas_classify(const uint8_t *buf, size_t len,
                          const mcas_context *context, mcas_class *out);
mcas_status mcas_message_parse(const uint8_t *buf, size_t len,
                               const mcas_context *context,
                               mcas_message *out);
typedef struct mcas_progress {
    uint64_t state[48];
} mcas_progress;
mcas_status mcas_message_resume(const uint8_t *buf, size_t len,
                                const mcas_context *context,
                                mcas_progress *progress, mcas_message *out);
mcas_status mcas_classify_resume(const uint8_t *buf, size_t len,
                                 const mcas_context *context,
                                 mcas_progress *progress, mcas_class *out);
mcas_status mcas_message_refused(const uint8_t *buf, size_t len,
                                 size_t *offset);
mcas_status mcas_message_from_parts(const mcas_parts *parts,
                                    const uint8_t *body, size_t body_len,
                                    mcas_message *out);
mcas_status mcas_head_items(const mcas_message *message, mcas_iter *iter);
mcas_status mcas_body_items(const mcas_message *message, const uint8_t *body,
                            size_t body_len, mcas_iter *iter);
mcas_status mcas_user_agent_items(const uint8_t *buf, size_t len,
                                  mcas_iter *iter);
mcas_status mcas_cookie_items(const uint8_t *buf, size_t len,
                              mcas_iter *iter);
mcas_status mcas_bigip_items(const uint8_t *buf, size_t len,
                             mcas_iter *iter);
mcas_status mcas_target_items(const uint8_t *buf, size_t len,
                              mcas_iter *iter);
mcas_status mcas_host_items(const uint8_t *buf, size_t len, mcas_iter *iter);
mcas_status mcas_next(const uint8_t *buf, size_t len, mcas_iter *iter,
                      mcas_item *out);
mcas_status mcas_next_many(const uint8_t *buf, size_t len, mcas_iter *iter,
                           mcas_item *out, size_t most, size_t *count);
mcas_status mcas_item_format(const uint8_t *buf, size_t len,
                             const mcas_item *item, uint32_t style, char *out,
                             size_t out_len, size_t *needed);
#define MCAS_CONFIG_SECRETS 1u
#define MCAS_CONFIG_PJSIP 2u
mcas_status mcas_config_format(const mcas_message *message,
                               const uint8_t *body, size_t body_len,
                               uint32_t flags, char *out, size_t out_len,
                               size_t *needed);
mcas_status mcas_summary_format(const mcas_message *message,
                                const uint8_t *buf, size_t len,
                                const uint8_t *body, size_t body_len,
                                const char *vendor, char *out, size_t out_len,
                                size_t *needed);
#define MCAS_PROTOCOL_SIP 0u
#define MCAS_PROTOCOL_RTP 1u
#define MCAS_PROTOCOL_HTTP 2u
#define MCAS_TRANSPORT_UDP 1u
#define MCAS_TRANSPORT_TCP 2u
#define MCAS_ENDPOINT_IMPLAUSIBLE 1u
#define MCAS_ENDPOINT_IN_HEAD 2u
#define MCAS_ENDPOINTS_MOST 4u
typedef struct mcas_endpoint {
    uint32_t protocol;
    uint32_t transports;
    uint32_t flags;
    uint32_t field;
    mcas_span span;
    uint8_t address[4];
    uint16_t first_port;
    uint16_t last_port;
} mcas_endpoint;
mcas_status mcas_message_endpoints(const mcas_message *message,
                                   const uint8_t *buf, size_t len,
                                   const uint8_t *body, size_t body_len,
                                   const uint8_t *receiver,
                                   mcas_endpoint *out, size_t most,
                                   size_t *count);
mcas_status mcas_endpoint_format(const mcas_endpoint *endpoint, char *out,
                                 size_t out_len, size_t *needed);
const char *mcas_protocol_name(uint32_t protocol);
#define MCAS_PACKET_OTHER 0u
#define MCAS_PACKET_SIP 1u
#define MCAS_PACKET_RTP 2u
#define MCAS_PACKET_RTCP 3u
#define MCAS_PACKET_HTTP 4u
mcas_status mcas_protocol_look(uint32_t protocol, const uint8_t *buf,
                               size_t len, uint32_t *out);
mcas_status mcas_file_name(const mcas_message *message, const char *device,
                           const char *model, const char *file, char *out,
                           size_t out_len, size_t *needed);
mcas_status mcas_body_bytes(const mcas_message *message, const uint8_t *buf,
                            size_t len, uint8_t *out, size_t out_len,
                            size_t *needed);
mcas_status mcas_body_dechunk(const uint8_t *buf, size_t len, uint8_t *out,
                              size_t out_len, size_t *needed);
typedef struct mcas_tracker mcas_tracker;
#define MCAS_SEGMENT_SYN 1u
#define MCAS_SEGMENT_FIN 2u
#define MCAS_SEGMENT_RST 4u
#define MCAS_SEGMENT_ACK 16u
#define MCAS_SEGMENT_IDENTIFIED 32u
typedef struct mcas_segment {
    const uint8_t *bytes;
    const uint8_t *from;
    const uint8_t *to;
    uint64_t connection;
    uint64_t tag;
    uint64_t time;
    uint32_t captured;
    uint32_t length;
    uint32_t sequence;
    uint32_t acknowledged;
    uint32_t flags;
    uint32_t address_length;
    uint16_t from_port;
    uint16_t to_port;
    uint16_t identification;
    uint16_t reserved;
} mcas_segment;
#define MCAS_TRACK_ANSWERED 1u
#define MCAS_TRACK_UNCERTAIN 2u
#define MCAS_TRACK_UNANSWERED 4u
#define MCAS_TRACK_RETRANSMITTED 8u
#define MCAS_TRACK_BROKEN_OFF 16u
typedef struct mcas_tracked_message {
    mcas_message message;
    const uint8_t *bytes;
    uint64_t exchange;
    uint64_t first_tag;
    uint64_t last_tag;
    uint64_t time;
    uint64_t missing;
    uint64_t connection;
    mcas_context context;
    uint8_t from[16];
    uint8_t to[16];
    uint32_t address_length;
    uint32_t length;
    uint32_t sequence;
    uint32_t flags;
    uint16_t from_port;
    uint16_t to_port;
    uint32_t reserved;
} mcas_tracked_message;
typedef struct mcas_tracked_exchange {
    uint64_t number;
    uint64_t request_tag;
    uint64_t request_time;
    uint64_t last_try_tag;
    uint64_t last_try_time;
    uint64_t response_tag;
    uint64_t response_time;
    uint64_t response_bytes;
    uint32_t request_type;
    uint32_t request_method;
    uint32_t status;
    uint32_t tries;
    uint32_t flags;
    uint32_t reserved;
} mcas_tracked_exchange;
mcas_status mcas_tracker_new(mcas_tracker **out);
void mcas_tracker_free(mcas_tracker *tracker);
mcas_status mcas_tracker_segment(mcas_tracker *tracker,
                                 const mcas_segment *segment);
#define MCAS_SIDE_CLIENT 0u
#define MCAS_SIDE_SERVER 1u
mcas_status mcas_tracker_bytes(mcas_tracker *tracker, uint64_t connection,
                               uint32_t from, uint64_t tag,
                               const uint8_t *buf, size_t len);
mcas_status mcas_tracker_end(mcas_tracker *tracker, uint64_t connection,
                             uint32_t from);
mcas_status mcas_tracker_finish(mcas_tracker *tracker);
mcas_status mcas_tracker_next(mcas_tracker *tracker,
                              mcas_tracked_message *out);
mcas_status mcas_tracker_exchange(mcas_tracker *tracker, uint64_t number,
                                  mcas_tracked_exchange *out);
mcas_status mcas_tracker_forget(mcas_tracker *tracker, uint64_t number);
#ifdef __cplusplus
}
#endif
#endif

/*
 * panic - calls every function of a libmcas in which each one panics
 * (`--cfg planted_panic`), and lives to tell.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>

#include "mcas.h"

/* Fails unless a call came back with the panic's status. */
#define EXPECT_PANIC(call)                                             \
    do {                                                               \
        mcas_status status = call;                                     \
        printf("%s: %s\n", #call, mcas_status_name(status));           \
        failed |= status != MCAS_ERR_PANIC;                            \
    } while (0)

int main(void)
{
    static const uint8_t buf[] = "GET / HTTP/1.1\r\n\r\n";
    const size_t len = sizeof buf - 1;
    uint8_t room[8];
    char text[8];
    uint32_t number;
    mcas_class class;
    size_t needed;
    const char *name;
    mcas_message message = {0};
    mcas_parts parts = { 0 };
    mcas_item item = {0};
    mcas_iter iter = {{0}};
    mcas_progress progress = {{0}};
    mcas_field_info field;
    mcas_note_info note;
    mcas_type_info type;
    mcas_tracker *tracker = NULL;
    mcas_segment segment = {0};
    mcas_tracked_message found;
    mcas_tracked_exchange exchange;
    mcas_endpoint endpoint = {0};
    int failed = 0;

    EXPECT_PANIC(mcas_type_get(0, &type));
    EXPECT_PANIC(mcas_field_get(0, &field));
    EXPECT_PANIC(mcas_field_value_name(0, 0, &number, &name));
    EXPECT_PANIC(mcas_note_get(0, &note));
    EXPECT_PANIC(mcas_sniff(buf, len, &number));
    EXPECT_PANIC(mcas_classify(buf, len, NULL, &class));
    EXPECT_PANIC(mcas_classify_resume(buf, len, NULL, &progress, &class));
    EXPECT_PANIC(mcas_message_parse(buf, len, NULL, &message));
    EXPECT_PANIC(mcas_message_refused(buf, len, &needed));
    EXPECT_PANIC(mcas_message_resume(buf, len, NULL, &progress, &message));
    EXPECT_PANIC(mcas_message_from_parts(&parts, buf, len, &message));
    EXPECT_PANIC(mcas_head_items(&message, &iter));
    EXPECT_PANIC(mcas_body_items(&message, NULL, 0, &iter));
    EXPECT_PANIC(mcas_user_agent_items(buf, len, &iter));
    EXPECT_PANIC(mcas_cookie_items(buf, len, &iter));
    EXPECT_PANIC(mcas_bigip_items(buf, len, &iter));
    EXPECT_PANIC(mcas_target_items(buf, len, &iter));
    EXPECT_PANIC(mcas_host_items(buf, len, &iter));
    EXPECT_PANIC(mcas_next(buf, len, &iter, &item));
    EXPECT_PANIC(mcas_next_many(buf, len, &iter, &item, 1, &needed));
    EXPECT_PANIC(mcas_item_format(buf, len, &item, MCAS_FORMAT_LINE, text, 8,
                                  &needed));
    EXPECT_PANIC(mcas_config_format(&message, buf, len, 0, text, 8, &needed));
    EXPECT_PANIC(mcas_summary_format(&message, buf, len, NULL, 0, NULL, text,
                                     8, &needed));
    EXPECT_PANIC(mcas_message_endpoints(&message, buf, len, NULL, 0, NULL,
                                        &endpoint, 1, &needed));
    EXPECT_PANIC(mcas_endpoint_format(&endpoint, text, 8, &needed));
    EXPECT_PANIC(mcas_protocol_look(MCAS_PROTOCOL_SIP, buf, len, &number));
    EXPECT_PANIC(mcas_file_name(&message, NULL, NULL, NULL, text, 8,
                                &needed));
    EXPECT_PANIC(mcas_body_bytes(&message, buf, len, room, 8, &needed));
    EXPECT_PANIC(mcas_body_dechunk(buf, len, room, 8, &needed));
    EXPECT_PANIC(mcas_tracker_new(&tracker));
    EXPECT_PANIC(mcas_tracker_segment(tracker, &segment));
    EXPECT_PANIC(mcas_tracker_bytes(tracker, 1, MCAS_SIDE_CLIENT, 0, buf,
                                    len));
    EXPECT_PANIC(mcas_tracker_end(tracker, 1, MCAS_SIDE_CLIENT));
    EXPECT_PANIC(mcas_tracker_finish(tracker));
    EXPECT_PANIC(mcas_tracker_next(tracker, &found));
    EXPECT_PANIC(mcas_tracker_exchange(tracker, 1, &exchange));
    EXPECT_PANIC(mcas_tracker_forget(tracker, 1));
    mcas_tracker_free(tracker);
    return failed;
}

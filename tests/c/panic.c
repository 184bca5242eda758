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
    uint32_t number;
    size_t needed;
    const char *name;
    mcas_message message = {0};
    mcas_item item = {0};
    mcas_iter iter = {{0}};
    mcas_field_info field;
    mcas_note_info note;
    int failed = 0;

    EXPECT_PANIC(mcas_field_get(0, &field));
    EXPECT_PANIC(mcas_field_value(0, 0, &number, &name));
    EXPECT_PANIC(mcas_note_get(0, &note));
    EXPECT_PANIC(mcas_sniff(buf, len, &number));
    EXPECT_PANIC(mcas_message_parse(buf, len, NULL, &message));
    EXPECT_PANIC(mcas_head_items(&message, &iter));
    EXPECT_PANIC(mcas_body_items(&message, buf, len, NULL, 0, &iter));
    EXPECT_PANIC(mcas_next(&message, buf, len, &iter, &item));
    EXPECT_PANIC(mcas_item_text(buf, len, &item, room, 8, &needed));
    EXPECT_PANIC(mcas_body_dechunk(buf, len, room, 8, &needed));
    return failed;
}

/*
 * consumer - the least that a program does with an installed libmcas, as C
 * and as C++: asks which one it runs with, and reads a request.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>

#include <mcas.h>

int main(void)
{
    static const uint8_t request[] = "POST / HTTP/1.1\r\n"
                                     "Host: add-con.mcas\r\n"
                                     "Content-Length: 23\r\n\r\n"
                                     "TerminalID=001F67A1B2C3";
    mcas_message message;
    mcas_status status;

    if (mcas_abi_version() != MCAS_ABI_VERSION) {
        fputs("another libmcas than the header's\n", stderr);
        return 1;
    }
    status = mcas_message_parse(request, sizeof request - 1, NULL, &message);
    if (status != MCAS_OK) {
        fprintf(stderr, "%s\n", mcas_status_name(status));
        return 1;
    }
    printf("libmcas %s: message type %u\n", mcas_version(),
           (unsigned)message.message_type);
    return 0;
}

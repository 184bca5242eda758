/*
 * tour - runs the example of the tour in mcas.h, which tests/header.rs puts
 * into tour.inc as it stands.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>

#include "mcas.h"

static void tour(const uint8_t *buf, size_t len)
{
#include "tour.inc"
}

int main(void)
{
    static const uint8_t request[] = "GET /fw/A/b HTTP/1.1\r\n"
                                     "Host: add-con.mcas\r\n\r\n";

    tour(request, sizeof request - 1);
    return 0;
}

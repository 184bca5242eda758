/*
 * track.c STEP FILE - gives a tracker the bytes that one side of a connection
 * sends, STEP of them at a time, and prints how many messages it finds.
 */
#include <mcas.h>

#include <stdio.h>
#include <stdlib.h>

static uint8_t input[1 << 24];

int main(int argc, char **argv)
{
    static const uint8_t address[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
    mcas_tracked_message found;
    mcas_tracker *tracker;
    mcas_segment segment = {0};
    size_t len, step, at;
    unsigned count = 0;
    FILE *file;

    if (argc != 3 || (step = strtoul(argv[1], NULL, 10)) == 0
        || !(file = fopen(argv[2], "rb"))
        || mcas_tracker_new(&tracker) != MCAS_OK)
        return 2;
    len = fread(input, 1, sizeof input, file);
    fclose(file);
    segment.from = address[0];
    segment.to = address[1];
    segment.address_length = 4;
    for (at = 0; at < len; at += segment.length) {
        segment.bytes = input + at;
        segment.captured = (uint32_t)(len - at < step ? len - at : step);
        segment.length = segment.captured;
        segment.sequence = (uint32_t)at;
        if (mcas_tracker_segment(tracker, &segment) != MCAS_OK)
            return 1;
        while (mcas_tracker_next(tracker, &found) == MCAS_OK)
            count++;
    }
    if (mcas_tracker_finish(tracker) != MCAS_OK)
        return 1;
    while (mcas_tracker_next(tracker, &found) == MCAS_OK)
        count++;
    mcas_tracker_free(tracker);
    printf("%u\n", count);
    return 0;
}

/*
 * track.c STEP FILE [FILE] - gives a tracker the bytes that one side of a
 * connection sends, STEP of them at a time, and prints how many messages it
 * finds. With a second file they are no segments, but the bytes of the two
 * sides, the one behind the other.
 */
#include <mcas.h>

#include <stdio.h>
#include <stdlib.h>

static uint8_t input[1 << 24];

static size_t read_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    size_t len;

    if (file == NULL)
        exit(2);
    len = fread(input, 1, sizeof input, file);
    fclose(file);
    return len;
}

static unsigned count_found(mcas_tracker *tracker)
{
    mcas_tracked_message found;
    unsigned count = 0;

    while (mcas_tracker_next(tracker, &found) == MCAS_OK)
        count++;
    return count;
}

int main(int argc, char **argv)
{
    static const uint8_t address[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
    mcas_tracker *tracker;
    mcas_segment segment = {0};
    size_t len, step, at;
    unsigned count = 0;
    uint32_t side;

    if (argc < 3 || (step = strtoul(argv[1], NULL, 10)) == 0
        || mcas_tracker_new(&tracker) != MCAS_OK)
        return 2;
    segment.from = address[0];
    segment.to = address[1];
    segment.address_length = 4;
    for (side = 0; (int)side + 2 < argc; side++) {
        len = read_file(argv[side + 2]);
        for (at = 0; at < len; at += segment.length) {
            segment.bytes = input + at;
            segment.captured = (uint32_t)(len - at < step ? len - at : step);
            segment.length = segment.captured;
            segment.sequence = (uint32_t)at;
            if ((argc == 3 ? mcas_tracker_segment(tracker, &segment)
                           : mcas_tracker_bytes(tracker, 1, side, 0,
                                                segment.bytes,
                                                segment.length)) < 0)
                return 1;
            count += count_found(tracker);
        }
    }
    if (mcas_tracker_finish(tracker) != MCAS_OK)
        return 1;
    count += count_found(tracker);
    mcas_tracker_free(tracker);
    printf("%u\n", count);
    return 0;
}

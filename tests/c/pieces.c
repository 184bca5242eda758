/*
 * pieces.c STEP FILE - reads a message as more and more of it comes, STEP
 * bytes at a time, and asks whether its stream is ours as often. Prints what
 * is known in the end.
 */
#include <mcas.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint8_t input[1 << 24];

int main(int argc, char **argv)
{
    mcas_progress reading = {{0}}, stream = {{0}};
    size_t len, step, end = 0;
    mcas_message message;
    mcas_class class;
    FILE *file;

    if (argc != 3 || (step = strtoul(argv[1], NULL, 10)) == 0
        || !(file = fopen(argv[2], "rb")))
        return 2;
    len = fread(input, 1, sizeof input, file);
    fclose(file);
    do {
        end = len - end < step ? len : end + step;
        if (mcas_message_resume(input, end, NULL, &reading, &message) < 0
            || mcas_classify_resume(input, end, NULL, &stream, &class) < 0)
            return 1;
    } while (end < len);
    printf("%" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRId32 "\n",
           message.flags, message.length, message.body_length, class.answer,
           (int32_t)class.message_type);
    return 0;
}

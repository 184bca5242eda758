/*
 * threads - reads the messages in files in eight threads at once, through
 * every function of mcas.h, and compares what each of them got with what one
 * alone gets.
 *
 *     threads cold|warm FILE...
 *
 * Cold, the eight are the first to call the library: what it makes once, they
 * make at once. Warm, the one alone has called it before. In the first pass
 * all read the same message at about the same time, in the second each
 * another. A response is taken as the answer to what the file before holds.
 *
 * Buffers have the size of what is in them and come from malloc: valgrind and
 * AddressSanitizer see the first byte too many. PLANTED_OVERRUN and
 * PLANTED_OVERFLOW are bugs for tests/sanitize.rs to see found. A panic ends
 * the program.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcas.h"

#define THREADS 8
#define PASSES 2

typedef struct file {
    const char *name;
    uint8_t *bytes;
    size_t length;
} file;

/* What was read from a file, in short. */
typedef struct result {
    uint64_t sum;
    int items;
} result;

typedef struct thread {
    pthread_t id;
    size_t number;
    result *results; /* of each file in each pass */
} thread;

static file *files;
static size_t file_count;
static pthread_barrier_t start;

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static void *allocate(size_t length)
{
    /* malloc(0) may be NULL. */
    void *memory = malloc(length ? length : 1);

    if (memory == NULL)
        fail("malloc");
    return memory;
}

static void read_file(file *file)
{
    FILE *stream = fopen(file->name, "rb");
    long length;

    if (stream == NULL || fseek(stream, 0, SEEK_END) != 0
        || (length = ftell(stream)) < 0)
        fail(file->name);
    rewind(stream);
    file->length = (size_t)length;
    file->bytes = allocate(file->length);
    if (fread(file->bytes, 1, file->length, stream) != file->length)
        fail(file->name);
    fclose(stream);
}

/* FNV-1a */
static void add(result *result, const void *data, size_t length)
{
    const uint8_t *byte = data;

    for (; length > 0; length--)
        result->sum = (result->sum ^ *byte++) * 0x100000001b3u;
}

static void add_text(result *result, const char *text)
{
    if (text != NULL)
        add(result, text, strlen(text) + 1);
}

static void add_status(result *result, mcas_status status)
{
    if (status == MCAS_ERR_PANIC)
        exit(3);
    add_text(result, mcas_status_name(status));
    add_text(result, mcas_status_text(status));
}

static void add_items(result *result, const uint8_t *buf, size_t len,
                      mcas_iter *iter)
{
    mcas_iter again = *iter;
    mcas_item item, many[3];
    mcas_status status;
    size_t count, i;

    while ((status = mcas_next_many(buf, len, &again, many, 3, &count))
           == MCAS_OK)
        for (i = 0; i < count; i++)
            add(result, &many[i], sizeof many[i]);
    add_status(result, status);
    while ((status = mcas_next(buf, len, iter, &item)) == MCAS_OK) {
        uint32_t style;

        result->items++;
        add(result, &item, sizeof item);
        for (style = MCAS_FORMAT_VALUE; style <= MCAS_FORMAT_NAMED; style++) {
            size_t needed;
            char *text;

            status = mcas_item_format(buf, len, &item, style, NULL, 0,
                                      &needed);
            add_status(result, status);
            text = allocate(needed + 1);
            status = mcas_item_format(buf, len, &item, style, text,
                                      needed + 1, &needed);
            add_status(result, status);
            add_text(result, text);
            free(text);
        }
    }
    add_status(result, status);
}

/* One of the functions that read a part alone. */
typedef mcas_status begin(const uint8_t *buf, size_t len, mcas_iter *iter);

static void add_part(result *result, begin *begin, const uint8_t *buf,
                     size_t len)
{
    mcas_iter iter;

    add_status(result, begin(buf, len, &iter));
    add_items(result, buf, len, &iter);
}

static void add_tables(result *result)
{
    mcas_type_info type;
    mcas_field_info field;
    mcas_note_info note;
    uint32_t id, i, number, abi = mcas_abi_version();
    const char *name;

    add(result, &abi, sizeof abi);
    add_text(result, mcas_version());
    for (id = 0; mcas_type_get(id, &type) == MCAS_OK; id++)
        add_text(result, type.description);
    for (id = 0; mcas_field_get(id, &field) == MCAS_OK; id++) {
        add_text(result, field.name);
        for (i = 0; mcas_field_value_name(id, i, &number, &name) == MCAS_OK;
             i++) {
            add_text(result, name);
            add_text(result, mcas_value_name(id, number));
        }
    }
    for (id = 0; mcas_note_get(id, &note) == MCAS_OK; id++)
        add_text(result, note.description);
}

/* A body by itself, as if a proxy had taken the head off. */
static void add_body_alone(result *result, const mcas_message *message,
                           const uint8_t *buf, const uint8_t *body,
                           size_t body_len)
{
    mcas_parts parts = { 0 };
    mcas_message again;
    mcas_iter iter;

    parts.context.request = MCAS_REQUEST_SEEN;
    parts.context.request_type = message->message_type - 1;
    parts.status = message->status;
    parts.target.start = buf + message->path.offset;
    parts.target.length = message->path.length;
    parts.user_agent.start = buf + message->user_agent.offset;
    parts.user_agent.length = message->user_agent.length;
    add_status(result,
               mcas_message_from_parts(&parts, body, body_len, &again));
    add(result, &again, sizeof again);
    add_status(result, mcas_body_items(&again, body, body_len, &iter));
    add_items(result, body, body_len, &iter);
}

/* What to type with the settings in it. */
static void add_config(result *result, const mcas_message *message,
                       const uint8_t *body, size_t body_len)
{
    size_t needed;
    char *text;

    if (mcas_config_format(message, body, body_len, MCAS_CONFIG_SECRETS, NULL,
                           0, &needed)
        != MCAS_PARTIAL)
        return;
    text = allocate(needed + 1);
    add_status(result,
               mcas_config_format(message, body, body_len,
                                  MCAS_CONFIG_SECRETS, text, needed + 1,
                                  &needed));
    add_text(result, text);
    free(text);
}

/* The message in short, what it names, and how a copy of it may be called. */
static void add_short(result *result, const mcas_message *message,
                      const uint8_t *buf, size_t len, const uint8_t *body,
                      size_t body_len)
{
    mcas_endpoint named[MCAS_ENDPOINTS_MOST];
    size_t needed, count = 0, i;
    uint32_t look;
    char text[512];

    text[0] = '\0';
    add_status(result,
               mcas_summary_format(message, buf, len, body, body_len, "NTT",
                                   text, sizeof text, &needed));
    add_text(result, text);
    add_status(result,
               mcas_message_endpoints(message, buf, len, body, body_len, NULL,
                                      named, MCAS_ENDPOINTS_MOST, &count));
    for (i = 0; i < count; i++) {
        add_status(result, mcas_endpoint_format(&named[i], text, sizeof text,
                                                &needed));
        add_text(result, text);
        add_text(result, mcas_protocol_name(named[i].protocol));
        add_status(result, mcas_protocol_look(named[i].protocol, body,
                                              body_len, &look));
        add(result, &look, sizeof look);
    }
    text[0] = '\0';
    add_status(result, mcas_file_name(message, NULL, "RTS300HI", NULL, text,
                                      sizeof text, &needed));
    add_text(result, text);
}

static void add_message(result *result, const mcas_context *context,
                        const uint8_t *buf, size_t len)
{
    mcas_progress stream = {{0}}, reading = {{0}};
    mcas_class class;
    size_t needed, room;
    mcas_message message;
    mcas_iter iter;
    mcas_status status;
    uint8_t *body;

    status = mcas_classify(buf, len, context, &class);
    add_status(result, status);
    add(result, &class, sizeof class);
    status = mcas_classify_resume(buf, len, context, &stream, &class);
    add_status(result, status);
    add(result, &class, sizeof class);

    status = mcas_message_resume(buf, len, context, &reading, &message);
    add_status(result, status);
    status = mcas_message_refused(buf, len, &needed);
    add_status(result, status);
    status = mcas_message_parse(buf, len, context, &message);
    add_status(result, status);
    if (status < 0)
        return;
    add(result, &message, sizeof message);
    add_status(result, mcas_head_items(&message, &iter));
    add_items(result, buf, len, &iter);
    add_part(result, mcas_user_agent_items, buf + message.user_agent.offset,
             message.user_agent.length);
    add_part(result, mcas_target_items, buf + message.path.offset,
             message.path.length);
    add_part(result, mcas_host_items, buf + message.host.offset,
             message.host.length);

    room = (size_t)message.body_length;
    body = allocate(room);
    status = mcas_body_bytes(&message, buf, len, body, room, &needed);
    add_status(result, status);
    add_status(result, mcas_body_items(&message, body, needed, &iter));
    add_items(result, body, needed, &iter);
    add_body_alone(result, &message, buf, body, needed);
    add_config(result, &message, body, needed);
    add_short(result, &message, buf, len, body, needed);
    free(body);

    body = allocate(message.body.length);
    status = mcas_body_dechunk(buf + message.body.offset, message.body.length,
                               body, message.body.length, &needed);
    add_status(result, status);
    free(body);
}

static void add_found(result *result, mcas_tracker *tracker)
{
    mcas_tracked_message found;
    mcas_tracked_exchange exchange;
    mcas_status status;

    while ((status = mcas_tracker_next(tracker, &found)) == MCAS_OK) {
        add(result, &found.message, sizeof found.message);
        add(result, found.bytes, found.length);
        add(result, &found.first_tag, sizeof found.first_tag);
        status = mcas_tracker_exchange(tracker, found.exchange, &exchange);
        add_status(result, status);
        add(result, &exchange, sizeof exchange);
        /* The message just found stays as it is. */
        add(result, found.bytes, found.length);
        result->items++;
    }
    add_status(result, status);
}

/* The file before and the file, as what client and server have sent. */
static void add_tracked(result *result, size_t f)
{
    static const uint8_t addresses[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
    const file *sides[2] = {&files[f > 0 ? f - 1 : f], &files[f]};
    mcas_tracker *tracker;
    uint32_t side;

    add_status(result, mcas_tracker_new(&tracker));
    for (side = 0; side < 2; side++) {
        mcas_segment segment = {0};

        segment.from = addresses[side];
        segment.to = addresses[1 - side];
        segment.address_length = 4;
        segment.tag = 1 + side;
        segment.bytes = sides[side]->bytes;
        segment.captured = (uint32_t)sides[side]->length;
        segment.length = segment.captured;
        add_status(result, mcas_tracker_segment(tracker, &segment));
        add_found(result, tracker);
        add_status(result,
                   mcas_tracker_bytes(tracker, 1, side, 1, segment.bytes,
                                      segment.captured));
        add_status(result, mcas_tracker_end(tracker, 1, side));
        add_found(result, tracker);
    }
    add_status(result, mcas_tracker_finish(tracker));
    add_found(result, tracker);
    add_status(result, mcas_tracker_forget(tracker, 1));
    mcas_tracker_free(tracker);
}

static result read_message(size_t f)
{
    static const char cookie[] = "BIGipServeraddcon=944474890.20480.0000";
    const uint8_t *value = (const uint8_t *)strchr(cookie, '=') + 1;
    const uint8_t *buf = files[f].bytes;
    size_t len = files[f].length;
    result result = {0xcbf29ce484222325u, 0};
    mcas_context context = { 0 };
    mcas_message request;
    uint32_t answer;

    add_tables(&result);
    add_part(&result, mcas_cookie_items, (const uint8_t *)cookie,
             strlen(cookie));
    add_part(&result, mcas_bigip_items, value, strlen((const char *)value));
    add_status(&result, mcas_sniff(buf, len, &answer));
    add(&result, &answer, sizeof answer);
    add_message(&result, &context, buf, len);
    if (f > 0
        && mcas_message_parse(files[f - 1].bytes, files[f - 1].length, NULL,
                              &request) >= 0) {
        context.request = MCAS_REQUEST_SEEN;
        context.request_type = request.message_type;
        context.request_method = request.method;
        add_message(&result, &context, buf, len);
    }
    add_tracked(&result, f);
#ifdef PLANTED_OVERRUN
    add(&result, buf, len + 1);
#endif
#ifdef PLANTED_OVERFLOW
    result.items += INT_MAX;
#endif
    return result;
}

static void *work(void *argument)
{
    const thread *thread = argument;
    size_t pass, i;

    pthread_barrier_wait(&start);
    for (pass = 0; pass < PASSES; pass++)
        for (i = 0; i < file_count; i++) {
            size_t f = (i + pass * thread->number) % file_count;

            thread->results[pass * file_count + f] = read_message(f);
        }
    return NULL;
}

static void read_alone(result *results)
{
    size_t i;

    for (i = 0; i < file_count; i++)
        results[i] = read_message(i);
}

static void read_at_once(thread *threads)
{
    size_t t;

    if (pthread_barrier_init(&start, NULL, THREADS) != 0)
        fail("pthread_barrier_init");
    for (t = 0; t < THREADS; t++) {
        threads[t].number = t;
        threads[t].results = allocate(PASSES * file_count * sizeof(result));
        if (pthread_create(&threads[t].id, NULL, work, &threads[t]) != 0)
            fail("pthread_create");
    }
    for (t = 0; t < THREADS; t++)
        pthread_join(threads[t].id, NULL);
    pthread_barrier_destroy(&start);
}

int main(int argc, char **argv)
{
    thread threads[THREADS];
    result *alone;
    size_t t, i;
    int warm, items = 0, different = 0;

    if (argc < 3)
        return 2;
    warm = strcmp(argv[1], "warm") == 0;
    file_count = (size_t)argc - 2;
    files = allocate(file_count * sizeof *files);
    for (i = 0; i < file_count; i++) {
        files[i].name = argv[i + 2];
        read_file(&files[i]);
    }
    alone = allocate(file_count * sizeof *alone);
    if (warm)
        read_alone(alone);
    read_at_once(threads);
    if (!warm)
        read_alone(alone);

    for (i = 0; i < file_count; i++)
        items += alone[i].items;
    for (t = 0; t < THREADS; t++) {
        for (i = 0; i < PASSES * file_count; i++) {
            const result *got = &threads[t].results[i];
            const result *expected = &alone[i % file_count];

            if (got->sum != expected->sum || got->items != expected->items) {
                printf("%s: thread %zu differs\n",
                       files[i % file_count].name, t);
                different = 1;
            }
        }
        free(threads[t].results);
    }
    printf("%zu files, %d items\n", file_count, items);

    for (i = 0; i < file_count; i++)
        free(files[i].bytes);
    free(files);
    free(alone);
    return different;
}

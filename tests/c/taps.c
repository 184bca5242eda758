/* taps.c
 * Preloaded into tshark or sharkd by tests/statistics.rs: plays the window of
 * a Wireshark user, who leaves it open while opening another one of the same
 * table, and counts what is queued for taps. The file $TAPS gets a line:
 *
 *     queued 12, rows 3, changed 0
 *
 * messages queued for the tap "mcas"; rows of the table that the first window
 * shows; and how many of them are not as they were once the second one has
 * been filled. They are read then, as Wireshark does to sort them, so run
 * this with MALLOC_PERTURB_, by which memory changes when it is freed.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include <epan/packet.h>
#include <epan/stat_tap_ui.h>
#include <epan/tap.h>

static unsigned queued, changed;
static GPtrArray *rows, *texts; /* what the first window shows */

static void *
real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

void
tap_queue_packet(int tap, packet_info *pinfo, const void *data)
{
    void (*queue)(int, packet_info *, const void *);

    *(void **)&queue = real("tap_queue_packet");
    if (tap == find_tap_id("mcas"))
        queued++;
    queue(tap, pinfo, data);
}

/* The text columns of a row, joined. */
static char *
text_of(const stat_tap_table_item_type *row, unsigned columns)
{
    GString *text = g_string_new("");

    for (unsigned column = 0; column < columns; column++)
        if (row[column].type == TABLE_ITEM_STRING)
            g_string_append_printf(text, "%s|",
                                   row[column].value.string_value);
    return g_string_free(text, FALSE);
}

/* sharkd closes its window. The first one is left open. */
void
free_stat_tables(stat_tap_table_ui *ui)
{
    const stat_tap_table *table = g_array_index(ui->tables,
                                                stat_tap_table *, 0);
    void (*free_tables)(stat_tap_table_ui *);

    if (!rows) {
        rows = g_ptr_array_new();
        texts = g_ptr_array_new();
        for (unsigned i = 0; i < table->num_elements; i++) {
            g_ptr_array_add(rows, table->elements[i]);
            g_ptr_array_add(texts, text_of(table->elements[i],
                                           table->num_fields));
        }
        return;
    }
    for (unsigned i = 0; i < rows->len && texts; i++)
        changed += strcmp(text_of(rows->pdata[i], table->num_fields),
                          texts->pdata[i]) != 0;
    texts = NULL;
    *(void **)&free_tables = real("free_stat_tables");
    free_tables(ui);
}

__attribute__((destructor)) static void
report(void)
{
    const char *name = getenv("TAPS");
    FILE *file;

    /* Programs on the way to tshark have no taps. */
    if (!name || !dlsym(RTLD_DEFAULT, "epan_init"))
        return;
    file = fopen(name, "a");
    if (!file)
        abort();
    fprintf(file, "queued %u, rows %u, changed %u\n", queued,
            rows ? rows->len : 0, changed);
    fclose(file);
}

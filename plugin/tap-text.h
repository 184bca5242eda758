/* tap-text.h
 * Statistics that are a text.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MCAS_TAP_TEXT_H
#define MCAS_TAP_TEXT_H

#include <epan/funnel.h>

#include "packet-mcas.h"

typedef struct {
    const char *option; /* of -z, such as "mcas,boot" */
    const char *title;  /* of its window, and the entry in the menu */
    unsigned    taps;   /* how many its listener listens to */

    /*
     * Begins to listen, with what stands behind the option and a comma, or
     * NULL; gives the listener, its data in each of the taps; or NULL, and
     * why not. Its window goes to mcas_text_show.
     */
    void *(*listen)(funnel_text_window_t *window, const char *arguments,
                    GString **error);
} mcas_text;

/* Shows the text in a window, or where that is NULL, on standard output. */
void mcas_text_show(funnel_text_window_t *window, const char *text);

/* For -z and the menu; the statistic stays the caller's, for good. */
void mcas_text_register(const mcas_text *statistic);

#endif /* MCAS_TAP_TEXT_H */

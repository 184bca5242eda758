/* seed.c: Wireshark's hash tables are seeded at random, and so cost more or
 * less by as much as is measured here. Loaded before GLib, this gives them
 * the seed that MCAS_BENCH_SEED names. */
#include <stdint.h>
#include <stdlib.h>

uint32_t g_random_int(void);

uint32_t
g_random_int(void)
{
    const char *seed = getenv("MCAS_BENCH_SEED");

    return seed ? (uint32_t)strtoul(seed, NULL, 10) * 2654435761u : 1;
}

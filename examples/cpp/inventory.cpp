/*
 * inventory - which gateways there are, and which firmware they run.
 *
 *     c++ -std=c++17 inventory.cpp -o inventory \
 *         $(pkg-config --cflags --libs mcas)
 *     ./inventory REQUESTS...
 *
 * Each file holds what one client sent on a connection, as tcpflow writes it.
 * A gateway that asks for its settings gives its MAC address, one that asks
 * for firmware its model and what it runs; both are printed with the number
 * of requests that said so:
 *
 *     2 00:1f:67:a1:b2:c3
 *     1 RTS300HI 4.02.0179
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "mcas.hpp"

#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

using inventory = std::map<std::string, unsigned>;

// What some items say about who sent them, or nothing.
static std::string sender(mcas::bytes from, const mcas::items &items)
{
    std::string name;

    for (const mcas_item &item : items) {
        if (mcas::is(item, MCAS_FIELD_TERMINAL_ID_MAC) ||
            mcas::is(item, MCAS_FIELD_DEVICE_MODEL))
            name = mcas::text(from, item);
        else if (mcas::is(item, MCAS_FIELD_DEVICE_FIRMWARE))
            name += ' ' + mcas::text(from, item); // comes behind the model
    }
    return name;
}

// Counts who sent the requests that were found.
static void count(mcas::tracker &tracker, inventory &found)
{
    for (mcas_tracked_message request; tracker.next(request);) {
        const mcas::bytes bytes = mcas::of(request);
        const std::string content = mcas::content(request.message, bytes);

        for (const std::string &name :
             {sender(bytes, mcas::head(request.message, bytes)),
              sender(content, mcas::body(request.message, content))}) {
            if (!name.empty())
                found[name]++;
        }
        tracker.forget(request.exchange);
    }
}

// Counts who sent the requests in a file.
static void count(const char *name, inventory &found)
{
    std::ifstream file(name, std::ios::binary);
    mcas::tracker tracker;
    char chunk[1 << 16];

    if (!file)
        throw std::runtime_error("cannot be opened");
    // There are no answers that requests could wait for. So nothing is read
    // behind a CONNECT: nobody knows whether a tunnel follows it.
    tracker.end(1, MCAS_SIDE_SERVER);
    while (file) {
        file.read(chunk, sizeof chunk);
        const auto length = static_cast<std::size_t>(file.gcount());
        const auto status =
            tracker.bytes(1, MCAS_SIDE_CLIENT, {chunk, length});
        count(tracker, found);
        mcas::check(status);
    }
    if (file.bad()) // a folder, say
        throw std::runtime_error("cannot be read");
    tracker.end(1, MCAS_SIDE_CLIENT); // the last one may be cut
    count(tracker, found);
}

int main(int argc, char **argv)
{
    inventory found;
    int failed = 0;

    if (argc < 2) {
        std::cerr << "usage: inventory REQUESTS...\n";
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        try {
            count(argv[i], found);
        } catch (const std::runtime_error &error) {
            // What other protocol this is spoils nothing but this file.
            std::cerr << argv[i] << ": " << error.what() << '\n';
            failed = 1;
        }
    }
    for (const auto &[name, times] : found)
        std::cout << times << ' ' << name << '\n';
    // Of a full disk nothing may be heard before this.
    if (!std::cout.flush()) {
        std::cerr << "inventory: standard output cannot be written\n";
        failed = 1;
    }
    return failed;
}

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

// Counts who sent the requests that follow each other in a stream.
static void count(mcas::bytes stream, inventory &found)
{
    while (!stream.empty()) {
        const mcas_message message = mcas::parse(stream);
        const std::string content = mcas::content(message, stream);

        for (const std::string &name :
             {sender(stream, mcas::head(message, stream)),
              sender(content, mcas::body(message, content))}) {
            if (!name.empty())
                found[name]++;
        }
        // A tunnel follows CONNECT, unless the server refuses it; what it
        // answers stands in the other direction.
        if (!(message.flags & MCAS_MESSAGE_COMPLETE) ||
            message.method == MCAS_METHOD_CONNECT)
            break;
        stream.remove_prefix(message.length);
    }
}

static std::string read_file(const char *name)
{
    std::ifstream file(name, std::ios::binary);
    std::string content;
    char chunk[4096];

    if (!file)
        throw std::runtime_error("cannot be opened");
    while (file) {
        file.read(chunk, sizeof chunk);
        content.append(chunk, static_cast<std::size_t>(file.gcount()));
    }
    if (file.bad()) // a folder, say
        throw std::runtime_error("cannot be read");
    return content;
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
            count(read_file(argv[i]), found);
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

/*
 * mcas.hpp - mcas.h for C++17: failures are thrown, items come by range-for.
 *
 *     const mcas_message message = mcas::parse(stream);
 *     for (const mcas_item &item : mcas::head(message, stream))
 *         std::cout << mcas::text(stream, item, MCAS_FORMAT_LINE) << '\n';
 *
 *     mcas::tracker tracker;
 *     tracker.bytes(1, MCAS_SIDE_CLIENT, requests);
 *     for (mcas_tracked_message found; tracker.next(found);)
 *         ...
 *
 * Take it into your own program, and add to it the functions that you need.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef MCAS_HPP
#define MCAS_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mcas.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mcas {

using bytes = std::string_view;

inline const std::uint8_t *start(bytes from)
{
    return reinterpret_cast<const std::uint8_t *>(from.data());
}

/* What a function of the library failed with. */
struct error : std::runtime_error {
    explicit error(mcas_status failure)
        : std::runtime_error(mcas_status_text(failure)), status(failure)
    {
    }

    mcas_status status;
};

inline mcas_status check(mcas_status status)
{
    if (status < 0)
        throw error(status);
    return status;
}

/*
 * items: what there is to read in some bytes, which have to stay where they
 * are meanwhile. An mcas_iter may be copied, so unlike other streams this one
 * can be read again, and by several at once.
 */
class items {
public:
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = mcas_item;
        using difference_type = std::ptrdiff_t;
        using pointer = const mcas_item *;
        using reference = const mcas_item &;

        iterator() = default; /* the end */

        iterator(bytes from, const mcas_iter &begin)
            : from_(from), iter_(begin), more_(true)
        {
            ++*this;
        }

        reference operator*() const { return item_; }
        pointer operator->() const { return &item_; }

        iterator &operator++()
        {
            more_ = check(mcas_next(start(from_), from_.size(), &iter_,
                                    &item_)) == MCAS_OK;
            return *this;
        }

        iterator operator++(int)
        {
            iterator before = *this;
            ++*this;
            return before;
        }

        /* As for every input iterator: only a comparison with the end. */
        bool operator==(const iterator &other) const
        {
            return more_ == other.more_;
        }
        bool operator!=(const iterator &other) const
        {
            return !(*this == other);
        }

    private:
        bytes from_;
        mcas_iter iter_{};
        mcas_item item_{};
        bool more_ = false;
    };

    items(bytes from, const mcas_iter &begin) : from_(from), begin_(begin) {}

    iterator begin() const { return {from_, begin_}; }
    iterator end() const { return {}; }

private:
    bytes from_;
    mcas_iter begin_;
};

/* The message at the beginning of some bytes; throws where there is none. */
inline mcas_message parse(bytes from, const mcas_context &context = {})
{
    mcas_message message;
    check(mcas_message_parse(start(from), from.size(), &context, &message));
    return message;
}

inline items head(const mcas_message &message, bytes from)
{
    mcas_iter iter;
    check(mcas_head_items(&message, &iter));
    return {from, iter};
}

/* The bytes of a message's body, its chunks undone. */
inline std::string content(const mcas_message &message, bytes from)
{
    std::string out(message.body_length, '\0');
    std::size_t needed;
    check(mcas_body_bytes(&message, start(from), from.size(),
                          reinterpret_cast<std::uint8_t *>(out.data()),
                          out.size(), &needed));
    return out;
}

/* What is in those bytes. */
inline items body(const mcas_message &message, bytes content)
{
    mcas_iter iter;
    check(mcas_body_items(&message, start(content), content.size(), &iter));
    return {content, iter};
}

/* An item's value, or with MCAS_FORMAT_LINE all that it says to people. */
inline std::string text(bytes from, const mcas_item &item,
                        std::uint32_t style = MCAS_FORMAT_VALUE)
{
    std::string out(64, '\0');
    for (;;) {
        std::size_t needed;
        const auto status =
            check(mcas_item_format(start(from), from.size(), &item, style,
                                   out.data(), out.size(), &needed));
        if (status == MCAS_OK) {
            out.resize(needed);
            return out;
        }
        out.resize(needed + 1); /* and the NUL behind it */
    }
}

inline bool is(const mcas_item &item, std::uint32_t field)
{
    return item.table == MCAS_TABLE_FIELDS && item.id == field;
}

/*
 * tracker: who answers whom. What bytes, end and segment return is a status
 * that is no failure, or MCAS_ERR_NOT_HTTP, which is not thrown: what was
 * found before is still to be had.
 */
class tracker {
public:
    tracker()
    {
        mcas_tracker *made;
        check(mcas_tracker_new(&made));
        handle_.reset(made);
    }

    mcas_status bytes(std::uint64_t connection, std::uint32_t side,
                      mcas::bytes given, std::uint64_t tag = 0)
    {
        return known(mcas_tracker_bytes(handle_.get(), connection, side, tag,
                                        start(given), given.size()));
    }

    mcas_status end(std::uint64_t connection, std::uint32_t side)
    {
        return known(mcas_tracker_end(handle_.get(), connection, side));
    }

    mcas_status segment(const mcas_segment &segment)
    {
        return known(mcas_tracker_segment(handle_.get(), &segment));
    }

    void finish() { check(mcas_tracker_finish(handle_.get())); }

    /* The next message of those found; its bytes are good until the next. */
    bool next(mcas_tracked_message &found)
    {
        return check(mcas_tracker_next(handle_.get(), &found)) == MCAS_OK;
    }

    /* What is known of an exchange, which must not have been forgotten. */
    mcas_tracked_exchange exchange(std::uint64_t number) const
    {
        mcas_tracked_exchange known{};
        check(mcas_tracker_exchange(handle_.get(), number, &known));
        return known;
    }

    void forget(std::uint64_t number)
    {
        check(mcas_tracker_forget(handle_.get(), number));
    }

private:
    static mcas_status known(mcas_status status)
    {
        return status == MCAS_ERR_NOT_HTTP ? status : check(status);
    }

    struct freed {
        void operator()(mcas_tracker *handle) const
        {
            mcas_tracker_free(handle);
        }
    };

    std::unique_ptr<mcas_tracker, freed> handle_;
};

/* The bytes of a message that was found. */
inline bytes of(const mcas_tracked_message &found)
{
    return {reinterpret_cast<const char *>(found.bytes), found.length};
}

} // namespace mcas

#endif

/*
 * mcas.hpp - mcas.h for C++17: failures are thrown, items come by range-for.
 *
 *     const mcas_message message = mcas::parse(stream);
 *     for (const mcas_item &item : mcas::head(message, stream))
 *         std::cout << mcas::text(stream, item, MCAS_FORMAT_LINE) << '\n';
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

} // namespace mcas

#endif

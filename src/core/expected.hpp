#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace townd {

/// What went wrong, in the words of the one who has to act on it.
struct Error {
  enum class Code {
    invalid,      ///< the request itself is wrong (400)
    not_found,    ///< the thing named does not exist (404)
    conflict,     ///< the thing is in a state in which this is refused (409)
    forbidden,    ///< not for this caller (403)
    too_large,    ///< over a limit (413)
    too_many,     ///< over a rate or a queue bound (429)
    unavailable,  ///< the store or the runtime cannot be reached now (503)
    internal,     ///< a fault of townd itself (500)
  };
  Code code = Code::internal;
  std::string what;  ///< what was being done and why it failed
  std::string hint;  ///< what to do about it; may be empty
};

template <class T>
using expected = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Error::Code code, std::string what, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(what), std::move(hint)});
}

}  // namespace townd

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/assignment.hpp"
#include "core/expected.hpp"
#include "ports/runtime.hpp"

namespace townd {

/// Of a text from outside, this much reaches a prompt.
inline constexpr std::size_t kPromptTextLimit = 20'000;

/// Replaces each `{{name}}`; an unknown name is an error. A line of nothing but names that are empty is left out.
expected<std::string> render_template(std::string_view text, const std::map<std::string, std::string>& values);

/// A text from outside, marked as data: control and bidi characters shown escaped, cut at kPromptTextLimit, and unable
/// to close its own frame. Empty for an empty text.
std::string framed_as_data(std::string_view label, std::string_view text);

/// One line from outside (a name, a branch): escaped, cut at 200 bytes, and free of line ends and back quotes.
std::string plain_words(std::string_view text);

/// The prompt of a run from the template of its kind in `folder` (share/prompts).
expected<std::string> prompt_for(const std::string& folder, const Assignment& assignment, const Texts& texts);
/// What the same run is told when its program ended without handing in.
expected<std::string> reminder_for(const std::string& folder, const Assignment& assignment, const Texts& texts);

}  // namespace townd

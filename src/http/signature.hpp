#pragma once

#include <string>
#include <string_view>

namespace townd::http {

/// `sha256=` and the HMAC of the text in hexadecimal digits, as webhooks are signed.
std::string signature(std::string_view secret, std::string_view text);

/// Whether it is the text's signature; takes as long whatever is wrong with it.
bool signed_with(std::string_view secret, std::string_view text, std::string_view signature);

/// Whether somebody knows the secret; takes as long whatever is wrong with what he says.
bool knows(std::string_view secret, std::string_view said);

}  // namespace townd::http

#pragma once

#include <string>
#include <vector>

#include "codec/json.hpp"
#include "core/expected.hpp"
#include "server/message.hpp"

namespace townd {

/// `{"success":true,"data":…}`
Response success(json::value data, int status = 200);
/// `{"success":false,"error":"what","hint":"what to do","issues":[{path,message}]}`
Response failure(int status, std::string_view what, std::string_view hint = {},
                 const std::vector<JsonIssue>& issues = {});
Response failure(const Error& error, const std::vector<JsonIssue>& issues = {});

/// The HTTP status for a kind of error (interfaces.md, HTTP).
int status_of(Error::Code code);

}  // namespace townd

#include "server/answer.hpp"

namespace townd {

int status_of(Error::Code code) {
  switch (code) {
    case Error::Code::invalid: return 400;
    case Error::Code::not_found: return 404;
    case Error::Code::conflict: return 409;
    case Error::Code::forbidden: return 403;
    case Error::Code::too_large: return 413;
    case Error::Code::too_many: return 429;
    case Error::Code::unavailable: return 503;
    case Error::Code::internal: return 500;
  }
  return 500;
}

Response success(json::value data, int status) {
  json::object envelope(data.storage());  // so that `data` is moved into it, whatever it is kept in
  envelope.emplace("success", true);
  envelope.emplace("data", std::move(data));
  Response response;
  response.status = status;
  response.body = json::serialize(envelope);
  return response;
}

Response failure(int status, std::string_view what, std::string_view hint, const std::vector<JsonIssue>& issues) {
  json::object envelope;
  envelope.emplace("success", false);
  envelope.emplace("error", what);
  if (!hint.empty()) envelope.emplace("hint", hint);
  if (!issues.empty()) {
    json::array list;
    for (const JsonIssue& issue : issues) list.push_back({{"path", issue.path}, {"message", issue.message}});
    envelope.emplace("issues", std::move(list));
  }
  Response response;
  response.status = status;
  response.body = json::serialize(envelope);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response failure(const Error& error, const std::vector<JsonIssue>& issues) {
  return failure(status_of(error.code), error.what, error.hint, issues);
}

}  // namespace townd

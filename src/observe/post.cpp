#include "observe/post.hpp"

#include "http/client.hpp"

namespace townd {
namespace {

constexpr Duration kUsualHold = seconds(60);  ///< what Sentry asks for when a 429 does not say

}  // namespace

expected<PostAnswer> send(const Post& post, const std::atomic<bool>& stop) {
  http::Request request;
  request.method = "POST";
  request.to = post.to;
  request.url = post.url;
  request.headers = post.headers;
  request.body = post.body;
  const auto answer = http::perform(request, stop);
  if (!answer) return tl::unexpected(answer.error());
  return PostAnswer{answer->status, answer->header("retry-after"), answer->header("x-sentry-rate-limits")};
}

Sent judge(const expected<PostAnswer>& answer, Instant now) {
  if (!answer) return {Sent::Fate::later, answer.error().what, {}, false};
  const int status = answer->status;
  if (status >= 200 && status < 300) return {Sent::Fate::taken, {}, {}, true};
  Sent sent{Sent::Fate::refused, "it answered with status " + std::to_string(status), {}, true};
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    sent.fate = Sent::Fate::later;
    if (status == 429 || !answer->retry_after.empty())
      sent.hold = http::retry_after(answer->retry_after, now, status == 429 ? kUsualHold : Duration{});
  }
  return sent;
}

}  // namespace townd

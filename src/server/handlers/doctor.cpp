#include "server/doctor/doctor.hpp"

#include <array>
#include <charconv>

#include "server/handlers.hpp"

namespace townd {
namespace {

void look(const CallPtr& call) { call->succeed(doctor::examine(call->services()).shape()); }

void fix(const CallPtr& call) {
  doctor::Report report = doctor::examine(call->services());
  report.repair();
  call->succeed(report.shape());
}

void retry(const CallPtr& call) {
  const std::string text = call->parameter("seq");
  std::int64_t seq = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || seq <= 0)
    return call->fail(Error::Code::invalid, "an event's number is a whole number", "take one of the list of events");
  if (const auto tried = doctor::retry_event(call->services(), call->town(), seq, call->actor()); !tried)
    return call->fail(tried.error());
  call->succeed(json::object{{"retried", true}});
}

constexpr std::array<NamedHandler, 3> kHandlers{{
    {"doctor.look", look},
    {"doctor.fix", fix},
    {"event.retry", retry},
}};

}  // namespace

std::span<const NamedHandler> doctor_handlers() { return kHandlers; }

}  // namespace townd

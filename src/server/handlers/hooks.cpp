#include "server/handlers.hpp"
#include "server/webhooks.hpp"

/// What forges say of their own accord. It is believed to the extent that a pull request is then asked about.
namespace townd {
namespace {

constexpr std::size_t kNamed = 50;  ///< pull requests that one delivery may name

void add(std::vector<events::PrNoticed>& found, const RigId& rig, int number, std::string head) {
  if ((number > 0 || !head.empty()) && found.size() < kNamed) found.push_back({rig, number, std::move(head), true});
}

/// The pull requests that a delivery of GitHub's is about.
std::vector<events::PrNoticed> about(const RigId& rig, const json::value& said) {
  std::vector<events::PrNoticed> found;
  const auto number = [](const json::value& of) { return static_cast<int>(number_of(of, "number")); };
  add(found, rig, number(member_of(said, "pull_request")), {});
  if (const json::value& issue = member_of(said, "issue"); !member_of(issue, "pull_request").is_null())
    add(found, rig, number(issue), {});
  for (const char* kind : {"check_run", "check_suite"}) {
    const json::value& check = member_of(said, kind);
    for (const json::value& of : list_of(check, "pull_requests")) add(found, rig, number(of), {});
    add(found, rig, 0, text_of(check, "head_sha"));
  }
  add(found, rig, 0, text_of(said, "sha"));  // of a commit status
  return found;
}

void receive(const CallPtr& call) {
  Services& services = call->services();
  const Request& request = call->request();
  const auto taken =
      services.webhooks.take(call->parameter("forge"), call->parameter("rig"), request.header("X-Hub-Signature-256"),
                             request.body, std::string(request.header("X-GitHub-Delivery")), services.clock.now());
  if (!taken) return call->fail(taken.error());
  const RigId rig(call->parameter("rig"));
  const TownId town = services.engine.owner_of(rig.text);
  if (town.empty())
    return call->fail(Error::Code::not_found, "there is no rig " + rig.text, "town rig list shows their ids");
  std::vector<events::PrNoticed> found;
  if (*taken) found = about(rig, call->arguments().all());
  for (const events::PrNoticed& noticed : found) services.forge.pr_changed(rig, noticed.pr_number);
  for (const events::PrNoticed& noticed : found) services.engine.submit(town, noticed, [](const expected<Receipt>&) {});
  call->succeed(json::object{{"noticed", found.size()}});
}

constexpr std::array<NamedHandler, 1> kHandlers{{{"hook.receive", receive}}};

}  // namespace

std::span<const NamedHandler> hook_handlers() { return kHandlers; }

}  // namespace townd

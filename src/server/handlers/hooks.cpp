#include <algorithm>
#include <array>

#include "core/hash.hpp"
#include "server/handlers.hpp"
#include "server/webhooks.hpp"

/// What forges say of their own accord. It is believed to the extent that a pull request is then asked about.
namespace townd {
namespace {

constexpr std::size_t kNamed = 50;  ///< pull requests that one delivery may name

void add(std::vector<events::PrNoticed>& found, const RigId& rig, int number, std::string head) {
  if ((number > 0 || !head.empty()) && found.size() < kNamed) found.push_back({rig, number, std::move(head), true});
}

/// The pull requests that a delivery of GitHub's is about, or of Gitea's, which has the same members.
std::vector<events::PrNoticed> told_by_github(const RigId& rig, const json::value& said) {
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

/// The merge requests that a delivery of GitLab's is about: one itself, one with a note, that of a pipeline, and those
/// whose head was the tip of a branch before a push or is it now.
std::vector<events::PrNoticed> told_by_gitlab(const RigId& rig, const json::value& said) {
  std::vector<events::PrNoticed> found;
  const auto number = [](const json::value& of) { return static_cast<int>(number_of(of, "iid")); };
  const json::value& subject = member_of(said, "object_attributes");
  const std::string kind = text_of(said, "object_kind");
  if (kind == "merge_request") add(found, rig, number(subject), {});
  if (kind == "note" || kind == "pipeline") add(found, rig, number(member_of(said, "merge_request")), {});
  if (kind == "pipeline") add(found, rig, 0, text_of(subject, "sha"));
  if (kind != "push") return found;
  for (const char* commit : {"before", "after"}) add(found, rig, 0, text_of(said, commit));
  return found;
}

/// What a forge calls things. A delivery is known again by the first of its ids that it has.
struct Dialect {
  std::string_view forge;
  std::string_view proof;
  std::array<std::string_view, 2> ids;
  std::vector<events::PrNoticed> (*about)(const RigId& rig, const json::value& said);
};
constexpr std::array<Dialect, 3> kDialects{
    {{"github", "X-Hub-Signature-256", {"X-GitHub-Delivery", ""}, told_by_github},
     {"gitlab", "X-Gitlab-Token", {"Idempotency-Key", "X-Gitlab-Event-UUID"}, told_by_gitlab},
     {"gitea", "X-Hub-Signature-256", {"X-Gitea-Delivery", ""}, told_by_github}}};

std::string delivery_id(const Dialect& dialect, const Request& request) {
  for (const std::string_view name : dialect.ids)
    if (const std::string_view id = request.header(name); !id.empty())
      return std::string(id) + " " + siphash128(request.body).hex();  // GitLab's is one for all that one act tells of
  return {};
}

void receive(const CallPtr& call) {
  Services& services = call->services();
  const Request& request = call->request();
  const std::string forge = call->parameter("forge");
  const auto* dialect =
      std::find_if(kDialects.begin(), kDialects.end(), [&forge](const Dialect& known) { return known.forge == forge; });
  if (dialect == kDialects.end())
    return call->fail(Error::Code::forbidden, "townd knows no webhooks of \"" + forge + "\"", "see docs/forges.md");
  const auto taken = services.webhooks.take(forge, call->parameter("rig"), request.header(dialect->proof), request.body,
                                            delivery_id(*dialect, request), services.clock.now());
  if (!taken) return call->fail(taken.error());
  const RigId rig(call->parameter("rig"));
  const TownId town = services.engine.owner_of(rig.text);
  if (town.empty())
    return call->fail(Error::Code::not_found, "there is no rig " + rig.text, "town rig list shows their ids");
  std::vector<events::PrNoticed> found;
  if (*taken) found = dialect->about(rig, call->arguments().all());
  for (const events::PrNoticed& noticed : found) services.forge.pr_changed(rig, noticed.pr_number);
  for (const events::PrNoticed& noticed : found) services.engine.submit(town, noticed, [](const expected<Receipt>&) {});
  call->succeed(json::object{{"noticed", found.size()}});
}

constexpr std::array<NamedHandler, 1> kHandlers{{{"hook.receive", receive}}};

}  // namespace

std::span<const NamedHandler> hook_handlers() { return kHandlers; }

}  // namespace townd

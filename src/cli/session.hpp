#pragma once

#include <memory>
#include <string>

#include "cli/client.hpp"
#include "cli/command.hpp"
#include "cli/terminal.hpp"

namespace townd::cli {

/// What one call of `town` works with. Everything is found when it is first asked for, so that offline commands need
/// no daemon.
class Session {
 public:
  Session(Values values, Terminal& terminal) : values_(std::move(values)), terminal_(terminal) {}

  [[nodiscard]] Terminal& terminal() { return terminal_; }
  [[nodiscard]] const Values& values() const { return values_; }

  expected<Place> place();
  expected<Client*> client();

  /// The town's id: `--town`, TOWN_ID, the town that made this bead or agent id, the rig around the current folder, or
  /// the only town.
  expected<std::string> town(std::string_view id = {});
  /// From now on `town()` is this one.
  void use_town(std::string id) { town_ = std::move(id); }
  /// The rig's id: `--rig`, TOWN_RIG, the rig around the current folder, or the town's only rig.
  expected<std::string> rig();
  /// The id of the town's agent with this name or id.
  expected<std::string> agent_named(const std::string& wanted);
  /// The id of the town's rig with this name or id.
  expected<std::string> rig_named(const std::string& wanted);

  /// `client()` and `town()` at once, then the call with the town added to `parts`.
  expected<json::value> in_town(std::string_view operation, Client::Path parts = {}, json::object fields = {},
                                std::string_view id = {});

 private:
  struct Around {
    std::string town;
    std::string rig;
  };
  expected<json::value> all_towns();
  expected<Around> around();  ///< by the current folder; empty parts when no rig contains it

  Values values_;
  Terminal& terminal_;
  std::unique_ptr<Client> client_;
  std::string town_;
  std::string rig_;
};

/// Prints the answer as it is with --json, else runs `people`.
template <class People>
expected<int> answer(Session& session, const expected<json::value>& value, People people) {
  if (!value) return tl::unexpected(value.error());
  if (session.terminal().json()) return session.terminal().value(*value) ? kOk : kNotFound;
  people(*value);
  return kOk;
}

/// The same where one sentence says it.
inline expected<int> answer_with(Session& session, const expected<json::value>& value, const std::string& sentence) {
  return answer(session, value, [&](const json::value&) { session.terminal().line(sentence); });
}

}  // namespace townd::cli

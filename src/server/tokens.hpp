#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/expected.hpp"
#include "ports/store.hpp"
#include "server/operation.hpp"

namespace townd {

/// Whose request it is.
struct Caller {
  Role role = kViewer;
  std::string token_id;  ///< `socket` on townd.sock
  TownId town;           ///< of a run's token, like the next two
  AgentId agent;
  RunId run;
  RigId rig;  ///< the run's; empty for the mayor and until the run has been looked up

  [[nodiscard]] bool has_run() const { return !run.empty(); }
};

/// The tokens of people and runs, by their hashes. Runs' tokens are made by the engine; here they are only known.
class TokenBook {
 public:
  explicit TokenBook(Store& store) : store_(store) {}

  /// Who has this token, as far as is known without asking the store.
  std::optional<Caller> known(std::string_view token) const;
  /// Reads the store; blocks. An engine that has just started a run has put its token there.
  expected<void> reload();

  /// Makes sure that `<folder>/admin.token` (0600) holds an admin token that is good.
  expected<void> ensure_admin(const std::string& folder, Instant now);

  /// A new token of a person, which is kept only as a hash; the id must be free.
  expected<std::string> make(const std::string& id, Role role, Instant now);
  expected<void> revoke(const std::string& id);
  /// Tokens of people that are not revoked, without hashes.
  std::vector<TokenRow> of_people() const;

 private:
  expected<void> put(const TokenRow& row);

  Store& store_;
  mutable std::mutex mutex_;
  std::map<std::string, TokenRow, std::less<>> by_hash_;
};

/// Reads a role's name.
std::optional<Role> role_from(std::string_view name);

}  // namespace townd

#include "server/tokens.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "engine/token.hpp"

namespace townd {
namespace {

constexpr std::string_view kAdminId = "admin";

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

/// Written beside and renamed, so that nobody ever reads half a token.
expected<void> write_private(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int problem = errno;
  if (file >= 0) ::close(file);
  written = written && ::rename(fresh.c_str(), path.c_str()) == 0;
  if (written) return {};
  ::unlink(fresh.c_str());
  return fail(Error::Code::unavailable, "cannot write " + path + ": " + std::strerror(problem),
              "check that the data folder belongs to you and that the disk is not full");
}

Caller caller_of(const TokenRow& row, Role role) {
  return {role, row.id, TownId(row.town_id), AgentId(row.agent_id), RunId(row.run_id), RigId()};
}

}  // namespace

std::optional<Role> role_from(std::string_view name) {
  for (const Role role : {kAdmin, kOperator, kViewer, kMayor, kAgent})
    if (to_string(role) == name) return role;
  return std::nullopt;
}

std::optional<Caller> TokenBook::known(std::string_view token) const {
  const std::string hash = hash_token(token);
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return std::nullopt;
  const TokenRow& row = found->second;
  // The map compares byte by byte, but hashes: what its timing tells is nothing about a token. This comparison is for
  // whoever changes the map.
  if (CRYPTO_memcmp(row.hash.data(), hash.data(), hash.size()) != 0 || row.revoked) return std::nullopt;
  const std::optional<Role> role = role_from(row.role);
  if (!role) return std::nullopt;
  return caller_of(row, *role);
}

expected<void> TokenBook::reload() {
  auto rows = store_.tokens();
  if (!rows) return tl::unexpected(rows.error());
  const std::lock_guard lock(mutex_);
  by_hash_.clear();
  for (TokenRow& row : *rows) {
    std::string hash = row.hash;
    by_hash_.insert_or_assign(std::move(hash), std::move(row));
  }
  return {};
}

expected<void> TokenBook::put(const TokenRow& row) {
  if (const auto stored = store_.put_token(row); !stored) return stored;
  const std::lock_guard lock(mutex_);
  std::erase_if(by_hash_, [&](const auto& entry) { return entry.second.id == row.id; });
  by_hash_.insert_or_assign(row.hash, row);
  return {};
}

expected<void> TokenBook::ensure_admin(const std::string& folder, Instant now) {
  const std::string path = folder + "/admin.token";
  std::ifstream file(path);
  std::string token = trimmed({std::istreambuf_iterator<char>(file), {}});
  if (const auto caller = known(token); !token.empty() && caller && caller->role == kAdmin) return {};
  token = make_token();
  TokenRow row;
  row.id = kAdminId;
  row.hash = hash_token(token);
  row.role = to_string(kAdmin);
  row.created_at = now;
  if (const auto stored = put(row); !stored) return stored;
  return write_private(path, token + "\n");
}

expected<std::string> TokenBook::make(const std::string& id, Role role, Instant now) {
  std::string token = make_token();
  TokenRow row;
  row.hash = hash_token(token);
  row.id = id.empty() ? std::string(to_string(role)) + "-" + row.hash.substr(0, 8) : id;
  row.role = to_string(role);
  row.created_at = now;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [hash, known_row] : by_hash_)
      if (known_row.id == row.id && (!known_row.revoked || !known_row.run_id.empty()))
        return fail(Error::Code::conflict, "there is a token called " + row.id + " already", "choose another id");
  }
  if (const auto stored = put(row); !stored) return tl::unexpected(stored.error());
  return token;
}

expected<void> TokenBook::revoke(const std::string& id) {
  std::optional<TokenRow> row;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [hash, known_row] : by_hash_)
      if (known_row.id == id && known_row.run_id.empty() && !known_row.revoked) row = known_row;
  }
  if (!row) return fail(Error::Code::not_found, "there is no token called " + id, "town token list shows them");
  if (id == kAdminId)
    return fail(Error::Code::conflict,
                "the data folder's own token is not ended: it would be good again after a restart",
                "remove admin.token from the data folder and restart townd; it makes another one");
  row->revoked = true;
  return put(*row);
}

std::vector<TokenRow> TokenBook::of_people() const {
  const std::lock_guard lock(mutex_);
  std::vector<TokenRow> rows;
  for (const auto& [hash, row] : by_hash_) {
    if (!row.run_id.empty() || row.revoked) continue;
    rows.push_back(row);
    rows.back().hash.clear();
  }
  return rows;
}

}  // namespace townd

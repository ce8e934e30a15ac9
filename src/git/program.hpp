#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "core/expected.hpp"
#include "git/spawn.hpp"

namespace townd::git {

/// Which transports a call may use. Everything that does not talk to another repository uses none.
enum class Transport {
  none,
  local,    ///< a path that townd's owner configured, or one of townd's own folders
  network,  ///< https and ssh
};

/// How one call of git differs from the usual.
struct Call {
  std::string input;
  std::chrono::milliseconds timeout = std::chrono::minutes(1);
  std::size_t output_limit = 1 << 20;
  std::size_t file_size_limit = 0;  ///< no object pack it writes may be larger; 0: no limit
  Transport transport = Transport::none;
  std::string date{};               ///< of the commits it makes, as git reads it; now when empty
  std::vector<std::string> config;  ///< further `key=value`, stronger than the repository's own
};

/// The git program under townd's rules (interfaces.md, "Repositories are hostile"): an environment made from nothing,
/// no hooks, no fsmonitor, no signing, no gc, no prompts, objects checked on arrival, and of the user's own git config
/// only `credential.*`, proxies, CA files and `url.*.insteadOf`.
class Program {
 public:
  /// Finds git (2.32 or later, which can be given its global configuration) and writes the configuration it will run
  /// with to `<folder>/git.config`, readable by its owner only. `folder` is made when it is missing.
  static expected<Program> open(const std::string& folder);

  /// Runs git in `where`, a folder with a checkout; an end with any exit code is an answer.
  expected<Finished> in(const std::string& where, std::vector<std::string> args, const Call& call = {}) const;
  /// Runs git on the repository that is the folder `git_dir` itself.
  expected<Finished> on(const std::string& git_dir, std::vector<std::string> args, const Call& call = {}) const;
  /// Runs git outside of any repository.
  expected<Finished> alone(std::vector<std::string> args, const Call& call = {}) const;

  /// This program with a header for the places whose URL begins so, which then may not redirect. It is given in the
  /// environment: nobody sees it among the arguments.
  [[nodiscard]] Program with_header(const std::string& url, const std::string& header) const;

  /// Who made the commits and reflog entries of townd itself.
  [[nodiscard]] std::pair<std::string, std::string> identity() const { return {name_, email_}; }  ///< name, e-mail
  void set_identity(const std::string& name, const std::string& email);

 private:
  expected<Finished> run_git(std::vector<std::string> place, std::vector<std::string> args, const Call& call) const;

  std::string program_;
  std::vector<std::string> env_;
  std::string name_ = "townd";
  std::string email_ = "townd@townd.local";
};

/// The standard output without its last newline when git ended well, else an Error with git's own last words. What git
/// says about a URL with a password in it is shown without the password.
expected<std::string> text_of(expected<Finished> finished, const std::string& doing);

/// `finished` ended well, or an Error as above.
expected<void> done(const expected<Finished>& finished, const std::string& doing);

}  // namespace townd::git

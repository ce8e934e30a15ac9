#include "git/fetch.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <regex>
#include <string_view>

#include "git/names.hpp"
#include "git/spawn.hpp"

namespace townd::git {
namespace {

namespace fs = std::filesystem;

/// A repository may be large; one pack beyond this is a mistake or an attack.
constexpr std::size_t kLargestPack = std::size_t{16} << 30;
/// What one run may add.
constexpr std::size_t kLargestRunPack = std::size_t{1} << 30;

/// The far side of a local transport does not inherit `-c`. A folder that its owner named to townd may belong to
/// another user; hooks and every other program that its configuration names stay off there too.
constexpr const char* kUploadPack =
    "git -c safe.directory=* -c core.hooksPath=/dev/null -c core.alternateRefsCommand=true upload-pack";
constexpr const char* kReceivePack =
    "git -c safe.directory=* -c core.hooksPath=/dev/null -c core.alternateRefsCommand=true -c core.fsmonitor=false "
    "-c gc.auto=0 -c receive.autogc=false -c receive.fsckObjects=true receive-pack";

Call patient(Transport transport) {
  Call call;
  call.timeout = transport == Transport::network ? std::chrono::minutes(30) : std::chrono::minutes(10);
  call.transport = transport;
  return call;
}

std::vector<std::string> fetch_arguments(const std::string& upload_pack) {
  std::vector<std::string> args = {
      "fetch",     "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules",
      "--no-prune"};
  if (!upload_pack.empty()) args.push_back("--upload-pack=" + upload_pack);
  args.push_back("--end-of-options");
  return args;
}

/// A fetch that was cut off leaves its half of a pack behind, and gc, which would take it away, is off.
void remove_half_packs(const std::string& git_dir) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(git_dir + "/objects/pack", ignored)) {
    if (entry.path().filename().string().starts_with("tmp_")) fs::remove(entry.path(), ignored);
  }
}

/// The sandbox: the system read-only, the clone and the objects it borrows read-only, nothing else, no network.
std::vector<std::string> sandbox(const std::string& bare, const std::string& folder) {
  std::vector<std::string> argv = {
      "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--proc", "/proc",
      "--dev", "/dev",          "--tmpfs",           "/tmp"};
  for (const char* system : {"/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/opt", "/nix", "/etc/ld.so.cache"}) {
    argv.insert(argv.end(), {"--ro-bind-try", system, system});
  }
  argv.insert(argv.end(), {"--ro-bind", bare + "/objects", bare + "/objects", "--ro-bind", folder, folder});
  const std::array<std::array<std::string, 2>, 9> environment = {{{"PATH", own_path()},
                                                                  {"HOME", "/nonexistent"},
                                                                  {"LANG", "C.UTF-8"},
                                                                  {"GIT_CONFIG_NOSYSTEM", "1"},
                                                                  {"GIT_CONFIG_GLOBAL", "/dev/null"},
                                                                  {"GIT_NO_LAZY_FETCH", "1"},
                                                                  {"GIT_CONFIG_COUNT", "1"},
                                                                  {"GIT_CONFIG_KEY_0", "safe.directory"},
                                                                  {"GIT_CONFIG_VALUE_0", "*"}}};
  for (const auto& [name, value] : environment) argv.insert(argv.end(), {"--setenv", name, value});
  return argv;
}

Error not_its_own(const std::string& path, const std::string& why) {
  return Error{Error::Code::conflict, path + " " + why + ", and is not read",
               "look into the clone, take out what you need and remove it"};
}

/// Whether a file of the clone's repository can be read without harm: opening a pipe never ends, a link leads
/// elsewhere, and of a file without end git reads everything.
expected<void> check_file(const fs::path& path, std::uintmax_t limit) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISREG(found.st_mode)) return tl::unexpected(not_its_own(path.string(), "is no plain file"));
  if (static_cast<std::uintmax_t>(found.st_size) <= limit) return {};
  return tl::unexpected(not_its_own(path.string(), "is larger than " + std::to_string(limit) + " bytes"));
}

/// The same for all files of a folder, which may have none.
expected<void> check_folder(const fs::path& folder, std::uintmax_t limit) {
  std::error_code error;
  if (fs::is_symlink(folder, error)) return tl::unexpected(not_its_own(folder.string(), "is a link"));
  for (auto entry = fs::recursive_directory_iterator(folder, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->symlink_status(error).type() == fs::file_type::directory) continue;
    if (auto ok = check_file(entry->path(), limit); !ok) return ok;
  }
  if (!error || error == std::errc::no_such_file_or_directory) return {};
  return tl::unexpected(not_its_own(folder.string(), "cannot be looked over: " + error.message()));
}

/// `.git` is a folder of its own, and all that git reads there on a fetch is what git would have written.
expected<void> check_own_git_folder(const std::string& folder) {
  constexpr std::uintmax_t kRef = 4'096;
  constexpr std::uintmax_t kText = std::uintmax_t{1} << 20;
  constexpr std::uintmax_t kPackedRefs = std::uintmax_t{64} << 20;
  const fs::path git = folder + "/.git";
  struct stat found {};
  if (::lstat(git.c_str(), &found) != 0 || !S_ISDIR(found.st_mode))
    return fail(Error::Code::conflict, "the clone " + folder + " has no git folder of its own any more",
                "look into it, take out what you need and remove it");
  for (const char* name : {"HEAD", "config", "config.worktree", "shallow", "commondir", "description"})
    if (auto ok = check_file(git / name, kText); !ok) return ok;
  return check_file(git / "packed-refs", kPackedRefs)
      .and_then([&] { return check_folder(git / "refs", kRef); })
      .and_then([&] { return check_folder(git / "info", kText); })
      .and_then([&] { return check_folder(git / "objects", kLargestRunPack); });
}

}  // namespace

expected<Place> place_of(const std::string& address) {
  static const std::regex kUrl("(https|ssh)://[A-Za-z0-9@:._%~\\[\\]+-]+/[^\\x00-\\x20]+");
  static const std::regex kScp("[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^\\x00-\\x20-][^\\x00-\\x20]*");
  constexpr std::size_t kLongest = 2000;
  if (address.size() <= kLongest) {
    if (is_local_path(address) && address.find('\n') == std::string::npos) return Place{address, Transport::local};
    if (address.find("://-") == std::string::npos &&
        (std::regex_match(address, kUrl) || std::regex_match(address, kScp))) {
      return Place{address, Transport::network};
    }
  }
  return fail(Error::Code::invalid, "\"" + without_credentials(address.substr(0, 200)) + "\" is not a place townd uses",
              "give an absolute path, an https:// or ssh:// URL, or user@host:path");
}

expected<std::optional<std::string>> tip_at(const Program& git, const Place& place, const std::string& branch) {
  Call call = patient(place.transport);
  call.timeout = std::chrono::minutes(2);
  std::vector<std::string> args = {"ls-remote", "--quiet", "--heads"};
  if (place.transport == Transport::local) args.push_back(std::string("--upload-pack=") + kUploadPack);
  args.insert(args.end(), {"--end-of-options", place.address, "refs/heads/" + branch});
  const auto listed = text_of(git.alone(std::move(args), call), "asking " + without_credentials(place.address));
  if (!listed) return tl::unexpected(listed.error());
  const std::string id = listed->substr(0, listed->find('\t'));
  if (!is_object_id(id)) return std::nullopt;
  return id;
}

expected<void> fetch(const Repository& repository, const Place& from, const std::vector<std::string>& refspecs) {
  Call call = patient(from.transport);
  call.file_size_limit = kLargestPack;
  auto args = fetch_arguments(from.transport == Transport::local ? kUploadPack : "");
  args.push_back(from.address);
  args.insert(args.end(), refspecs.begin(), refspecs.end());
  return done(repository.call(std::move(args), call), "fetching from " + without_credentials(from.address));
}

expected<PushAnswer> push(const Program& git, const Repository& from, const Place& to, const std::string& branch,
                          const std::string& commit, const std::string& expected_tip) {
  const std::string ref = "refs/heads/" + branch;
  std::vector<std::string> args = {"push",        "--porcelain",      "--no-verify",
                                   "--no-signed", "--no-follow-tags", "--force-with-lease=" + ref + ":" + expected_tip};
  if (to.transport == Transport::local) args.push_back(std::string("--receive-pack=") + kReceivePack);
  args.insert(args.end(), {"--end-of-options", to.address, commit + ":" + ref});
  const auto finished = from.call(std::move(args), patient(to.transport));
  if (finished && finished->ok()) return PushAnswer{Pushed::yes, {}};
  const auto why = done(finished, "pushing to " + without_credentials(to.address));
  // Whether it was carried out, or somebody else was quicker, only the place itself can say.
  const auto tip = tip_at(git, to, branch);
  if (!tip) return tl::unexpected(tip.error());
  if (*tip == commit) return PushAnswer{Pushed::yes, {}};
  if (tip->value_or("") != expected_tip) return PushAnswer{Pushed::moved, branch + " has moved there"};
  if (finished && finished->signal == 0 && !finished->timed_out) return PushAnswer{Pushed::refused, why.error().what};
  return tl::unexpected(why.error());
}

bool sandbox_works() {
  Command command;
  command.argv = {"bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "true"};
  command.env = {"PATH=" + own_path()};
  command.timeout = std::chrono::seconds(10);
  const auto finished = run(command);
  return finished && finished->ok();
}

expected<void> fetch_from_clone(const Repository& bare, const std::string& folder,
                                const std::vector<std::string>& refspecs, bool sandboxed) {
  if (auto ok = check_own_git_folder(folder); !ok) return ok;
  std::string upload_pack;
  if (sandboxed) {
    for (const std::string& word : sandbox(bare.folder(), folder)) upload_pack += shell_quoted(word) + " ";
  }
  upload_pack += sandboxed ? "git upload-pack --strict" : std::string(kUploadPack) + " --strict";
  Call call = patient(Transport::local);
  call.timeout = std::chrono::minutes(2);  // both ends are on this disk; whoever waits longer waits for an agent
  call.file_size_limit = kLargestRunPack;
  auto args = fetch_arguments(upload_pack);
  args.push_back(folder + "/.git");
  args.insert(args.end(), refspecs.begin(), refspecs.end());
  auto fetched = done(bare.call(std::move(args), call), "fetching the work in " + folder);
  if (!fetched) remove_half_packs(bare.folder());
  return fetched;
}

}  // namespace townd::git

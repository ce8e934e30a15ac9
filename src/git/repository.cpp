#include "git/repository.hpp"

#include <utility>

#include "git/names.hpp"

namespace townd::git {

Repository Repository::bare(const Program& git, std::string git_dir) { return {git, std::move(git_dir), true}; }

Repository Repository::checkout(const Program& git, std::string folder) { return {git, std::move(folder), false}; }

expected<Finished> Repository::call(std::vector<std::string> args, const Call& call) const {
  return bare_ ? git_->on(folder_, std::move(args), call) : git_->in(folder_, std::move(args), call);
}

expected<std::string> Repository::text(std::vector<std::string> args, const std::string& doing,
                                       const Call& call) const {
  return text_of(this->call(std::move(args), call), doing);
}

expected<std::optional<std::string>> Repository::commit_of(const std::string& ref_or_id) const {
  auto finished = call({"rev-parse", "--verify", "--quiet", "--end-of-options", ref_or_id + "^{commit}"});
  if (!finished) return tl::unexpected(finished.error());
  // 1 and nothing said: no such ref. 128: an id that is no commit here, or a repository that cannot be read.
  if (finished->signal == 0 && finished->exit_code == 1) return std::nullopt;
  if (finished->signal == 0 && finished->exit_code == 128 && is_object_id(ref_or_id)) return std::nullopt;
  auto id = text_of(std::move(finished), "looking up " + ref_or_id + " in " + folder_);
  if (!id) return tl::unexpected(id.error());
  return *id;
}

expected<bool> Repository::is_ancestor(const std::string& ancestor, const std::string& descendant) const {
  auto finished = call({"merge-base", "--is-ancestor", ancestor, descendant});
  if (finished && finished->signal == 0 && !finished->timed_out && finished->exit_code <= 1) {
    return finished->exit_code == 0;
  }
  auto ok = done(finished, "comparing " + ancestor + " with " + descendant + " in " + folder_);
  return tl::unexpected(ok ? Error{} : ok.error());
}

expected<bool> Repository::compare_and_swap(const std::string& ref, const std::string& to,
                                            const std::string& from) const {
  const std::string old = from.empty() ? std::string(to.size(), '0') : from;
  auto finished = call({"update-ref", "--create-reflog", "-m", "townd", ref, to, old});
  if (finished && finished->ok()) return true;
  auto ok = done(finished, "moving " + ref + " in " + folder_);
  // Git says by words only that somebody else was quicker; what the ref is now says it for certain.
  auto now = commit_of(ref);
  if (now && now->value_or("") != from) return false;
  return tl::unexpected(ok ? Error{} : ok.error());
}

expected<void> Repository::point(const std::string& ref, const std::string& to) const {
  return done(call({"update-ref", ref, to}), "setting " + ref + " in " + folder_);
}

}  // namespace townd::git

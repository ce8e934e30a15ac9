#include "server/diff.hpp"

#include <vector>

#include "codec/utf8.hpp"
#include "git/layout.hpp"
#include "git/names.hpp"
#include "git/repository.hpp"

namespace townd {
namespace {

constexpr std::size_t kDiffLimit = 4u << 20;  ///< bytes; a larger difference is for git itself

/// The first of these that leads to a commit.
expected<std::string> first_commit(const git::Repository& repository, const std::vector<std::string>& names,
                                   const std::string& what) {
  for (const std::string& name : names) {
    const auto commit = repository.commit_of(name);
    if (!commit) return tl::unexpected(commit.error());
    if (*commit) return **commit;
  }
  return fail(Error::Code::not_found, what + " is not in the rig's repository",
              "it has not been handed in yet, or was cleaned up");
}

std::vector<std::string> heads(const DiffSpec& spec) {
  std::vector<std::string> names;
  if (git::is_object_id(spec.commit)) names.push_back(spec.commit);
  if (!spec.run.empty()) names.push_back(git::run_ref(spec.run));
  if (git::validate_branch_name(spec.branch)) names.push_back("refs/heads/" + spec.branch);
  return names;
}

std::vector<std::string> bases(const DiffSpec& spec) {
  std::vector<std::string> names;
  if (git::is_object_id(spec.base_commit)) names.push_back(spec.base_commit);
  if (git::validate_branch_name(spec.target_branch)) names.push_back("refs/heads/" + spec.target_branch);
  return names;
}

}  // namespace

std::function<expected<std::string>(const DiffSpec&)> diff_reader(git::Program git, std::string data) {
  return [git = std::move(git), data = std::move(data)](const DiffSpec& spec) -> expected<std::string> {
    const git::Repository repository = git::Repository::bare(git, git::rig_repository(data, spec.rig.rig_id));
    const auto head = first_commit(repository, heads(spec), "the work");
    if (!head) return head;
    const auto base = first_commit(repository, bases(spec), "the branch " + spec.target_branch);
    if (!base) return base;
    git::Call call;
    call.output_limit = kDiffLimit;
    const auto text =
        repository.text({"diff", "--no-color", "--no-ext-diff", "--no-textconv", *base + "..." + *head, "--"},
                        "reading the difference", call);
    if (!text) return tl::unexpected(text.error());
    return valid_utf8(*text);
  };
}

}  // namespace townd

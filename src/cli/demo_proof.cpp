#include <algorithm>
#include <sstream>

#include "cli/demo.hpp"
#include "cli/process.hpp"

namespace townd::cli::demo {

namespace {

struct Commit {
  std::string id;
  std::vector<std::string> parents;
};

expected<std::string> git(const std::string& folder, std::vector<std::string> words) {
  words.insert(words.begin(), {"git", "-C", folder});
  const auto finished =
      run_program({words, {}, {{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_NOSYSTEM", "1"}}, {}});
  if (!finished) return tl::unexpected(finished.error());
  if (!finished->ok()) return fail(Error::Code::internal, "git says: " + finished->out);
  return finished->out;
}

/// Every commit that main of the repository can reach.
expected<std::vector<Commit>> commits_of_main(const std::string& repository) {
  const auto listed = git(repository, {"rev-list", "--parents", "main"});
  if (!listed) return tl::unexpected(listed.error());
  std::vector<Commit> commits;
  std::istringstream lines(*listed);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Commit commit;
    words >> commit.id;
    for (std::string parent; words >> parent;) commit.parents.push_back(parent);
    commits.push_back(std::move(commit));
  }
  return commits;
}

/// The commit that was handed in for a bead and merged, as its merged request has it.
expected<std::string> merged_commit(Session& session, const std::string& bead) {
  const auto detail = session.in_town("bead.get", {{"bead", bead}});
  if (!detail) return tl::unexpected(detail.error());
  for (const json::value& id : list_of(*detail, "requests")) {
    const auto request = session.in_town("bead.get", {{"bead", std::string(id.as_string())}});
    if (!request) return tl::unexpected(request.error());
    const json::value& review = member_of(*request, "review");
    if (text_of(review, "result") == "merged") return text_of(review, "commit");
  }
  return fail(Error::Code::internal, bead + " has no merged request");
}

expected<void> gate_is_green(const Places& places) {
  const std::string fresh = places.folder + "/fresh";
  if (const auto cloned = git(places.folder, {"clone", "-q", places.repository, fresh}); !cloned)
    return tl::unexpected(cloned.error());
  const auto tested = run_program({{"sh", "test.sh"}, fresh, {}, {}});
  if (!tested) return tl::unexpected(tested.error());
  if (!tested->ok()) return fail(Error::Code::internal, "the gate is red on main:\n" + tested->out);
  return {};
}

}  // namespace

expected<std::vector<std::string>> prove(Session& session, const Places& places, const std::string& convoy) {
  const auto detail = session.in_town("convoy.get", {{"convoy", convoy}});
  if (!detail) return tl::unexpected(detail.error());
  const auto commits = commits_of_main(places.repository);
  if (!commits) return tl::unexpected(commits.error());
  for (const json::value& bead : list_of(*detail, "beads")) {
    const std::string id = text_of(bead, "bead_id");
    const auto commit = merged_commit(session, id);
    if (!commit) return tl::unexpected(commit.error());
    const bool on_main =
        std::any_of(commits->begin(), commits->end(), [&](const Commit& c) { return c.id == *commit; });
    if (!on_main) return fail(Error::Code::internal, "the commit " + *commit + " of " + id + " is not on main");
    const auto merges = std::count_if(commits->begin(), commits->end(), [&](const Commit& c) {
      return c.parents.size() == 2 && c.parents[1] == *commit;
    });
    if (merges != 1)
      return fail(Error::Code::internal, id + " was merged " + std::to_string(merges) + " times, not once");
  }
  if (const auto green = gate_is_green(places); !green) return tl::unexpected(green.error());
  const auto status = git(places.repository, {"status", "--porcelain"});
  if (!status) return tl::unexpected(status.error());
  if (!status->empty()) return fail(Error::Code::internal, "the checkout is not clean:\n" + *status);
  const std::string count = std::to_string(list_of(*detail, "beads").size());
  return std::vector<std::string>{"all " + count + " commits are ancestors of main", "one merge for each of them",
                                  "the gate is green in a fresh clone of main"};
}

}  // namespace townd::cli::demo

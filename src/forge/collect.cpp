#include "forge/collect.hpp"

#include <optional>
#include <string_view>

#include "git/fetch.hpp"
#include "git/layout.hpp"

namespace townd {
namespace {

/// Which of the two tips is the run's work.
expected<std::optional<std::string>> choose(const git::Repository& bare, const std::string& place,
                                            const std::string& branch) {
  auto head = bare.commit_of(place + "/HEAD");
  if (!head || branch.empty()) return head;
  auto tip = bare.commit_of(place + "/heads/" + branch);
  if (!tip || !*tip) return tip ? head : tip;
  if (!*head || *head == *tip) return tip;
  auto further = bare.is_ancestor(**tip, **head);
  if (!further) return tl::unexpected(further.error());
  return *further ? head : tip;
}

/// Drops the names under `place` whose commits `ref` contains; the others stay.
expected<void> drop_contained(const git::Repository& bare, const std::string& place, const std::string& ref) {
  git::Call call;
  call.output_limit = std::size_t{64} << 20;
  auto contained = bare.call({"for-each-ref", "--format=delete %(refname)", "--merged=" + ref, place}, call);
  if (auto ok = git::done(contained, "listing what " + ref + " contains"); !ok) return ok;
  call.input = contained->out;
  return git::done(bare.call({"update-ref", "--stdin"}, call), "dropping names under " + place);
}

/// An earlier tip that the new one does not contain keeps a name.
expected<void> keep_earlier(const git::Repository& bare, const std::string& place, const std::string& ref,
                            const std::string& fresh) {
  auto earlier = bare.commit_of(ref);
  if (!earlier) return tl::unexpected(earlier.error());
  if (!*earlier) return {};
  auto contained = bare.is_ancestor(**earlier, fresh);
  if (!contained) return tl::unexpected(contained.error());
  if (*contained) return {};
  return bare.point(place + "/earlier/" + **earlier, **earlier);
}

}  // namespace

expected<std::string> collect_clone(const git::Repository& bare, const CloneWork& work) {
  const std::string ref = git::run_ref(work.run_id);
  const std::string place = "refs/town-clone/" + git::path_part(work.run_id.text);
  auto fetched = git::fetch_from_clone(
      bare, work.folder, {"+HEAD:" + place + "/HEAD", "+refs/heads/*:" + place + "/heads/*"}, work.sandboxed);
  if (!fetched) return tl::unexpected(fetched.error());
  auto commit = choose(bare, place, work.branch);
  if (!commit) return tl::unexpected(commit.error());
  if (!*commit) return std::string();
  if (auto ok = keep_earlier(bare, place, ref, **commit); !ok) return tl::unexpected(ok.error());
  if (auto ok = bare.point(ref, **commit); !ok) return tl::unexpected(ok.error());
  if (auto ok = drop_contained(bare, place, ref); !ok) return tl::unexpected(ok.error());
  return **commit;
}

}  // namespace townd

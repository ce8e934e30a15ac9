#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codec/json.hpp"
#include "forge/host.hpp"
#include "forge/host_settings.hpp"
#include "forge/json_calls.hpp"
#include "ports/clock.hpp"

namespace townd {

/// An unresolved discussion of a merge request, with what is said there by those who are heard.
struct GitLabDiscussion {
  std::string id;           ///< as REST has it
  std::string description;  ///< for an agent; empty when nobody who is heard said anything
  bool more = false;        ///< than was read
};

/// GitLab, by REST for what changes something and by GraphQL for how merge requests stand: one request tells it of all
/// of kProjects projects, up to kTogether of each.
class GitLab final : public Host {
 public:
  static constexpr std::size_t kProjects = 5;  ///< with more GitLab finds the query too complex
  static constexpr std::size_t kTogether = 50;

  GitLab(HostSettings settings, const Clock& clock, const std::atomic<bool>& stop);

  Asked<void> check(const HostedRepository& repository) override;
  Asked<std::string> open(const NewPr& wanted) override;
  std::vector<Asked<events::PollAnswer>> read(std::span<const PrPlace> places) override;
  Asked<PrPage> look(const PrPlace& place) override;
  Asked<void> comment(const PrPlace& place, const std::string& text) override;
  Asked<void> answer_thread(const PrPlace& place, const std::string& thread, const std::string& text) override;
  Asked<void> merge(const PrPlace& place, const std::string& head) override;
  [[nodiscard]] std::string head_ref(int number) const override;
  Asked<std::string> git_header() override;
  [[nodiscard]] std::vector<HostCalls> calls() const override { return calls_.made(); }

 private:
  using Answers = std::vector<Asked<events::PollAnswer>>;
  /// Merge requests of one project that are asked about together, by where they stand in what was asked for.
  struct Group {
    std::string project;
    std::vector<std::size_t> places;
  };
  /// What was said in the unresolved discussions of a merge request.
  struct Told {
    std::string as_of;
    std::vector<GitLabDiscussion> discussions;
  };
  struct Membership {
    bool writes = false;
    Instant until;
  };

  Asked<JsonAnswer> call(const std::string& method, const std::string& path, const json::value& body,
                         const std::vector<int>& fine = {}) const;
  Asked<void> has_scope() const;
  Asked<json::value> graphql(const std::string& query, json::object variables) const;
  void read_together(std::span<const Group> groups, std::span<const PrPlace> places, Answers& answers);
  void read_project(const Group& group, const json::value& project, std::span<const PrPlace> places, Answers& answers);
  Asked<events::PollAnswer> read_one(const PrPlace& place, json::value request, bool pipeline_required);
  bool note_unchecked(const PrPlace& place, bool unchecked);
  Asked<void> begin_checks(const std::string& project, std::span<const int> first, std::span<const int> again);
  Asked<json::value> discussions_page(const PrPlace& place, const std::string& size, const std::string& fields,
                                      const json::value& after) const;
  Asked<void> read_further_pages(const PrPlace& place, json::value& request) const;
  Asked<std::vector<GitLabDiscussion>> discussions_of(const PrPlace& place, const json::value& request);
  Asked<std::vector<GitLabDiscussion>> read_discussions(const PrPlace& place, std::set<std::string> wanted);
  Asked<GitLabDiscussion> read_discussion(const HostedRepository& repository, const json::value& discussion);
  Asked<bool> heard(const HostedRepository& repository, const json::value& author);
  Asked<bool> writes(const HostedRepository& repository, const std::string& user);

  const HostSettings settings_;
  const Clock& clock_;
  const JsonCalls calls_;
  WebAddress rest_;
  WebAddress graphql_;
  std::mutex mutex_;                                                   ///< of what follows
  std::map<std::string, Told> told_;                                   ///< by the merge request's page
  std::set<std::string> unchecked_;                                    ///< pages of which it was so at the last look
  std::map<std::pair<std::string, std::string>, Membership> members_;  ///< by project and user
};

/// What GitLab's GraphQL says of a merge request, as townd understands it (reference §h.4). `pipeline_required`: the
/// project merges nothing without one that has passed. Else what is missing.
tl::expected<events::PollAnswer, std::string> read_merge_request(const json::value& request, const PrPlace& place,
                                                                 std::span<const GitLabDiscussion> discussions,
                                                                 bool pipeline_required);

/// A text in which no line is one of GitLab's quick actions (`/merge`), which would be done in townd's name.
std::string without_quick_actions(std::string_view text);

}  // namespace townd

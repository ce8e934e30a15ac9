#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "codec/json.hpp"
#include "forge/host.hpp"
#include "forge/host_settings.hpp"
#include "forge/json_calls.hpp"
#include "ports/clock.hpp"

namespace townd {

/// All pages of a list.
struct GiteaList {
  json::array items;
  bool more = false;  ///< than was read
};

/// An unresolved conversation on a line, with what is said there by those who are heard.
struct GiteaConversation {
  std::string id;           ///< of its first comment
  std::string description;  ///< for an agent
  Instant last_said_at;
};

/// What the branch that a pull request is for asks of it.
struct GiteaTarget {
  std::int64_t required_approvals = 0;
  std::vector<std::string> required_checks;  ///< patterns of contexts
  bool up_to_date = false;                   ///< its tip has to be in the head
};

/// What Gitea tells of a pull request apart from the pull request itself.
struct GiteaStanding {
  std::string mergeable_state = "unknown";  ///< `unknown clean dirty`, by whether it conflicts alone
  GiteaTarget target;
  GiteaList statuses;  ///< of the head, the newest of each context
  GiteaList reviews;   ///< in the order in which they were made
  std::vector<GiteaConversation> conversations;
  bool unread = false;          ///< there may be more of them
  std::set<std::string> heard;  ///< logins in lower case of those whose words are worked on
};

/// Gitea and Forgejo, by REST. The open pull requests of a repository are listed by one request; more is asked about
/// one of them when something has changed there, while something is still to come, or when it waits for what no list
/// shows.
class Gitea final : public Host {
 public:
  /// So often it has to be said that it cannot be merged before that is a conflict: in a poll each, so long apart.
  /// Before, Gitea may only be working it out.
  static constexpr int kRefusedReads = 3;
  static constexpr Duration kBetweenReads = seconds(20);

  Gitea(HostSettings settings, const Clock& clock, const std::atomic<bool>& stop);

  Asked<void> check(const HostedRepository& repository) override;
  Asked<std::string> open(const NewPr& wanted) override;
  std::vector<Asked<events::PollAnswer>> read(std::span<const PrPlace> places) override;
  void forget(const PrPlace& place) override;
  Asked<PrPage> look(const PrPlace& place) override;
  Asked<void> comment(const PrPlace& place, const std::string& text) override;
  Asked<void> answer_thread(const PrPlace& place, const std::string& thread, const std::string& text) override;
  Asked<void> merge(const PrPlace& place, const std::string& head) override;
  [[nodiscard]] std::string head_ref(int number) const override;
  Asked<std::string> git_header() override;
  [[nodiscard]] std::vector<HostCalls> calls() const override { return calls_.made(); }

 private:
  using Answers = std::vector<Asked<events::PollAnswer>>;
  /// A pull request as it was read.
  struct Known {
    std::string as_of;  ///< what the list shows of it; empty when it may have changed all the same
    std::string tips;   ///< of head and target
    std::string head;
    Instant head_since;
    int refused = 0;  ///< reads that said that these tips cannot be merged
    Instant refused_at;
    GiteaStanding standing;
    Instant read_at;
    std::optional<events::PollAnswer> ended;  ///< merged or closed; no list shows it then
    int forgotten = 0;                        ///< so often
  };
  struct Writers {
    std::set<std::string> logins;
    Instant until;
  };
  struct Target {
    GiteaTarget target;
    Instant until;
  };

  Asked<JsonAnswer> call(const std::string& method, const std::string& path, const json::value& body,
                         const std::vector<int>& fine = {}) const;
  Asked<GiteaList> list(const std::string& path, int most_pages, const char* member = nullptr) const;
  void read_repository(const std::vector<std::size_t>& wanted, std::span<const PrPlace> places, Answers& answers);
  Asked<events::PollAnswer> read_alone(const PrPlace& place);
  Asked<events::PollAnswer> read_one(const PrPlace& place, json::value pull, bool alone);
  Asked<void> read_open(const PrPlace& place, json::value& pull, bool alone, Known& known);
  Asked<void> look_closer(const PrPlace& place, const json::value& pull, Known& known);
  Asked<void> read_statuses(const PrPlace& place, const json::value& pull, GiteaStanding& standing);
  Asked<void> read_said(const PrPlace& place, const json::value& pull, GiteaStanding& standing);
  Asked<void> leave_out_answered(const PrPlace& place, std::vector<GiteaConversation>& conversations);
  Asked<std::set<std::string>> heard(const HostedRepository& repository);
  Asked<GiteaTarget> target(const HostedRepository& repository, const std::string& branch);
  Asked<std::string> login();
  Known known(const PrPlace& place);
  void keep(const PrPlace& place, Known known);

  const HostSettings settings_;
  const Clock& clock_;
  const JsonCalls calls_;
  const WebAddress rest_;
  mutable std::atomic<int> requests_ = 0;
  std::mutex mutex_;                        ///< of what follows
  std::map<std::string, Known> known_;      ///< by the pull request's page
  std::map<std::string, Writers> writers_;  ///< by repository
  std::map<std::string, Target> targets_;   ///< by repository and branch
  std::set<std::string> up_to_date_;        ///< the same of those that refused to merge what was behind
  std::string login_;                       ///< the token's, in lower case, once it is known
  Instant next_look_;                       ///< a closer one, at a pull request that seems as it was
};

/// A pull request of Gitea's REST, as townd understands it. Else what is missing.
tl::expected<events::PollAnswer, std::string> read_gitea_pull(const json::value& pull, const PrPlace& place,
                                                              const GiteaStanding& standing);
/// The unresolved conversations among the comments of a review.
std::vector<GiteaConversation> conversations_of(const json::array& comments, const std::set<std::string>& heard);

}  // namespace townd

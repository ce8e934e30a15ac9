#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "codec/time_text.hpp"
#include "core/text.hpp"
#include "forge/feedback.hpp"
#include "forge/gitea.hpp"

/// One pull request of Gitea's REST, as a poll's answer.
namespace townd {
namespace {

constexpr std::size_t kMostThreads = 100;  ///< that are worked on together

std::string author_of(const json::value& said) { return text_of(member_of(said, "user"), "login"); }

bool is_heard(const json::value& said, const std::set<std::string>& heard) {
  return heard.contains(lower(author_of(said)));
}

bool counts(const json::value& review) { return truth_of(review, "official") && !truth_of(review, "dismissed"); }

/// The last opinion of each who has one, and is official or heard.
std::vector<const json::value*> opinions(const GiteaStanding& standing) {
  std::map<std::string, const json::value*> last;
  for (const json::value& review : standing.reviews.items) {
    const std::string state = text_of(review, "state");
    if (state != "APPROVED" && state != "REQUEST_CHANGES") continue;
    if (truth_of(review, "official") || is_heard(review, standing.heard)) last[author_of(review)] = &review;
  }
  std::vector<const json::value*> all;
  for (const auto& [author, review] : last)
    if (!truth_of(*review, "dismissed")) all.push_back(review);
  return all;
}

/// A request for changes of the very commit that is there now, and approvals that the target asks for.
void read_reviews(events::PollAnswer& answer, const GiteaStanding& standing) {
  std::int64_t approvals = 0;
  bool rejected = false;
  for (const json::value* review : opinions(standing)) {
    if (text_of(*review, "state") == "APPROVED") {
      if (counts(*review) && !truth_of(*review, "stale")) ++approvals;
    } else if (text_of(*review, "commit_id") == answer.head) {
      rejected = rejected || counts(*review);
      answer.unresolved_comments = true;
      add_line(answer.feedback, said_by(author_of(*review) + " asks for changes", text_of(*review, "body")));
    }
  }
  answer.review_decision = rejected                                         ? "CHANGES_REQUESTED"
                           : approvals < standing.target.required_approvals ? "REVIEW_REQUIRED"
                                                                            : "APPROVED";
}

/// Of a status, and of all of them with those that have to come.
enum class GiteaChecks { none, pending, failed, passed };

GiteaChecks outcome_of(const json::value& status) {
  const std::string state = text_of(status, "status");
  if (state == "success" || state == "warning" || state == "skipped") return GiteaChecks::passed;
  return state == "failure" || state == "error" ? GiteaChecks::failed : GiteaChecks::pending;
}

bool has_come(const std::string& pattern, const json::array& statuses) {
  return std::any_of(statuses.begin(), statuses.end(), [&pattern](const json::value& status) {
    const std::string context = text_of(status, "context");
    return context == pattern || ::fnmatch(pattern.c_str(), context.c_str(), 0) == 0;
  });
}

GiteaChecks checks_of(const GiteaStanding& standing) {
  GiteaChecks all = standing.statuses.items.empty() ? GiteaChecks::none : GiteaChecks::passed;
  for (const json::value& status : standing.statuses.items) {
    const GiteaChecks check = outcome_of(status);
    if (check == GiteaChecks::failed) return check;
    if (check == GiteaChecks::pending) all = check;
  }
  for (const std::string& pattern : standing.target.required_checks)
    if (!has_come(pattern, standing.statuses.items)) all = GiteaChecks::pending;
  return all;
}

void read_statuses(events::PollAnswer& answer, const GiteaStanding& standing) {
  for (const json::value& status : standing.statuses.items) {
    const GiteaChecks check = outcome_of(status);
    answer.checks_pending = answer.checks_pending || check == GiteaChecks::pending;
    if (check == GiteaChecks::failed)
      add_failing_check(answer, text_of(status, "context"), text_of(status, "status"), text_of(status, "target_url"));
  }
  const GiteaChecks all = checks_of(standing);
  answer.checks_pending = answer.checks_pending || all == GiteaChecks::pending;
  answer.unchecked_runs = standing.statuses.more;
  answer.all_checks_pass = all == GiteaChecks::passed && !answer.unchecked_runs;
  answer.no_checks = all == GiteaChecks::none;
}

/// In the words of a poll's answer. That its target has moved on matters only where that stands in the way.
std::string mergeable_state(const json::value& pull, const GiteaStanding& standing) {
  if (truth_of(pull, "draft")) return "blocked";
  const bool behind = text_of(pull, "merge_base") != text_of(member_of(pull, "base"), "sha");
  if (standing.mergeable_state == "clean" && standing.target.up_to_date && behind) return "behind";
  return standing.mergeable_state;
}

}  // namespace

std::vector<GiteaConversation> conversations_of(const json::array& comments, const std::set<std::string>& heard) {
  struct One {
    GiteaConversation conversation;
    bool open = false;
    bool heard = false;
  };
  std::map<std::string, std::size_t> at_line;
  std::vector<One> all;
  for (const json::value& comment : comments) {
    const std::string path = text_of(comment, "path");
    const std::int64_t now = number_of(comment, "position"), old = number_of(comment, "original_position");
    const auto [found, first] =
        at_line.try_emplace(path + ":" + std::to_string(now) + ":" + std::to_string(old), all.size());
    if (first) {
      const std::int64_t line = now > 0 ? now : old;
      const std::string where = "- " + path + (line > 0 ? ":" + std::to_string(line) : "");
      all.push_back({{text_of(comment, "id"), where, {}}, member_of(comment, "resolver").is_null(), false});
    }
    One& one = all[found->second];
    if (!is_heard(comment, heard)) continue;
    one.heard = true;
    one.conversation.description += "\n  " + said_by(author_of(comment), text_of(comment, "body"));
    if (const auto at = instant_from_text(text_of(comment, "created_at")))
      one.conversation.last_said_at = std::max(one.conversation.last_said_at, *at);
  }
  std::vector<GiteaConversation> unresolved;
  for (One& one : all)
    if (one.open && one.heard) unresolved.push_back(std::move(one.conversation));
  return unresolved;
}

tl::expected<events::PollAnswer, std::string> read_gitea_pull(const json::value& pull, const PrPlace& place,
                                                              const GiteaStanding& standing) {
  const std::string state = text_of(pull, "state");
  events::PollAnswer answer;
  answer.head = text_of(member_of(pull, "head"), "sha");
  answer.base = text_of(member_of(pull, "base"), "ref");
  if ((state != "open" && state != "closed") || answer.head.empty() || answer.base.empty())
    return tl::unexpected(std::string("state, head or base is missing"));
  answer.ok = true;
  answer.provider = name_of(HostKind::gitea);
  answer.status = truth_of(pull, "merged") ? "merged" : state;
  answer.mergeable_state = mergeable_state(pull, standing);
  answer.pr_number = place.number;
  answer.repo = place.repository.path;
  answer.feedback_known = !truth_of(pull, "draft");
  for (const GiteaConversation& conversation : standing.conversations)
    if (answer.threads.size() < kMostThreads) add_thread(answer, conversation.id, conversation.description);
  read_reviews(answer, standing);
  // Somebody who is heard may have said something where nothing was read.
  if ((standing.unread || standing.reviews.more) && !answer.unresolved_comments) answer.feedback_known = false;
  read_statuses(answer, standing);
  return answer;
}

}  // namespace townd

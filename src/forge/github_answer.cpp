#include <algorithm>

#include "core/text.hpp"
#include "forge/feedback.hpp"
#include "forge/github.hpp"

/// One pull request of GitHub's GraphQL, as a poll's answer.
namespace townd {
namespace {

/// Whether what they say is worked on: they may write to the repository, or are a program that the owner listed.
bool heard(const json::value& said, std::span<const std::string> bots) {
  const std::string association = text_of(said, "authorAssociation");
  if (association == "OWNER" || association == "MEMBER" || association == "COLLABORATOR") return true;
  const json::value& author = member_of(said, "author");
  return text_of(author, "__typename") == "Bot" &&
         std::find(bots.begin(), bots.end(), text_of(author, "login")) != bots.end();
}

/// A thread as an agent reads it: where, then who said what.
std::string description_of(const json::value& thread, std::span<const std::string> bots) {
  const std::string line = text_of(thread, "line");
  std::string text = "- " + text_of(thread, "path") + (line.empty() ? "" : ":" + line);
  for (const json::value& comment : list_of(member_of(thread, "comments"), "nodes"))
    if (heard(comment, bots))
      text += "\n  " + said_by(text_of(member_of(comment, "author"), "login"), text_of(comment, "body"));
  return text;
}

void read_threads(events::PollAnswer& answer, const json::value& threads, std::span<const std::string> bots) {
  for (const json::value& thread : list_of(threads, "nodes")) {
    if (truth_of(thread, "isResolved")) continue;
    const json::value& opened = member_of(thread, "opened");
    const json::array &first = list_of(opened, "nodes"), &last = list_of(member_of(thread, "comments"), "nodes");
    const auto by_heard = [&](const json::value& comment) { return heard(comment, bots); };
    const bool unread = number_of(opened, "totalCount") > static_cast<std::int64_t>(last.size() + 1);
    if (std::none_of(first.begin(), first.end(), by_heard) && std::none_of(last.begin(), last.end(), by_heard)) {
      if (unread) answer.feedback_known = false;  // somebody who is heard may have spoken in between
      continue;
    }
    add_thread(answer, text_of(thread, "id"), description_of(thread, bots));
  }
  if (truth_of(member_of(threads, "pageInfo"), "hasNextPage")) answer.unresolved_comments = true;
}

/// A review that asks for changes of the very commit that is there now. It may be beyond the first page.
void read_reviews(events::PollAnswer& answer, const json::value& reviews, std::span<const std::string> bots) {
  if (truth_of(member_of(reviews, "pageInfo"), "hasNextPage")) answer.feedback_known = false;
  for (const json::value& review : list_of(reviews, "nodes")) {
    if (text_of(review, "state") != "CHANGES_REQUESTED" || !heard(review, bots)) continue;
    if (text_of(member_of(review, "commit"), "oid") != answer.head) continue;
    answer.unresolved_comments = true;
    add_line(answer.feedback,
             said_by(text_of(member_of(review, "author"), "login") + " asks for changes", text_of(review, "body")));
  }
}

struct Check {
  std::string name;
  std::string url;
  enum class State { passed, pending, failed } state = State::pending;
  std::string word;
};

Check check_of(const json::value& context) {
  Check check;
  if (text_of(context, "__typename") == "StatusContext") {
    check.name = text_of(context, "context");
    check.url = text_of(context, "targetUrl");
    check.word = lower(text_of(context, "state"));
    if (check.word == "success") check.state = Check::State::passed;
    if (check.word == "failure" || check.word == "error") check.state = Check::State::failed;
    return check;
  }
  check.name = text_of(context, "name");
  check.url = text_of(context, "detailsUrl");
  check.word = lower(text_of(context, "conclusion"));
  if (text_of(context, "status") != "COMPLETED" || check.word == "stale") return check;
  const bool passed = check.word == "success" || check.word == "skipped" || check.word == "neutral";
  check.state = passed ? Check::State::passed : Check::State::failed;
  return check;
}

void read_checks(events::PollAnswer& answer, const json::value& rollup) {
  const json::value& contexts = member_of(rollup, "contexts");
  const json::array& nodes = list_of(contexts, "nodes");
  bool all = !nodes.empty();
  for (const json::value& node : nodes) {
    const Check check = check_of(node);
    all = all && check.state == Check::State::passed;
    answer.checks_pending = answer.checks_pending || check.state == Check::State::pending;
    if (check.state == Check::State::failed) add_failing_check(answer, check.name, check.word, check.url);
  }
  answer.unchecked_runs = truth_of(member_of(contexts, "pageInfo"), "hasNextPage");
  answer.all_checks_pass = all && !answer.unchecked_runs;
  answer.no_checks = nodes.empty();
}

}  // namespace

tl::expected<events::PollAnswer, std::string> read_pull_request(const json::value& pull_request, const PrPlace& place,
                                                                std::span<const std::string> bots) {
  events::PollAnswer answer;
  const std::string state = text_of(pull_request, "state");
  answer.head = text_of(pull_request, "headRefOid");
  const std::string mergeable = text_of(pull_request, "mergeable");
  if ((state != "OPEN" && state != "CLOSED" && state != "MERGED") || answer.head.empty() || mergeable.empty())
    return tl::unexpected(std::string("state, headRefOid or mergeable is missing"));
  const json::array& commits = list_of(member_of(pull_request, "commits"), "nodes");
  if (commits.empty() || !member_of(pull_request, "reviewThreads").is_object())
    return tl::unexpected(std::string("commits or reviewThreads are missing"));
  answer.ok = true;
  answer.provider = "github";
  answer.status = lower(state);
  answer.mergeable_state = mergeable == "CONFLICTING" ? "dirty"
                           : mergeable == "UNKNOWN"   ? "unknown"
                                                      : lower(text_of(pull_request, "mergeStateStatus"));
  answer.review_decision = text_of(pull_request, "reviewDecision");
  answer.pr_number = place.number;
  answer.repo = place.repository.path;
  const json::value& commit = member_of(commits.front(), "commit");
  // Of another commit than the head nothing is known about its checks.
  answer.feedback_known = text_of(commit, "oid") == answer.head && !truth_of(pull_request, "isDraft");
  answer.base = text_of(pull_request, "baseRefName");
  read_threads(answer, member_of(pull_request, "reviewThreads"), bots);
  read_reviews(answer, member_of(pull_request, "latestReviews"), bots);
  if (answer.feedback_known) read_checks(answer, member_of(commit, "statusCheckRollup"));
  return answer;
}

}  // namespace townd

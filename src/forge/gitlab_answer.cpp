#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "forge/feedback.hpp"
#include "forge/gitlab.hpp"

/// One merge request of GitLab's GraphQL, as a poll's answer.
namespace townd {
namespace {

constexpr std::size_t kMostThreads = 100;  ///< that are worked on together

template <std::size_t N>
bool one_of(const std::string& word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 5> kNotYet{"", "UNCHECKED", "CHECKING", "PREPARING", "APPROVALS_SYNCING"};

/// In the words of a poll's answer. GitLab names the first of the things that stand in the way.
std::string mergeable_state(const std::string& detailed, bool conflicts) {
  if (one_of(detailed, kNotYet)) return "unknown";
  const bool nothing_to_merge = detailed == "COMMITS_STATUS";  // which GitLab counts as a conflict, too
  if (detailed == "CONFLICT" || (conflicts && !nothing_to_merge)) return "dirty";
  if (detailed == "NEED_REBASE") return "behind";
  return detailed == "MERGEABLE" ? "clean" : "blocked";
}

/// What GitLab wants of people before it merges. DISCUSSIONS_NOT_RESOLVED is one thing that only they can give: threads
/// of those who are heard are told on their own.
std::string review_decision(const std::string& detailed) {
  if (detailed == "REQUESTED_CHANGES") return "CHANGES_REQUESTED";
  if (detailed == "NOT_APPROVED" || detailed == "DISCUSSIONS_NOT_RESOLVED") return "REVIEW_REQUIRED";
  return one_of(detailed, kNotYet) ? "" : "APPROVED";
}

void read_discussions(events::PollAnswer& answer, std::span<const GitLabDiscussion> discussions) {
  bool unread = false;
  for (const GitLabDiscussion& discussion : discussions) {
    if (discussion.description.empty())
      unread = unread || discussion.more;
    else if (answer.threads.size() < kMostThreads)
      add_thread(answer, discussion.id, discussion.description);
  }
  // Somebody who is heard may have said something where nothing was read.
  if (unread && !answer.unresolved_comments) answer.feedback_known = false;
}

/// Those that may fail have no say.
void add_failed_jobs(events::PollAnswer& answer, const json::value& pipeline, const std::string& host) {
  for (const json::value& job : list_of(member_of(pipeline, "jobs"), "nodes")) {
    const std::string path = text_of(job, "webPath");
    if (truth_of(job, "allowFailure")) continue;
    add_failing_check(answer, text_of(job, "name"), lower(text_of(job, "status")), path.empty() ? path : host + path);
  }
}

/// The pipeline of the newest commit. One that was skipped has checked nothing.
void read_pipeline(events::PollAnswer& answer, const json::value& pipeline, const std::string& host) {
  const std::string status = text_of(pipeline, "status");
  if (status.empty() || status == "SKIPPED") {
    answer.no_checks = true;
  } else if (status == "SUCCESS") {
    answer.all_checks_pass = true;
  } else if (status == "FAILED" || status == "CANCELED") {
    add_failing_check(answer, "pipeline", lower(status), host + text_of(pipeline, "path"));
    add_failed_jobs(answer, pipeline, host);
  } else {
    answer.checks_pending = true;
  }
}

std::string merged_ref(int number) { return "refs/merge-requests/" + std::to_string(number) + "/merge"; }

}  // namespace

tl::expected<events::PollAnswer, std::string> read_merge_request(const json::value& request, const PrPlace& place,
                                                                 std::span<const GitLabDiscussion> discussions,
                                                                 bool pipeline_required) {
  const std::string state = text_of(request, "state"), detailed = text_of(request, "detailedMergeStatus");
  constexpr std::array<std::string_view, 4> kStates{"opened", "closed", "merged", "locked"};
  if (!one_of(state, kStates) || !member_of(request, "discussions").is_object())
    return tl::unexpected(std::string("state or discussions are missing"));
  events::PollAnswer answer;
  answer.ok = true;
  answer.provider = name_of(HostKind::gitlab);
  answer.head = text_of(request, "diffHeadSha");
  answer.status = state == "opened" || state == "locked" ? "open" : state;
  answer.mergeable_state = state == "locked" ? "unknown" : mergeable_state(detailed, truth_of(request, "conflicts"));
  answer.review_decision = review_decision(detailed);
  answer.pr_number = place.number;
  answer.repo = place.repository.path;
  answer.base = text_of(request, "targetBranch");
  answer.feedback_known = state == "opened" && !answer.head.empty() && !truth_of(request, "draft");
  if (truth_of(member_of(member_of(request, "discussions"), "pageInfo"), "hasNextPage"))
    answer.feedback_known = false;  // more than are read
  read_discussions(answer, discussions);
  const json::value& pipeline = member_of(request, "headPipeline");
  // A pipeline of another commit says nothing, but one of merged results is on a commit that GitLab makes of the head.
  const bool of_head = text_of(pipeline, "sha") == answer.head || text_of(pipeline, "ref") == merged_ref(place.number);
  read_pipeline(answer, of_head ? pipeline : json::value(), "https://" + place.repository.host);
  if (answer.no_checks && pipeline_required) {  // it has yet to come
    answer.no_checks = false;
    answer.checks_pending = true;
  }
  return answer;
}

}  // namespace townd

#include "forge/github.hpp"

#include <algorithm>

#include "codec/time_text.hpp"
#include "core/text.hpp"
#include "forge/app_token.hpp"

namespace townd {
namespace {

constexpr std::size_t kThreads = 100;          ///< unresolved ones that are read
constexpr Duration kTokenMargin = minutes(5);  ///< an installation's token is made anew so long before its end

constexpr std::string_view kFields = R"(
  state isDraft mergeable mergeStateStatus reviewDecision headRefOid baseRefName updatedAt
  reviewThreads(first: 100, after: $threads) {
    pageInfo { hasNextPage endCursor }
    nodes { id isResolved }
  }
  latestReviews(first: 50) {
    pageInfo { hasNextPage }
    nodes { state authorAssociation author { login __typename } body url commit { oid } }
  }
  commits(last: 1) {
    nodes {
      commit {
        oid
        statusCheckRollup {
          contexts(first: 100, after: $checks) {
            pageInfo { hasNextPage endCursor }
            nodes {
              __typename
              ... on CheckRun { name status conclusion detailsUrl }
              ... on StatusContext { context state targetUrl }
            }
          }
        }
      }
    }
  })";

std::pair<std::string, std::string> owner_and_name(const HostedRepository& repository) {
  const std::size_t slash = repository.path.find('/');
  return {repository.path.substr(0, slash), repository.path.substr(slash + 1)};
}

/// The scopes that would have been accepted, when the token has none of them.
std::string missing_scope(const http::Response& response) {
  const std::string has = response.header("x-oauth-scopes"), wants = response.header("x-accepted-oauth-scopes");
  const auto listed = [&has](std::string_view scope) {
    return (", " + has + ",").find(", " + std::string(scope) + ",") != std::string::npos;
  };
  if (wants.empty()) return {};
  for (std::size_t begin = 0; begin < wants.size();) {
    const std::size_t end = std::min(wants.find(", ", begin), wants.size());
    if (listed(std::string_view(wants).substr(begin, end - begin))) return {};
    begin = end + 2;
  }
  return "; the token lacks the scope " + wants;
}

/// Errors of GraphQL come with status 200.
Refusal refusal_of(const json::value& error, Instant now) {
  const std::string type = text_of(error, "type");
  Refusal refusal{"http_error", 400, false, text_of(error, "message"), {}};
  if (type == "NOT_FOUND") refusal.status = 404;
  if (type == "FORBIDDEN" || type == "INSUFFICIENT_SCOPES") refusal.status = 403;
  if (type == "RATE_LIMITED") refusal = {"http_error", 429, true, refusal.why, now + kUsualRest};
  if (type == "SERVICE_UNAVAILABLE" || type.empty()) refusal = {"http_error", 503, true, refusal.why, {}};
  return refusal;
}

constexpr WaysToRefuse kWays{"x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-resource", "x-ratelimit-reset",
                             missing_scope};

}  // namespace

GitHub::GitHub(HostSettings settings, const Clock& clock, const std::atomic<bool>& stop)
    : settings_(std::move(settings)), clock_(clock), calls_(settings_.host, kWays, clock, stop) {
  const bool public_one = settings_.host == "github.com";
  rest_ = address_at(public_one ? "https://api.github.com" : "https://" + settings_.host + "/api/v3");
  graphql_ = address_at(public_one ? "https://api.github.com/graphql" : "https://" + settings_.host + "/api/graphql");
}

Asked<JsonAnswer> GitHub::call(const std::string& method, const std::string& path, const json::value& body,
                               const std::vector<int>& fine) {
  const auto token = this->token();
  if (!token) return tl::unexpected(token.error());
  return call_as(*token, method, path, body, fine);
}

Asked<JsonAnswer> GitHub::call_as(const std::string& token, const std::string& method, const std::string& path,
                                  const json::value& body, const std::vector<int>& fine) {
  http::Request request = request_to(path.empty() ? graphql_ : rest_, method, path);
  for (const std::string& header : {std::string("Accept: application/vnd.github+json"),
                                    std::string("X-GitHub-Api-Version: 2022-11-28"), "Authorization: Bearer " + token})
    request.headers.push_back(header);
  return calls_.call(std::move(request), body, fine);
}

Asked<json::value> GitHub::graphql(const std::string& query, json::object variables) {
  auto answer = call("POST", "", json::object{{"query", query}, {"variables", std::move(variables)}});
  if (!answer) return tl::unexpected(answer.error());
  return std::move(answer->body);
}

Asked<void> GitHub::check(const HostedRepository& repository) {
  const auto found = call("GET", "/repos/" + repository.path, nullptr);
  if (!found) return tl::unexpected(found.error());
  const json::value& permissions = member_of(found->body, "permissions");
  if (permissions.is_object() && !truth_of(permissions, "push"))
    return tl::unexpected(Refusal{"http_error", 403, false, "the token may not write to " + repository.path, {}});
  if (truth_of(found->body, "archived"))
    return tl::unexpected(Refusal{"http_error", 403, false, repository.path + " is archived", {}});
  return may_read(repository, text_of(found->body, "default_branch"));
}

/// A fine-grained token and an app have a permission for each kind of thing.
Asked<void> GitHub::may_read(const HostedRepository& repository, const std::string& branch) {
  struct Part {
    std::string path;
    const char* permission;
  };
  const std::string commit = "/commits/" + branch;
  for (const Part& part : {Part{"/pulls?per_page=1", "Pull requests: read and write"},
                           Part{commit + "/check-runs?per_page=1", "Checks: read"},
                           Part{commit + "/status?per_page=1", "Commit statuses: read"}}) {
    const auto read = call("GET", "/repos/" + repository.path + part.path, nullptr, {404, 409, 422});  // an empty one
    if (read) continue;
    Refusal refusal = read.error();
    if (refusal.status == 403 && !refusal.transient) refusal.why += "; the token lacks " + std::string(part.permission);
    return tl::unexpected(std::move(refusal));
  }
  return {};
}

Asked<std::string> GitHub::open(const NewPr& wanted) {
  const std::string pulls = "/repos/" + wanted.repository.path + "/pulls";
  const auto made = call("POST", pulls,
                         json::object{{"title", at_most(wanted.title, kPrTitle)},
                                      {"head", wanted.branch},
                                      {"base", wanted.target_branch},
                                      {"body", at_most(wanted.body, kPrBody)}},
                         {422});
  if (!made) return tl::unexpected(made.error());
  if (made->status != 422) return text_of(made->body, "html_url");
  // It may have been opened already, by us before a crash or by somebody else.
  const auto [owner, name] = owner_and_name(wanted.repository);
  const auto known = graphql(
      "query($owner: String!, $name: String!, $head: String!, $base: String!) { repository(owner: $owner, name: $name) "
      "{ pullRequests(headRefName: $head, baseRefName: $base, states: OPEN, first: 10) { nodes { url headRefOid "
      "isCrossRepository } } } "
      "}",
      {{"owner", owner}, {"name", name}, {"head", wanted.branch}, {"base", wanted.target_branch}});
  if (!known) return tl::unexpected(known.error());
  const json::value& repository = member_of(member_of(*known, "data"), "repository");
  for (const json::value& open : list_of(member_of(repository, "pullRequests"), "nodes"))
    if (text_of(open, "headRefOid") == wanted.head && !truth_of(open, "isCrossRepository")) return text_of(open, "url");
  return tl::unexpected(Refusal{"rejected", 422, false, words_of(made->body), {}});
}

std::vector<Asked<events::PollAnswer>> GitHub::read(std::span<const PrPlace> places) {
  std::vector<Asked<events::PollAnswer>> answers;
  for (std::size_t at = 0; at < places.size(); at += kTogether)
    read_together(places.subspan(at, std::min(kTogether, places.size() - at)), answers);
  return answers;
}

void GitHub::read_together(std::span<const PrPlace> places, std::vector<Asked<events::PollAnswer>>& answers) {
  std::string query = "query($threads: String, $checks: String) {";
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto [owner, name] = owner_and_name(places[i].repository);  // letters that need no quoting
    query += " " + alias(i) + ": repository(owner: \"" + owner + "\", name: \"" + name +
             "\") { pullRequest(number: " + std::to_string(places[i].number) + ") { ...state } }";
  }
  query += " } fragment state on PullRequest {" + std::string(kFields) + " }";
  const auto asked = graphql(query, {{"threads", nullptr}, {"checks", nullptr}});
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!asked) {
      answers.emplace_back(tl::unexpected(asked.error()));
      continue;
    }
    const json::value& repository = member_of(member_of(*asked, "data"), alias(i));
    json::value found = member_of(repository, "pullRequest");
    if (found.is_null()) {
      Refusal refusal{"invalid_response", 200, false, "the answer says nothing of the pull request", {}};
      for (const json::value& error : list_of(*asked, "errors")) {
        const json::array& path = list_of(error, "path");
        if (path.empty() || as_text(path.front()) == alias(i)) refusal = refusal_of(error, clock_.now());
      }
      answers.emplace_back(tl::unexpected(std::move(refusal)));
      continue;
    }
    if (const auto complete = read_further_pages(places[i], found); !complete) {
      answers.emplace_back(tl::unexpected(complete.error()));
      continue;
    }
    if (const auto told = read_threads(places[i], found); !told) {
      answers.emplace_back(tl::unexpected(told.error()));
      continue;
    }
    auto read = read_pull_request(found, places[i], settings_.bots);
    if (read)
      answers.emplace_back(std::move(*read));
    else
      answers.emplace_back(tl::unexpected(Refusal{"invalid_response", 200, false, read.error(), {}}));
  }
}

namespace {

json::value* at(json::value& value, std::initializer_list<std::string_view> path) {
  json::value* found = &value;
  for (const std::string_view key : path) {
    if (auto* list = found->if_array()) {
      if (list->empty()) return nullptr;
      found = &list->front();
    }
    auto* members = found->if_object();
    found = members != nullptr ? members->if_contains(key) : nullptr;
    if (found == nullptr) return nullptr;
  }
  return found;
}

json::value* threads_of(json::value& pull_request) { return at(pull_request, {"reviewThreads"}); }
json::value* checks_of(json::value& pull_request) {
  return at(pull_request, {"commits", "nodes", "commit", "statusCheckRollup", "contexts"});
}

}  // namespace

/// Fetches the pages of threads and checks that did not fit.
Asked<void> GitHub::read_further_pages(const PrPlace& place, json::value& pull_request) {
  const auto [owner, name] = owner_and_name(place.repository);
  const std::string query =
      "query($owner: String!, $name: String!, $number: Int!, $threads: String, $checks: String) { repository(owner: "
      "$owner, name: $name) { pullRequest(number: $number) { ...state } } } fragment state on PullRequest {" +
      std::string(kFields) + " }";
  for (int page = 0; page < kFurtherPages; ++page) {
    const json::value threads = next_page(threads_of(pull_request)), checks = next_page(checks_of(pull_request));
    if (threads.is_null() && checks.is_null()) return {};
    auto further = graphql(
        query, {{"owner", owner}, {"name", name}, {"number", place.number}, {"threads", threads}, {"checks", checks}});
    if (!further) return tl::unexpected(further.error());
    json::value* more = at(*further, {"data", "repository", "pullRequest"});
    if (more == nullptr) break;
    if (text_of(*more, "headRefOid") != text_of(pull_request, "headRefOid")) break;  // pushed to meanwhile
    if (!threads.is_null()) add_page(threads_of(pull_request), threads_of(*more));
    if (!checks.is_null()) add_page(checks_of(pull_request), checks_of(*more));
  }
  return {};
}

/// Puts what is said in unresolved threads in their places. To ask for it with all the rest would cost a hundred times
/// as much of what GitHub allows in an hour, so it is asked for when it may have changed.
Asked<void> GitHub::read_threads(const PrPlace& place, json::value& pull_request) {
  json::array ids;
  bool more = false;  // than are read
  for (const json::value& thread : list_of(member_of(pull_request, "reviewThreads"), "nodes"))
    if (truth_of(thread, "isResolved"))
      continue;
    else if (ids.size() < kThreads)
      ids.push_back(member_of(thread, "id"));
    else
      more = true;
  const std::lock_guard lock(threads_mutex_);
  if (told_.size() > kRemembered) told_.clear();  // most ended long ago
  Told& told = told_[place.url(settings_.kind)];
  const std::string as_of = text_of(pull_request, "updatedAt") + json::serialize(ids);
  if (told.as_of != as_of && !ids.empty()) {
    auto said = graphql(
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequestReviewThread { id isResolved path line "
        "opened: comments(first: 1) { totalCount nodes { author { login __typename } authorAssociation body url } } "
        "comments(last: 20) { nodes { author { login __typename } authorAssociation body url } } } } }",
        {{"ids", ids}});
    if (!said) return tl::unexpected(said.error());
    if (!member_of(member_of(*said, "data"), "nodes").is_array())
      return tl::unexpected(Refusal{"invalid_response", 200, false, "the answer has no threads", {}});
    told.threads = list_of(member_of(*said, "data"), "nodes");
  }
  told.as_of = settled(text_of(pull_request, "updatedAt"), clock_.now()) ? as_of : std::string();
  json::value* threads = threads_of(pull_request);
  if (threads == nullptr || !threads->is_object()) return {};
  threads->get_object()["nodes"] = ids.empty() ? json::array() : told.threads;
  if (more) threads->get_object()["pageInfo"] = json::object{{"hasNextPage", true}};
  return {};
}

Asked<PrPage> GitHub::look(const PrPlace& place) {
  const auto found = call("GET", "/repos/" + place.repository.path + "/pulls/" + std::to_string(place.number), nullptr);
  if (!found) return tl::unexpected(found.error());
  const json::value& head = member_of(found->body, "head");
  PrPage page{text_of(found->body, "title"),
              text_of(found->body, "body"),
              text_of(found->body, "state"),
              text_of(head, "ref"),
              text_of(member_of(found->body, "base"), "ref"),
              text_of(head, "sha"),
              {}};
  if (truth_of(found->body, "merged")) page.state = "merged";
  const auto from = hosted_at("https://" + place.repository.host + "/" + text_of(member_of(head, "repo"), "full_name"));
  if (from) page.from = *from;
  if (page.title.empty() || page.branch.empty() || page.target_branch.empty() || page.head.empty())
    return tl::unexpected(Refusal{"invalid_response", found->status, false, "title, head or base is missing", {}});
  return page;
}

Asked<void> GitHub::comment(const PrPlace& place, const std::string& text) {
  const auto made =
      call("POST", "/repos/" + place.repository.path + "/issues/" + std::to_string(place.number) + "/comments",
           json::object{{"body", text}});
  if (!made) return tl::unexpected(made.error());
  return {};
}

Asked<void> GitHub::answer_thread(const PrPlace&, const std::string& thread, const std::string& text) {
  const auto answered = graphql(
      "mutation($thread: ID!, $text: String!) { addPullRequestReviewThreadReply(input: {pullRequestReviewThreadId: "
      "$thread, body: $text}) { comment { id } } resolveReviewThread(input: {threadId: $thread}) { thread { id } } }",
      {{"thread", thread}, {"text", text}});
  if (!answered) return tl::unexpected(answered.error());
  for (const json::value& error : list_of(*answered, "errors"))
    if (text_of(error, "type") != "NOT_FOUND") return tl::unexpected(refusal_of(error, clock_.now()));
  return {};
}

Asked<void> GitHub::merge(const PrPlace& place, const std::string& head) {
  const std::string path = "/repos/" + place.repository.path + "/pulls/" + std::to_string(place.number) + "/merge";
  Refusal last;
  for (const char* method : {"squash", "merge", "rebase"}) {
    const auto merged = call("PUT", path, json::object{{"sha", head}, {"merge_method", method}});
    if (merged) return {};
    last = merged.error();
    const bool other_way = last.status == 405 && last.why.find("not allowed") != std::string::npos;
    if (!other_way) break;
  }
  return tl::unexpected(last);
}

std::string GitHub::head_ref(int number) const { return "refs/pull/" + std::to_string(number) + "/head"; }

Asked<std::string> GitHub::git_header() {
  const auto token = this->token();
  if (!token) return tl::unexpected(token.error());
  return "Authorization: Basic " + base64("x-access-token:" + *token);
}

/// The token that stays, or the installation's of the hour.
Asked<std::string> GitHub::token() {
  if (settings_.app_id.empty()) return settings_.token;
  const std::lock_guard lock(mutex_);
  const Instant now = clock_.now();
  if (!installed_.empty() && now + kTokenMargin < installed_until_) return installed_;
  const auto app = app_token(settings_.app_id, settings_.app_key, now);
  if (!app) return tl::unexpected(Refusal{"no_token", 0, false, app.error().what, {}});
  const auto made = call_as(*app, "POST", "/app/installations/" + settings_.installation + "/access_tokens", nullptr);
  if (!made) return tl::unexpected(made.error());
  const auto until = instant_from_text(text_of(made->body, "expires_at"));
  installed_ = text_of(made->body, "token");
  if (installed_.empty() || !until)
    return tl::unexpected(Refusal{"invalid_response", made->status, false, "there is no token in its answer", {}});
  installed_until_ = *until;
  return installed_;
}

}  // namespace townd

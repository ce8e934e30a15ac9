#include "forge/gitlab.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "forge/app_token.hpp"
#include "forge/feedback.hpp"

namespace townd {
namespace {

constexpr Duration kMembership = minutes(10);  ///< so long a person is taken for what he was
constexpr int kDeveloper = 30;                 ///< the access level of one who may push branches

constexpr std::string_view kStanding = R"(
  iid state draft diffHeadSha detailedMergeStatus conflicts targetBranch updatedAt
  headPipeline {
    sha ref status path
    jobs(first: 20, retried: false, statuses: [FAILED, CANCELED]) { nodes { name status allowFailure webPath } }
  }
  discussions(first: 100, after: $discussions) {
    pageInfo { hasNextPage endCursor }
    nodes { id resolvable resolved }
  })";

std::string path_of(const std::string& project) { return "/projects/" + encoded(project); }
std::string path_of(const PrPlace& place) {
  return path_of(place.repository.path) + "/merge_requests/" + std::to_string(place.number);
}

/// What is behind the last slash of GraphQL's `gid://gitlab/Discussion/6a9c`: the id that REST takes.
std::string id_of(const json::value& thing) {
  const std::string id = text_of(thing, "id");
  return id.substr(id.rfind('/') + 1);
}

std::string scope_lacking(const http::Response& response) {
  const auto body = parse_json(response.body);
  const std::string scope = body ? text_of(*body, "scope") : std::string();
  return scope.empty() ? scope : "; the token lacks the scope " + scope;
}

constexpr WaysToRefuse kGitLabWays{"ratelimit-remaining", "ratelimit-limit", "", "ratelimit-reset", scope_lacking};

Refusal missing(const std::string& what) {
  return {"http_error", 404, false, "there is no " + what + ", or the token may not see it", {}};
}

/// Errors of GraphQL come with status 200 and say little about their kind.
Refusal refusal_of(const json::value& error) {
  if (text_of(member_of(error, "extensions"), "code") == "undefinedField")  // an old GitLab
    return {"http_error", 400, false, words_of(error), {}};
  return {"http_error", 503, true, words_of(error), {}};
}

/// Why an answer is none about this project, which was asked about in this part of the query.
std::optional<Refusal> refusal_of(const json::value& answer, std::size_t part, const std::string& project) {
  const json::value& data = member_of(answer, "data");
  for (const json::value& error : list_of(answer, "errors")) {
    const json::array& path = list_of(error, "path");
    if (!data.is_object() || path.empty() || as_text(path.front()) == alias(part)) return refusal_of(error);
  }
  if (!data.is_object())
    return Refusal{"invalid_response", 200, false, "the answer says nothing of the merge requests", {}};
  if (!member_of(data, alias(part)).is_object()) return missing("project " + project);
  return std::nullopt;
}

/// The part of a query about these merge requests of a project: letters that need no quoting.
std::string part_about(const std::string& project, const std::vector<int>& numbers) {
  std::string listed;
  for (const int number : numbers) listed += "\"" + std::to_string(number) + "\" ";
  return "project(fullPath: \"" + project + "\") { onlyAllowMergeIfPipelineSucceeds mergeRequests(iids: [" + listed +
         "], first: " + std::to_string(GitLab::kTogether) + ") { nodes { ...state } } } ";
}

}  // namespace

GitLab::GitLab(HostSettings settings, const Clock& clock, const std::atomic<bool>& stop)
    : settings_(std::move(settings)),
      clock_(clock),
      calls_(settings_.host, kGitLabWays, clock, stop),
      rest_(address_at("https://" + settings_.host + "/api/v4")),
      graphql_(address_at("https://" + settings_.host + "/api/graphql")) {}

Asked<JsonAnswer> GitLab::call(const std::string& method, const std::string& path, const json::value& body,
                               const std::vector<int>& fine) const {
  http::Request request = request_to(path.empty() ? graphql_ : rest_, method, path);
  request.headers.push_back("PRIVATE-TOKEN: " + settings_.token);
  auto answer = calls_.call(std::move(request), body, fine);
  if (!answer && answer.error().status == 405 && answer.error().why.find("moved") != std::string::npos)
    answer.error().why += "; was the repository renamed?";
  return answer;
}

Asked<json::value> GitLab::graphql(const std::string& query, json::object variables) const {
  auto answer = call("POST", "", json::object{{"query", query}, {"variables", std::move(variables)}});
  if (!answer) return tl::unexpected(answer.error());
  return std::move(answer->body);
}

Asked<void> GitLab::check(const HostedRepository& repository) {
  const auto found = call("GET", path_of(repository.path), nullptr);
  if (!found) return tl::unexpected(found.error());
  const json::value& permissions = member_of(found->body, "permissions");
  std::int64_t level = 0;
  for (const char* by : {"project_access", "group_access"})
    level = std::max(level, number_of(member_of(permissions, by), "access_level"));
  if (level > 0 && level < kDeveloper)  // 0: it is let in in a way that is not told here
    return tl::unexpected(Refusal{"http_error", 403, false, "the token may not write to " + repository.path, {}});
  if (truth_of(found->body, "archived"))
    return tl::unexpected(Refusal{"http_error", 403, false, repository.path + " is archived", {}});
  return has_scope();
}

/// Reading needs less than `api`. A token of another kind, which does not know itself, is believed.
Asked<void> GitLab::has_scope() const {
  const auto self = call("GET", "/personal_access_tokens/self", nullptr, {400, 401, 403, 404});
  if (!self) return tl::unexpected(self.error());
  const json::array& scopes = list_of(self->body, "scopes");
  if (scopes.empty() || std::find(scopes.begin(), scopes.end(), json::value("api")) != scopes.end()) return {};
  return tl::unexpected(Refusal{"http_error", 403, false, "the token lacks the scope api", {}});
}

// ---- how merge requests stand ------------------------------------------------------------------------------------

std::vector<Asked<events::PollAnswer>> GitLab::read(std::span<const PrPlace> places) {
  std::map<std::string, std::vector<std::size_t>> by_project;
  for (std::size_t i = 0; i < places.size(); ++i) by_project[places[i].repository.path].push_back(i);
  std::vector<Group> groups;
  for (const auto& [project, all] : by_project)
    for (std::size_t at = 0; at < all.size(); at += kTogether) {
      const std::span some = std::span(all).subspan(at, std::min(kTogether, all.size() - at));
      groups.push_back({project, {some.begin(), some.end()}});
    }
  Answers answers(places.size(), tl::unexpected(missing("such merge request")));
  for (std::size_t at = 0; at < groups.size(); at += kProjects)
    read_together(std::span(groups).subspan(at, std::min(kProjects, groups.size() - at)), places, answers);
  return answers;
}

void GitLab::read_together(std::span<const Group> groups, std::span<const PrPlace> places, Answers& answers) {
  std::string query = "query($discussions: String) { ";
  for (std::size_t part = 0; part < groups.size(); ++part) {
    std::vector<int> numbers;
    for (const std::size_t at : groups[part].places) numbers.push_back(places[at].number);
    query += alias(part) + ": " + part_about(groups[part].project, numbers);
  }
  query += "} fragment state on MergeRequest {" + std::string(kStanding) + " }";
  const auto asked = graphql(query, {{"discussions", nullptr}});
  for (std::size_t part = 0; part < groups.size(); ++part) {
    const auto refusal = asked ? refusal_of(*asked, part, groups[part].project) : std::optional(asked.error());
    if (!refusal) read_project(groups[part], member_of(member_of(*asked, "data"), alias(part)), places, answers);
    for (const std::size_t at : groups[part].places)
      if (refusal) answers[at] = tl::unexpected(*refusal);
  }
}

void GitLab::read_project(const Group& group, const json::value& project, std::span<const PrPlace> places,
                          Answers& answers) {
  std::map<std::string, const json::value*> found;
  for (const json::value& request : list_of(member_of(project, "mergeRequests"), "nodes"))
    found.emplace(text_of(request, "iid"), &request);
  std::vector<std::size_t> unchecked;
  std::vector<int> first, again;
  for (const std::size_t at : group.places) {
    const auto request = found.find(std::to_string(places[at].number));
    if (request == found.end()) continue;
    answers[at] = read_one(places[at], *request->second, truth_of(project, "onlyAllowMergeIfPipelineSucceeds"));
    const bool open = text_of(*request->second, "state") == "opened";
    const bool is_unchecked = open && text_of(*request->second, "detailedMergeStatus") == "UNCHECKED";
    const bool was_unchecked = note_unchecked(places[at], is_unchecked);
    if (!is_unchecked) continue;
    unchecked.push_back(at);
    (was_unchecked ? again : first).push_back(places[at].number);
  }
  // One that is gone meanwhile says nothing of the others: they stay unchecked.
  if (const auto begun = begin_checks(group.project, first, again); !begun && begun.error().transient)
    for (const std::size_t at : unchecked) answers[at] = tl::unexpected(begun.error());
}

/// Answers what was noted before.
bool GitLab::note_unchecked(const PrPlace& place, bool unchecked) {
  const std::lock_guard lock(mutex_);
  if (unchecked_.size() > kRemembered) unchecked_.clear();
  const std::string page = place.url(settings_.kind);
  return unchecked ? !unchecked_.insert(page).second : unchecked_.erase(page) > 0;
}

/// Whether they can be merged is worked out only when somebody asks for it by REST: for all of them at first, which
/// GitLab may pass over; for each of those that are unchecked still.
Asked<void> GitLab::begin_checks(const std::string& project, std::span<const int> first, std::span<const int> again) {
  const std::string requests = path_of(project) + "/merge_requests";
  std::string all = requests + "?with_merge_status_recheck=true&per_page=" + std::to_string(kTogether);
  for (const int number : first) all += "&iids%5B%5D=" + std::to_string(number);
  std::vector<std::string> asked;
  if (!first.empty()) asked.push_back(all);
  for (const int number : again) asked.push_back(requests + "/" + std::to_string(number));
  for (const std::string& path : asked)
    if (const auto begun = call("GET", path, nullptr); !begun) return tl::unexpected(begun.error());
  return {};
}

Asked<events::PollAnswer> GitLab::read_one(const PrPlace& place, json::value request, bool pipeline_required) {
  std::vector<GitLabDiscussion> discussions;
  if (text_of(request, "state") == "opened") {
    if (const auto complete = read_further_pages(place, request); !complete) return tl::unexpected(complete.error());
    auto said = discussions_of(place, request);
    if (!said) return tl::unexpected(said.error());
    discussions = std::move(*said);
  }
  auto read = read_merge_request(request, place, discussions, pipeline_required);
  if (!read) return tl::unexpected(Refusal{"invalid_response", 200, false, read.error(), {}});
  return std::move(*read);
}

// ---- who said what ----------------------------------------------------------------------------------------------

/// A page of a merge request's discussions, behind `after`, with these fields of each.
Asked<json::value> GitLab::discussions_page(const PrPlace& place, const std::string& size, const std::string& fields,
                                            const json::value& after) const {
  const std::string query =
      "query($project: ID!, $number: String!, $after: String) { project(fullPath: $project) { mergeRequest(iid: "
      "$number) { discussions(first: " +
      size + ", after: $after) { pageInfo { hasNextPage endCursor } nodes { " + fields + " } } } } }";
  const auto asked =
      graphql(query, {{"project", place.repository.path}, {"number", std::to_string(place.number)}, {"after", after}});
  if (!asked) return tl::unexpected(asked.error());
  if (const json::array& errors = list_of(*asked, "errors"); !errors.empty())
    return tl::unexpected(refusal_of(errors.front()));
  const json::value& project = member_of(member_of(*asked, "data"), "project");
  const json::value& page = member_of(member_of(project, "mergeRequest"), "discussions");
  if (page.is_object()) return page;
  return tl::unexpected(Refusal{"invalid_response", 200, false, "the answer has no discussions", {}});
}

/// Fetches the pages of discussions that did not fit.
Asked<void> GitLab::read_further_pages(const PrPlace& place, json::value& request) const {
  json::object* members = request.if_object();
  json::value* known = members != nullptr ? members->if_contains("discussions") : nullptr;
  for (int page = 0; page < kFurtherPages; ++page) {
    const json::value next = next_page(known);
    if (next.is_null()) return {};
    const auto more = discussions_page(place, "100", "id resolvable resolved", next);
    if (!more) return tl::unexpected(more.error());
    add_page(known, &*more);
  }
  return {};
}

/// What is said in the unresolved discussions. It is asked for when it may have changed.
Asked<std::vector<GitLabDiscussion>> GitLab::discussions_of(const PrPlace& place, const json::value& request) {
  std::set<std::string> unresolved;
  std::string as_of = text_of(request, "updatedAt");
  for (const json::value& discussion : list_of(member_of(request, "discussions"), "nodes"))
    if (truth_of(discussion, "resolvable") && !truth_of(discussion, "resolved"))
      as_of += " " + *unresolved.insert(id_of(discussion)).first;
  const std::lock_guard lock(mutex_);
  if (told_.size() > kRemembered) told_.clear();  // most ended long ago
  Told& told = told_[place.url(settings_.kind)];
  if (told.as_of == as_of) return told.discussions;
  auto said = read_discussions(place, std::move(unresolved));
  if (!said) return said;
  // A note within a minute of the last change does not move `updatedAt`.
  constexpr Duration kTouched = seconds(70);
  told.as_of = settled(text_of(request, "updatedAt"), clock_.now(), kTouched) ? as_of : std::string();
  told.discussions = *said;
  return said;
}

/// The wanted ones, in their order. What is in none of the pages is there without a word.
Asked<std::vector<GitLabDiscussion>> GitLab::read_discussions(const PrPlace& place, std::set<std::string> wanted) {
  const std::string fields =
      "id notes(first: 100) { pageInfo { hasNextPage } nodes { body system author { id username bot } position { "
      "filePath newLine oldLine } } }";
  std::vector<GitLabDiscussion> found;
  json::value after = nullptr;
  for (int page = 0; page < kFurtherPages && !wanted.empty(); ++page) {
    const auto discussions = discussions_page(place, "50", fields, after);
    if (!discussions) return tl::unexpected(discussions.error());
    for (const json::value& discussion : list_of(*discussions, "nodes")) {
      if (wanted.erase(id_of(discussion)) == 0) continue;
      auto read = read_discussion(place.repository, discussion);
      if (!read) return tl::unexpected(read.error());
      found.push_back(std::move(*read));
    }
    after = next_page(&*discussions);
    if (after.is_null()) break;
  }
  for (const std::string& unread : wanted) found.push_back({unread, {}, true});
  return found;
}

/// Where it is, then who said what.
Asked<GitLabDiscussion> GitLab::read_discussion(const HostedRepository& repository, const json::value& discussion) {
  const json::value& notes = member_of(discussion, "notes");
  const json::array& all = list_of(notes, "nodes");
  const json::value position = all.empty() ? json::value() : member_of(all.front(), "position");
  std::string said;
  for (const json::value& note : all) {
    const json::value& author = member_of(note, "author");
    if (truth_of(note, "system")) continue;
    const auto counts = heard(repository, author);
    if (!counts) return tl::unexpected(counts.error());
    if (*counts) said += "\n  " + said_by(text_of(author, "username"), text_of(note, "body"));
  }
  GitLabDiscussion read{id_of(discussion), {}, truth_of(member_of(notes, "pageInfo"), "hasNextPage")};
  std::string line = text_of(position, "newLine");
  if (line.empty()) line = text_of(position, "oldLine");
  const std::string where = position.is_object() ? text_of(position, "filePath") : "the merge request as a whole";
  if (!said.empty()) read.description = "- " + where + (line.empty() ? "" : ":" + line) + said;
  return read;
}

/// People who may write, and the programs that the owner listed; others are programs of the project's.
Asked<bool> GitLab::heard(const HostedRepository& repository, const json::value& author) {
  const std::string name = text_of(author, "username");
  if (name.empty()) return false;
  if (std::find(settings_.bots.begin(), settings_.bots.end(), name) != settings_.bots.end()) return true;
  if (truth_of(author, "bot")) return false;
  return writes(repository, id_of(author));
}

Asked<bool> GitLab::writes(const HostedRepository& repository, const std::string& user) {
  const Instant now = clock_.now();
  const std::pair key{repository.path, user};
  if (const auto known = members_.find(key); known != members_.end() && now < known->second.until)
    return known->second.writes;
  const auto member = call("GET", path_of(repository.path) + "/members/all/" + encoded(user), nullptr, {404});
  if (!member) return tl::unexpected(member.error());
  if (members_.size() > kRemembered) members_.clear();
  const bool writes = member->status != 404 && number_of(member->body, "access_level") >= kDeveloper;
  members_[key] = {writes, now + kMembership};
  return writes;
}

// ---- what changes something ---------------------------------------------------------------------------------------

Asked<std::string> GitLab::open(const NewPr& wanted) {
  const std::string requests = path_of(wanted.repository.path) + "/merge_requests";
  const auto page = [&wanted](const json::value& request) {
    return PrPlace{wanted.repository, static_cast<int>(number_of(request, "iid"))}.url(HostKind::gitlab);
  };
  const auto made = call("POST", requests,
                         json::object{{"title", at_most(wanted.title, kPrTitle)},
                                      {"source_branch", wanted.branch},
                                      {"target_branch", wanted.target_branch},
                                      {"description", without_quick_actions(at_most(wanted.body, kPrBody))}},
                         {409});
  if (!made) return tl::unexpected(made.error());
  if (made->status != 409) return page(made->body);
  // It may have been opened already, by us before a crash or by somebody else.
  const auto known = call("GET",
                          requests + "?state=opened&source_branch=" + encoded(wanted.branch) +
                              "&target_branch=" + encoded(wanted.target_branch),
                          nullptr);
  if (!known) return tl::unexpected(known.error());
  for (const json::value& open : list_of(known->body))
    if (text_of(open, "sha") == wanted.head &&  // a fork's may have the same name
        text_of(open, "source_project_id") == text_of(open, "target_project_id"))
      return page(open);
  return tl::unexpected(Refusal{"rejected", 409, false, words_of(made->body), {}});
}

Asked<PrPage> GitLab::look(const PrPlace& place) {
  const auto found = call("GET", path_of(place), nullptr);
  if (!found) return tl::unexpected(found.error());
  const json::value& request = found->body;
  PrPage page{text_of(request, "title"),
              text_of(request, "description"),
              text_of(request, "state"),
              text_of(request, "source_branch"),
              text_of(request, "target_branch"),
              text_of(request, "sha"),
              place.repository};
  if (page.state == "opened") page.state = "open";
  const std::string from = text_of(request, "source_project_id");
  if (from != text_of(request, "target_project_id")) page.from.path = "project " + from;
  if (page.title.empty() || page.branch.empty() || page.target_branch.empty() || page.head.empty())
    return tl::unexpected(Refusal{"invalid_response", found->status, false, "title, head or base is missing", {}});
  return page;
}

Asked<void> GitLab::comment(const PrPlace& place, const std::string& text) {
  const auto made = call("POST", path_of(place) + "/notes", json::object{{"body", without_quick_actions(text)}});
  if (!made) return tl::unexpected(made.error());
  return {};
}

Asked<void> GitLab::answer_thread(const PrPlace& place, const std::string& thread, const std::string& text) {
  const std::string discussion = path_of(place) + "/discussions/" + encoded(thread);
  const auto said = call("POST", discussion + "/notes", json::object{{"body", without_quick_actions(text)}}, {404});
  if (!said) return tl::unexpected(said.error());
  const auto resolved = call("PUT", discussion, json::object{{"resolved", true}}, {404});
  if (!resolved) return tl::unexpected(resolved.error());
  return {};
}

Asked<void> GitLab::merge(const PrPlace& place, const std::string& head) {
  const auto merged = call("PUT", path_of(place) + "/merge", json::object{{"sha", head}});
  if (merged) return {};
  Refusal refusal = merged.error();
  if (refusal.status == 401) refusal.why = "the token's account may not merge into this branch";
  if (refusal.status == 405)
    refusal.why += "; it is closed or a draft, or an approval, a discussion or its pipeline stands in the way";
  return tl::unexpected(std::move(refusal));
}

std::string GitLab::head_ref(int number) const { return "refs/merge-requests/" + std::to_string(number) + "/head"; }

Asked<std::string> GitLab::git_header() { return "Authorization: Basic " + base64("oauth2:" + settings_.token); }

std::string without_quick_actions(std::string_view text) {
  std::string made;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && c == '/') made += '\\';  // in Markdown a slash like any other
    line_begins = c == '\n' || c == '\r' || (line_begins && (c == ' ' || c == '\t'));
    made += c;
  }
  return made;
}

}  // namespace townd

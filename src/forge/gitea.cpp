#include "forge/gitea.hpp"

#include <algorithm>
#include <charconv>

#include "codec/time_text.hpp"
#include "core/text.hpp"
#include "forge/app_token.hpp"

namespace townd {
namespace {

constexpr const char* kPerPage = "limit=50";      ///< more are not given
constexpr int kPages = 20;                        ///< of any list
constexpr int kOpenPages = 4;                     ///< of all that is open; what is on none of them is read alone
constexpr Duration kRemember = minutes(10);       ///< who writes, and what a target asks for
constexpr Duration kChecksMayCome = minutes(10);  ///< after a head was first seen
constexpr Duration kBetweenLooks = minutes(10);   ///< at one that waits for what no list shows
constexpr std::size_t kCommentedReviews = 50;     ///< whose comments are read, the newest

/// Its words of a 403 name the scope.
std::string nothing_more(const http::Response&) { return {}; }

constexpr WaysToRefuse kGiteaWays{"", "", "", "", nothing_more, true};

std::string repository_path(const HostedRepository& repository) { return "/repos/" + repository.path; }
std::string pull_path(const PrPlace& place) {
  return repository_path(place.repository) + "/pulls/" + std::to_string(place.number);
}

Refusal not_understood(const std::string& what) { return {"invalid_response", 200, false, what, {}}; }

std::string head_of(const json::value& pull) { return text_of(member_of(pull, "head"), "sha"); }
std::string target_of(const json::value& pull) { return text_of(member_of(pull, "base"), "ref"); }
bool is_open(const json::value& pull) { return text_of(pull, "state") == "open"; }
std::string tips_of(const json::value& pull) { return head_of(pull) + " " + text_of(member_of(pull, "base"), "sha"); }

/// What a list shows when something has changed.
std::string as_of(const json::value& pull) {
  std::string shown = tips_of(pull) + " " + target_of(pull) + (truth_of(pull, "draft") ? " draft" : "");
  for (const char* member : {"updated_at", "comments", "review_comments"}) shown += " " + text_of(pull, member);
  return shown;
}

/// The address of a comment, in what townd says about it where it can neither be answered nor resolved.
std::string about(const PrPlace& place, const std::string& comment) {
  return "Answer to " + place.url(HostKind::gitea) + "#issuecomment-" + comment + "\n";
}

}  // namespace

Gitea::Gitea(HostSettings settings, const Clock& clock, const std::atomic<bool>& stop)
    : settings_(std::move(settings)),
      clock_(clock),
      calls_(settings_.host, kGiteaWays, clock, stop),
      rest_(address_at("https://" + settings_.host + "/api/v1")) {}

Asked<JsonAnswer> Gitea::call(const std::string& method, const std::string& path, const json::value& body,
                              const std::vector<int>& fine) const {
  http::Request request = request_to(rest_, method, path);
  request.headers.push_back("Authorization: token " + settings_.token);
  ++requests_;
  return calls_.call(std::move(request), body, fine);
}

/// The elements, or those in a member, of all pages. Some that are counted are not shown: an empty page is the last,
/// too.
Asked<GiteaList> Gitea::list(const std::string& path, int most_pages, const char* member) const {
  const std::string pages = path + (path.find('?') == std::string::npos ? "?" : "&") + kPerPage + "&page=";
  GiteaList all;
  for (int page = 1; page <= most_pages; ++page) {
    const auto found = call("GET", pages + std::to_string(page), nullptr);
    if (!found) return tl::unexpected(found.error());
    if (member == nullptr ? !found->body.is_array() : !found->body.is_object())
      return tl::unexpected(not_understood("the answer is no list"));
    const json::array& some = member == nullptr ? list_of(found->body) : list_of(found->body, member);
    all.items.insert(all.items.end(), some.begin(), some.end());
    std::size_t total = 0;
    std::from_chars(found->total.data(), found->total.data() + found->total.size(), total);
    all.more = !some.empty() && all.items.size() < total;
    if (!all.more) break;
  }
  return all;
}

Asked<void> Gitea::check(const HostedRepository& repository) {
  const auto found = call("GET", repository_path(repository), nullptr);
  if (!found) return tl::unexpected(found.error());
  const auto lacking = [&](const std::string& what) {
    return tl::unexpected(Refusal{"http_error", 403, false, what, {}});
  };
  if (!truth_of(member_of(found->body, "permissions"), "push"))
    return lacking("the token may not write to " + repository.path);
  if (truth_of(found->body, "archived")) return lacking(repository.path + " is archived");
  if (!truth_of(found->body, "has_pull_requests")) return lacking(repository.path + " has no pull requests");
  return {};
}

// ---- how pull requests stand -------------------------------------------------------------------------------------

std::vector<Asked<events::PollAnswer>> Gitea::read(std::span<const PrPlace> places) {
  std::map<std::string, std::vector<std::size_t>> by_repository;
  for (std::size_t i = 0; i < places.size(); ++i) by_repository[places[i].repository.path].push_back(i);
  Answers answers(places.size());
  for (const auto& [repository, wanted] : by_repository)
    if (wanted.size() == 1)
      answers[wanted.front()] = read_alone(places[wanted.front()]);
    else
      read_repository(wanted, places, answers);
  return answers;
}

void Gitea::read_repository(const std::vector<std::size_t>& wanted, std::span<const PrPlace> places, Answers& answers) {
  const auto open = list(repository_path(places[wanted.front()].repository) + "/pulls?state=open", kOpenPages);
  if (!open) {
    for (const std::size_t at : wanted) answers[at] = tl::unexpected(open.error());
    return;
  }
  std::map<std::int64_t, const json::value*> found;
  for (const json::value& pull : open->items) found.emplace(number_of(pull, "number"), &pull);
  for (const std::size_t at : wanted) {
    if (const auto pull = found.find(places[at].number); pull != found.end()) {
      answers[at] = read_one(places[at], *pull->second, false);
      continue;
    }
    const auto ended = known(places[at]).ended;
    answers[at] = ended && !open->more ? Asked<events::PollAnswer>(*ended) : read_alone(places[at]);
  }
}

/// By which Gitea begins to work out whether it can be merged.
Asked<events::PollAnswer> Gitea::read_alone(const PrPlace& place) {
  auto found = call("GET", pull_path(place), nullptr);
  if (!found) return tl::unexpected(found.error());
  return read_one(place, std::move(found->body), true);
}

Asked<events::PollAnswer> Gitea::read_one(const PrPlace& place, json::value pull, bool alone) {
  Known known = this->known(place);
  if (is_open(pull))
    if (const auto read = read_open(place, pull, alone, known); !read) return tl::unexpected(read.error());
  auto answer = read_gitea_pull(pull, place, is_open(pull) ? known.standing : GiteaStanding{});
  if (!answer) return tl::unexpected(not_understood(answer.error()));
  known.ended = is_open(pull) ? std::nullopt : std::optional(*answer);
  keep(place, std::move(known));
  return std::move(*answer);
}

/// Asks for what may have changed, `pull` itself too when it was `alone` not.
Asked<void> Gitea::read_open(const PrPlace& place, json::value& pull, bool alone, Known& known) {
  std::string& mergeable = known.standing.mergeable_state;
  const auto merges = [&pull] { return truth_of(pull, "mergeable"); };
  const bool to_be_checked = !truth_of(pull, "draft") && (known.tips != tips_of(pull) || mergeable == "unknown" ||
                                                          merges() != (mergeable == "clean"));
  if (!alone && (to_be_checked || known.as_of != as_of(pull))) {
    auto found = call("GET", pull_path(place), nullptr);
    if (!found) return tl::unexpected(found.error());
    pull = std::move(found->body);
    alone = true;
    if (!is_open(pull)) return {};
  }
  const Instant now = clock_.now();
  if (known.head != head_of(pull)) known.head_since = now;
  if (known.tips != tips_of(pull)) known.refused = 0;
  known.head = head_of(pull);
  if (merges()) {
    mergeable = "clean";
    known.refused = 0;
  } else if (alone && !truth_of(pull, "draft")) {
    if (known.refused == 0 || now - known.refused_at >= kBetweenReads) {
      ++known.refused;
      known.refused_at = now;
    }
    mergeable = known.refused >= kRefusedReads ? "dirty" : "unknown";
  }
  known.tips = tips_of(pull);
  if (known.as_of == as_of(pull)) return look_closer(place, pull, known);
  known.read_at = now;
  if (const auto read = read_said(place, pull, known.standing); !read) return read;
  if (const auto read = read_statuses(place, pull, known.standing); !read) return read;
  known.as_of = settled(text_of(pull, "updated_at"), now) ? as_of(pull) : std::string();
  return {};
}

/// At one that seems to be as it was. Checks that are to come are asked for; what else no list shows, like a
/// conversation that somebody resolves, is so seldom that all such looks together cost a request a minute.
Asked<void> Gitea::look_closer(const PrPlace& place, const json::value& pull, Known& known) {
  const auto stands = read_gitea_pull(pull, place, known.standing);
  if (!stands) return tl::unexpected(not_understood(stands.error()));
  const Instant now = clock_.now();
  const bool to_come = stands->checks_pending || (stands->no_checks && now - known.head_since < kChecksMayCome);
  if (to_come)
    if (const auto read = read_statuses(place, pull, known.standing); !read) return read;
  const bool people = stands->unresolved_comments || stands->review_decision != "APPROVED";
  const bool checks = !to_come && !stands->all_checks_pass;
  if (!people && !checks) return {};
  {
    const std::lock_guard lock(mutex_);
    if (now - known.read_at < kBetweenLooks || now < next_look_) return {};
  }
  const int before = requests_;
  if (people)
    if (const auto read = read_said(place, pull, known.standing); !read) return read;
  if (checks)
    if (const auto read = read_statuses(place, pull, known.standing); !read) return read;
  known.read_at = now;
  const std::lock_guard lock(mutex_);
  next_look_ = now + minutes(requests_ - before);
  return {};
}

Asked<void> Gitea::read_statuses(const PrPlace& place, const json::value& pull, GiteaStanding& standing) {
  auto asked_for = target(place.repository, target_of(pull));
  if (!asked_for) return tl::unexpected(asked_for.error());
  auto statuses =
      list(repository_path(place.repository) + "/commits/" + encoded(head_of(pull)) + "/status", kPages, "statuses");
  if (!statuses) return tl::unexpected(statuses.error());
  standing.target = std::move(*asked_for);
  standing.statuses = std::move(*statuses);
  return {};
}

Asked<void> Gitea::read_said(const PrPlace& place, const json::value& pull, GiteaStanding& standing) {
  auto reviews = list(pull_path(place) + "/reviews", kPages);
  if (!reviews) return tl::unexpected(reviews.error());
  std::set<std::string> heard_ones;
  if (!reviews->items.empty()) {
    auto heard_here = heard(place.repository);
    if (!heard_here) return tl::unexpected(heard_here.error());
    heard_ones = std::move(*heard_here);
  }
  std::vector<std::string> commented;
  for (const json::value& review : reviews->items)
    if (number_of(review, "comments_count") > 0) commented.push_back(text_of(review, "id"));
  const std::size_t unread = commented.size() - std::min(commented.size(), kCommentedReviews);
  std::vector<GiteaConversation> conversations;
  for (const std::string& review : std::span(commented).subspan(unread)) {
    const auto comments = call("GET", pull_path(place) + "/reviews/" + encoded(review) + "/comments", nullptr, {404});
    if (!comments) return tl::unexpected(comments.error());
    if (comments->status != 404 && !comments->body.is_array())
      return tl::unexpected(not_understood("a review has no comments"));
    for (GiteaConversation& one : conversations_of(list_of(comments->body), heard_ones))
      conversations.push_back(std::move(one));
  }
  if (!conversations.empty() && number_of(pull, "comments") > 0)
    if (const auto left = leave_out_answered(place, conversations); !left) return left;
  standing.reviews = std::move(*reviews);
  standing.heard = std::move(heard_ones);
  standing.conversations = std::move(conversations);
  standing.unread = unread > 0;
  return {};
}

/// Those that townd has answered since, at a Gitea where it could not resolve them.
Asked<void> Gitea::leave_out_answered(const PrPlace& place, std::vector<GiteaConversation>& conversations) {
  const auto own = login();
  if (!own) return tl::unexpected(own.error());
  const auto comments =
      list(repository_path(place.repository) + "/issues/" + std::to_string(place.number) + "/comments",
           1);  // no pages either
  if (!comments) return tl::unexpected(comments.error());
  std::erase_if(conversations, [&](const GiteaConversation& conversation) {
    return std::any_of(comments->items.begin(), comments->items.end(), [&](const json::value& comment) {
      const auto at = instant_from_text(text_of(comment, "created_at"));
      return lower(text_of(member_of(comment, "user"), "login")) == *own && at && *at >= conversation.last_said_at &&
             text_of(comment, "body").starts_with(about(place, conversation.id));
    });
  });
  return {};
}

// ---- what is remembered ------------------------------------------------------------------------------------------

/// Those who may write, and the programs that the owner listed.
Asked<std::set<std::string>> Gitea::heard(const HostedRepository& repository) {
  const Instant now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = writers_.find(repository.path); known != writers_.end() && now < known->second.until)
      return known->second.logins;
  }
  const auto assignees = list(repository_path(repository) + "/assignees", 1);  // it has no pages
  if (!assignees) return tl::unexpected(assignees.error());
  std::set<std::string> logins;
  for (const json::value& writer : assignees->items) logins.insert(lower(text_of(writer, "login")));
  for (const std::string& bot : settings_.bots) logins.insert(lower(bot));
  logins.erase("");
  const std::lock_guard lock(mutex_);
  if (writers_.size() > kRemembered) writers_.clear();
  writers_[repository.path] = {logins, now + kRemember};
  return logins;
}

Asked<GiteaTarget> Gitea::target(const HostedRepository& repository, const std::string& branch) {
  const Instant now = clock_.now();
  const std::string key = repository.path + " " + branch;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = targets_.find(key); known != targets_.end() && now < known->second.until)
      return known->second.target;
  }
  const auto found = call("GET", repository_path(repository) + "/branches/" + encoded(branch, "/"), nullptr, {404});
  if (!found) return tl::unexpected(found.error());
  GiteaTarget target{number_of(found->body, "required_approvals"), {}, false};
  if (truth_of(found->body, "enable_status_check"))
    for (const json::value& pattern : list_of(found->body, "status_check_contexts"))
      target.required_checks.push_back(as_text(pattern));
  const std::lock_guard lock(mutex_);
  target.up_to_date = up_to_date_.contains(key);
  if (targets_.size() > kRemembered) targets_.clear();
  targets_[key] = {target, now + kRemember};
  return target;
}

Asked<std::string> Gitea::login() {
  {
    const std::lock_guard lock(mutex_);
    if (!login_.empty()) return login_;
  }
  const auto found = call("GET", "/user", nullptr);
  if (!found) return tl::unexpected(found.error());
  const std::lock_guard lock(mutex_);
  login_ = lower(text_of(found->body, "login"));
  return login_;
}

Gitea::Known Gitea::known(const PrPlace& place) {
  const std::lock_guard lock(mutex_);
  if (known_.size() > kRemembered) known_.clear();  // most ended long ago
  return known_[place.url(settings_.kind)];
}

void Gitea::keep(const PrPlace& place, Known known) {
  const std::lock_guard lock(mutex_);
  Known& kept = known_[place.url(settings_.kind)];
  if (kept.forgotten != known.forgotten) known.as_of.clear();
  known.forgotten = kept.forgotten;
  kept = std::move(known);
}

void Gitea::forget(const PrPlace& place) {
  const std::lock_guard lock(mutex_);
  Known& known = known_[place.url(settings_.kind)];
  known.as_of.clear();
  known.ended.reset();
  ++known.forgotten;
}

// ---- what changes something ---------------------------------------------------------------------------------------

Asked<std::string> Gitea::open(const NewPr& wanted) {
  const std::string pulls = repository_path(wanted.repository) + "/pulls";
  const auto page = [&wanted](const json::value& pull) {
    return PrPlace{wanted.repository, static_cast<int>(number_of(pull, "number"))}.url(HostKind::gitea);
  };
  const auto made = call("POST", pulls,
                         json::object{{"title", at_most(wanted.title, kPrTitle)},
                                      {"head", wanted.branch},
                                      {"base", wanted.target_branch},
                                      {"body", at_most(wanted.body, kPrBody)}},
                         {409});
  if (!made) return tl::unexpected(made.error());
  if (made->status != 409) return page(made->body);
  // It may have been opened already, by us before a crash or by somebody else.
  const auto known = list(pulls + "?state=open", kPages);
  if (!known) return tl::unexpected(known.error());
  for (const json::value& pull : known->items) {
    const bool same = text_of(member_of(pull, "head"), "ref") == wanted.branch && head_of(pull) == wanted.head;
    if (same && target_of(pull) == wanted.target_branch) return page(pull);
  }
  return tl::unexpected(Refusal{"rejected", 409, false, words_of(made->body), {}});
}

Asked<PrPage> Gitea::look(const PrPlace& place) {
  const auto found = call("GET", pull_path(place), nullptr);
  if (!found) return tl::unexpected(found.error());
  const json::value& pull = found->body;
  const json::value& head = member_of(pull, "head");
  PrPage page{text_of(pull, "title"),
              text_of(pull, "body"),
              text_of(pull, "state"),
              text_of(head, "ref"),
              target_of(pull),
              head_of(pull),
              {}};
  if (truth_of(pull, "merged")) page.state = "merged";
  const auto from = hosted_at("https://" + place.repository.host + "/" + text_of(member_of(head, "repo"), "full_name"));
  if (from) page.from = *from;
  if (page.title.empty() || page.branch.empty() || page.target_branch.empty() || page.head.empty())
    return tl::unexpected(Refusal{"invalid_response", found->status, false, "title, head or base is missing", {}});
  return page;
}

Asked<void> Gitea::comment(const PrPlace& place, const std::string& text) {
  const auto made =
      call("POST", repository_path(place.repository) + "/issues/" + std::to_string(place.number) + "/comments",
           json::object{{"body", text}});
  if (!made) return tl::unexpected(made.error());
  return {};
}

/// Versions before 1.26, and Forgejo, resolve nothing for a program, those before 1.27 take no reply from one: both are
/// 405. What is said is a comment on the whole then.
Asked<void> Gitea::answer_thread(const PrPlace& place, const std::string& thread, const std::string& text) {
  const auto resolved =
      call("POST", repository_path(place.repository) + "/pulls/comments/" + encoded(thread) + "/resolve", nullptr,
           {404, 405});
  if (!resolved) return tl::unexpected(resolved.error());
  if (resolved->status == 404) return {};
  if (resolved->status == 405) return comment(place, about(place, thread) + "\n" + text);
  const auto said = call("POST", pull_path(place) + "/comments/" + encoded(thread) + "/replies",
                         json::object{{"body", text}}, {404, 405});
  if (!said) return tl::unexpected(said.error());
  if (said->status != 404 && said->status != 405) return {};
  return comment(place, "Resolved: " + place.url(settings_.kind) + "#issuecomment-" + thread + "\n\n" + text);
}

Asked<void> Gitea::merge(const PrPlace& place, const std::string& head) {
  Refusal last;
  for (const char* way : {"squash", "merge", "rebase", "rebase-merge"}) {
    const auto merged = call("POST", pull_path(place) + "/merge", json::object{{"Do", way}, {"head_commit_id", head}});
    if (merged) return {};
    last = merged.error();
    if (last.status != 405 || last.why.find("allowed merge style") == std::string::npos) break;
  }
  const auto says = [&last](const char* words) { return last.why.find(words) != std::string::npos; };
  if (last.status == 405 && says("try again later")) last.transient = true;  // it is still being worked out
  if (last.status == 405 && says("is behind the base branch")) {
    // That this is a rule there only administrators may read.
    if (const auto pull = look(place); pull) {
      const std::string key = place.repository.path + " " + pull->target_branch;
      const std::lock_guard lock(mutex_);
      if (up_to_date_.size() > kRemembered) up_to_date_.clear();
      up_to_date_.insert(key);
      targets_.erase(key);
    }
  }
  if (last.why.empty() && last.status == 404) last.why = "it is closed, or not there";
  if (last.why.empty() && last.status == 405) last.why = "it is merged already";
  if (last.why.empty() && last.status == 409) last.why = "it conflicts with its target";
  return tl::unexpected(std::move(last));
}

std::string Gitea::head_ref(int number) const { return "refs/pull/" + std::to_string(number) + "/head"; }

Asked<std::string> Gitea::git_header() { return "Authorization: Basic " + base64("oauth2:" + settings_.token); }

}  // namespace townd

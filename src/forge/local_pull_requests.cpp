#include <filesystem>

#include "core/text.hpp"
#include "core/town.hpp"
#include "forge/collect.hpp"
#include "forge/local.hpp"
#include "forge/owner_repository.hpp"
#include "forge/rig_source.hpp"
#include "git/layout.hpp"
#include "git/names.hpp"

/// Pull requests: what git does of them, between the rig's repository and its host.
namespace townd {
namespace {

constexpr std::size_t kShownUrl = 200;  ///< bytes of one that is refused

tl::unexpected<Refusal> refused(std::string kind, std::string why) {
  return tl::unexpected(Refusal{std::move(kind), 0, false, std::move(why), {}});
}

/// Git could not say; it may next time.
tl::unexpected<Refusal> for_now(const Error& error) {
  return tl::unexpected(Refusal{"network", 0, true, error.what, {}});
}

events::PollAnswer as_answer(const Refusal& refusal) {
  events::PollAnswer answer;
  answer.error_kind = refusal.kind;
  answer.http_status = refusal.status;
  answer.transient = refusal.transient;
  answer.error_message = refusal.why;
  answer.rest_until = refusal.rest_until;
  return answer;
}

events::PrPublished as_answer(const Refusal& refusal, const PublishSpec& spec) {
  events::PrPublished answer;
  answer.pr_url = spec.pr_url;
  answer.error_kind = refusal.kind;
  answer.http_status = refusal.status;
  answer.transient = refusal.transient;
  answer.why = refusal.why;
  answer.rest_until = refusal.rest_until;
  return answer;
}

/// As an error of a request that a person waits for.
tl::unexpected<Error> told(const Refusal& refusal, const std::string& url) {
  const auto code = refusal.status == 404 ? Error::Code::not_found
                    : refusal.transient   ? Error::Code::unavailable
                                          : Error::Code::conflict;
  const bool gone = refusal.status == 404;
  return fail(code, gone ? at_most(url, kShownUrl) + " is not there, or townd's token may not see it" : refusal.why,
              "see docs/forges.md");
}

/// What stands in the way of merging, in words.
std::string not_green(const events::PollAnswer& a) {
  if (!a.feedback_known) return "nothing is known about its checks";
  if (a.unresolved_comments) return "it has unresolved review comments";
  if (a.failing_checks) return "checks fail";
  if (a.no_checks) return "it has no checks; set without_checks for a repository that has none";
  if (!a.all_checks_pass || a.unchecked_runs) return "not all checks have passed";
  return "its review is not done";
}

}  // namespace

Asked<LocalForge::Hosted> LocalForge::hosted(const Rig& rig) const {
  const auto pushed = pushed_to(git_, rig);
  if (!pushed) return for_now(pushed.error());
  std::optional<git::Place> place = *pushed;
  if (!place && !git::is_local_path(rig.git_url)) {
    const auto own = git::place_of(rig.git_url);
    if (own) place = *own;
  }
  const auto repository = place ? hosted_at(place->address) : std::nullopt;
  if (!repository)
    return refused("unrecognized_url", "rig " + rig.name +
                                           " is at no host of pull requests; give it a push remote there, as "
                                           "`town rig set " +
                                           rig.name + " --push https://github.com/owner/name.git`");
  Host* host = hosts_ ? hosts_->at(repository->host) : nullptr;
  if (host == nullptr)
    return refused("no_token", "townd.toml names no host " + repository->host + "; see docs/forges.md");
  const HostKind kind = hosts_->kind_of(repository->host);
  if (!can_have(kind, *repository))
    return refused("unrecognized_url", repository->path + " is no repository of " + repository->host);
  auto header = host->git_header();
  if (!header) return tl::unexpected(header.error());
  return Hosted{host, kind, *repository, *place, git_.with_header("https://" + repository->host + "/", *header)};
}

std::optional<LocalForge::Hosted> LocalForge::if_hosted(const Rig& rig) const {
  auto found = hosts_ ? hosted(rig) : refused("no_token", "no host is set up");
  return found ? std::optional(std::move(*found)) : std::nullopt;
}

Asked<std::pair<LocalForge::Hosted, PrPlace>> LocalForge::found(const Rig& rig, const std::string& pr_url) const {
  auto of_rig = hosted(rig);
  if (!of_rig) return tl::unexpected(of_rig.error());
  const HostedRepository& own = of_rig->repository;
  const auto place = read_pr_url(of_rig->kind, pr_url);
  if (!place)
    return refused("unrecognized_url",
                   at_most(pr_url, kShownUrl) + " is no page such as " + PrPlace{own, 1}.url(of_rig->kind));
  if (place->repository.host != own.host)
    return refused("host_mismatch", place->repository.host + " is not " + own.host);
  if (place->repository.path != own.path)
    return refused("unrecognized_url", place->repository.path + " is not the rig's repository " + own.path);
  return std::pair{std::move(*of_rig), *place};
}

/// The target in the rig's repository goes where it is at the host, forward only.
expected<void> LocalForge::follow_target(const Rig& rig, const Hosted& hosted) {
  const std::string target = target_of(rig), ref = "refs/heads/" + target, theirs = "refs/outside/host/" + target;
  const auto held = lock(rig.rig_id);
  const git::Repository bare = repository(rig.rig_id, hosted);
  if (auto ok = git::fetch(bare, hosted.place, {"+" + ref + ":" + theirs}); !ok) return ok;
  return follow(bare, ref, theirs);
}

git::Repository LocalForge::repository(const RigId& rig, const Hosted& hosted) const {
  return git::Repository::bare(hosted.git, git::rig_repository(data_, rig));
}

/// Moves the branch forward at the host. Answers where it is then: there, or further when somebody went on from it.
Asked<std::string> LocalForge::push_branch(const PublishSpec& spec, const Hosted& hosted) {
  const auto held = lock(spec.rig.rig_id);
  const git::Repository bare = repository(spec.rig.rig_id, hosted);
  if (spec.branch == spec.target_branch) return refused("no_branch", "its branch is its target");
  std::string commit = spec.commit;
  if (commit.empty()) {
    const auto tip = bare.commit_of("refs/heads/" + spec.branch);
    if (!tip) return for_now(tip.error());
    if (!*tip) return refused("no_branch", "the rig's repository has no branch " + spec.branch);
    commit = **tip;
  }
  auto known = bare.commit_of(commit);
  const std::string folder = git::clone_folder(data_, spec.run_id);
  if (known && !*known && spec.run_id && std::filesystem::exists(folder)) {  // its run has only just ended
    if (const auto fetched = collect_clone(bare, {spec.run_id, folder, spec.branch, sandboxed_}); !fetched)
      return for_now(fetched.error());
    known = bare.commit_of(commit);
  }
  if (!known) return for_now(known.error());
  if (!*known) return refused("no_branch", "the rig's repository has no commit " + commit);
  const auto theirs = git::tip_at(hosted.git, hosted.place, spec.branch);
  if (!theirs) {  // git says little about why it is not let in
    if (const auto let_in = hosted.host->check(hosted.repository); !let_in) return tl::unexpected(let_in.error());
    return for_now(theirs.error());
  }
  if (*theirs == commit) return commit;
  if (*theirs) {
    const std::string ref = "refs/heads/" + spec.branch;
    if (const auto ok = git::fetch(bare, hosted.place, {"+" + ref + ":refs/outside/host/" + spec.branch}); !ok)
      return for_now(ok.error());
    const auto ahead = bare.is_ancestor(commit, **theirs);
    if (!ahead) return for_now(ahead.error());
    if (*ahead) return **theirs;
    const auto behind = bare.is_ancestor(**theirs, commit);
    if (!behind) return for_now(behind.error());
    if (!*behind && !spec.published.empty()) return refused("moved", **theirs);
    if (!*behind)
      return refused("branch_taken", "there is a branch " + spec.branch + " already, with other work on it");
  }
  const auto pushed = git::push(hosted.git, bare, hosted.place, spec.branch, commit, theirs->value_or(""));
  if (!pushed) return for_now(pushed.error());
  if (pushed->result == git::Pushed::yes) return commit;
  if (pushed->result == git::Pushed::moved) return for_now(Error{Error::Code::conflict, pushed->why, {}});
  if (const auto let_in = hosted.host->check(hosted.repository); !let_in) return tl::unexpected(let_in.error());
  return refused("push_refused", pushed->why);
}

expected<events::PrPublished> LocalForge::publish(const PublishSpec& spec) {
  const auto hosted = this->hosted(spec.rig);
  if (!hosted) return as_answer(hosted.error(), spec);
  if (auto ok = git::validate_branch_name(spec.branch); !ok)
    return as_answer(Refusal{"no_branch", 0, false, ok.error().what, {}}, spec);
  const auto head = push_branch(spec, *hosted);
  if (!head) {
    events::PrPublished answer = as_answer(head.error(), spec);
    if (head.error().kind == "moved") answer.head = head.error().why;
    return answer;
  }
  events::PrPublished published;
  published.head = *head;
  std::string page = spec.pr_url;
  if (page.empty()) {
    const auto opened =
        hosted->host->open({hosted->repository, spec.branch, *head, spec.target_branch, spec.title, spec.body});
    if (!opened) return as_answer(opened.error(), spec);
    page = *opened;
  }
  const auto place = read_pr_url(hosted->kind, page);
  if (!place) return as_answer(Refusal{"unrecognized_url", 0, false, at_most(page, kShownUrl), {}}, spec);
  published.pr_url = place->url(hosted->kind);
  for (const std::string& thread : spec.answered)
    if (const auto answered = hosted->host->answer_thread(*place, thread, spec.answer); !answered)
      return as_answer(answered.error(), spec);
  hosts_->changed(spec.rig.rig_id, place->number);
  published.ok = true;
  return published;
}

expected<events::PollAnswer> LocalForge::poll_pr(const PollSpec& spec) {
  const auto pr = found(spec.rig, spec.pr_url);
  if (!pr) return as_answer(pr.error());
  const auto& [hosted, place] = *pr;
  auto answer = hosts_->poll(spec.town_id, spec.rig.rig_id, place, spec.fresh);
  if (!answer) {
    events::PollAnswer refusal = as_answer(answer.error());
    refusal.provider = name_of(hosted.kind);
    return refusal;
  }
  if (!spec.with_feedback) answer->feedback.clear();
  if (!answer->base.empty() && answer->base != spec.target_branch) {  // somebody has pointed it elsewhere
    answer->feedback_known = false;
    if (answer->status == "merged") answer->status = "closed";
  }
  if (answer->status == "merged") (void)follow_target(spec.rig, hosted);  // a fact, whether git can be asked or not
  if (answer->status != "open") return *answer;
  if (answer->mergeable_state == "dirty")  // whoever resolves it needs the target as it is there
    if (const auto ok = follow_target(spec.rig, hosted); !ok) return tl::unexpected(ok.error());
  const auto held = lock(spec.rig.rig_id);
  const git::Repository bare = repository(spec.rig.rig_id, hosted);
  const auto known =
      git::is_object_id(answer->head) ? bare.commit_of(answer->head) : expected<std::optional<std::string>>();
  if (!known) return tl::unexpected(known.error());
  if (!*known) {  // somebody pushed; what is reviewed and worked on is that
    const std::string kept = "refs/outside/pr/" + std::to_string(place.number);
    if (auto ok = git::fetch(bare, hosted.place, {"+" + hosted.host->head_ref(place.number) + ":" + kept}); !ok)
      return tl::unexpected(ok.error());
  }
  return *answer;
}

expected<AdoptedPr> LocalForge::adopt_pr(const TownId&, const Rig& rig, const std::string& url) {
  const auto pr = found(rig, url);
  if (!pr) return told(pr.error(), url);
  const auto& [hosted, place] = *pr;
  const auto page = hosted.host->look(place);
  if (!page) return told(page.error(), url);
  const std::string shown = place.url(hosted.kind);
  if (page->state != "open") return fail(Error::Code::conflict, shown + " is " + page->state);
  if (page->target_branch != target_of(rig))
    return fail(
        Error::Code::conflict, shown + " is for " + page->target_branch + ", the rig's work for " + target_of(rig),
        "change its base there, or the rig's with: town rig set " + rig.name + " --branch " + page->target_branch);
  if (page->from != hosted.repository)
    return fail(Error::Code::conflict, shown + " comes from the fork " + page->from.path + ", where townd may not push",
                "push its branch to " + hosted.repository.path + " and open a pull request from there");
  if (auto ok = git::validate_branch_name(page->branch); !ok) return tl::unexpected(ok.error());
  if (!git::is_object_id(page->head)) return fail(Error::Code::unavailable, shown + " names no commit");
  const auto held = lock(rig.rig_id);
  const git::Repository bare = repository(rig.rig_id, hosted);
  const std::string kept = "refs/town/adopted/" + page->head;
  if (auto ok = git::fetch(bare, hosted.place, {"+" + hosted.host->head_ref(place.number) + ":" + kept}); !ok)
    return tl::unexpected(ok.error());
  const auto there = bare.commit_of(kept);
  if (!there) return tl::unexpected(there.error());
  if (*there != page->head) return fail(Error::Code::unavailable, "somebody has just pushed to " + shown, "try again");
  return AdoptedPr{shown, page->branch, page->head, page->title, page->body};
}

/// Merges the target's tip at the host into the head and pushes that to the branch. Answers the new head.
Asked<std::string> LocalForge::bring_up_to_date(const MergeSpec& spec, const Hosted& hosted) {
  if (const auto ok = follow_target(spec.rig, hosted); !ok) return for_now(ok.error());
  const std::string target = target_of(spec.rig);
  const auto held = lock(spec.rig.rig_id);
  const git::Repository bare = repository(spec.rig.rig_id, hosted);
  const auto tip = bare.commit_of("refs/outside/host/" + target);
  if (!tip) return for_now(tip.error());
  if (!*tip) return refused("no_branch", "there is no branch " + target + " at the host");
  const auto tree = bare.text({"merge-tree", "--write-tree", "--no-messages", spec.head, **tip}, "merging " + target);
  if (!tree) return refused("conflict", "it conflicts with " + target);
  const auto commit =
      bare.text({"commit-tree", *tree, "-p", spec.head, "-p", **tip, "-m", "Merge " + target + " into " + spec.branch},
                "merging " + target + " into " + spec.branch);
  if (!commit) return for_now(commit.error());
  const auto pushed = git::push(hosted.git, bare, hosted.place, spec.branch, *commit, spec.head);
  if (!pushed) return for_now(pushed.error());
  if (pushed->result == git::Pushed::yes) return *commit;
  return refused(pushed->result == git::Pushed::moved ? "moved" : "push_refused", pushed->why);
}

expected<events::PrMergeResult> LocalForge::merge_pr(const MergeSpec& spec) {
  events::PrMergeResult result{spec.request_id, false, {}, {}};
  const auto pr = found(spec.rig, spec.pr_url);
  if (!pr && pr.error().transient) return fail(Error::Code::unavailable, pr.error().why);
  if (!pr) {
    result.why = pr.error().why;
    return result;
  }
  const auto& [hosted, place] = *pr;
  hosted.host->forget(place);
  auto fresh = hosted.host->read({&place, 1}).front();
  if (!fresh && fresh.error().transient) return fail(Error::Code::unavailable, fresh.error().why);
  if (!fresh) {
    result.why = fresh.error().why;
    return result;
  }
  hosts_->changed(spec.rig.rig_id, place.number);
  result.merged = fresh->status == "merged";
  if (!result.merged) {
    if (fresh->status != "open")
      result.why = "it is " + fresh->status;
    else if (!fresh->base.empty() && fresh->base != spec.target_branch)
      result.why = "it is for " + fresh->base + " now";
    else if (fresh->head != spec.head)
      result.why = "somebody has pushed to it";
    else if (!green(*fresh, &spec.rig))
      result.why = not_green(*fresh);
    if (!result.why.empty()) return result;
    if (fresh->mergeable_state == "behind") {
      const auto head = bring_up_to_date(spec, hosted);
      if (!head && head.error().transient) return fail(Error::Code::unavailable, head.error().why);
      result.why = head ? "its target was merged into it; its checks run again" : head.error().why;
      result.head = head.value_or("");
      return result;
    }
    const auto merged = hosted.host->merge(place, spec.head);
    if (!merged && merged.error().transient) return fail(Error::Code::unavailable, merged.error().why);
    result.merged = merged.has_value();
    if (!merged) {
      result.why = merged.error().why;
      return result;
    }
  }
  // The merge is a fact; that the rig's repository does not know it yet is mended by the next fetch.
  (void)follow_target(spec.rig, hosted);
  return result;
}

void LocalForge::stop() {
  if (hosts_) hosts_->stop();
}

std::string LocalForge::pr_trouble(const Rig& rig) {
  const auto at = hosted(rig);
  if (!at) return at.error().why;
  const auto let_in = at->host->check(at->repository);
  if (let_in) return {};
  const std::string status = let_in.error().status == 0 ? "" : "HTTP " + std::to_string(let_in.error().status) + " ";
  return at->repository.host + ": " + status + let_in.error().why;
}

std::vector<HostCalls> LocalForge::host_calls() const { return hosts_ ? hosts_->calls() : std::vector<HostCalls>(); }

void LocalForge::pr_changed(const RigId& rig, int number) {
  if (hosts_) hosts_->changed(rig, number);
}

expected<void> LocalForge::comment_pr(const CommentSpec& spec) {
  const auto pr = found(spec.rig, spec.pr_url);
  if (!pr) return fail(Error::Code::unavailable, pr.error().why);
  if (const auto said = pr->first.host->comment(pr->second, spec.text); !said)
    return fail(Error::Code::unavailable, said.error().why);
  return {};
}

}  // namespace townd

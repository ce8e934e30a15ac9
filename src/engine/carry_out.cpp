#include "engine/carry_out.hpp"

#include <algorithm>
#include <utility>

#include "engine/start_run.hpp"

/// Each kind of effect as a job. What is read from the town is read here, on the engine's thread; the job takes it
/// along.
namespace townd {
namespace {

/// Polls are not exactly as far apart as they should be; one answer then still does for all of a minute.
constexpr Duration kPollMargin = seconds(1);

Found not_wanted(std::string why) { return {EffectState::failed, std::move(why), {}, false}; }

Found unknown(const Error& error) { return {EffectState::unknown, error.what, {}, false}; }

bool cannot_say(const Error& error) { return error.code == Error::Code::unavailable; }

bool live(const Town& town, const BeadId& id) {
  const Bead* bead = town.bead(id);
  return bead != nullptr && !terminal(bead->status);
}

const Rig* rig_of(const Town& town, const BeadId& id) {
  const Bead* bead = town.bead(id);
  return bead == nullptr ? nullptr : town.rig(bead->rig_id);
}

struct LiveRequest {
  const Review& review;
  const Rig& rig;
};

std::optional<LiveRequest> live_request(const Town& town, const BeadId& id) {
  const Review* review = town.review(id);
  const Rig* rig = rig_of(town, id);
  if (review == nullptr || rig == nullptr || !live(town, id)) return std::nullopt;
  return LiveRequest{*review, *rig};
}

/// The work that a landing must contain: its own request's, and that of whoever rides with it.
std::vector<std::string> commits_of(const Town& town, const Review& head) {
  std::vector<std::string> commits;
  if (!head.commit.empty()) commits.push_back(head.commit);
  for (const BeadId& id : town.links(head.bead_id).members) {
    const Review* member = town.review(id);
    if (member != nullptr && live(town, id) && !member->commit.empty()) commits.push_back(member->commit);
  }
  return commits;
}

/// The name that a recipient sees as the sender.
std::string name_of(const Town& town, const AgentId& id) {
  const Agent* agent = town.agent(id);
  return agent == nullptr ? id.text : agent->name;
}

/// The recipient's run when it can hear something now.
RunId run_of(const Town& town, const AgentId& id) {
  const Agent* agent = town.agent(id);
  return agent != nullptr && run_live(town, *agent) ? agent->run_id : RunId{};
}

/// What was reviewed, and nothing else, is merged.
std::string reviewed_head(const Review& review) {
  return review.strategy == Strategy::pr && !review.commit.empty() ? review.commit : review.pr_head;
}

/// What the agent said about its work.
TextRef body_of(const Town& town, const Review& review) {
  const Bead* request = town.bead(review.bead_id);
  return request == nullptr ? TextRef{} : request->body;
}

/// All but the agent's own words.
PublishSpec to_publish(const Town& town, const Review& review, const Rig& rig) {
  const Bead* source = town.bead(review.source_bead_id);
  const bool landing = source != nullptr && source->type == BeadType::convoy;
  PublishSpec spec{town.row().town_id,
                   rig,
                   review.bead_id,
                   review.pr_url,
                   review.branch,
                   review.target_branch,
                   review.commit,
                   review.published_commit,
                   review.source_run_id,
                   source == nullptr ? review.branch : source->title,
                   {},
                   review.answered,
                   {}};
  spec.body = std::string(landing ? "Convoy" : "Bead") + " `" + review.source_bead_id.text + "`";
  if (const Convoy* convoy = convoy_of(town, review.source_bead_id))
    if (const Bead* of = town.bead(convoy->bead_id))
      spec.body += " of convoy `" + of->bead_id.text + "` (" + of->title + ")";
  spec.body += ", opened by townd.";
  spec.answer = "Answered in " + review.commit + ".";
  return spec;
}

/// What an effect is about, as its key (`kind:subject:number`) has it.
std::string subject_in(const std::string& key) {
  const std::size_t from = key.find(':') + 1;
  const std::size_t to = key.rfind(':');
  return from == 0 || to < from ? std::string() : key.substr(from, to - from);
}

/// The job for each kind; every one reads what it needs and answers without touching the town again.
struct Carry {
  const Hands& hands;
  const Town& town;
  const std::string& key;
  Instant now;

  using Answer = std::variant<Job, Found>;

  Answer operator()(const effects::StartAgent& start) const { return start_run(hands, town, start.run_id, now); }

  Answer operator()(const effects::StopAgent& stop) const {
    return Job([&runtime = hands.ports.runtime, stop]() -> Found {
      if (const auto stopped = runtime.stop(stop.run_id); !stopped)
        return {EffectState::unknown, stopped.error().what, {}, true};
      return {EffectState::done, {}, events::AgentStopped{stop.agent_id, stop.run_id}, false};
    });
  }

  Answer operator()(const effects::Land& land) const {
    const Review* review = town.review(land.request_id);
    const Rig* rig = rig_of(town, land.request_id);
    if (review == nullptr || rig == nullptr) return not_wanted("the request is gone");
    const bool given_up = !live(town, land.request_id) && review->result == ReviewResult::failed;
    if (!given_up && (!review->verifying_since || !live(town, land.request_id)))
      return not_wanted("the request is not being verified any more");
    LandSpec spec{town.row().town_id,
                  *rig,
                  land.request_id,
                  review->trial_run_id,
                  review->target_branch,
                  review->base_commit,
                  review->claimed_commit,
                  commits_of(town, *review),
                  given_up};
    return Job([&forge = hands.ports.forge, spec = std::move(spec)]() -> Found {
      const auto result = forge.land(spec);
      if (!result && spec.only_look) return {EffectState::failed, result.error().what, {}, true};
      // Not an answer: Q9 asks again each minute and gives up after the last try.
      if (!result) return unknown(result.error());
      return {EffectState::done, result->why, *result, false};
    });
  }

  Answer operator()(const effects::PollPr& poll) const {
    const auto request = live_request(town, poll.request_id);
    if (!request) return not_wanted("the request is over");
    PollSpec spec{town.row().town_id,
                  request->rig,
                  poll.request_id,
                  request->review.pr_url,
                  request->review.target_branch,
                  live_blocker(town, poll.request_id, "gt:pr-feedback") == nullptr,
                  Duration{town.constants().poll.ms - kPollMargin.ms}};
    return Job([&forge = hands.ports.forge, spec = std::move(spec), poll]() -> Found {
      const auto answer = forge.poll_pr(spec);
      if (answer) return {EffectState::done, {}, events::PrPolled{poll.request_id, *answer}, false};
      events::PollAnswer none;
      none.error_kind = "network";
      none.transient = true;
      none.error_message = answer.error().what;
      return {EffectState::failed, answer.error().what, events::PrPolled{poll.request_id, std::move(none)}, false};
    });
  }

  Answer operator()(const effects::MergePr& merge) const {
    const auto request = live_request(town, merge.request_id);
    if (!request) return not_wanted("the request is over");
    const Review& review = request->review;
    MergeSpec spec{request->rig,          merge.request_id, review.pr_url,
                   reviewed_head(review), review.branch,    review.target_branch};
    return Job([&forge = hands.ports.forge, spec = std::move(spec)]() -> Found {
      const auto result = forge.merge_pr(spec);
      if (result) return {EffectState::done, result->why, *result, false};
      if (cannot_say(result.error())) return unknown(result.error());
      return {EffectState::failed, result.error().what,
              events::PrMergeResult{spec.request_id, false, result.error().what, {}}, false};
    });
  }

  Answer operator()(const effects::PublishPr& publish) const {
    const auto request = live_request(town, publish.request_id);
    if (!request) return not_wanted("the request is over");
    return Job([ports = hands.ports, spec = to_publish(town, request->review, request->rig),
                body = body_of(town, request->review)]() mutable -> Found {
      if (const auto summary = ports.store.text(spec.town_id, body.hash); summary && *summary)
        spec.body = **summary + "\n\n" + spec.body;
      auto result = ports.forge.publish(spec);
      if (!result) {
        events::PrPublished none;
        none.bead_id = spec.request_id;
        none.commit = spec.commit;
        none.error_kind = "network";
        none.transient = true;
        none.why = result.error().what;
        return {EffectState::failed, result.error().what, std::move(none), false};
      }
      result->bead_id = spec.request_id;
      result->commit = spec.commit;
      const EffectState state = result->ok ? EffectState::done : EffectState::failed;
      return {state, result->why, std::move(*result), false};
    });
  }

  /// The pull request stays open, with a word why nothing more will come.
  Answer operator()(const effects::ClosePrComment& comment) const {
    const Review* review = town.review(comment.request_id);
    const Rig* rig = rig_of(town, comment.request_id);
    if (review == nullptr || rig == nullptr || review->pr_url.empty())
      return not_wanted("the request has no pull request");
    const bool superseded = review->result == ReviewResult::superseded;
    CommentSpec spec{*rig, review->pr_url,
                     superseded ? "The work was merged by another pull request; townd does no more on this one."
                                : "The work was cancelled; townd does no more on this pull request."};
    Alarm alarm{"pr_left_open", town.row().town_id,
                review->pr_url + " is still open; its request has ended. Close it by hand if it is not wanted."};
    alarm.subject = comment.request_id.text;
    return Job([ports = hands.ports, spec = std::move(spec), alarm = std::move(alarm)]() -> Found {
      ports.observer.alarm(alarm);
      if (const auto said = ports.forge.comment_pr(spec); !said)
        return {EffectState::failed, said.error().what, {}, true};
      return {};
    });
  }

  Answer operator()(const effects::DeliverNudge& deliver) const {
    const Nudge* nudge = town.nudge(deliver.nudge_id);
    if (nudge == nullptr || nudge->delivered_at || nudge->expired) return not_wanted("the nudge is over");
    const events::NudgeDelivered failed{deliver.nudge_id, false};
    const RunId run = run_of(town, deliver.agent_id);
    if (!run) return Found{EffectState::failed, "its recipient is not running", failed, false};
    return Job([&runtime = hands.ports.runtime, run, nudge = *nudge, failed]() -> Found {
      const auto delivered = runtime.deliver(run, nudge.source, nudge.message);
      if (delivered) return {EffectState::done, {}, events::NudgeDelivered{nudge.nudge_id, true}, false};
      if (cannot_say(delivered.error())) return unknown(delivered.error());
      return {EffectState::failed, delivered.error().what, failed, false};
    });
  }

  Answer operator()(const effects::DeliverMail& deliver) const {
    const Mail* mail = town.mail(deliver.mail_id);
    if (mail == nullptr || mail->delivered_at || mail->undeliverable) return not_wanted("the mail is over");
    const events::MailDelivered failed{deliver.mail_id, false};
    const RunId run = run_of(town, deliver.agent_id);
    if (!run) return Found{EffectState::failed, "its recipient is not running", failed, false};
    return Job([ports = hands.ports, town_id = town.row().town_id, run, mail = *mail,
                from = name_of(town, mail->from_agent_id), failed]() -> Found {
      const auto body = ports.store.text(town_id, mail.body.hash);
      if (!body) return {EffectState::failed, body.error().what, failed, false};
      const auto delivered = ports.runtime.deliver(run, from, mail.subject + "\n\n" + body->value_or(std::string()));
      if (delivered) return {EffectState::done, {}, events::MailDelivered{mail.mail_id, true}, false};
      if (cannot_say(delivered.error())) return unknown(delivered.error());
      return {EffectState::failed, delivered.error().what, failed, false};
    });
  }

  Answer operator()(const effects::CollectRun& collect) const {
    const Run* run = town.run(collect.run_id);
    if (run == nullptr || town.rig(run->rig_id) == nullptr) return not_wanted("the run has no repository");
    return Job([&forge = hands.ports.forge, spec = work_of(town, *run)]() -> Found {
      if (const auto collected = forge.collect(spec); !collected)
        return {EffectState::failed, collected.error().what, {}, true};
      if (const auto discarded = forge.discard(spec); !discarded)
        return {EffectState::failed, discarded.error().what, {}, true};
      return {};
    });
  }

  Answer operator()(const effects::PrepareRig& prepare) const {
    const Rig* rig = town.rig(prepare.rig_id);
    if (rig == nullptr) return not_wanted("the rig is gone");
    return Job([&forge = hands.ports.forge, town_id = town.row().town_id, rig = *rig]() -> Found {
      const auto found = forge.prepare_rig(town_id, rig);
      events::RigChecked checked = rig_checked(rig.rig_id, found);
      const std::string detail = checked.broken_reason;
      return {found ? EffectState::done : EffectState::failed, detail, std::move(checked), false};
    });
  }

  Answer operator()(const effects::PrepareConvoy& prepare) const {
    const Convoy* convoy = town.convoy(prepare.convoy_id);
    if (convoy == nullptr || convoy->feature_branch.empty()) return not_wanted("the convoy has no branch");
    std::map<RigId, Rig> rigs;
    for (const BeadId& tracked : town.links(prepare.convoy_id).tracked_by)
      if (const Rig* rig = rig_of(town, tracked)) rigs.emplace(rig->rig_id, *rig);
    return Job([&forge = hands.ports.forge, town_id = town.row().town_id, rigs = std::move(rigs),
                branch = convoy->feature_branch]() -> Found {
      for (const auto& [id, rig] : rigs)
        if (const auto prepared = forge.prepare_branch(town_id, rig, branch); !prepared)
          return {EffectState::failed, prepared.error().what, {}, true};
      return {};
    });
  }

  Answer operator()(const effects::Alert& alert) const {
    Alarm alarm{alert.kind, town.row().town_id, alert.message};
    // One that is about no bead is about a rig or the town: two rigs' troubles are not one.
    alarm.subject = alert.bead_id.empty() ? subject_in(key) : alert.bead_id.text;
    hands.ports.observer.alarm(alarm);
    return Found{};
  }
};

/// What still waits for an answer, for each kind that can be in doubt.
struct Doubt {
  const Town& town;

  bool operator()(const effects::StartAgent& start) const {
    const Run* run = town.run(start.run_id);
    return run != nullptr && (run->state == RunState::requested || run->state == RunState::starting);
  }
  bool operator()(const effects::Land& land) const {
    const Review* review = town.review(land.request_id);
    return review != nullptr && review->verifying_since && live(town, land.request_id);
  }
  bool operator()(const effects::MergePr& merge) const { return live(town, merge.request_id); }
  bool operator()(const effects::DeliverNudge& deliver) const {
    const Nudge* nudge = town.nudge(deliver.nudge_id);
    return nudge != nullptr && !nudge->delivered_at && !nudge->expired;
  }
  bool operator()(const effects::DeliverMail& deliver) const {
    const Mail* mail = town.mail(deliver.mail_id);
    return mail != nullptr && !mail->delivered_at && !mail->undeliverable;
  }
  template <class Other>
  bool operator()(const Other&) const {
    return false;
  }
};

}  // namespace

std::variant<Job, Found> carry_out(const Hands& hands, const Town& town, const Effect& effect, Instant now) {
  return std::visit(Carry{hands, town, effect.key, now}, effect.body);
}

bool still_in_doubt(const Town& town, const Effect& effect) { return std::visit(Doubt{town}, effect.body); }

events::RigChecked rig_checked(const RigId& rig, const expected<RigFound>& found) {
  if (!found) return {rig, found.error().what, {}};
  return {rig, found->broken_reason, found->default_branch};
}

CollectSpec work_of(const Town& town, const Run& run) {
  CollectSpec spec{town.row().town_id, {}, run.run_id, run.branch};
  if (const Rig* rig = town.rig(run.rig_id)) spec.rig = *rig;
  if (!spec.branch.empty()) return spec;
  const Agent* agent = town.agent(run.agent_id);
  const Bead* bead = town.bead(run.bead_id);
  if (agent != nullptr && bead != nullptr) spec.branch = branch_of(town, *agent, *bead);
  return spec;
}

}  // namespace townd

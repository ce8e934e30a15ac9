#include <algorithm>

#include "core/molecule.hpp"
#include "sim/random_town.hpp"

/// The future of a random town: time passes, agents speak, effects are answered, people and forges interfere.
namespace townd::sim {

void RandomTown::add(TickInput& input, EventBody body) {
  input.events.push_back(Event{next_seq_++, now_, std::move(body)});
}

TickInput RandomTown::next() {
  pass_time();
  if (random_.one_in(20)) know_beads();
  TickInput input;
  agents_speak(input);
  for (int i = random_.between(0, 2); i > 0; --i) effects_answer(input);
  if (random_.one_in(2)) people_interfere(input);
  if (random_.one_in(is(Mood::unreachable) ? 60 : 10)) machine_changes(input);
  if (random_.one_in(4)) forge_speaks(input);
  if (random_.one_in(40)) seldom(input);
  input.now = now_;
  std::sort(input.life.begin(), input.life.end(),
            [](const SignOfLife& a, const SignOfLife& b) { return a.agent_id < b.agent_id; });
  return input;
}

void RandomTown::ticked(const TickResult& result) {
  for (const Effect& effect : result.outbox.effects) unanswered_.push_back(effect);
}

void RandomTown::pass_time() {
  if (is(Mood::resting) || is(Mood::failing) ? !random_.one_in(8)
                                             : (is(Mood::loaded) || is(Mood::landing)) && random_.one_in(2)) {
    now_ = now_ + seconds(random_.between(0, 20));
    return;
  }
  switch (random_.between(0, 9)) {
    case 0: break;
    case 1: now_ = now_ + Duration{random_.between(1, 999)}; break;
    case 2: now_ = now_ + minutes(random_.between(1, 10)); break;
    case 3: now_ = now_ + minutes(random_.between(10, 90)); break;
    case 4: now_ = now_ + (random_.one_in(4) ? hours(random_.between(1, 40)) : seconds(30)); break;
    case 5:
    case 6: {  // right at, or one step before, the next thing that is due
      const Instant due = town_.agenda().next_due();
      if (due != kNever && due > now_) now_ = random_.one_in(3) ? std::max(now_, due - Duration{1}) : due;
      break;
    }
    default: now_ = now_ + seconds(random_.between(1, 60));
  }
}

void RandomTown::agents_speak(TickInput& input) {
  for (const AgentId& id : town_.agent_ids()) {
    const Agent& agent = *town_.agent(id);
    const bool busy = agent.status == AgentStatus::working || agent.current_hook_bead_id;
    if (!random_.one_in(busy ? 3 : 30)) continue;
    SignOfLife sign;
    sign.agent_id = id;
    sign.run_id = random_.one_in(15) ? RunId("rnd-1") : agent.run_id;
    sign.at = now_;
    if (random_.one_in(2))
      sign.last_event_at = now_ - Duration{random_.between(0, 100) * 1000}, sign.last_event_type = "message";
    if (random_.one_in(4))
      sign.active_tools = random_.one_in(2) ? std::vector<std::string>{"bash"} : std::vector<std::string>{};
    sign.cost_micro_usd = random_.between(0, 500);
    input.life.push_back(std::move(sign));
  }
  for (int i = random_.between(0, 1 + static_cast<int>(town_.live_runs().size()) / 8); i > 0; --i) {
    const AgentId id = an_agent();
    const Agent* agent = town_.agent(id);
    const RunId run = agent && !random_.one_in(4) ? agent->run_id : RunId{};
    switch (is(Mood::failing) && !random_.one_in(3) ? 4 : random_.between(0, 9)) {
      case 0:
      case 1:
      case 2:
        add(input, events::AgentDone{id, run, "gt/x/" + id.text,
                                     random_.one_in(8) ? "https://github.com/test/repo/pull/7" : "", "ok", "abc123"});
        break;
      case 3: add(input, events::AgentCompleted{id, run, "completed", "", 10, 100, {}}); break;
      case 4: {
        constexpr std::string_view kReasons[] = {
            "", "gave_up", "container eviction", "crashed", "rate_limited", "not_logged_in", "timed_out"};
        add(input,
            events::AgentCompleted{
                id, run, "failed", std::string(kReasons[is(Mood::failing) ? 3 : random_.between(0, 6)]), 0, 0, {}});
        break;
      }
      case 5: {
        constexpr std::string_view kStates[] = {"exited", "failed", "not_found", "unknown"};
        add(input, events::ContainerStatus{id, run, std::string(kStates[random_.between(0, 3)]), ""});
        break;
      }
      case 6: add(input, events::AgentWaiting{id, {}}); break;
      case 7: add(input, events::AgentSaid{id, "thinking"}); break;
      case 8: add(input, events::RequestChanges{id, run, {}, "please", {}}); break;
      default:
        add(input,
            events::EscalationRaised{id, a_rig(), static_cast<Priority>(random_.between(0, 3)), "", "help", "me"});
    }
  }
}

void RandomTown::effects_answer(TickInput& input) {
  if (unanswered_.empty()) return;
  const std::size_t place = random_.next() % unanswered_.size();
  const Effect effect = unanswered_[place];
  if (!random_.one_in(8)) unanswered_.erase(unanswered_.begin() + static_cast<std::ptrdiff_t>(place));  // else: twice
  if (!random_.one_in(8)) answer(effect, input);                                                        // else: never
}

void RandomTown::answer(const Effect& effect, TickInput& input) {
  if (const auto* start = std::get_if<effects::StartAgent>(&effect.body)) {
    if (!random_.one_in(is(Mood::failing) ? 1 : 4))
      add(input, events::DispatchAccepted{start->run_id});
    else
      add(input, events::DispatchRefused{
                     start->run_id, random_.one_in(4) ? Outcome::not_logged_in : Outcome::refused, "no", {}});
  } else if (const auto* stop = std::get_if<effects::StopAgent>(&effect.body)) {
    if (stop->run_id) add(input, events::AgentStopped{stop->agent_id, stop->run_id});
  } else if (const auto* land = std::get_if<effects::Land>(&effect.body)) {
    add(input, events::GitMergeResult{land->request_id, static_cast<events::LandingAnswer>(random_.between(0, 3)),
                                      "feed", "why", random_.one_in(2)});
  } else if (const auto* poll = std::get_if<effects::PollPr>(&effect.body)) {
    add(input, events::PrPolled{poll->request_id, a_poll()});
  } else if (const auto* merge = std::get_if<effects::MergePr>(&effect.body)) {
    add(input, events::PrMergeResult{merge->request_id, random_.one_in(2), "checks"});
  } else if (const auto* publish = std::get_if<effects::PublishPr>(&effect.body)) {
    add(input, a_publication(publish->request_id));
  } else if (const auto* nudge = std::get_if<effects::DeliverNudge>(&effect.body)) {
    add(input, events::NudgeDelivered{nudge->nudge_id, random_.one_in(2)});
  } else if (const auto* mail = std::get_if<effects::DeliverMail>(&effect.body)) {
    add(input, events::MailDelivered{mail->mail_id, random_.one_in(2)});
  } else if (const auto* rig = std::get_if<effects::PrepareRig>(&effect.body)) {
    add(input, events::RigChecked{rig->rig_id, random_.one_in(6) ? "cannot be reached" : "", "main"});
  }
}

events::PollAnswer RandomTown::a_poll() {
  events::PollAnswer answer;
  answer.ok = !random_.one_in(4);
  constexpr std::string_view kErrors[] = {"no_token", "http_error", "network", "invalid_response"};
  answer.error_kind = answer.ok ? "" : std::string(kErrors[random_.between(0, 3)]);
  answer.transient = random_.one_in(2);
  answer.http_status = answer.transient ? 503 : 404;
  answer.status = random_.one_in(8) ? (random_.one_in(2) ? "merged" : "closed") : "open";
  constexpr std::string_view kStates[] = {"clean", "clean", "blocked", "dirty", "unknown"};
  answer.mergeable_state = kStates[random_.between(0, 4)];
  answer.review_decision = random_.one_in(3) ? "REVIEW_REQUIRED" : "APPROVED";
  answer.head = random_.one_in(3) ? "h1" : "h2";
  answer.feedback_known = !random_.one_in(4);
  answer.unresolved_comments = random_.one_in(4);
  answer.failing_checks = random_.one_in(6);
  answer.all_checks_pass = random_.one_in(2);
  answer.checks_pending = random_.one_in(4);
  answer.repo = "test/repo";
  answer.no_checks = random_.one_in(4);
  answer.threads = {"t1"};
  if (random_.one_in(16)) answer.rest_until = now_ + minutes(random_.between(1, 20));
  return answer;
}

events::PrPublished RandomTown::a_publication(const BeadId& request) {
  events::PrPublished answer;
  answer.bead_id = request;
  answer.ok = !random_.one_in(4);
  const Review* review = town_.review(request);
  answer.pr_url = "https://github.com/test/repo/pull/" + std::to_string(random_.between(1, 9));
  answer.head = review && !random_.one_in(8) ? review->commit : "h2";
  if (answer.ok) return answer;
  constexpr std::string_view kErrors[] = {"no_token", "http_error", "network", "moved", "branch_taken"};
  answer.error_kind = kErrors[random_.between(0, 4)];
  answer.transient = !random_.one_in(3);
  answer.why = "no";
  if (random_.one_in(3)) answer.rest_until = now_ + minutes(random_.between(1, 20));
  return answer;
}

events::TrialResult RandomTown::a_trial(const Run& run) {
  events::TrialResult trial;
  trial.agent_id = run.agent_id;
  trial.run_id = run.run_id;
  trial.base = random_.one_in(8) ? "" : "base";
  trial.requests = {run.bead_id};
  for (const BeadId& member : town_.links(run.bead_id).members) trial.requests.push_back(member);
  if (random_.one_in(16)) trial.requests.pop_back();
  bool merged = false;
  for (const BeadId& id : trial.requests) {
    if (random_.one_in(6))
      trial.conflicts.push_back({id, "in a.txt", !merged});
    else
      merged = true;
  }
  trial.commit = "c0ffee";
  trial.gate = random_.one_in(2) ? "make test" : "make lint";
  trial.outcome = static_cast<events::TrialOutcome>(random_.between(0, 4));
  if (random_.one_in(4)) trial.flaked = {"make test"};
  trial.base_checked = random_.one_in(2);
  trial.output = "output";
  trial.duration_ms = minutes(random_.between(0, 40)).ms;
  return trial;
}

void RandomTown::forge_speaks(TickInput& input) {
  const BeadId request = a_live(BeadType::merge_request);
  switch (random_.between(0, 6)) {
    case 5: add(input, events::PrNoticed{a_rig(), random_.between(0, 9), "h1", random_.one_in(2)}); break;
    case 0: add(input, events::PrStatusChanged{request, "", random_.one_in(2) ? "merged" : "closed"}); break;
    case 1:
      add(input, events::PrFeedbackDetected{request, "", 1, "test/repo", "x", true, false, false, "do", {"t2"}});
      break;
    case 2: add(input, events::PrConflictDetected{request, {}, "", "x"}); break;
    case 3: add(input, events::PrAutoMerge{request, ""}); break;
    case 4: {
      for (const RunId& id : town_.live_runs()) {
        const Run& run = *town_.run(id);
        if (run.kind != RunKind::review || random_.one_in(2)) continue;
        add(input, a_trial(run));
        break;
      }
      break;
    }
    default:
      add(input, events::ReviewCompleted{request,
                                         random_.one_in(2)   ? "merged"
                                         : random_.one_in(2) ? "failed"
                                                             : "conflict",
                                         "x", "", "person"});
  }
}

void RandomTown::seldom(TickInput& input) {
  switch (random_.between(0, 5)) {
    case 0: return add(input, events::ContainerEviction{});
    case 4:
      return add(input, events::EventRetried{town_.deferred().empty() ? next_seq_ : town_.deferred().begin()->first});
    case 1: return add(input, events::NudgeTimeout{});
    case 2: return add(input, events::AgentCheckpoint{an_agent(), "\"half of it\""});
    case 3: return add(input, events::MoleculeAdvanced{an_agent(), {}, "done"});
    default: {
      Rig rig;
      rig.rig_id = RigId("rig-late-" + std::to_string(next_seq_));
      rig.name = rig.rig_id.text;
      if (random_.one_in(10)) add(input, events::RigAdded{std::move(rig)});
    }
  }
}

void RandomTown::people_interfere(TickInput& input) {
  if (random_.one_in(is(Mood::loaded) ? 4 : 40)) change_budgets(input);
  switch (random_.between(0, 25)) {
    case 0:
    case 1:
    case 2: {
      events::BeadCreated bead;
      bead.title = "slung";
      bead.rig_id = a_rig();
      bead.held = random_.one_in(6);
      bead.priority = static_cast<Priority>(random_.between(0, 3));
      if (random_.one_in(2)) bead.after = {a_bead()};
      if (random_.one_in(2)) bead.convoy_id = a_live(BeadType::convoy);
      add(input, std::move(bead));
      break;
    }
    case 3: add(input, events::BeadCancelled{a_bead(), random_.one_in(2) ? "closed" : "failed", "person"}); break;
    case 4: add(input, events::BeadReopened{a_bead(), "person"}); break;
    case 5: add(input, events::BeadRetried{a_bead(), "person"}); break;
    case 6: add(input, events::DependencyAdded{{a_bead(), a_bead(), DependencyKind::blocks}}); break;
    case 7: {
      const BeadId bead = a_bead();
      const auto& blockers = town_.links(bead).blockers;
      if (!blockers.empty()) add(input, events::DependencyRemoved{{bead, blockers.front(), DependencyKind::blocks}});
      break;
    }
    case 8: {
      events::ConvoyCreated convoy;
      convoy.title = "a new convoy";
      for (int i = random_.between(1, 4); i > 0; --i)
        convoy.beads.push_back({"child", "", a_rig(), Priority::medium, {}, {}, "{}"});
      for (std::size_t i = 1; i < convoy.beads.size(); ++i)
        if (random_.one_in(2)) convoy.beads[i].after = {static_cast<int>(i) - 1};
      convoy.staged = random_.one_in(3);
      if (random_.one_in(2)) convoy.merge_mode = MergeMode::review_and_merge;
      add(input, std::move(convoy));
      break;
    }
    case 9: add(input, events::ConvoyStarted{a_live(BeadType::convoy)}); break;
    case 10:
      if (random_.one_in(4)) add(input, events::ConvoyClosed{a_live(BeadType::convoy), "person"});
      break;
    case 11: add(input, events::ConvoyBeadAdded{a_live(BeadType::convoy), a_live(BeadType::issue), {}}); break;
    case 12: add(input, events::ConvoyBeadRemoved{a_live(BeadType::convoy), a_live(BeadType::issue)}); break;
    case 13: arrange_by_hand(input); break;
    case 14:
      add(input, events::MailSent{an_agent(), random_.one_in(4) ? AgentId() : an_agent(), a_rig(), "hello", "there"});
      break;
    case 15: add(input, events::MailRead{an_agent(), MessageId("zzzzzzzzzzzz")}); break;
    case 16:
      add(input, events::NudgeQueued{an_agent(), "go", NudgeMode::queue, false, "person",
                                     random_.one_in(2) ? std::optional(minutes(3)) : std::nullopt});
      break;
    case 17: add(input, events::EscalationAcknowledged{a_live(BeadType::escalation), "person"}); break;
    case 18:
    case 19: {
      if (is(Mood::asking) && random_.one_in(2)) {
        add(input,
            events::NudgeQueued{an_agent(), "go", NudgeMode::queue, false, "person", seconds(random_.between(1, 90))});
        break;
      }
      constexpr std::string_view kActions[] = {"RESTART", "CLOSE_BEAD",    "ESCALATE",
                                               "NUDGE",   "REASSIGN_BEAD", "DISCARD"};
      if (!town_.open_triage_requests().empty())
        add(input, events::TriageResolved{*town_.open_triage_requests().begin(), an_agent(),
                                          std::string(kActions[random_.between(0, 5)]), "so"});
      break;
    }
    case 20: {
      events::BeadUpdated edit;
      edit.bead_id = a_bead();
      if (const Bead* bead = town_.bead(edit.bead_id);
          bead && !has_label(*bead, "gt:triage-request") && !has_label(*bead, "gt:triage"))
        edit.labels = random_.one_in(2) ? std::vector<std::string>{} : std::vector<std::string>{"gt:held"};
      edit.priority = static_cast<Priority>(random_.between(0, 3));
      add(input, std::move(edit));
      break;
    }
    case 21:
      add(input, town_.row().paused ? EventBody(events::TownResumed{}) : EventBody(events::TownPaused{"lunch"}));
      break;
    case 22:
      add(input, town_.row().draining_since ? EventBody(events::DrainEnded{}) : EventBody(events::DrainStarted{}));
      break;
    case 23: {
      const Agent* agent = town_.agent(an_agent());
      const BeadId bead =
          agent && agent->current_hook_bead_id && random_.one_in(2) ? agent->current_hook_bead_id : a_bead();
      add(input, events::BeadStatusSet{bead, static_cast<BeadStatus>(random_.between(0, 4)), "person"});
      break;
    }
    case 24: {
      events::ConfigChanged change{town_.config()};
      change.config.code_review = !change.config.code_review;
      change.config.max_polecats = random_.between(1, 8);
      if (random_.one_in(4)) add(input, std::move(change));
      break;
    }
    default: {
      const RigId id = a_rig();
      const Rig& rig = *town_.rig(id);
      if (random_.one_in(3))
        add(input, events::RigChanged{id, "", "", "", rig.config});
      else if (random_.one_in(3))
        add(input, events::QueueResumed{id});
      else if (!town_.deferred().empty() && random_.one_in(3))
        add(input, events::EventRetried{town_.deferred().begin()->first, "person"});
      else if (random_.one_in(3))
        add(input,
            events::BranchAdopted{{}, id, "feature-" + std::to_string(random_.between(1, 9)), "c0ffee", "Adopted", ""});
      else
        add(input, events::RigTrust{id, rig.untrusted_reason.empty() && random_.one_in(2) ? "a change of .town/" : ""});
    }
  }
}

/// Between what was spent already and what never will be.
void RandomTown::change_budgets(TickInput& input) {
  events::ConfigChanged change{town_.config()};
  change.config.runs_per_day =
      random_.one_in(2) ? std::max(1, static_cast<int>(town_.runs_by_request().size())) : 100'000;
  change.config.micro_usd_per_day.reset();
  if (random_.one_in(3)) change.config.micro_usd_per_day = random_.between(0, 500);
  add(input, std::move(change));
}

void RandomTown::arrange_by_hand(TickInput& input) {
  switch (random_.between(0, 12)) {
    case 0: add(input, events::AgentRegistered{AgentRole::polecat, a_rig(), "", "", random_.one_in(2)}); break;
    case 1: add(input, events::AgentDeleted{an_agent(), "person"}); break;
    case 2: add(input, events::AgentHooked{an_agent(), a_live(BeadType::issue)}); break;
    case 3: add(input, events::AgentUnhooked{an_agent()}); break;
    case 4: add(input, events::BeadDeleted{a_bead(), "person"}); break;
    case 5:
    case 6: {
      events::MoleculeCreated molecule;
      molecule.bead_id = a_live(BeadType::issue);
      for (int i = random_.between(1, 3); i > 0; --i) molecule.steps.push_back({"a step", ""});
      add(input, std::move(molecule));
      break;
    }
    case 7: {
      const Agent* agent = town_.agent(an_agent());
      const BeadId molecule = agent ? molecule_of(town_, agent->current_hook_bead_id) : BeadId{};
      if (molecule) add(input, events::MoleculeAdvanced{agent->agent_id, current_step(town_, molecule), "did it"});
      break;
    }
    case 8: {
      events::ConvoyUpdated edit;
      edit.convoy_id = a_live(BeadType::convoy);
      if (random_.one_in(2)) edit.merge_mode = static_cast<MergeMode>(random_.between(0, 1));
      if (random_.one_in(2)) edit.feature_branch = "convoy/y/" + edit.convoy_id.text + "/head";
      add(input, std::move(edit));
      break;
    }
    default: add(input, events::AgentReset{an_agent(), "person"}); break;
  }
}

void RandomTown::machine_changes(TickInput& input) {
  if (random_.one_in(3)) {
    add(input, events::ObservationGap{now_ - minutes(5), now_});
    return;
  }
  NodeFacts node = town_.row().node;
  switch (random_.between(0, 3)) {
    case 0: node.slots = random_.between(0, 24); break;
    case 1: node.disk_low = !node.disk_low; break;
    case 2: node.runtime_reachable = !node.runtime_reachable; break;
    default:
      if (node.presets.empty()) node.presets = {{"claude", true, "", {}}, {"refine", true, "", {}}};
      for (PresetState& preset : node.presets)
        preset.usable = !random_.one_in(5), preset.reason = preset.usable ? "" : "missing";
  }
  add(input, events::NodeChanged{std::move(node)});
}

}  // namespace townd::sim

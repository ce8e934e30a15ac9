#include "core/tick.hpp"

#include <algorithm>
#include <optional>

#include "core/apply_action.hpp"
#include "core/invariant.hpp"

namespace townd {
namespace {

/// How long a fact that could not be applied waits for its next try (domain.md §2).
constexpr Duration kRetry[] = {minutes(1), minutes(5)};

bool same_violation(const Violation& a, const Violation& b) {
  return a.invariant == b.invariant && a.subject == b.subject;
}

/// One pass over a town. Phases in the order of architecture.md "A tick".
class Pass {
 public:
  Pass(Town& town, const TickInput& input, Looking looking)
      : town_(town), input_(input), looking_(looking), begin_(town.mark()) {}

  TickResult run() {
    result_.violations = input_.found;
    for (const SignOfLife& sign : input_.life) apply_sign_of_life(town_, sign, result_.outbox);
    retry_deferred();
    for (const Event& event : input_.events) drain(event, 0);
    retry_deferred();  // those that a person has just asked for
    ended(Phase::drain);
    if (looking_ == Looking::agenda) town_.agenda().wake(input_.now);
    for (const Missed& missed : input_.missed) town_.agenda().touch(missed.stage, missed.subject, Edge::self);
    for (std::size_t stage = 0; stage < kStages; ++stage) look_at(static_cast<Stage>(stage));
    ended(Phase::reconcile);
    result_.changed = town_.changed_since(begin_);
    result_.digest = town_.digest();
    result_.next_due = std::min(town_.agenda().next_due(), next_retry());
    result_.follow_up = town_.agenda().anything_touched();
    ended(Phase::digest);
    return std::move(result_);
  }

 private:
  void ended(Phase phase) const {
    if (input_.phase_ended) input_.phase_ended(phase);
  }

  // ---- drain -----------------------------------------------------------------------------------------------------

  void retry_deferred() {
    std::vector<DeferredEvent> due;
    for (const auto& [seq, deferred] : town_.deferred())
      if (deferred.retry_at <= input_.now) due.push_back(deferred);
    for (const DeferredEvent& deferred : due) {
      town_.erase_deferred(deferred.event->seq);
      drain(*deferred.event, deferred.attempts);
    }
  }

  Instant next_retry() const {
    Instant next = kNever;
    for (const auto& [seq, deferred] : town_.deferred()) next = std::min(next, deferred.retry_at);
    return next;
  }

  void drain(const Event& event, int attempts) {
    Outbox& out = result_.outbox;
    out.notes.clear();
    out.created.clear();
    EventOutcome outcome{event.seq, EventFate::applied, "", {}, attempts > 0};
    if (const auto allowed = validate(town_, event.body, input_.now); !allowed) {
      outcome.note = allowed.error().what;
      if (allowed.error().code != Error::Code::not_found) outcome.fate = EventFate::refused;
      result_.events.push_back(std::move(outcome));
      return;
    }
    const Town::Mark mark = town_.mark();
    const std::size_t effects = out.effects.size(), history = out.history.size(), texts = out.texts.size();
    if (const auto applied = apply_event(town_, event, input_.now, out); !applied) {
      town_.rollback(mark);
      out.effects.resize(effects);
      out.history.resize(history);
      out.texts.resize(texts);
      defer(event, attempts, applied.error(), outcome);
    } else {
      for (const std::string& note : out.notes) outcome.note += outcome.note.empty() ? note : "; " + note;
      outcome.created = out.created;
    }
    result_.events.push_back(std::move(outcome));
  }

  void defer(const Event& event, int attempts, const Error& error, EventOutcome& outcome) {
    const bool last = attempts >= static_cast<int>(std::size(kRetry));
    outcome.fate = last ? EventFate::quarantined : EventFate::deferred;
    outcome.note = error.what;
    town_.put(DeferredEvent{std::make_shared<const Event>(event), attempts + 1, error.what,
                            last ? kNever : input_.now + kRetry[static_cast<std::size_t>(attempts)]});
  }

  // ---- reconcile -------------------------------------------------------------------------------------------------

  void look_at(Stage stage) {
    if (looking_ == Looking::everything) {
      look_at_everything(stage);
      return;
    }
    SubjectKey subject, last;
    for (const SubjectKey* after = nullptr; town_.agenda().take_next(stage, after, subject); after = &last) {
      last = subject;
      town_.agenda().wait(stage, subject, evaluate(stage, subject));
    }
  }

  /// An action may make subjects behind the one that it was for, so the list is taken anew after each.
  void look_at_everything(Stage stage) {
    std::vector<SubjectKey> subjects = town_.all_subjects(stage);
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      const std::size_t decisions = result_.decisions.size();
      const SubjectKey at = subjects[i];
      evaluate(stage, at);
      if (result_.decisions.size() == decisions) continue;
      subjects = town_.all_subjects(stage);
      i = static_cast<std::size_t>(std::upper_bound(subjects.begin(), subjects.end(), at) - subjects.begin()) - 1;
    }
  }

  Instant evaluate(Stage stage, const SubjectKey& subject) {
    if (stage == Stage::work_queue || stage == Stage::merge_queue) return walk(stage, subject);
    return ask(stage, subject, subject);
  }

  bool used_up(Stage stage, const SubjectKey& subject) const {
    switch (stage) {
      case Stage::agents:
      case Stage::hooked_agents:
      case Stage::refineries:
      case Stage::gupp:
      case Stage::gc_agents:
      case Stage::mayor: return used_.has(AgentId(subject.text));
      case Stage::town: return false;
      default: return used_.has(BeadId(subject.text));
    }
  }

  /// Asks the stage's rules about one subject; the first that acts wins. Gives the first instant at which one would
  /// answer otherwise.
  Instant ask(Stage stage, const SubjectKey& subject, const SubjectKey& touched, bool* stop_rig = nullptr) {
    if (used_up(stage, subject)) {
      town_.agenda().touch(stage, touched, Edge::self);
      return kNever;
    }
    Instant due = kNever;
    for (const Rule& rule : rules_of(stage)) {
      if (left_out(rule)) continue;
      const Instant refused_until = town_.refused_until(rule.id, subject);
      if (refused_until > input_.now) {
        due = std::min(due, refused_until);
        continue;
      }
      const Decision decision = rule.decide(town_, subject, input_.now);
      if (stop_rig) *stop_rig = stops_queue(decision);
      if (const auto* wait = std::get_if<Wait>(&decision)) due = std::min(due, wait->until);
      const auto* acts = std::get_if<Act>(&decision);
      if (!acts) continue;
      const bool applied = act(rule, stage, subject, *acts);
      if (!applied) due = std::min(due, std::max(town_.refused_until(rule.id, subject), input_.now + seconds(1)));
      if (applied && !uses_up_nothing(rule)) return due;
    }
    return due;
  }

  bool left_out(const Rule& rule) const {
    const auto& names = input_.without_rules;
    return !names.empty() && std::find(names.begin(), names.end(), rule.id) != names.end();
  }

  /// Bookkeeping, and the poll and merge of one pull request, leave the subject to the rules behind them.
  static bool uses_up_nothing(const Rule& rule) { return rule.id == "convoys.progress" || rule.id == "reviews.poll"; }

  /// A queue's beads in the queue's order, until something is in the way of all of them. The next one is found by key,
  /// not by iterator: an action may take the bead, or its neighbours, out of the queue or put others in.
  Instant walk(Stage stage, const SubjectKey& rig_key) {
    Instant due = kNever;
    bool stop = false;
    std::optional<ReadyKey> at;
    while (!stop && (at = next_in_queue(stage, RigId(rig_key.text), at)))
      due = std::min(due, ask(stage, SubjectKey(at->bead_id.text), rig_key, &stop));
    return due;
  }

  std::optional<ReadyKey> next_in_queue(Stage stage, const RigId& rig, const std::optional<ReadyKey>& after) {
    const bool work = stage == Stage::work_queue;
    const auto behind = [&](const auto& queue, auto place) {
      return place == queue.end() ? std::nullopt : std::optional<ReadyKey>(*place);
    };
    if (looking_ == Looking::agenda) {
      const auto& queue = work ? town_.index(rig).ready : town_.index(rig).queue;
      return behind(queue, after ? queue.upper_bound(*after) : queue.begin());
    }
    if (counted_at_ != std::pair(rig, result_.decisions.size()) || !after) {
      counted_ = work ? town_.recount_ready(rig) : town_.recount_queue(rig);
      counted_at_ = {rig, result_.decisions.size()};
    }
    return behind(counted_, after ? std::upper_bound(counted_.begin(), counted_.end(), *after) : counted_.begin());
  }

  // ---- act and check ---------------------------------------------------------------------------------------------

  bool act(const Rule& rule, Stage stage, const SubjectKey& subject, const Act& decision) {
    Decided decided{rule.id, stage, subject, decision.actions, ActionFate::applied, "", {}};
    const Town::Mark mark = town_.mark();
    Outbox& out = result_.outbox;
    const std::size_t effects = out.effects.size(), history = out.history.size(), texts = out.texts.size();
    UsedUp used;
    used.earlier = &used_;
    Change change(town_, input_.now, out, rule.id);
    for (const ActionBody& action : decision.actions) {
      const Applied applied = apply_action(change, action, used);
      if (applied.chosen) decided.chosen = applied.chosen;
      if (applied.ok) continue;
      decided.fate = ActionFate::stale;
      decided.why = applied.why;
      break;
    }
    if (decided.fate == ActionFate::applied) refuse_if_broken(rule, mark, decided);
    if (decided.fate == ActionFate::applied) {
      if (!uses_up_nothing(rule)) used_.beads.merge(used.beads), used_.agents.merge(used.agents);
    } else {
      town_.rollback(mark);
      out.effects.resize(effects);
      out.history.resize(history);
      out.texts.resize(texts);
      if (decided.fate == ActionFate::refused) town_.refuse(rule.id, subject, input_.now);
    }
    const bool applied = decided.fate == ActionFate::applied;
    if (result_.effects_by.empty()) result_.effects_by.push_back(effects);
    result_.effects_by.push_back(out.effects.size());
    result_.decisions.push_back(std::move(decided));
    return applied;
  }

  /// A decision that makes a true invariant false is undone whole (domain.md §5).
  void refuse_if_broken(const Rule& rule, Town::Mark mark, Decided& decided) {
    const auto rows = town_.changed_since(mark);
    std::vector<Violation> broken = check_rows(town_, rows);
    if (broken.empty()) return;
    const std::vector<Violation> known = known_violations(rows, mark);  // broken before: not this decision's fault
    for (const Violation& violation : broken) {
      if (std::any_of(known.begin(), known.end(), [&](const Violation& v) { return same_violation(v, violation); }))
        continue;
      decided.fate = ActionFate::refused;
      decided.why = "invariant " + std::to_string(violation.invariant) + ": " + violation.message;
      Violation refused = violation;
      refused.rule = rule.id;
      result_.violations.push_back(std::move(refused));
    }
  }

  std::vector<Violation> known_violations(const std::vector<RowKey>& rows, Town::Mark mark) {
    Town before = town_;  // only when a check failed, which in a sound town is never
    before.rollback(mark);
    return check_rows(before, rows);
  }

  Town& town_;
  const TickInput& input_;
  Looking looking_;
  Town::Mark begin_;
  UsedUp used_;
  TickResult result_;
  std::vector<ReadyKey> counted_;  ///< looking at everything: a queue, taken anew when something was decided
  std::pair<RigId, std::size_t> counted_at_;
};

}  // namespace

bool stops_queue(const Decision& decision) {
  if (const auto* wait = std::get_if<Wait>(&decision))
    return Gate{wait->because}.rig_wide() || wait->because == Reason::queue_paused;
  const auto* hold = std::get_if<Hold>(&decision);
  return hold && (Gate{hold->because}.rig_wide() || hold->because == Reason::queue_behind);
}

TickResult tick(Town& town, const TickInput& input, Looking looking) { return Pass(town, input, looking).run(); }

std::vector<TimedTick> dry_run(Town& town, const TickInput& input, Instant until) {
  const Town::Mark mark = town.mark();
  town.agenda().remember_looked();
  std::vector<TimedTick> ticks;
  TickInput next = input;
  for (;;) {
    for (TickResult& result : tick_until_settled(town, next)) ticks.push_back({next.now, std::move(result)});
    const TickResult& last = ticks.back().result;
    const Instant due = std::max(last.next_due, next.now + Duration{1});
    const Instant at = last.follow_up ? std::min(due, next.now + kSettlePause) : due;
    if (at > until || at == kNever || ticks.size() >= kForeseenTicks) break;
    next = {at, {}, {}, {}, {}, input.without_rules};
  }
  town.rollback(mark);
  town.agenda().restore_looked();
  return ticks;
}

std::vector<TickResult> tick_until_settled(Town& town, const TickInput& input, Looking looking) {
  std::vector<TickResult> ticks;
  ticks.push_back(tick(town, input, looking));
  while (ticks.back().follow_up && static_cast<int>(ticks.size()) <= kFollowUpLimit)
    ticks.push_back(tick(town, {input.now, {}, {}, {}, {}, input.without_rules}, looking));
  return ticks;
}

}  // namespace townd

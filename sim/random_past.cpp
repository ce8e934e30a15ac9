#include <algorithm>
#include <cmath>

#include "sim/random_town.hpp"

/// The past of a random town: rows in every state that data may be in, some of them at odds with one another, as loaded
/// data may be.
namespace townd::sim {
namespace {

constexpr Instant kStart{1'782'907'200'000};  // 2026-07-01T12:00:00Z
constexpr Duration kLongAgo = days(20);
constexpr Mood kMoods[] = {Mood::ordinary, Mood::ordinary, Mood::ordinary, Mood::unreachable, Mood::asking,
                           Mood::failing,  Mood::failing,  Mood::failing,  Mood::failing,     Mood::failing,
                           Mood::resting,  Mood::resting,  Mood::resting,  Mood::landing,     Mood::landing,
                           Mood::landing,  Mood::loaded,   Mood::loaded,   Mood::loaded,      Mood::loaded,
                           Mood::loaded,   Mood::loaded};

}  // namespace

RandomTown::RandomTown(std::uint64_t seed, int most) : random_(seed), now_(kStart) {
  mood_ = kMoods[random_.next() % std::size(kMoods)];
  double size = 1;  // log-uniform
  const double step = std::log(static_cast<double>(most)) / 64;
  for (int i = random_.between(0, 64); i > 0; --i) size *= 1 + step;
  size_ = std::clamp(static_cast<int>(size), is(Mood::loaded) || is(Mood::failing) ? std::min(60, most) : 1, most);
  make_rows();
}

int RandomTown::length() const {
  switch (mood_) {
    case Mood::loaded:
    case Mood::landing: return 15;
    case Mood::failing: return 60;
    case Mood::resting: return 30;
    default: return 150;
  }
}

Instant RandomTown::past(Duration longest) {
  switch (random_.between(0, 5)) {
    case 0: return now_ - Duration{random_.between(0, 120) * 1000};
    case 1: return now_ - Duration{random_.between(0, 900) * 1000};
    case 2: return now_ - Duration{random_.between(0, 10'000) * 1000};
    default: return now_ - Duration{static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(longest.ms))};
  }
}

RigId RandomTown::a_rig() {
  return rigs_[static_cast<std::size_t>(random_.between(0, static_cast<int>(rigs_.size()) - 1))];
}

void RandomTown::know_beads() { known_ = town_.bead_ids(); }

BeadId RandomTown::a_bead() { return known_.empty() ? BeadId("none") : known_[random_.next() % known_.size()]; }

BeadId RandomTown::a_live(BeadType type) {
  for (int tries = 0; tries < 12; ++tries) {
    const BeadId id = a_bead();
    const Bead* bead = town_.bead(id);
    if (bead && bead->type == type && !terminal(bead->status)) return id;
  }
  return a_bead();
}

AgentId RandomTown::an_agent() {
  const auto ids = town_.agent_ids();
  return ids.empty() ? AgentId("nobody") : ids[random_.next() % ids.size()];
}

void RandomTown::make_rows() {
  TownRow row;
  row.town_id = TownId("random");
  row.name = "random";
  row.prefix = "rnd";
  row.next_id = 100'000;
  row.node.slots = random_.between(1, 24);
  row.config.code_review = !random_.one_in(4);
  row.config.max_polecats = is(Mood::loaded) ? 40 : random_.between(1, 8);
  row.config.runs_per_day = random_.one_in(6) ? random_.between(1, 30) : 100'000;
  row.config.auto_resolve_pr_feedback = random_.one_in(2);
  row.config.auto_resolve_merge_conflicts = !random_.one_in(3);
  if (random_.one_in(2)) row.config.auto_merge_delay_minutes = random_.between(0, 5);
  if (random_.one_in(8)) row.config.micro_usd_per_day = random_.between(1, 5000);
  row.paused = random_.one_in(30);
  if (random_.one_in(is(Mood::resting) ? 2 : 12)) row.draining_since = past(minutes(is(Mood::resting) ? 5 : 8));
  if (random_.one_in(is(Mood::resting) ? 2 : 6)) row.observed_since = past(is(Mood::resting) ? minutes(2) : hours(3));
  row.node.runtime_reachable = !is(Mood::unreachable);
  town_ = Town(std::move(row));
  make_rigs();
  const int requests = size_ / (is(Mood::landing) ? 2 : 4) + random_.between(0, 2);
  make_convoys(is(Mood::landing) ? size_ / 6 + 1 : size_ / 12 + random_.between(0, 1));
  make_issues(std::max(1, size_ - requests));
  make_requests(requests);
  make_molecules(size_ / 12 + random_.between(0, 1));
  know_beads();
  const bool many = is(Mood::loaded) || is(Mood::resting);
  make_agents(many ? random_.between(10, 60) : random_.between(0, std::min(40, 3 + size_ / 4)));
  make_messages(is(Mood::asking) ? random_.between(6, 20) : random_.between(0, 6));
  town_.settle();
  town_.touch_everything();
}

void RandomTown::make_rigs() {
  for (int i = is(Mood::landing) ? 1 : random_.between(1, 3); i > 0; --i) {
    Rig rig;
    rig.rig_id = RigId("rig-" + std::to_string(i));
    rig.name = rig.rig_id.text;
    rig.created_at = past(kLongAgo);
    if (random_.one_in(12)) rig.broken_reason = "cannot be reached";
    if (random_.one_in(20)) rig.untrusted_reason = "a change of .town/";
    if (random_.one_in(4)) rig.config.max_dispatch_attempts = random_.between(1, 4);
    if (!is(Mood::loaded) && random_.one_in(4)) rig.config.max_polecats = random_.between(1, 6);
    if (random_.one_in(5)) rig.config.code_review = random_.one_in(2);
    if (random_.one_in(4)) rig.config.refinery_preset = "claude";
    if (random_.one_in(2)) rig.queue.trial_ms = minutes(20).ms;
    if (random_.one_in(4)) rig.config.merge_strategy = Strategy::pr;
    if (random_.one_in(8)) rig.forge_rests_until = now_ + minutes(random_.between(1, 10));
    if (random_.one_in(6)) rig.hook_heard_at = past(days(2));
    rig.config.without_checks = random_.one_in(4);
    rigs_.push_back(rig.rig_id);
    town_.put(std::move(rig));
  }
}

/// Work that is, or is to be, a pull request of townd's own.
void RandomTown::make_published(Review& review) {
  review.strategy = Strategy::pr;
  if (random_.one_in(2)) review.commit = "h1";
  if (!review.pr_url.empty()) review.published_commit = random_.one_in(3) ? "h2" : "h1";
  if (random_.one_in(3)) review.published_at = past(hours(1));
  if (random_.one_in(3)) review.publish_asked_at = past(minutes(5)), review.publish_tries = random_.between(0, 9);
  if (random_.one_in(6)) review.answered = {"t1"};
}

void RandomTown::make_convoys(int count) {
  for (int i = 0; i < count; ++i) {
    Bead bead;
    bead.bead_id = BeadId("c-" + std::to_string(i));
    bead.type = BeadType::convoy;
    bead.title = "convoy";
    bead.created_at = bead.ready_since = bead.updated_at = bead.status_since = past(kLongAgo);
    if (random_.one_in(6))
      bead.status = random_.one_in(2) ? BeadStatus::closed : BeadStatus::failed, bead.closed_at = bead.status_since;
    Convoy convoy;
    convoy.bead_id = bead.bead_id;
    convoy.merge_mode = random_.one_in(3) ? MergeMode::review_and_merge : MergeMode::review_then_land;
    if (!random_.one_in(8)) convoy.feature_branch = "convoy/x/" + bead.bead_id.text + "/head";
    convoy.staged = random_.one_in(8);
    convoy.on_failed_child = static_cast<OnFailedChild>(random_.between(0, 2));
    convoy.ready_to_land = random_.one_in(is(Mood::landing) ? 2 : 5);
    convoy.total_beads = random_.between(0, 6);
    if (is(Mood::landing))
      convoy.landings = {{rigs_.front(), random_.between(1, 4), now_ - seconds(random_.between(0, 200)), 0}};
    else if (random_.one_in(3))
      convoy.landings = {{rigs_.front(), random_.between(0, 5), past(hours(1)), random_.between(0, 2)}};
    town_.put(std::move(convoy));
    town_.put(std::move(bead));
  }
}

/// Of issues in any state, with steps in any state.
void RandomTown::make_molecules(int count) {
  for (int i = 0; i < count; ++i) {
    Bead bead;
    bead.bead_id = BeadId("m-" + std::to_string(i));
    bead.type = BeadType::molecule;
    bead.title = "molecule";
    bead.parent_bead_id = BeadId("b-" + std::to_string(random_.between(0, size_)));
    bead.created_at = bead.ready_since = bead.updated_at = bead.status_since = past(kLongAgo);
    const BeadId molecule = bead.bead_id;
    town_.put(bead);
    for (int step = random_.between(0, 3); step > 0; --step) {
      bead.bead_id = BeadId("s-" + std::to_string(i) + "-" + std::to_string(step));
      bead.type = BeadType::issue;
      bead.title = "step";
      bead.parent_bead_id = random_.one_in(20) ? BeadId("nothing") : molecule;
      bead.labels = {"gt:molecule-step"};
      bead.status = random_.one_in(4) ? static_cast<BeadStatus>(random_.between(0, 4)) : BeadStatus::open;
      bead.closed_at = terminal(bead.status) ? MaybeInstant(bead.status_since) : std::nullopt;
      town_.put(bead);
    }
  }
}

void RandomTown::make_issues(int count) {
  const auto convoys = town_.bead_ids();
  for (int i = 0; i < count; ++i) {
    Bead bead;
    bead.bead_id = BeadId("b-" + std::to_string(i));
    bead.title = "bead " + std::to_string(i);
    bead.rig_id = random_.one_in(30) ? RigId{} : a_rig();
    bead.priority = static_cast<Priority>(random_.between(0, 3));
    bead.created_at = past(kLongAgo);
    bead.ready_since = bead.created_at;
    bead.status_since = bead.updated_at = std::max(bead.created_at, past(kLongAgo));
    constexpr BeadStatus kStates[] = {BeadStatus::open,        BeadStatus::open,      BeadStatus::open,
                                      BeadStatus::in_progress, BeadStatus::in_review, BeadStatus::closed,
                                      BeadStatus::closed,      BeadStatus::failed};
    bead.status = kStates[is(Mood::landing) && !random_.one_in(20) ? random_.between(5, 6) : random_.between(0, 7)];
    if (terminal(bead.status)) bead.closed_at = bead.status_since;
    if (random_.one_in(4))
      bead.dispatch_attempts = random_.between(0, 5), bead.last_dispatch_attempt_at = past(minutes(20));
    else if (is(Mood::loaded) && random_.one_in(4))
      bead.dispatch_attempts = 1, bead.last_dispatch_attempt_at = now_;
    if (random_.one_in(12)) bead.labels.emplace_back("gt:held");
    if (random_.one_in(12)) bead.labels.emplace_back(random_.one_in(2) ? "gt:rework" : "gt:pr-feedback");
    if (random_.one_in(25)) bead.review_rounds = 5;
    if (random_.one_in(30)) bead.assignee_agent_bead_id = AgentId("system");
    if (random_.one_in(20)) bead.last_unhook_at = past(minutes(20));
    if (random_.one_in(is(Mood::asking) ? 3 : 16)) {
      bead.labels = {"gt:triage-request"};
      bead.detail =
          std::make_shared<const BeadDetail>(TriageRequest{random_.one_in(4) ? "escalation" : "stuck_agent",
                                                           AgentId("a-" + std::to_string(random_.between(0, 9))),
                                                           BeadId("b-" + std::to_string(random_.between(0, count))),
                                                           RunId{},
                                                           "stuck",
                                                           {},
                                                           "",
                                                           "",
                                                           ""});
    } else if (random_.one_in(is(Mood::asking) ? 400 : 40)) {
      bead.labels = {"gt:triage"};
      bead.created_by = "patrol";
    }
    const BeadId id = bead.bead_id;
    town_.put(std::move(bead));
    for (int edges = random_.one_in(2) ? random_.between(0, 2) : 0; edges > 0 && i > 0; --edges)
      town_.put(Dependency{id, BeadId("b-" + std::to_string(random_.between(0, i - 1))), DependencyKind::blocks});
    if (!convoys.empty() && !random_.one_in(3))
      town_.put(Dependency{id, convoys[random_.next() % convoys.size()], DependencyKind::tracks});
  }
}

void RandomTown::make_requests(int count) {
  auto sources = town_.bead_ids();
  if (is(Mood::landing) && town_.bead(BeadId("c-0")))
    std::erase_if(sources,
                  [&](const BeadId& id) { return town_.bead(id)->type == BeadType::issue && !random_.one_in(4); });
  for (int i = 0; i < count; ++i) {
    const Bead* source = town_.bead(sources[random_.next() % sources.size()]);
    Bead bead;
    bead.bead_id = BeadId("m-" + std::to_string(i));
    bead.type = BeadType::merge_request;
    bead.title = "Review";
    bead.rig_id = source->rig_id ? source->rig_id : a_rig();
    bead.labels = {"gt:merge-request"};
    bead.created_at = bead.ready_since = past(days(3));
    bead.updated_at = bead.status_since = past(random_.one_in(2) ? hours(1) : kLongAgo);
    constexpr BeadStatus kStates[] = {BeadStatus::open, BeadStatus::in_progress, BeadStatus::in_progress,
                                      BeadStatus::closed, BeadStatus::failed};
    bead.status = kStates[is(Mood::landing) ? random_.between(3, 4) : random_.between(0, 4)];
    if (terminal(bead.status)) bead.closed_at = bead.status_since;
    if (random_.one_in(3))
      bead.dispatch_attempts = random_.between(0, 5), bead.last_dispatch_attempt_at = past(minutes(20));
    Review review;
    review.bead_id = bead.bead_id;
    review.branch = "gt/x/" + bead.bead_id.text;
    review.target_branch = "main";
    review.source_bead_id = source->bead_id;
    if (random_.one_in(2)) review.pr_url = "https://github.com/test/repo/pull/" + std::to_string(i);
    if (random_.one_in(4)) make_published(review);
    if (bead.status == BeadStatus::closed) review.result = ReviewResult::merged, review.evidence = "loaded";
    if (bead.status == BeadStatus::failed) {
      review.result = ReviewResult::failed;
      if (random_.one_in(2)) review.failure_reason = "pr_poll_failed", review.failure_kind = "no_token";
    }
    review.verdict = static_cast<Verdict>(random_.between(0, 2));
    review.awaiting_approval = random_.one_in(is(Mood::landing) ? 2 : 5);
    review.auto_merge_pending = random_.one_in(4);
    if (random_.one_in(2)) review.last_poll_at = past(minutes(3));
    if (random_.one_in(2)) review.last_poll_answer_at = past(hours(1));
    if (random_.one_in(2)) review.pr_changed_at = past(hours(1));
    if (review.pr_url.empty() && random_.one_in(4))
      review.verifying_since = past(minutes(5)), review.claimed_commit = "c0ffee";
    if (random_.one_in(8) && i > 0) review.batch_head = BeadId("m-" + std::to_string(random_.between(0, i - 1)));
    const Dependency edge{bead.bead_id, source->bead_id, DependencyKind::tracks};
    town_.put(std::move(review));
    town_.put(std::move(bead));
    town_.put(edge);
    if (random_.one_in(4)) {
      const BeadId rework("b-" + std::to_string(random_.between(0, size_)));
      if (const Bead* found = town_.bead(rework); found && rework_class(*found)) {
        Bead child = *found;
        child.parent_bead_id = edge.bead_id;
        town_.put(std::move(child));
        town_.put(Dependency{edge.bead_id, rework, DependencyKind::blocks});
      }
    }
  }
}

BeadId RandomTown::a_hook(AgentRole role) {
  const BeadType type = role == AgentRole::refinery ? BeadType::merge_request : BeadType::issue;
  if (!is(Mood::loaded)) return a_live(type);
  const bool open = random_.one_in(3);
  for (int tries = 0; tries < 12; ++tries) {
    const Bead* bead = town_.bead(a_bead());
    if (bead && bead->type == type && (!open || bead->status == BeadStatus::open)) return bead->bead_id;
  }
  return a_bead();
}

/// Its last start failed this moment, so that the next one waits.
void RandomTown::just_tried(Bead bead) {
  bead.dispatch_attempts = 1;
  bead.last_dispatch_attempt_at = now_;
  town_.put(std::move(bead));
}

void RandomTown::make_agents(int count) {
  for (int i = 0; i < count; ++i) {
    Agent agent;
    agent.agent_id = AgentId("a-" + std::to_string(i));
    agent.role = i == 0 && random_.one_in(2) ? AgentRole::mayor
                 : random_.one_in(4)         ? AgentRole::refinery
                                             : AgentRole::polecat;
    agent.name = agent.agent_id.text;
    agent.created_at = past(kLongAgo);
    if (agent.role != AgentRole::mayor) agent.rig_id = a_rig();
    constexpr AgentStatus kStates[] = {AgentStatus::idle, AgentStatus::idle, AgentStatus::working, AgentStatus::working,
                                       AgentStatus::stalled};
    agent.status = kStates[random_.between(0, 4)];
    agent.status_since = past(hours(4));
    if (agent.status == AgentStatus::stalled) agent.stalled_at = past(hours(4));
    if (is(Mood::loaded) && random_.one_in(2))
      agent.last_activity_at = now_ - seconds(random_.between(0, 100));
    else if (!random_.one_in(5))
      agent.last_activity_at = past(random_.one_in(2) ? minutes(5) : days(2));
    if (random_.one_in(2)) agent.last_event_at = past(hours(4));
    if (random_.one_in(5)) agent.active_tools = {"bash"};
    if (random_.one_in(5)) agent.dispatch_attempts = random_.between(3, 7);
    if (agent.role != AgentRole::mayor && (is(Mood::loaded) ? !random_.one_in(5) : random_.one_in(2))) {
      const BeadId hook = a_hook(agent.role);
      const Bead* bead = town_.bead(hook);
      const bool fits = bead && (bead->type == BeadType::merge_request) == (agent.role == AgentRole::refinery) &&
                        (bead->type == BeadType::merge_request || bead->type == BeadType::issue);
      if (fits && town_.links(hook).hooked.empty())
        agent.current_hook_bead_id = hook, agent.rig_id = bead->rig_id ? bead->rig_id : agent.rig_id;
      if (is(Mood::loaded) && fits && !random_.one_in(3)) {
        const bool over = terminal(bead->status);
        agent.status = over                               ? AgentStatus::stalled
                       : bead->status == BeadStatus::open ? AgentStatus::idle
                                                          : AgentStatus::working;
        agent.stalled_at = over ? MaybeInstant(now_) : std::nullopt;
        agent.last_activity_at = now_ - seconds(random_.between(0, 60));
        if (agent.status == AgentStatus::idle && random_.one_in(3)) just_tried(*bead);
      }
      if (random_.one_in(20)) agent.current_hook_bead_id = BeadId("gone");
    }
    town_.put(std::move(agent));
  }
}

void RandomTown::make_messages(int count) {
  for (int i = 0; i < count; ++i) {
    if (random_.one_in(2)) {
      Nudge nudge;
      nudge.nudge_id = MessageId("n-" + std::to_string(i));
      nudge.agent_id = an_agent();
      nudge.source = random_.one_in(2) ? "reconciler:warn" : "reconciler:escalate";
      nudge.created_at = past(hours(2));
      if (random_.one_in(2)) nudge.expires_at = now_ + Duration{random_.between(-600, 600) * 1000};
      town_.put(std::move(nudge));
    } else {
      Mail mail;
      mail.mail_id = MessageId("n-" + std::to_string(i));
      mail.from_agent_id = an_agent();
      mail.to_agent_id = random_.one_in(6) ? AgentId("gone") : an_agent();
      mail.subject = "subject";
      mail.created_at = past(hours(2));
      town_.put(std::move(mail));
    }
  }
}

}  // namespace townd::sim

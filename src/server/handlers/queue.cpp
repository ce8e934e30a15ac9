#include <algorithm>
#include <array>
#include <set>

#include "codec/time_text.hpp"
#include "core/merge_queue.hpp"
#include "core/rules/common.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"

/// The merge queues as people see them: what is tried and landed now, what waits and until when, and what is
/// remembered.
namespace townd {
namespace {

json::value time_or_null(MaybeInstant at) { return at ? json::value(to_text(*at)) : json::value(nullptr); }

json::object request_shape(const Town& town, const BeadId& id) {
  const Bead& bead = *town.bead(id);
  json::object shape{{"bead_id", id.text}, {"priority", to_string(bead.priority)}};
  if (const Review* review = town.review(id)) {
    const Bead* source = town.bead(review->source_bead_id);
    shape["source_bead_id"] = review->source_bead_id.text;
    shape["title"] = source ? source->title : bead.title;
    shape["branch"] = review->branch;
    shape["target_branch"] = review->target_branch;
  }
  return shape;
}

/// A request and those that are tried together with it.
json::array batch_shape(const Town& town, const BeadId& head) {
  json::array batch{request_shape(town, head)};
  for (const BeadId& member : town.links(head).members) batch.push_back(request_shape(town, member));
  return batch;
}

class QueueShape {
 public:
  QueueShape(const Town& town, const Rig& rig, Instant now) : town_(town), rig_(rig), now_(now), free_at_(now) {}

  json::object shape() {
    const MergeQueue& queue = rig_.queue;
    json::object shape{{"rig_id", rig_.rig_id.text}, {"name", rig_.name}};
    shape["paused_reason"] = queue.paused_since ? json::value(queue.paused_reason) : json::value(nullptr);
    const MaybeInstant until = paused_until(queue);
    shape["paused_until"] = time_or_null(until && *until > now_ ? until : std::nullopt);
    shape["batch_size"] = batch();
    shape["trial_ms"] = queue.trial_ms;
    under_way(shape);
    shape["waiting"] = waiting();
    json::array gates;
    for (const GateRecord& gate : queue.gates)
      gates.push_back({{"gate", gate.gate}, {"reds", gate.reds}, {"flakes", gate.flakes}});
    shape["gates"] = std::move(gates);
    shape["tried"] = queue.tried;
    shape["sent_back"] = queue.culprits;
    return shape;
  }

 private:
  [[nodiscard]] int batch() const {
    if (rig_.queue.paused_since) return 1;
    return std::min(batch_size(rig_.queue), rig_.config.max_batch.value_or(kBatchLimit));
  }

  /// What is at its gates and what is at its landing.
  void under_way(json::object& shape) {
    json::array trials, ahead, landings;
    for (const BeadId& id : town_.index(rig_.rig_id).reviewing) {
      const Review* review = town_.review(id);
      if (!review || review->batch_head) continue;
      if (review->verifying_since) {
        json::object landing{{"since", to_text(*review->verifying_since)}, {"requests", batch_shape(town_, id)}};
        landing["held"] = review->held_why.empty() ? json::value(nullptr) : json::value(review->held_why);
        landings.push_back(std::move(landing));
      }
      for (const AgentId& agent : town_.links(id).hooked)
        if (run_live(town_, *town_.agent(agent)))
          (rig_.queue.ahead.head == id ? ahead : trials).push_back(trial_shape(*town_.agent(agent), id));
    }
    trials.insert(trials.end(), ahead.begin(), ahead.end());
    shape["trials"] = std::move(trials);
    shape["landings"] = std::move(landings);
  }

  json::object trial_shape(const Agent& agent, const BeadId& head) {
    json::object trial{{"agent_id", agent.agent_id.text}, {"agent", agent.name}, {"run_id", agent.run_id.text}};
    const Run* run = town_.run(agent.run_id);
    trial["since"] = time_or_null(run ? MaybeInstant(run->requested_at) : std::nullopt);
    const bool on_top = rig_.queue.ahead.head == head;
    trial["doing"] = run && run->preset != "refine" ? "review" : on_top ? "trial_ahead" : "trial";
    trial["says"] = agent.status_message;
    trial["requests"] = batch_shape(town_, head);
    if (run && rig_.queue.trial_ms > 0) free_at_ = std::max(now_, run->requested_at + Duration{rig_.queue.trial_ms});
    trial["expected_at"] = time_or_null(rig_.queue.trial_ms > 0 ? MaybeInstant(free_at_) : std::nullopt);
    return trial;
  }

  /// In the order in which they are taken; when each lands if all goes as it did on average.
  json::array waiting() {
    json::array list;
    const auto until = paused_until(rig_.queue);
    if (until) free_at_ = std::max(free_at_, *until);
    int place = 0;
    for (const ReadyKey& key : town_.index(rig_.rig_id).queue) {
      json::object request = request_shape(town_, key.bead_id);
      const Bead& bead = *town_.bead(key.bead_id);
      const Gate gate = may_dispatch(town_, bead, now_);
      const Review* review = town_.review(key.bead_id);
      const Suspects* suspects = review ? suspects_of(rig_.queue, review->target_branch) : nullptr;
      request["since"] = to_text(bead.ready_since);
      request["suspected"] =
          suspects && std::count(suspects->requests.begin(), suspects->requests.end(), key.bead_id) > 0;
      request["because"] = gate.open() ? json::value(nullptr) : json::value(because(gate.reason));
      MaybeInstant expected;
      if (gate.open() && rig_.queue.trial_ms > 0)
        expected = free_at_ + Duration{rig_.queue.trial_ms * (1 + place / batch())};
      request["expected_at"] = time_or_null(expected);
      if (gate.open()) request["position"] = ++place;
      list.push_back(std::move(request));
    }
    return list;
  }

  const Town& town_;
  const Rig& rig_;
  const Instant now_;
  Instant free_at_;  ///< when the refinery has done what it is at
};

void get_queue(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const std::string wanted = call->arguments().text("rig");
    const Rig* only = wanted.empty() ? nullptr : find_rig(view.town, wanted);
    if (!wanted.empty() && !only)
      return call->fail(Error::Code::not_found, "there is no rig " + wanted, "see them with: town rig list");
    json::array rigs;
    for (const RigId& id : view.town.rig_ids())
      if (!only || only->rig_id == id) rigs.push_back(QueueShape(view.town, *view.town.rig(id), view.now).shape());
    call->succeed(json::object{{"rigs", std::move(rigs)}});
  });
}

void resume_queue(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const std::string name = call->parameter("rig");
    const Rig* rig = find_rig(view.town, name);
    if (!rig) return call->fail(Error::Code::not_found, "there is no rig " + name, "see them with: town rig list");
    call->submit(events::QueueResumed{rig->rig_id}, [call](const Receipt&) { call->succeed({{"resumed", true}}); });
  });
}

constexpr std::array<NamedHandler, 2> kHandlers{{
    {"queue.get", get_queue},
    {"queue.resume", resume_queue},
}};

}  // namespace

std::span<const NamedHandler> queue_handlers() { return kHandlers; }

}  // namespace townd

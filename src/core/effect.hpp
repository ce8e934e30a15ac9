#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/rows.hpp"

/// The part of an action or a fact that leaves the process. An effect names only ids: whoever carries it out reads the
/// rest from the town at that time. `key` makes a repetition harmless.
namespace townd::effects {

struct StartAgent {
  RunId run_id;
};
struct StopAgent {
  AgentId agent_id;
  RunId run_id;
};
/// Put the proven commit of a request on its target branch (domain.md §6, verify_merge).
struct Land {
  BeadId request_id;
};
struct PollPr {
  BeadId request_id;
};
struct MergePr {
  BeadId request_id;
};
/// Put a request's work on its branch at the forge, open the pull request when there is none, answer its threads.
struct PublishPr {
  BeadId request_id;
};
struct ClosePrComment {
  BeadId request_id;
};
struct DeliverNudge {
  AgentId agent_id;
  MessageId nudge_id;
};
struct DeliverMail {
  AgentId agent_id;
  MessageId mail_id;
};
/// The work of an ended run is fetched into `refs/town/<run>`; only then its clone may go.
struct CollectRun {
  RunId run_id;
};
/// Make the rig's repository (clone, set-up check) or look whether it works again.
struct PrepareRig {
  RigId rig_id;
};
/// Create the convoy's feature branch in each of its rigs.
struct PrepareConvoy {
  BeadId convoy_id;
};
/// Tell people: an escalation, a breaker, an incident.
struct Alert {
  std::string kind;
  BeadId bead_id;
  std::string message;
};

}  // namespace townd::effects

namespace townd {

using EffectBody =
    std::variant<effects::StartAgent, effects::StopAgent, effects::Land, effects::PollPr, effects::MergePr,
                 effects::ClosePrComment, effects::DeliverNudge, effects::DeliverMail, effects::CollectRun,
                 effects::PrepareRig, effects::PrepareConvoy, effects::Alert, effects::PublishPr>;

std::string_view effect_kind(const EffectBody& body);

struct Effect {
  std::string key;  ///< unique in the town: kind, subject and a counter of the town
  EffectBody body;
};

}  // namespace townd

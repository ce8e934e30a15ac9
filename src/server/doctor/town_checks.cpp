#include "server/doctor/town_checks.hpp"

#include <set>
#include <utility>

#include "core/rules/common.hpp"
#include "git/layout.hpp"
#include "server/tokens.hpp"

namespace townd::doctor {
namespace {

/// By then what was seen afterwards has settled every start (three minutes) and every landing (five tries).
constexpr Duration kDoubtPatience = minutes(10);
/// Between a run's end and that of its token.
constexpr Duration kTokenPatience = minutes(2);

const std::string& id_of(const Engine::View& view) { return view.town.row().town_id.text; }

/// Since when an effect that nobody answered for has been under way; none when its rows do not say.
struct UnderWay {
  const Town& town;

  MaybeInstant operator()(const effects::StartAgent& e) const {
    const Run* run = town.run(e.run_id);
    return run ? MaybeInstant(run->requested_at) : std::nullopt;
  }
  MaybeInstant operator()(const effects::StopAgent& e) const {
    const Run* run = town.run(e.run_id);
    return run ? run->stop_requested_at : std::nullopt;
  }
  MaybeInstant operator()(const effects::Land& e) const {
    const Review* review = town.review(e.request_id);
    return review ? review->verifying_since : std::nullopt;
  }
  MaybeInstant operator()(const effects::MergePr& e) const {
    const Review* review = town.review(e.request_id);
    return review ? review->merge_requested_at : std::nullopt;
  }
  MaybeInstant operator()(const effects::DeliverNudge& e) const {
    const Nudge* nudge = town.nudge(e.nudge_id);
    return nudge ? nudge->delivering_since : std::nullopt;
  }
  MaybeInstant operator()(const effects::DeliverMail& e) const {
    const Mail* mail = town.mail(e.mail_id);
    return mail ? mail->delivering_since : std::nullopt;
  }
  template <class Other>
  MaybeInstant operator()(const Other&) const {
    return std::nullopt;
  }
};

std::set<std::string> presets_in_use(const Town& town) {
  std::set<std::string> used;
  if (!town.mayors().empty()) used.insert(town.config().mayor_preset);
  for (const RigId& id : town.rig_ids())
    for (const AgentRole role : {AgentRole::polecat, AgentRole::refinery})
      used.insert(preset_of(town, *town.rig(id), role));
  return used;
}

}  // namespace

void check_stopped(const Engine::View& view, Report& report) {
  if (!view.quarantined.empty())
    report.findings.push_back({"stopped_town", Severity::error, id_of(view), id_of(view),
                               "the town is not run: " + view.quarantined, "see the log, then: town down && town up"});
}

void check_quarantine(const Engine::View& view, const RetryEvent& retry, Report& report) {
  for (const auto& [seq, deferred] : view.town.deferred())
    if (deferred.retry_at == kNever)
      report.findings.push_back(
          {"quarantined_event", Severity::error, id_of(view), std::to_string(seq),
           "the event " + std::string(event_type(deferred.event->body)) + " could not be applied: " + deferred.reason,
           "town doctor --fix tries it again",
           [retry, town = view.town.row().town_id, seq = seq] { return retry(town, seq); }});
}

void check_doubts(const Engine::View& view, Report& report) {
  for (const auto& [key, effect] : view.doubts) {
    const MaybeInstant since = std::visit(UnderWay{view.town}, effect.effect.body);
    if (!stale(since, kDoubtPatience, view.now)) continue;
    report.findings.push_back(
        {"effect_in_doubt", Severity::warning, id_of(view), key,
         "it is not known what became of it" + (effect.detail.empty() ? "" : ": " + effect.detail),
         "what it was for shows: town log --json, town why ID"});
  }
}

void check_presets(const Engine::View& view, Report& report) {
  if (view.town.row().node.presets.empty()) return;  // the machine has not been looked at yet
  for (const std::string& name : presets_in_use(view.town)) {
    const PresetState* state = preset_state(view.town, name);
    if (!state)
      report.findings.push_back({"missing_preset", Severity::error, id_of(view), name,
                                 "no preset of this name is there, but agents are to run with it",
                                 "put presets/" + name +
                                     ".toml into the data folder and restart townd, or choose "
                                     "another preset: town agent check"});
    else if (!state->usable)
      report.findings.push_back({"unusable_preset", Severity::error, id_of(view), name,
                                 "the agent program cannot be used: " + state->reason, "town agent check " + name});
  }
}

void check_invariants(const Engine::View& view, Report& report) {
  for (const Violation& violation : check_everything(view.town, view.now))
    report.findings.push_back({"broken_invariant", Severity::error, id_of(view), violation.subject,
                               "invariant " + std::to_string(violation.invariant) + ": " + violation.message,
                               "town bundle --last-violation"});
}

void check_tokens(const std::vector<TokenRow>& tokens, const Known& known, Instant now, const PutToken& put,
                  Report& report) {
  for (const TokenRow& row : tokens) {
    if (row.revoked || row.ended_at) continue;
    std::string why;
    const TownId town(row.town_id);
    if (!role_from(row.role))
      why = "its role \"" + row.role + "\" lets nobody do anything";
    else if (!row.run_id.empty() && !known.towns.contains(town) && !known.unseen.contains(town))
      why = "it is for the town " + row.town_id + ", which is not there";
    else if (!row.run_id.empty() && known.towns.contains(town) &&
             known.over(git::path_part(row.run_id), kTokenPatience, now))
      why = "the run " + row.run_id + " is over";
    else if (row.run_id.empty() && row.role == to_string(kAgent))
      why = "it is an agent's and names no run";
    if (why.empty()) continue;
    TokenRow ended = row;
    ended.ended_at = now;
    ended.revoked = row.run_id.empty();
    report.findings.push_back({"useless_token", Severity::warning, row.town_id, row.id, "it is still good, but " + why,
                               "town doctor --fix ends it", [put, ended] { return put(ended); }});
  }
}

}  // namespace townd::doctor

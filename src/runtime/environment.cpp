#include "runtime/environment.hpp"

#include <cstdlib>

#include "git/spawn.hpp"

namespace townd {
namespace {

std::string role_of(RunKind kind) {
  switch (kind) {
    case RunKind::work: return "polecat";
    case RunKind::review: return "refinery";
    case RunKind::triage: return "triage";
    case RunKind::mayor: return "mayor";
  }
  return {};
}

void pass_on(std::map<std::string, std::string>& env, const std::string& name) {
  if (const char* value = std::getenv(name.c_str())) env[name] = value;
}

}  // namespace

bool sandboxed(const Assignment& work) { return work.rig.config.sandbox != "none"; }

std::string agent_path(const LocalSettings& settings) { return settings.bin + ":" + own_path(); }

std::map<std::string, std::string> environment_of(const AgentSpec& spec, const Preset& preset,
                                                  const LocalSettings& settings, const RunPlaces& places) {
  const auto& work = spec.assignment;
  std::map<std::string, std::string> env;
  for (const auto& name : preset.env) pass_on(env, name);
  env["LANG"] = "C.UTF-8";
  pass_on(env, "LANG");
  pass_on(env, "TZ");
  for (const auto& [name, value] : preset.set) env[name] = value;
  if (sandboxed(work))
    for (const auto& [name, value] : preset.set_inside) env[name] = value;

  // Ours come last: no preset and no variable of the owner's can take their place.
  env["PATH"] = agent_path(settings);
  env["HOME"] = places.home;
  env["TMPDIR"] = places.tmp;
  env["TERM"] = "dumb";
  env["TOWN_SOCKET"] = settings.agent_socket;
  env["TOWN_TOKEN"] = spec.token;
  env["TOWN_ID"] = work.town_id.text;
  env["TOWN_AGENT"] = work.agent.agent_id.text;
  env["TOWN_ROLE"] = role_of(work.kind);
  env["TOWN_RUN"] = work.run_id.text;
  env["TOWN_SANDBOX"] = sandboxed(work) ? "bwrap" : "none";
  env["TOWN_CLONE"] = places.clone;
  env["TOWN_BRANCH"] = work.branch;
  env["TOWN_TARGET"] = work.target_branch;
  env["TOWN_ATTEMPT"] = std::to_string(work.attempts.size() + 1);
  env["GASTOWN_API_URL"] = settings.api_url;
  env["GASTOWN_CONTAINER_TOKEN"] = spec.token;
  env["GASTOWN_TOWN_ID"] = work.town_id.text;
  env["GASTOWN_AGENT_ID"] = work.agent.agent_id.text;
  env["GASTOWN_AGENT_ROLE"] = role_of(work.kind);
  if (work.rig.rig_id) {
    env["TOWN_RIG"] = work.rig.rig_id.text;
    env["GASTOWN_RIG_ID"] = work.rig.rig_id.text;
  }
  if (work.bead) env["TOWN_BEAD"] = work.bead->bead_id.text;
  if (work.rework) env["TOWN_REWORK"] = work.rework->source.text;
  return env;
}

std::vector<std::string> private_names(const Preset& preset) {
  auto names = preset.env;
  names.insert(names.end(), {"TOWN_TOKEN", "TOWN_SOCKET", "GASTOWN_CONTAINER_TOKEN", "GASTOWN_API_URL"});
  return names;
}

}  // namespace townd

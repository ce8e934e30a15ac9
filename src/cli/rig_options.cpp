#include "cli/rig_options.hpp"

#include <chrono>
#include <thread>

#include "cli/gates_found.hpp"

namespace townd::cli {

namespace {

constexpr std::chrono::minutes kCloneWithin{30};
constexpr std::chrono::milliseconds kLookAgain{50};

json::array texts(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& text : list) array.emplace_back(text);
  return array;
}

/// A name that the daemon takes: letters, digits, `.`, `_` and `-`.
std::string rig_name(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool fits =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    name += fits ? c : '-';
  }
  const auto first = name.find_first_not_of("-_");
  name = first == std::string::npos ? "rig" : name.substr(first);
  return name.substr(0, 64);
}

expected<FoundGates> gates_for(const Values& values, const std::string& folder) {
  FoundGates found;
  if (values.has("--gate")) {
    found.gates = values.list("--gate");
  } else if (!values.has("--no-gates") && !folder.empty()) {
    found = find_gates(folder);
  }
  if (values.has("--setup")) found.setup = values.text("--setup");
  if (found.gates.empty() && !values.has("--no-gates"))
    return fail(Error::Code::invalid,
                folder.empty()
                    ? "no gate is named: nothing would test the work before it is merged"
                    : "no way to test " + folder + " was found: nothing would test the work before it is merged",
                "Name a command with --gate \"make test\", or say --no-gates to merge untested work.");
  return found;
}

}  // namespace

std::vector<Param> rig_params() {
  return {options("--gate", "Command that must succeed before anything is merged; may be given several times"),
          flag("--no-gates", "Merge without testing"),
          option("--setup", "Command that prepares a fresh clone"),
          options("--copy", "Untracked file, such as .env, that is put into each clone"),
          option("--name", "Name of the rig; the folder's when left out"),
          option("--branch", "Branch that work starts from and lands on; the one checked out when left out"),
          option("--push", "Remote that landed work is pushed to; nowhere when left out"),
          option("--preset", "Agent program for the work, such as claude, codex or script"),
          option("--reviewer",
                 "Agent program that reads the work before it is tried, such as claude; nobody when left out"),
          number("--max-batch", "Pieces of work that are merged and tested together at most, 1 to 32"),
          option("--strategy", "direct: townd merges itself; pr: through pull requests at its host"),
          flag("--without-checks", "Its pull requests have no checks that are waited for"),
          option("--sandbox", "bwrap, or none to run agents and gates unprotected")};
}

json::object settings_said(const Values& values) {
  json::object said;
  if (values.has("--gate")) said["gates"] = texts(values.list("--gate"));
  if (values.has("--no-gates")) said["gates"] = json::array{}, said["no_gates"] = true;
  if (values.has("--setup")) said["setup"] = values.text("--setup");
  if (values.has("--branch")) said["target"] = values.text("--branch");
  if (values.has("--copy")) said["copy"] = texts(values.list("--copy"));
  if (values.has("--push")) said["push_remote"] = values.text("--push");
  if (values.has("--preset")) said["polecat_preset"] = values.text("--preset");
  if (values.has("--reviewer")) said["refinery_preset"] = values.text("--reviewer");
  if (const auto most = values.number("--max-batch")) said["max_batch"] = *most;
  if (values.has("--strategy")) said["merge_strategy"] = values.text("--strategy");
  if (values.has("--without-checks")) said["without_checks"] = true;
  if (values.has("--sandbox")) said["sandbox"] = values.text("--sandbox");
  return said;
}

expected<NewRig> plan_rig(const std::string& path_or_url, const Values& values) {
  NewRig rig;
  std::string folder;
  if (is_url(path_or_url)) {
    rig.git_url = path_or_url;
    rig.name = repository_name(path_or_url);
  } else {
    const auto checkout = look_at_checkout(path_or_url);
    if (!checkout) return tl::unexpected(checkout.error());
    folder = rig.git_url = checkout->folder;
    rig.name = checkout->name;
    rig.default_branch = checkout->branch;
    if (checkout->dirty)
      rig.told.push_back("Your uncommitted changes stay as they are; agents see only what is committed.");
  }
  const auto found = gates_for(values, folder);
  if (!found) return tl::unexpected(found.error());
  for (std::size_t i = 0; i < found->gates.size(); ++i)
    rig.told.push_back("Gate: " + found->gates[i] + (i < found->because.size() ? " (" + found->because[i] + ")" : ""));
  if (!found->setup.empty()) rig.told.push_back("Setup: " + found->setup);

  rig.name = rig_name(values.text("--name", rig.name));
  rig.default_branch = values.text("--branch", rig.default_branch);
  rig.config["gates"] = texts(found->gates);
  if (found->gates.empty()) rig.config["no_gates"] = true;
  if (!found->setup.empty()) rig.config["setup"] = found->setup;
  for (auto& [key, value] : settings_said(values)) rig.config[key] = value;
  return rig;
}

expected<json::value> add_rig(Session& session, const NewRig& rig) {
  json::object fields{{"name", rig.name}, {"git_url", rig.git_url}, {"config", rig.config}};
  if (!rig.default_branch.empty()) fields["default_branch"] = rig.default_branch;
  const auto made = session.in_town("rig.add", {}, std::move(fields));
  if (!made) return made;
  const std::string id = text_of(*made, "rig_id");
  session.terminal().progress("cloning " + rig.git_url);
  const auto until = std::chrono::steady_clock::now() + kCloneWithin;
  while (std::chrono::steady_clock::now() < until) {
    const auto checks = session.in_town("event.list", {}, {{"type", "rig_checked"}, {"limit", 500}});
    if (!checks) return checks;
    for (const json::value& check : list_of(*checks))
      if (text_of(member_of(check, "payload"), "rig_id") == id) return session.in_town("rig.get", {{"rig", id}});
    std::this_thread::sleep_for(kLookAgain);
  }
  return made;
}

}  // namespace townd::cli

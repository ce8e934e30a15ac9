#include "cli/demo.hpp"

#include <chrono>
#include <cstdlib>

#include "cli/agent_programs.hpp"
#include "cli/commands.hpp"
#include "cli/convoy_file.hpp"
#include "cli/daemon.hpp"
#include "cli/input.hpp"
#include "cli/keepers.hpp"
#include "cli/rig_options.hpp"

namespace townd::cli {

namespace {

constexpr std::size_t kFileLimit = 1 << 20;
constexpr const char* kGate = "sh test.sh";

/// The demo is its own world: nothing of the caller's town, run or settings reaches into it.
void forget_own_town() {
  for (const char* name : {"TOWN_TOKEN", "TOWN_SOCKET", "TOWN_ID", "TOWN_RIG", "TOWND_DATA"}) unsetenv(name);
}

/// Ends whatever the demo has started and removes its folder, however the demo ends.
class CleanUp {
 public:
  CleanUp(const demo::Places& places, bool keep) : places_(places), keep_(keep) {}
  ~CleanUp() { now(); }
  CleanUp(const CleanUp&) = delete;
  CleanUp& operator=(const CleanUp&) = delete;

  expected<void> now() {
    if (done_) return {};
    done_ = true;
    const auto stopped = stop_daemon(places_.data);
    const auto agents = stop_keepers(places_.data);
    if (!keep_) demo::remove_places(places_);
    if (!stopped) return tl::unexpected(stopped.error());
    if (!agents) return tl::unexpected(agents.error());
    return {};
  }

 private:
  const demo::Places& places_;
  bool keep_;
  bool done_ = false;
};

/// The rig's settings: the demo's own scripts may run unprotected where bubblewrap cannot, nobody else may.
expected<NewRig> plan(const demo::Places& places, const std::string& preset, Terminal& terminal) {
  Values values;
  values.put("--gate", {kGate});
  values.put("--name", {"tally"});
  values.put("--preset", {preset});
  if (!demo::sandbox_works()) {
    if (preset != "demo")
      return fail(Error::Code::conflict,
                  "bubblewrap does not work here, and only the demo's own scripts run without it",
                  "Install bubblewrap, or leave out --agent.");
    values.put("--sandbox", {"none"});
    terminal.line("bubblewrap does not work here: the demo's own scripts run without a sandbox.");
  }
  return plan_rig(places.repository, values);
}

expected<std::string> give_work(Session& session, const std::string& preset) {
  const std::string path = share_folder() + "/demo/" + (preset == "demo" ? "convoy.toml" : "convoy-for-agents.toml");
  const auto text = file_contents(path, kFileLimit);
  if (!text) return tl::unexpected(text.error());
  auto file = read_convoy_file(path, *text);
  if (!file) return tl::unexpected(file.error());
  const auto rig = session.rig();
  if (!rig) return tl::unexpected(rig.error());
  file->request["rig_id"] = *rig;
  const auto made = session.in_town("convoy.create", {}, file->request);
  if (!made) return tl::unexpected(made.error());
  return text_of(member_of(*made, "convoy"), "id");
}

struct Landed {
  std::size_t beads = 0;
  std::vector<std::string> proof;
};

expected<Landed> play(Session& session, const demo::Places& places, const std::string& preset) {
  Terminal& terminal = session.terminal();
  if (const auto started = start_daemon(places.data, demo::daemon_arguments(places), terminal); !started)
    return tl::unexpected(started.error());
  const auto daemon = session.client();
  if (!daemon) return tl::unexpected(daemon.error());
  const auto town = (*daemon)->call("town.create", {}, {{"name", "demo"}, {"prefix", "demo"}});
  if (!town) return tl::unexpected(town.error());
  session.use_town(text_of(*town, "town_id"));
  const auto rig = plan(places, preset, terminal);
  if (!rig) return tl::unexpected(rig.error());
  if (const auto added = add_rig(session, *rig); !added) return tl::unexpected(added.error());
  const auto convoy = give_work(session, preset);
  if (!convoy) return tl::unexpected(convoy.error());
  terminal.line("Six pieces of work in a diamond, on a small project with a real test (" + std::string(kGate) + "):");
  if (const auto watched = demo::watch(session, places, *convoy); !watched) return tl::unexpected(watched.error());
  const auto proof = demo::prove(session, places, *convoy);
  if (!proof) return tl::unexpected(proof.error());
  const auto detail = session.in_town("convoy.get", {{"convoy", *convoy}});
  if (!detail) return tl::unexpected(detail.error());
  return Landed{list_of(*detail, "beads").size(), *proof};
}

expected<int> run_demo(Session& caller, const Values& values) {
  Terminal& terminal = caller.terminal();
  forget_own_town();
  demo::catch_interrupts();
  const auto began = std::chrono::steady_clock::now();
  const auto places = demo::make_places();
  if (!places) return tl::unexpected(places.error());
  CleanUp clean_up(*places, values.has("--keep"));
  Values own;
  own.put("--data", {places->data});
  if (values.has("--agent")) own.put("--agent", {values.text("--agent")});
  Session session(own, terminal);
  const auto landed = play(session, *places, values.text("--agent", "demo"));
  if (values.has("--keep")) terminal.line("Kept: " + places->folder);
  if (!landed) return tl::unexpected(landed.error());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  for (const std::string& line : landed->proof) terminal.line("proven by git: " + line);
  if (const auto cleaned = clean_up.now(); !cleaned) return tl::unexpected(cleaned.error());

  const auto beads = static_cast<std::int64_t>(landed->beads);
  const json::object told{{"landed", beads}, {"of", beads}, {"seconds", seconds}};
  return answer(caller, expected<json::value>(told), [&](const json::value&) {
    const auto tenths = static_cast<long>(seconds * 10);
    terminal.line("took " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s");
    terminal.line("convoy landed: " + std::to_string(beads) + " of " + std::to_string(beads));
  });
}

}  // namespace

std::vector<Command> demo_commands() {
  return {{"demo",
           "Start here",
           "Watch a town at work: a throw-away repository, six pieces of work, no API key",
           "town demo",
           {option("--agent", "Let a real agent program do the work, such as claude"),
            flag("--keep", "Leave the folder, to look at what happened")},
           run_demo}};
}

}  // namespace townd::cli

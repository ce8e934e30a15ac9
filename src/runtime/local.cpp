#include "runtime/local.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "git/clone.hpp"
#include "git/layout.hpp"
#include "runtime/environment.hpp"
#include "runtime/machine.hpp"
#include "runtime/prompt.hpp"
#include "runtime/sandbox.hpp"
#include "runtime/workplace.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kTailBytes = 4000;       // of a failed set-up's output
constexpr Duration kAskAgain = minutes(5);      // a program that was not logged in is tried again
constexpr Duration kLimitedFor = minutes(15);   // domain.md §1: rate_limited without a time
constexpr Duration kKept = days(7);             // domain.md §7, retention
constexpr Duration kStopPatience = seconds(5);  // beyond the grace, before the keeper is killed

Instant now() {
  return {std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

/// Nothing was started, so this failure is no "unknown".
tl::unexpected<Error> refused(Error error) {
  if (error.code == Error::Code::unavailable) error.code = Error::Code::internal;
  return tl::unexpected(std::move(error));
}

}  // namespace

LocalRuntime::LocalRuntime(LocalSettings settings, Presets presets, git::Program git)
    : settings_(std::move(settings)), presets_(std::move(presets)), git_(std::move(git)) {}

expected<std::unique_ptr<LocalRuntime>> LocalRuntime::open(LocalSettings settings) {
  auto presets = load_presets(settings.preset_folders);
  if (!presets) return tl::unexpected(presets.error());
  if (presets->empty()) return fail(Error::Code::internal, "there are no presets", "reinstall townd's share folder");
  if (::access(settings.shim.c_str(), X_OK) != 0)
    return fail(Error::Code::internal, settings.shim + " is missing or cannot be run", "reinstall townd");
  for (const auto* folder : {"/runs", "/clones", "/homes"})
    if (auto made = make_folders(settings.data + folder); !made) return tl::unexpected(made.error());
  auto git = git::Program::open(settings.data);
  if (!git) return tl::unexpected(git.error());

  std::unique_ptr<LocalRuntime> runtime{new LocalRuntime{std::move(settings), std::move(*presets), std::move(*git)}};
  runtime->watcher_ = std::make_unique<Watcher>(
      runtime->presets_,
      [self = runtime.get()](const RunAbout& about, const RunEnd& end) { self->run_ended(about, end); });
  runtime->take_up();
  return runtime;
}

void LocalRuntime::take_up() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(settings_.data + "/runs", error)) {
    const KeeperLink link{entry.path().string()};
    const auto status = link.status();
    const bool old = status && status->ended_at_ms > 0 && now() - Instant{status->ended_at_ms} > kKept;
    if (old && !link.kept())
      fs::remove_all(entry.path(), error);
    else
      watcher_->watch(link.folder());
  }
  // The home of a run whose clone is gone has nothing that anybody will ask for.
  for (const auto& entry : fs::directory_iterator(settings_.data + "/homes", error)) {
    const auto name = entry.path().filename().string();
    const KeeperLink link{settings_.data + "/runs/" + name};
    if (!fs::exists(settings_.data + "/clones/" + name) && !link.kept()) git::remove_folder(entry.path().string());
  }
}

RunPlaces LocalRuntime::places_of(const RunId& run) const {
  const auto name = git::path_part(run.text);
  const auto home = settings_.data + "/homes/" + name;
  return {settings_.data + "/runs/" + name, git::clone_folder(settings_.data, run), home + "/home", home + "/tmp"};
}

std::shared_ptr<std::mutex> LocalRuntime::turn_of(const RunId& run) {
  const std::lock_guard lock{mutex_};
  std::erase_if(turns_, [](const auto& turn) { return turn.second.expired(); });
  auto turn = turns_[run].lock();
  if (!turn) turns_[run] = turn = std::make_shared<std::mutex>();
  return turn;
}

expected<const Preset*> LocalRuntime::preset_of(const std::string& name) const {
  const auto found = presets_.find(name);
  if (found != presets_.end()) return &found->second;
  std::string known;
  for (const auto& [other, preset] : presets_) known += (known.empty() ? "" : ", ") + other;
  return fail(Error::Code::forbidden, "there is no preset \"" + name + "\"", "presets are " + known);
}

expected<void> LocalRuntime::start(const AgentSpec& spec) {
  const auto turn = turn_of(spec.assignment.run_id);
  const std::lock_guard lock{*turn};
  const auto places = places_of(spec.assignment.run_id);
  const KeeperLink link{places.run};
  if (link.has_tombstone()) return fail(Error::Code::conflict, "the run was stopped");
  if (link.kept()) return await_running(link, 1, 0, spec);
  if (link.status()) return answer_of(link, spec);

  const auto preset = preset_of(spec.assignment.preset);
  if (!preset) return tl::unexpected(preset.error());
  if (auto prepared = prepare(spec, **preset, places); !prepared) return refused(prepared.error());
  auto launched = launch(spec, **preset, 1);
  // Stopped while the clone was made: nobody has worked in it.
  if (!launched && link.has_tombstone() && !link.status()) git::remove_folder(places.clone);
  return launched;
}

expected<void> LocalRuntime::prepare(const AgentSpec& spec, const Preset& preset, const RunPlaces& places) {
  if (auto program = program_of(preset, settings_); !program) return tl::unexpected(program.error());
  if (sandboxed(spec.assignment) && !bubblewrap()) return tl::unexpected(bubblewrap().error());
  return make_folders(places.run)
      .and_then([&] { return prepare_workplace(git_, settings_, spec, places); })
      .and_then([&] {
        return write_about(places.run, {spec.assignment.run_id, spec.assignment.agent.agent_id,
                                        spec.assignment.bead ? spec.assignment.bead->bead_id : BeadId{}, preset.name});
      })
      .and_then([&] { return input_of(settings_, spec, preset); })
      .and_then([&](const std::string& input) { return replace_whole(places.run + "/input", input); });
}

expected<void> LocalRuntime::launch(const AgentSpec& spec, const Preset& preset, int attempt) {
  const auto places = places_of(spec.assignment.run_id);
  const KeeperLink link{places.run};
  const auto program = program_of(preset, settings_);
  if (!program) return refused(program.error());
  const auto environment = environment_of(spec, preset, settings_, places);
  const auto config = preset_config(preset, environment, places.home);
  const bool inside = sandboxed(spec.assignment);

  std::vector<std::string> words;
  if (inside) {
    const auto& rig = spec.assignment.rig.rig_id;
    const auto bare = git::rig_repository(settings_.data, rig);
    words = sandbox_words(*bubblewrap(), settings_,
                          {places, rig && fs::exists(bare) ? bare : std::string{}, {*program}, config});
  } else {
    std::error_code ignored;
    for (const auto& [from, to] : config)
      if (from != to) fs::create_symlink(from, to, ignored);
  }

  run_folder::Spec keep;
  keep.run_id = spec.assignment.run_id.text;
  keep.attempt = attempt;
  if (attempt == 1 && !spec.assignment.rig.config.setup.empty()) {
    keep.setup = words;
    keep.setup.insert(keep.setup.end(), {"/bin/sh", "-c", spec.assignment.rig.config.setup});
    keep.setup_hides = private_names(preset);
  }
  keep.command = words;
  keep.command.push_back(*program);
  const auto& arguments = attempt == 1 ? preset.run : preset.resume;
  keep.command.insert(keep.command.end(), arguments.begin(), arguments.end());
  for (auto word : inside ? preset.inside : preset.outside) {
    constexpr std::string_view kClone = "{clone}";
    if (const auto at = word.find(kClone); at != std::string::npos) word.replace(at, kClone.size(), places.clone);
    keep.command.push_back(std::move(word));
  }
  keep.wrapper_depth = inside ? kSandboxDepth : 0;
  keep.folder = places.clone;
  keep.input = attempt == 1 ? "input" : "reminder";
  keep.memory_bytes = spec.limits.memory_bytes;
  keep.processes = spec.limits.processes;
  keep.wall_ms = spec.limits.wall.ms;
  keep.setup_ms = settings_.setup.ms;
  keep.log_bytes = spec.limits.log_bytes;
  keep.heartbeat_ms = settings_.heartbeat.ms;
  keep.grace_ms = settings_.grace.ms;
  keep.cgroups = settings_.cgroups;
  if (auto written = replace_whole(places.run + "/spec", run_folder::write(keep)); !written)
    return refused(written.error());

  const auto child = link.spawn(settings_.shim, environment);
  if (!child) return tl::unexpected(child.error());
  return await_running(link, attempt, *child, spec);
}

/// Waits until the agent itself runs, which is after the rig's set-up, or until that is known not to happen.
expected<void> LocalRuntime::await_running(const KeeperLink& link, int attempt, int child, const AgentSpec& spec) {
  bool watched = false;
  for (int wait_ms = 1;; wait_ms = std::min(wait_ms * 2, 50)) {
    // Asked before the status is read: what a keeper wrote before it ended is then seen.
    const bool kept = link.kept();
    const auto status = link.status();
    const bool ours = status && status->attempt == attempt;
    if (ours && !watched) {
      watcher_->watch(link.folder(), child);
      watched = true;
    }
    if (ours && status->state != "starting" && status->state != "setting_up") return answer_of(link, spec);
    if (!kept && ours) return answer_of(link, spec);
    if (!kept && child > 0) {
      int how = 0;
      if (::waitpid(child, &how, WNOHANG) == child) {
        if (link.has_tombstone()) return fail(Error::Code::conflict, "the run was stopped while it was started");
        if (link.kept()) return await_running(link, attempt, 0, spec);
        return fail(Error::Code::internal,
                    "townd-shim ended before it began: " + read_whole(link.folder() + "/keeper.err").value_or(""));
      }
    } else if (!kept) {
      return fail(Error::Code::unavailable, "the keeper of the run ended before it said what it does");
    }
    ::poll(nullptr, 0, wait_ms);
  }
}

expected<void> LocalRuntime::answer_of(const KeeperLink& link, const AgentSpec& spec) const {
  const auto status = link.status();
  if (!status || status->state != "setup_failed") return {};
  if (status->ended_by == "stop") return fail(Error::Code::conflict, "the run was stopped during the rig's setup");
  const std::string why = status->ended_by == "wall" ? "did not end in time"
                          : status->signal != 0      ? "was ended by signal " + std::to_string(status->signal)
                                                     : "ended with exit code " + std::to_string(status->code);
  return fail(
      Error::Code::invalid,
      "the setup of rig " + plain_words(spec.assignment.rig.name) + " " + why + ":\n" + link.log_tail(kTailBytes),
      "repair the rig's `setup` command; it runs in a fresh clone");
}

bool LocalRuntime::can_remind(const RunId& run) {
  const auto link = link_of(run);
  const auto about = read_about(link.folder());
  const auto status = link.status();
  if (!about || !status || status->attempt != 1 || status->state != "exited" || link.has_tombstone()) return false;
  const auto preset = presets_.find(about->preset);
  return preset != presets_.end() && !preset->second.resume.empty() && fs::exists(places_of(run).clone);
}

expected<void> LocalRuntime::remind(const AgentSpec& spec) {
  const auto turn = turn_of(spec.assignment.run_id);
  const std::lock_guard lock{*turn};
  const auto link = link_of(spec.assignment.run_id);
  const auto status = link.status();
  if (status && status->attempt == 2) return {};
  if (link.kept()) return fail(Error::Code::conflict, "the run has not ended yet");
  if (!can_remind(spec.assignment.run_id))
    return fail(Error::Code::conflict, "the run cannot be reminded: its preset knows no resume, or it was stopped");
  const auto preset = preset_of(read_about(link.folder())->preset);
  if (!preset) return tl::unexpected(preset.error());
  const auto text = reminder_for(settings_.prompts, spec.assignment, spec.texts);
  if (!text) return tl::unexpected(text.error());
  if (auto written = replace_whole(link.folder() + "/reminder", *text); !written) return refused(written.error());
  return launch(spec, **preset, 2);
}

expected<void> LocalRuntime::stop(const RunId& run) {
  const auto link = link_of(run);
  // First the tombstone: a start that is under way, or comes later, finds it.
  if (auto put = link.put_tombstone(); !put) return put;
  return link.end(settings_.grace + kStopPatience);
}

expected<void> LocalRuntime::deliver(const RunId& run, const std::string& from, const std::string& text) {
  const auto link = link_of(run);
  const auto about = read_about(link.folder());
  if (!about || !link.kept()) return fail(Error::Code::not_found, "run " + run.text + " is not running");
  const auto preset = preset_of(about->preset);
  if (!preset) return tl::unexpected(preset.error());
  if ((*preset)->message != "inbox")
    return fail(Error::Code::conflict, "the preset " + about->preset + " cannot take messages while it runs",
                "it finds them with `town prime`");
  const auto name = ".git/town/inbox/" + std::to_string(now().ms) + ".md";
  return write_beneath(places_of(run).clone, name,
                       "From " + plain_words(from) + "\n\n" + framed_as_data("message", text), 0644);
}

std::vector<Observation> LocalRuntime::observe() { return watcher_->take(); }

void LocalRuntime::on_change(std::function<void()> wake) { watcher_->on_change(std::move(wake)); }

void LocalRuntime::run_ended(const RunAbout& about, const RunEnd& end) {
  const std::lock_guard lock{mutex_};
  if (end.verdict.reason == "not_logged_in") troubles_[about.preset] = {end.verdict.why, now(), {}};
  if (end.verdict.reason == "rate_limited")
    troubles_[about.preset].limited_until = end.limited_until.value_or(now() + kLimitedFor);
}

NodeFacts LocalRuntime::facts() {
  NodeFacts facts;
  facts.slots = slots_of(settings_);
  facts.disk_low = disk_is_low(settings_.data);
  for (const auto& [name, preset] : presets_) {
    PresetState state;
    state.preset = name;
    const auto program = program_of(preset, settings_);
    if (!program) {
      state.usable = false;
      state.reason = program.error().what + ": " + program.error().hint;
    }
    Trouble trouble;
    {
      const std::lock_guard lock{mutex_};
      if (const auto found = troubles_.find(name); found != troubles_.end()) trouble = found->second;
    }
    if (program && !trouble.reason.empty()) {
      // Only its own tiny call can tell that somebody has logged in since.
      if (now() - trouble.checked_at >= kAskAgain) {
        const auto works = check_preset(preset, settings_);
        trouble.reason = works ? "" : works.error().what;
        const std::lock_guard lock{mutex_};
        troubles_[name].reason = trouble.reason;
        troubles_[name].checked_at = now();
      }
      state.usable = trouble.reason.empty();
      if (!state.usable) state.reason = trouble.reason;
    }
    if (trouble.limited_until && *trouble.limited_until > now()) state.limited_until = trouble.limited_until;
    facts.presets.push_back(std::move(state));
  }
  return facts;
}

expected<std::string> LocalRuntime::log(const RunId& run, std::int64_t offset, std::int64_t limit) {
  const auto link = link_of(run);
  if (!link.exists()) return fail(Error::Code::not_found, "there is no log of run " + run.text);
  return link.log(offset, limit).bytes;
}

}  // namespace townd

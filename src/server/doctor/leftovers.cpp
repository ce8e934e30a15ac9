#include "server/doctor/leftovers.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>
#include <sstream>

#include "git/clone.hpp"
#include "git/layout.hpp"
#include "git/repository.hpp"
#include "ports/forge.hpp"
#include "ports/runtime.hpp"
#include "runtime/files.hpp"
#include "runtime/run_processes.hpp"

namespace townd::doctor {
namespace {

namespace fs = std::filesystem;

/// After a run's end its work is fetched and its clone removed, with ten tries that take some seven minutes.
constexpr Duration kClonePatience = minutes(15);
/// After a run's end its process gets five seconds, and the engine looks for strays after a heartbeat's time.
constexpr Duration kProcessPatience = minutes(2);
/// A convoy's branch is made at once, and after a failure tried again for some minutes.
constexpr Duration kConvoyPatience = minutes(10);

/// Half of a clone, or of its removal: nobody works in it, and its commits are elsewhere.
bool half(const std::string& name) { return name.ends_with(".partial") || name.ends_with(".removed"); }
std::string run_part(const std::string& name) { return half(name) ? name.substr(0, name.rfind('.')) : name; }

/// The rig whose objects the clone borrows. An agent may have written another there, but its commits are then only kept
/// in that one; null when it is none of townd's.
const Known::OfRig* rig_of(const std::string& data, const std::string& clone, const Known& known) {
  auto text = read_beneath(clone, ".git/objects/info/alternates", 4096);
  if (!text) return nullptr;
  while (!text->empty() && text->back() == '\n') text->pop_back();
  const auto found = std::find_if(known.rigs.begin(), known.rigs.end(), [&](const Known::OfRig& of) {
    return *text == git::rig_repository(data, of.rig.rig_id) + "/objects";
  });
  return found == known.rigs.end() ? nullptr : &*found;
}

/// What saving and removing a clone needs; none when nobody can say where its commits belong.
std::optional<CollectSpec> work_in(const std::string& data, const std::string& name, const Known& known) {
  const auto run = known.runs.find(name);
  if (run != known.runs.end() && !run->second.run.rig_id.empty())
    for (const Known::OfRig& of : known.rigs)
      if (of.rig.rig_id == run->second.run.rig_id && of.town == run->second.town)
        return CollectSpec{of.town, of.rig, run->second.run.run_id, run->second.run.branch};
  const Known::OfRig* of = rig_of(data, data + "/clones/" + name, known);
  if (of == nullptr || git::path_part(name) != name) return std::nullopt;
  return CollectSpec{of->town, of->rig, RunId(name), {}};
}

/// Runs of these kinds have a folder and no repository.
bool without_repository(const Known& known, const std::string& name) {
  const auto found = known.runs.find(name);
  return found != known.runs.end() &&
         (found->second.run.kind == RunKind::triage || found->second.run.kind == RunKind::mayor);
}

std::map<std::string, expected<std::vector<Branch>>> branches_in(const std::string& data) {
  std::map<std::string, expected<std::vector<Branch>>> all;
  const auto program = git_of(data);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(data + "/rigs", none)) {
    const std::string folder = entry.path().string() + "/repo.git";
    if (!fs::exists(folder, none)) continue;
    if (!program) {
      all.emplace(folder, tl::unexpected(program.error()));
      continue;
    }
    const auto listed = git::Repository::bare(*program, folder)
                            .text({"for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"},
                                  "listing the branches of " + folder);
    if (!listed) {
      all.emplace(folder, tl::unexpected(listed.error()));
      continue;
    }
    std::vector<Branch> branches;
    std::istringstream lines(*listed);
    for (Branch branch; lines >> branch.tip >> branch.name;) branches.push_back(branch);
    all.emplace(folder, std::move(branches));
  }
  return all;
}

}  // namespace

expected<git::Program> git_of(const std::string& data) {
  static std::mutex one_at_a_time;  // it writes git's configuration
  const std::lock_guard lock(one_at_a_time);
  return git::Program::open(data + "/git");
}

Leftovers leftovers_in(const std::string& data) {
  Leftovers left;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(data + "/clones", none))
    left.clones.push_back(entry.path().filename().string());
  std::sort(left.clones.begin(), left.clones.end());
  left.processes = processes_of_runs(data);
  left.branches = branches_in(data);
  return left;
}

void check_clones(const std::string& data, const Leftovers& left, const Known& known, Instant now, Hands hands,
                  Report& report) {
  for (const std::string& name : left.clones) {
    const std::string run = run_part(name);
    if (!known.over(run, kClonePatience, now) || without_repository(known, run)) continue;
    const std::string path = data + "/clones/" + name;
    Finding finding{"orphan_clone", Severity::warning, {}, path, "no run works in it", {}};
    if (half(name)) {
      finding.what += "; it is half of a clone whose work is elsewhere";
      if (hands.forge) finding.repair = [path] { return git::remove_folder(path); };
    } else if (const auto work = work_in(data, name, known)) {
      finding.town = work->town_id.text;
      finding.what += "; its commits belong to the rig " + work->rig.name;
      if (hands.forge) finding.repair = [forge = hands.forge, work = *work] { return forge->discard(work); };
    } else {
      finding.what += ", and no rig of townd's has its objects, so its commits cannot be saved";
      finding.advice = "look what is in it, then remove it yourself";
    }
    if (finding.advice.empty())
      finding.advice = hands.forge ? "town doctor --fix" : "with the daemon running: town doctor --fix";
    report.findings.push_back(std::move(finding));
  }
}

void check_processes(const std::string& data, const Leftovers& left, const Known& known, Instant now, Hands hands,
                     Report& report) {
  for (const auto& [run, pids] : left.processes) {
    if (!known.over(run, kProcessPatience, now)) continue;
    std::string numbers;
    for (const pid_t pid : pids) numbers += (numbers.empty() ? "" : ", ") + std::to_string(pid);
    Finding finding{"orphan_process",
                    Severity::error,
                    {},
                    run,
                    (known.runs.contains(run) ? "the run is over" : "no town knows the run") +
                        std::string(pids.size() == 1 ? ", but process " : ", but processes ") + numbers + " live" +
                        (pids.size() == 1 ? "s" : ""),
                    hands.runtime ? "town doctor --fix" : "with the daemon running: town doctor --fix"};
    const auto of = known.runs.find(run);
    if (of != known.runs.end()) finding.town = of->second.town.text;
    if (hands.runtime)
      finding.repair = [data, run = run, runtime = hands.runtime]() -> expected<void> {
        // By its keeper, which gives it time; then whatever no keeper knows.
        if (git::path_part(run) == run)
          if (auto stopped = runtime->stop(RunId(run)); !stopped) return stopped;
        return end_processes_of(data, run);
      };
    report.findings.push_back(std::move(finding));
  }
}

namespace {

/// Nothing that has come since names the branch.
expected<void> still_nobodys(const Hands& hands, const TownId& town, const RigId& rig, const std::string& branch) {
  if (!hands.know) return {};
  const auto known = hands.know(town);
  if (!known) return tl::unexpected(known.error());
  for (const Known::OfRig& of : known->rigs)
    if (of.rig.rig_id == rig && !of.branches.contains(branch)) return {};
  return fail(Error::Code::conflict, "something under way names the branch " + branch + " now");
}

void check_branches_of(const Known::OfRig& of, const std::string& folder, const std::vector<Branch>& branches,
                       const std::shared_ptr<const git::Program>& program, const Hands& hands, Report& report) {
  const git::Repository bare = git::Repository::bare(*program, folder);
  for (const auto& [tip, branch] : branches) {
    if (of.branches.contains(branch)) continue;
    const auto kept = bare.text({"for-each-ref", "--count=1", "--format=%(refname)", "--contains=" + tip,
                                 "refs/heads/" + target_of(of.rig), "refs/town"},
                                "looking for what contains " + branch);
    Finding finding{"orphan_branch",
                    Severity::warning,
                    of.town.text,
                    branch,
                    "nothing under way in rig " + of.rig.name + " belongs to it",
                    "town doctor --fix"};
    if (kept && !kept->empty()) {
      finding.what += "; " + *kept + " contains it";
      finding.repair = [program, folder, hands, town = of.town, rig = of.rig.rig_id, branch = branch, tip = tip] {
        return still_nobodys(hands, town, rig, branch).and_then([&] {
          return git::done(
              git::Repository::bare(*program, folder).call({"update-ref", "-d", "refs/heads/" + branch, tip}),
              "deleting the branch " + branch);
        });
      };
    } else {
      finding.what += ", and its commits are nowhere else";
      finding.advice = "look at it, then delete it: git -C " + folder + " branch -D " + branch;
    }
    report.findings.push_back(std::move(finding));
  }
}

/// Made in townd's name, by nobody but townd: when it is gone, so is what had landed on it.
void check_convoys_of(const Known::OfRig& of, const std::string& folder, const git::Program& program, Instant now,
                      Report& report) {
  for (const auto& [branch, since] : of.convoys) {
    if (!stale(since, kConvoyPatience, now)) continue;
    const auto tip = git::Repository::bare(program, folder).commit_of("refs/heads/" + branch);
    if (!tip) return report.cannot_make("missing_branch", tip.error());
    if (!*tip)
      report.findings.push_back({"missing_branch", Severity::error, of.town.text, branch,
                                 "a convoy in rig " + of.rig.name + " lands on it, and it is not in the repository",
                                 "find its newest commit with git -C " + folder +
                                     " log --all, then make it again: git -C " + folder + " branch " + branch +
                                     " COMMIT"});
  }
}

}  // namespace

void check_branches(const std::string& data, const Leftovers& left, const Known& known, Instant now, Hands hands,
                    Report& report) {
  auto opened = git_of(data);
  if (!opened) {
    report.cannot_make("orphan_branch", opened.error());
    return report.cannot_make("missing_branch", opened.error());
  }
  const auto program = std::make_shared<const git::Program>(std::move(*opened));
  for (const Known::OfRig& of : known.rigs) {
    const std::string folder = git::rig_repository(data, of.rig.rig_id);
    const auto listed = left.branches.find(folder);
    if (listed == left.branches.end()) continue;  // not there: told by itself, or made meanwhile
    if (!listed->second) {
      report.cannot_make("orphan_branch", listed->second.error());
      continue;
    }
    check_branches_of(of, folder, *listed->second, program, hands, report);
    check_convoys_of(of, folder, *program, now, report);
  }
}

void check_repositories(const std::string& data, const Known& known, Hands hands, Report& report) {
  for (const Known::OfRig& of : known.rigs) {
    const std::string folder = git::rig_repository(data, of.rig.rig_id);
    std::error_code none;
    // One whose source has never been usable has none yet.
    if (of.rig.default_branch.empty() || fs::exists(folder, none)) continue;
    Finding finding{
        "missing_repository",
        Severity::error,
        of.town.text,
        folder,
        "the repository of rig " + of.rig.name +
            " is not there, nor what was kept in it: work that has not landed, branches of convoys",
        "put it back from a copy of the data folder; to begin anew from the rig's source: town doctor --fix"};
    if (hands.forge)
      finding.repair = [forge = hands.forge, of]() -> expected<void> {
        const auto made = forge->prepare_rig(of.town, of.rig);
        if (!made) return tl::unexpected(made.error());
        if (!made->broken_reason.empty()) return fail(Error::Code::unavailable, made->broken_reason);
        return {};
      };
    report.findings.push_back(std::move(finding));
  }
}

}  // namespace townd::doctor

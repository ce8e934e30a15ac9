#include "runtime/workplace.hpp"

#include <unistd.h>

#include <filesystem>

#include "git/clone.hpp"
#include "git/layout.hpp"
#include "git/names.hpp"
#include "git/repository.hpp"
#include "git/spawn.hpp"
#include "runtime/environment.hpp"
#include "runtime/files.hpp"
#include "runtime/prompt.hpp"
#include "runtime/run_record.hpp"

namespace townd {
namespace {

constexpr std::size_t kCopyLimit = 16u << 20;     // of one file named by `copy`
constexpr std::size_t kScriptLimit = 256u << 10;  // a bead's body

bool needs_repository(const Assignment& work) {
  return work.rig.rig_id && (work.kind == RunKind::work || work.kind == RunKind::review);
}

/// Where the clone starts: the work that is continued when townd has it, else the target's tip.
expected<std::string> start_of(const git::Program& git, const std::string& bare, const Assignment& work) {
  if (work.continue_run_id) {
    const auto ref = git::run_ref(work.continue_run_id);
    const auto commit = git::Repository::bare(git, bare).commit_of(ref);
    if (!commit) return tl::unexpected(commit.error());
    if (*commit) return ref;
  }
  if (git::is_object_id(work.start_commit)) {  // an agent may have named any
    const auto commit = git::Repository::bare(git, bare).commit_of(work.start_commit);
    if (!commit) return tl::unexpected(commit.error());
    if (*commit) return work.start_commit;
  }
  return "refs/heads/" + work.target_branch;
}

expected<void> make_clone(const git::Program& git, const LocalSettings& settings, const Assignment& work,
                          const RunPlaces& places) {
  const auto bare = git::rig_repository(settings.data, work.rig.rig_id);
  return start_of(git, bare, work).and_then([&](const std::string& start) -> expected<void> {
    git::CloneSpec clone;
    clone.bare = bare;
    clone.folder = places.clone;
    clone.branch = work.branch;
    clone.start = start;
    clone.target_branch = work.target_branch;
    for (const TrialRequest& request : work.trial)  // a convoy's landing names a branch of the rig's repository
      if (request.commit.empty()) clone.branches.push_back(request.branch);
    clone.name = git::agent_identity_name(work.agent.name);
    clone.email = git::agent_identity_email(work.agent.name);
    if (const auto made = git::clone_shared(git, clone); !made) return tl::unexpected(made.error());
    if (!git::is_local_path(work.rig.git_url)) return {};
    return copy_files(work.rig.git_url, places.clone, work.rig.config.copy);
  });
}

/// Some agent programs run their tools in login shells, and there /etc/profile puts the system's PATH in place of ours.
expected<void> keep_path(const LocalSettings& settings, const RunPlaces& places) {
  return replace_whole(places.home + "/.profile", "PATH=" + shell_quoted(agent_path(settings)) + "\nexport PATH\n");
}

/// The script of the newest run on a bead; empty when there was none.
std::string script_of(const std::string& runs, const BeadId& bead) {
  std::error_code error;
  RunId newest;
  std::string script;
  for (const auto& entry : std::filesystem::directory_iterator(runs, error)) {
    const auto about = read_about(entry.path().string());
    if (!about || about->bead_id != bead || about->run_id < newest) continue;
    if (auto text = read_whole(entry.path().string() + "/input", kScriptLimit)) {
      newest = about->run_id;
      script = std::move(*text);
    }
  }
  return script;
}

expected<std::string> script_for(const LocalSettings& settings, const AgentSpec& spec) {
  const auto& work = spec.assignment;
  std::string script;
  if (work.rework) {
    script = script_of(settings.data + "/runs", work.rework->source);
  } else if (work.bead && !work.bead->body.empty()) {
    const auto found = spec.texts.find(work.bead->body.hash.hex());
    if (found != spec.texts.end()) script = found->second;
  }
  if (script.empty())
    return fail(Error::Code::conflict, "there is no script to run: with the preset script a bead's body is the script",
                "give the bead a body, or the rig another preset");
  return script;
}

}  // namespace

expected<void> prepare_workplace(const git::Program& git, const LocalSettings& settings, const AgentSpec& spec,
                                 const RunPlaces& places) {
  for (const auto& folder : {settings.data + "/clones", places.home, places.tmp})
    if (auto made = make_folders(folder); !made) return made;
  if (auto kept = keep_path(settings, places); !kept) return kept;
  return needs_repository(spec.assignment) ? make_clone(git, settings, spec.assignment, places)
                                           : make_folders(places.clone);
}

expected<void> copy_files(const std::string& checkout, const std::string& clone,
                          const std::vector<std::string>& files) {
  for (const auto& file : files) {
    const auto text = read_beneath(checkout, file, kCopyLimit);
    if (!text) return tl::unexpected(text.error());
    if (auto written = write_beneath(clone, file, *text, 0600); !written) return written;
  }
  return {};
}

expected<std::string> input_of(const LocalSettings& settings, const AgentSpec& spec, const Preset& preset) {
  switch (preset.input) {
    case Preset::Input::none: return std::string{};
    case Preset::Input::script: return script_for(settings, spec);
    case Preset::Input::prompt: break;
  }
  return prompt_for(settings.prompts, spec.assignment, spec.texts);
}

}  // namespace townd

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/process.hpp"
#include "cli/session.hpp"
#include "core/image.hpp"
#include "server/doctor/folder.hpp"
#include "server/doctor/leftovers.hpp"
#include "store/inspect.hpp"

namespace townd::cli {

namespace {

using doctor::Finding;
using doctor::Report;
using doctor::Severity;

/// What only this program looks at; the rest is doctor::checks().
constexpr std::string_view kMachine = "machine";
constexpr std::string_view kDaemon = "daemon";

bool runs(const std::vector<std::string>& argv) {
  const auto finished = run_program({argv, {}, {}, {}}, std::chrono::seconds(20));
  return finished && finished->ok();
}

void check_machine(Report& report) {
  const auto say = [&](const char* subject, const char* what, const char* advice) {
    report.findings.push_back({kMachine, Severity::error, {}, subject, what, advice});
  };
  if (!runs({"git", "--version"})) say("git", "git cannot be run", "install git");
  if (!runs({"bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true"}))
    say("bwrap", "bubblewrap does not work here: no rig is usable",
        "install bubblewrap and allow user namespaces, or set a rig's sandbox to none");
  if (program_beside_us("townd-shim").empty())
    say("townd-shim", "townd-shim is neither beside town nor in PATH", "install the programs together");
}

Instant now() {
  using std::chrono::milliseconds;
  return {std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

/// What can be seen without a daemon.
expected<Report> examine_folder(const std::string& data) {
  auto images = inspect_store(data);
  if (!images && (images.error().code == Error::Code::not_found || images.error().code == Error::Code::forbidden))
    return fail(Error::Code::invalid, images.error().what, images.error().hint);
  Report report;
  doctor::check_pages(
      [&]() -> expected<void> {
        if (!images) return tl::unexpected(images.error());
        return {};
      },
      report);
  doctor::check_modes(data, report);
  doctor::check_folders(data, report);
  doctor::check_disk(data, report);
  const bool in_use = !images && images.error().code == Error::Code::conflict;
  report.findings.push_back({kDaemon,
                             Severity::warning,
                             {},
                             data,
                             in_use ? "a daemon has it and does not answer" : "no daemon runs on it",
                             in_use ? "see " + data + "/townd.log" : "town up"});
  if (images) {
    doctor::Known known;
    for (TownImage& image : *images) known.add(town_of(std::move(image)));
    const auto left = doctor::leftovers_in(data);
    doctor::check_clones(data, left, known, now(), {}, report);
    doctor::check_processes(data, left, known, now(), {}, report);
    doctor::check_branches(data, left, known, now(), {}, report);
    doctor::check_repositories(data, known, {}, report);
  }
  for (const doctor::Check& check : doctor::checks()) {
    const bool pages = check.name == "damaged_page" || check.name == "file_mode" || check.name == "unusable_folder" ||
                       check.name == "low_disk";
    if (check.live || (!images && !pages))
      report.unmade.push_back({check.name, check.live ? "it takes a running daemon" : "the store cannot be read"});
  }
  return report;
}

/// Adds what was found here to what the daemon found.
json::value together(json::object theirs, const json::object& ours) {
  for (const char* list : {"findings", "unmade", "made"}) {
    json::value& into = theirs[list];
    if (!into.is_array()) into = json::array();
    if (const json::value* more = ours.if_contains(list))
      for (const json::value& element : more->as_array()) into.get_array().push_back(element);
  }
  return theirs;
}

expected<json::value> examine(Session& session, const Values& values) {
  const bool fix = values.has("--fix");
  const auto place = session.place();
  if (!place) return tl::unexpected(place.error());
  Report here;
  json::array made;
  made.push_back({{"check", kDaemon}, {"meaning", "a daemon that answers"}});
  if (!place->data.empty()) {  // else the daemon runs on another machine
    check_machine(here);
    made.push_back({{"check", kMachine}, {"meaning", "git, bubblewrap and townd's own programs"}});
  }
  json::object ours = here.shape();
  ours["made"] = std::move(made);
  if (place->data.empty() || daemon_ready(place->data)) {
    const auto daemon = session.client();
    if (!daemon) return tl::unexpected(daemon.error());
    session.terminal().progress("looking");
    auto found = (*daemon)->call(fix ? "doctor.fix" : "doctor.look", {});
    session.terminal().progress_done();
    if (!found) return tl::unexpected(found.error());
    if (!found->is_object()) return fail(Error::Code::internal, "the daemon's answer cannot be read");
    return together(std::move(found->get_object()), ours);
  }
  auto folder = examine_folder(place->data);
  if (!folder) return tl::unexpected(folder.error());
  if (fix) folder->repair();
  return together(folder->shape(), ours);
}

void print_finding(Terminal& terminal, const json::value& finding) {
  const bool fixed = truth_of(finding, "fixed");
  const bool error = text_of(finding, "severity") == "error";
  const std::string town = text_of(finding, "town");
  const std::string subject = text_of(finding, "subject");
  terminal.line("  " +
                (fixed   ? terminal.styled(Style::good, "fixed  ")
                 : error ? terminal.styled(Style::bad, "error  ")
                         : terminal.styled(Style::warn, "warning")) +
                "  " + terminal.styled(Style::bold, shown(subject)) +
                (town.empty() || town == subject ? "" : " in " + shown(town)) + ": " + shown(text_of(finding, "what")));
  if (const std::string advice = text_of(finding, "advice"); !fixed && !advice.empty())
    terminal.line("           " + shown(advice));
}

/// Grouped by check, as the daemon and we went through them.
void print(Terminal& terminal, const json::value& report) {
  std::map<std::string, std::string> meanings;
  for (const json::value& check : list_of(report, "made"))
    meanings[text_of(check, "check")] = text_of(check, "meaning");
  std::set<std::string> told;
  std::size_t open = 0;
  const json::array& findings = list_of(report, "findings");
  for (const json::value& first : findings) {
    if (!truth_of(first, "fixed")) ++open;
    const std::string check = text_of(first, "check");
    if (!told.insert(check).second) continue;
    terminal.line(terminal.styled(Style::bold, shown(check)) + "  " +
                  terminal.styled(Style::dim, shown(meanings[check])));
    for (const json::value& finding : findings)
      if (text_of(finding, "check") == check) print_finding(terminal, finding);
  }
  std::map<std::string, std::string> unmade;
  for (const json::value& check : list_of(report, "unmade")) {
    std::string& names = unmade[text_of(check, "because")];
    names += (names.empty() ? "" : ", ") + text_of(check, "check");
  }
  for (const auto& [because, names] : unmade)
    terminal.line("not looked at: " + shown(names) + " (" + shown(because) + ")");
  const std::string made = std::to_string(list_of(report, "made").size()) + " checks were made";
  terminal.line(findings.empty() ? made + ", nothing is wrong."
                                 : made + "; " + std::to_string(open) + " of " + std::to_string(findings.size()) +
                                       " findings are open.");
}

expected<int> run_doctor(Session& session, const Values& values) {
  auto report = examine(session, values);
  if (!report) return tl::unexpected(report.error());
  const json::array& findings = list_of(*report, "findings");
  const bool well = list_of(*report, "unmade").empty() &&
                    std::all_of(findings.begin(), findings.end(),
                                [](const json::value& finding) { return truth_of(finding, "fixed"); });
  report->get_object().emplace("ok", well);
  const auto printed = answer(session, report, [&](const json::value&) { print(session.terminal(), *report); });
  if (!printed || *printed != kOk) return printed;
  return well ? kOk : kFailed;
}

}  // namespace

std::vector<Command> doctor_commands() {
  return {{"doctor",
           "Keep",
           "Say what is wrong with machine, data folder, daemon and towns, and put it right where that is safe",
           "town doctor --fix",
           {flag("--fix", "Put right what can be put right without harm")},
           run_doctor}};
}

}  // namespace townd::cli

#include "server/doctor/doctor.hpp"

#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>

#include "engine/engine.hpp"
#include "git/layout.hpp"
#include "git/names.hpp"
#include "git/program.hpp"
#include "ports/clock.hpp"
#include "ports/forge.hpp"
#include "server/doctor/folder.hpp"
#include "server/doctor/leftovers.hpp"
#include "server/doctor/town_checks.hpp"
#include "server/tokens.hpp"

namespace townd::doctor {
namespace {

/// An engine that is so busy, or is being closed, is told of and not waited for.
constexpr std::chrono::seconds kEngineAnswers{30};
/// Whoever asks waits two minutes for the whole answer.
constexpr std::chrono::seconds kHostAnswers{15};
constexpr std::chrono::seconds kHostsAnswer{60};
constexpr Duration kNoPatience{};

template <class Answer>
expected<Answer> wait_for(std::future<expected<Answer>> answer) {
  if (answer.wait_for(kEngineAnswers) == std::future_status::ready) return answer.get();
  return fail(Error::Code::unavailable, "the engine does not answer",
              "try again; if it stays so: town down && town up");
}

/// What `see` makes of the town, on the engine's thread.
template <class Answer>
expected<Answer> ask(Engine& engine, const TownId& town, std::function<Answer(const Engine::View&)> see) {
  const auto answer = std::make_shared<std::promise<expected<Answer>>>();
  auto coming = answer->get_future();
  engine.look(
      town, [answer, see = std::move(see)](const Engine::View& view) { answer->set_value(see(view)); },
      [answer, town] { answer->set_value(fail(Error::Code::not_found, "there is no town " + town.text)); });
  return wait_for(std::move(coming));
}

struct Seen {
  Known known;
  Report report;
};

Seen see(const Engine::View& view, const RetryEvent& retry) {
  Seen seen;
  check_stopped(view, seen.report);
  if (!view.quarantined.empty()) {
    seen.known.unseen.insert(view.town.row().town_id);  // its rows may be none at all
    return seen;
  }
  seen.known.add(view.town);
  check_quarantine(view, retry, seen.report);
  check_doubts(view, seen.report);
  check_presets(view, seen.report);
  check_invariants(view, seen.report);
  check_stuck_work(view, seen.report);
  return seen;
}

void take(Known& known, Report& report, Seen seen) {
  known.runs.merge(seen.known.runs);
  known.towns.merge(seen.known.towns);
  known.unseen.merge(seen.known.unseen);
  std::move(seen.known.rigs.begin(), seen.known.rigs.end(), std::back_inserter(known.rigs));
  std::move(seen.report.findings.begin(), seen.report.findings.end(), std::back_inserter(report.findings));
}

Known look_at_towns(Services& services, Report& report) {
  const RetryEvent retry = [&services](const TownId& town, std::int64_t seq) {
    return retry_event(services, town, seq, "doctor");
  };
  Known known;
  for (const TownId& town : services.engine.towns()) {
    auto seen = ask<Seen>(services.engine, town, [retry](const Engine::View& view) { return see(view, retry); });
    if (seen) {
      take(known, report, std::move(*seen));
    } else {
      known.unseen.insert(town);
      report.findings.push_back(
          {"stopped_town", Severity::error, town.text, town.text, seen.error().what, seen.error().hint});
    }
  }
  return known;
}

/// What one town says of its runs and branches now.
expected<Known> know(Services& services, const TownId& town) {
  return ask<Known>(services.engine, town, [](const Engine::View& view) {
    Known known;
    if (view.quarantined.empty())
      known.add(view.town);
    else
      known.unseen.insert(view.town.row().town_id);
    return known;
  });
}

/// Whether a source answers now; the reason when it does not. On this machine it is looked at as a start of work would.
std::string trouble_with(Services& services, const git::Program& git, const Known::OfRig& of) {
  if (git::is_local_path(of.rig.git_url)) {
    const auto found = services.forge.prepare_rig(of.town, of.rig);
    return found ? found->broken_reason : found.error().what;
  }
  git::Call call;
  call.transport = git::Transport::network;
  call.timeout = kHostAnswers;
  const auto answered = git::done(git.alone({"ls-remote", "--quiet", "--end-of-options", of.rig.git_url, "HEAD"}, call),
                                  "asking " + git::without_credentials(of.rig.git_url));
  return answered ? std::string() : answered.error().what;
}

void check_rigs(Services& services, const Known& known, Report& report) {
  const auto git = git_of(services.data);
  if (!git) return report.cannot_make("unreachable_rig", git.error());
  const auto until = std::chrono::steady_clock::now() + kHostsAnswer;
  for (const Known::OfRig& of : known.rigs) {
    if (std::chrono::steady_clock::now() > until)
      return report.cannot_make("unreachable_rig",
                                {Error::Code::unavailable, "some hosts took too long to answer", {}});
    std::string broken = of.rig.broken_reason;
    std::error_code none;
    // A look makes no repository where one is missing: that is told by itself.
    if (!of.rig.default_branch.empty() &&
        !std::filesystem::exists(git::rig_repository(services.data, of.rig.rig_id), none))
      continue;
    if (broken.empty()) broken = trouble_with(services, *git, of);
    if (!broken.empty())
      report.findings.push_back({"unreachable_rig", Severity::error, of.town.text, of.rig.rig_id.text,
                                 "rig " + of.rig.name + " cannot be worked on: " + broken,
                                 "town show " + of.rig.rig_id.text + "; it is looked at again by itself"});
  }
}

/// Whether pull requests can be made where they shall be, by the token that townd has.
void check_hosts(Services& services, const Known& known, Report& report) {
  const auto until = std::chrono::steady_clock::now() + kHostsAnswer;
  for (const Known::OfRig& of : known.rigs) {
    if (!of.pull_requests) continue;
    if (std::chrono::steady_clock::now() > until)
      return report.cannot_make("unusable_host", {Error::Code::unavailable, "some hosts took too long to answer", {}});
    if (const std::string trouble = services.forge.pr_trouble(of.rig); !trouble.empty())
      report.findings.push_back({"unusable_host", Severity::error, of.town.text, of.rig.rig_id.text,
                                 "rig " + of.rig.name + " can have no pull requests: " + trouble,
                                 "see docs/forges.md; then start townd again or `town rig set " + of.rig.name + "`"});
  }
}

/// The run that a token is for has begun since, or its town has come.
expected<void> still_useless(Services& services, const TokenRow& row) {
  if (row.run_id.empty()) return {};
  const auto known = know(services, TownId(row.town_id));
  if (!known) return known.error().code == Error::Code::not_found ? expected<void>() : tl::unexpected(known.error());
  if (known->unseen.empty() && known->over(git::path_part(row.run_id), kNoPatience, services.clock.now())) return {};
  return fail(Error::Code::conflict, "the run " + row.run_id + " is not over");
}

void check_known_tokens(Services& services, const expected<std::vector<TokenRow>>& tokens, const Known& known,
                        Instant now, Report& report) {
  if (!tokens) return report.cannot_make("useless_token", tokens.error());
  const PutToken put = [&services](const TokenRow& row) -> expected<void> {
    if (auto still = still_useless(services, row); !still) return still;
    return services.store.put_token(row).and_then([&] { return services.tokens.reload(); });
  };
  check_tokens(*tokens, known, now, put, report);
}

}  // namespace

Report examine(Services& services) {
  Report report;
  const std::string& data = services.data;
  check_pages(services.check_pages, report);
  check_modes(data, report);
  check_folders(data, report);
  check_disk(data, report);
  // First what is there, then what the towns know: what comes between is theirs and not in the lists.
  const Leftovers left = leftovers_in(data);
  const auto tokens = services.store.tokens();
  const Known known = look_at_towns(services, report);
  const Instant now = services.clock.now();
  const Hands hands{&services.forge, &services.runtime,
                    [&services](const TownId& town) { return know(services, town); }};
  check_repositories(data, known, hands, report);
  check_known_tokens(services, tokens, known, now, report);
  if (known.unseen.empty()) {
    check_clones(data, left, known, now, hands, report);
    check_processes(data, left, known, now, hands, report);
    check_branches(data, left, known, now, hands, report);
  } else {
    const Error unsure{Error::Code::unavailable, "a town could not be looked at; it may be its own", {}};
    for (const char* check : {"orphan_clone", "orphan_process", "orphan_branch", "missing_branch"})
      report.cannot_make(check, unsure);
  }
  check_rigs(services, known, report);  // last: hosts may take long to answer
  check_hosts(services, known, report);
  return report;
}

expected<void> retry_event(Services& services, const TownId& town, std::int64_t seq, const std::string& actor) {
  const auto answer = std::make_shared<std::promise<expected<Receipt>>>();
  auto coming = answer->get_future();
  services.engine.submit(town, events::EventRetried{seq, actor},
                         [answer](const expected<Receipt>& receipt) { answer->set_value(receipt); });
  if (const auto tried = wait_for(std::move(coming)); !tried) return tl::unexpected(tried.error());
  const auto why = ask<std::string>(services.engine, town, [seq](const Engine::View& view) {
    const auto waiting = view.town.deferred().find(seq);
    return waiting == view.town.deferred().end() ? std::string() : waiting->second.reason;
  });
  if (!why) return tl::unexpected(why.error());
  if (why->empty()) return {};
  return fail(Error::Code::conflict, "event " + std::to_string(seq) + " could not be applied again: " + *why,
              "town log --json shows it");
}

}  // namespace townd::doctor

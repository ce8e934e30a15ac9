#include <chrono>
#include <cstdio>
#include <map>

#include "cli/daemon.hpp"
#include "cli/demo.hpp"

namespace townd::cli::demo {

namespace {

constexpr std::chrono::minutes kScriptsWithin{3};  // the demo itself takes less than one
constexpr std::chrono::hours kAgentsWithin{1};
constexpr std::chrono::milliseconds kLookUp{1000};  // from the stream, for an interruption

/// What is said about a bead whose status has changed; empty: nothing.
std::string news(const json::value& bead) {
  const std::string status = text_of(bead, "status");
  const std::string type = text_of(bead, "type");
  bool rework = false;
  for (const json::value& label : list_of(bead, "labels")) rework = rework || label == "gt:rework";
  if (type == "convoy") return status == "closed" ? "has landed on main" : status == "failed" ? "has failed" : "";
  if (type == "escalation") return "needs a person: ";
  if (type != "issue") return {};
  if (status == "in_progress") return rework ? "came back and is reworked" : "is worked on";
  if (status == "in_review") return "is tested and merged";
  if (status == "closed") return rework ? "" : "is merged";
  if (status == "failed") return "has failed";
  return {};
}

class Watcher {
 public:
  Watcher(Session& session, std::string convoy) : session_(session), convoy_(std::move(convoy)) {}

  /// Reads all beads and says what is new. Answers whether the convoy has ended.
  expected<bool> look() {
    const auto beads = session_.in_town("bead.list", {}, {{"limit", 500}});
    if (!beads) return tl::unexpected(beads.error());
    for (const json::value& bead : list_of(*beads)) {
      const std::string id = text_of(bead, "bead_id");
      std::string& known = status_[id];
      const std::string now = text_of(bead, "status");
      if (known == now) continue;
      known = now;
      if (const std::string what = news(bead); !what.empty()) say(id, text_of(bead, "title"), what);
    }
    const std::string status = status_[convoy_];
    if (status == "failed") return fail(Error::Code::internal, "the convoy has failed");
    return status == "closed";
  }

 private:
  void say(const std::string& id, const std::string& title, const std::string& what) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    char time[16];
    std::snprintf(time, sizeof time, "%5.1f s", seconds);
    std::string name = shown(cut(title, 44));
    name.resize(std::max(name.size(), std::size_t{46}), ' ');
    const Style style = what == "is merged" || what == "has landed on main" ? Style::good
                        : what == "came back and is reworked"               ? Style::warn
                        : what == "has failed"                              ? Style::bad
                                                                            : Style::plain;
    Terminal& terminal = session_.terminal();
    terminal.line(terminal.styled(Style::dim, time) + "  " + shown(id) +
                  std::string(id.size() < 8 ? 8 - id.size() : 0, ' ') + "  " + name + terminal.styled(style, what));
    terminal.flush();
  }

  Session& session_;
  std::string convoy_;
  std::map<std::string, std::string> status_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// Why each piece of work that has not ended stands where it is: for a demo that went wrong.
std::string standing(Session& session, const std::string& convoy) {
  const auto detail = session.in_town("convoy.get", {{"convoy", convoy}});
  if (!detail) return {};
  std::string text;
  for (const json::value& bead : list_of(*detail, "beads")) {
    if (text_of(bead, "status") == "closed") continue;
    text += "\n" + text_of(bead, "bead_id") + "  " + text_of(bead, "status") + "  " + text_of(bead, "title");
    const auto why = session.in_town("explain.why", {{"id", text_of(bead, "bead_id")}});
    if (!why) continue;
    for (const json::value& decision : list_of(*why, "decisions"))
      text += "\n    " + text_of(decision, "rule") + " " + text_of(decision, "decision") + ": " +
              text_of(decision, "because");
  }
  return text;
}

}  // namespace

expected<void> watch(Session& session, const Places& places, const std::string& convoy) {
  using clock = std::chrono::steady_clock;
  const auto deadline =
      clock::now() + (session.values().has("--agent") ? clock::duration(kAgentsWithin) : kScriptsWithin);
  const auto go_on = [&] { return !interrupted() && clock::now() < deadline; };
  Watcher watcher(session, convoy);
  const auto town = session.town();
  if (!town) return tl::unexpected(town.error());
  for (;;) {
    const auto seen = watcher.look();
    if (seen && *seen) return {};
    if (!seen && seen.error().code != Error::Code::unavailable) return tl::unexpected(seen.error());
    if (interrupted()) return fail(Error::Code::internal, "interrupted; everything is removed again");
    if (clock::now() >= deadline)
      return fail(Error::Code::internal, "the convoy has not landed in time" + standing(session, convoy),
                  "Run it again with --keep and look at data/townd.log.");
    if (!daemon_ready(places.data)) {
      session.terminal().line("townd is gone; starting it again");
      const auto started = start_daemon(places.data, daemon_arguments(places), session.terminal());
      if (!started) return tl::unexpected(started.error());
      continue;
    }
    // From the beginning of what the stream remembers, so that nothing between looking and listening is missed.
    expected<bool> ended = false;
    (void)(*session.client())
        ->follow("town.stream", {{"town", *town}}, {},
                 [&](const StreamEvent&) {
                   ended = watcher.look();
                   return ended && !*ended && go_on();
                 },
                 "0.0", {{}, [&] { return go_on() ? std::optional(kLookUp) : std::nullopt; }});
  }
}

}  // namespace townd::cli::demo

#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/watch.hpp"

namespace townd::cli {
namespace {

constexpr std::size_t kTitle = 50;

using Lines = std::vector<std::string>;

/// `12:30:05` of an ISO time.
std::string clock_of(const std::string& iso) { return iso.size() < 19 ? iso : iso.substr(11, 8); }

std::string expected_of(const json::value& of) {
  const std::string at = text_of(of, "expected_at");
  return at.empty() ? "" : "  expected " + clock_of(at);
}

/// `acme-7 Louder pump, acme-9 Quieter pump`, the source's id with its title.
void add_requests(const json::value& of, Lines& lines) {
  for (const json::value& request : list_of(of, "requests"))
    lines.push_back("    " + shown(text_of(request, "source_bead_id")) + "  " +
                    shown(cut(text_of(request, "title"), kTitle)) + "  → " + shown(text_of(request, "target_branch")));
}

void add_waiting(const Terminal& terminal, const json::value& rig, Lines& lines) {
  Table table({"", "REQUEST", "FOR", "TITLE", "PRIORITY", "EXPECTED", ""});
  for (const json::value& request : list_of(rig, "waiting")) {
    const std::string expected = text_of(request, "expected_at");
    const std::string why = truth_of(request, "suspected") ? "suspected" : text_of(request, "because");
    const auto position = number_of(request, "position");
    table.row({{position > 0 ? std::to_string(position) : ""},
               {text_of(request, "bead_id"), Style::dim},
               {text_of(request, "source_bead_id")},
               {cut(text_of(request, "title"), kTitle)},
               {text_of(request, "priority"), Style::dim},
               {expected.empty() ? "" : clock_of(expected)},
               {why, Style::warn}});
  }
  if (table.empty()) return;
  for (const std::string& line : table.lines(terminal)) lines.push_back("  " + line);
}

Lines page_of(const Terminal& terminal, const json::value& queues) {
  Lines lines;
  for (const json::value& rig : list_of(queues, "rigs")) {
    if (!lines.empty()) lines.emplace_back();
    const std::string reason = text_of(rig, "paused_reason"), until = text_of(rig, "paused_until");
    lines.push_back(terminal.styled(Style::bold, shown(text_of(rig, "name"))) + "  " +
                    std::to_string(list_of(rig, "waiting").size()) + " waiting, up to " +
                    std::to_string(number_of(rig, "batch_size")) + " tried together");
    if (!until.empty())
      lines.push_back("  " + terminal.styled(Style::bad, "paused") + " until " + clock_of(until) + ": " +
                      shown(reason));
    else if (!reason.empty())
      lines.push_back("  " + terminal.styled(Style::warn, "tries one request") + " after a pause: " + shown(reason));
    for (const json::value& trial : list_of(rig, "trials")) {
      const std::string doing = text_of(trial, "doing");
      const char* what = doing == "review" ? "read" : doing == "trial_ahead" ? "tried on top of that" : "tried";
      lines.push_back("  " + terminal.styled(Style::good, what) + " by " + shown(text_of(trial, "agent")) + " since " +
                      clock_of(text_of(trial, "since")) + expected_of(trial));
      add_requests(trial, lines);
    }
    for (const json::value& landing : list_of(rig, "landings")) {
      const std::string held = text_of(landing, "held");
      lines.push_back("  " + terminal.styled(Style::good, "landing") + " since " + clock_of(text_of(landing, "since")) +
                      (held.empty() ? "" : "  " + terminal.styled(Style::warn, "held: ") + shown(held)));
      add_requests(landing, lines);
    }
    add_waiting(terminal, rig, lines);
    for (const json::value& gate : list_of(rig, "gates"))
      if (number_of(gate, "flakes") > 0)
        lines.push_back("  " + terminal.styled(Style::warn, "flaky: ") + shown(text_of(gate, "gate")) + " failed " +
                        std::to_string(number_of(gate, "reds")) + " times, " +
                        std::to_string(number_of(gate, "flakes")) + " of them for nothing");
  }
  if (lines.empty()) lines.push_back("There is no rig.");
  return lines;
}

expected<int> queue(Session& session, const Values& values) {
  json::object query;
  if (const std::string rig = values.text("RIG"); !rig.empty()) query["rig"] = rig;
  if (values.has("--resume")) {
    if (query.empty()) return fail(Error::Code::invalid, "--resume needs a rig", "town queue RIG --resume");
    const auto resumed = session.in_town("queue.resume", {{"rig", values.text("RIG")}});
    if (!resumed) return tl::unexpected(resumed.error());
  }
  return show_or_watch(session, values, [&]() -> expected<Seen> {
    auto queues = session.in_town("queue.get", {}, query);
    if (!queues) return tl::unexpected(queues.error());
    Lines page = page_of(session.terminal(), *queues);
    return Seen{std::move(*queues), std::move(page)};
  });
}

}  // namespace

std::vector<Command> queue_commands() {
  return {
      {"queue",
       "Look",
       "The merge queues: what is tried together, what lands, what waits and until when",
       "town queue shop --watch",
       {maybe("RIG", "Only this rig's"), flag("--watch", "Stay, and show it again whenever something changes"),
        flag("--resume", "Go on now with a queue that is paused")},
       queue},
  };
}

}  // namespace townd::cli

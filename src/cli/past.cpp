#include "cli/commands.hpp"
#include "cli/past_file.hpp"
#include "cli/past_words.hpp"
#include "cli/session.hpp"
#include "cli/story.hpp"
#include "codec/ticks.hpp"
#include "codec/time_text.hpp"
#include "core/explain.hpp"

namespace townd::cli {

namespace {

constexpr int kPage = 500;
constexpr int kTicksShown = 100;

void print_event(Terminal& terminal, const json::value& event) {
  if (terminal.json()) {
    terminal.value(event);
    return;
  }
  std::string line = terminal.styled(Style::dim, clock_of(text_of(event, "created_at"))) + "  " +
                     terminal.styled(Style::bold, shown(text_of(event, "event_type")));
  for (const char* key : {"bead_id", "agent_id"})
    if (const std::string id = text_of(event, key); !id.empty()) line += "  " + shown(id);
  const std::string fate = text_of(event, "fate");
  if (fate == "deferred" || fate == "quarantined") line += "  " + terminal.styled(Style::bad, fate);
  if (const std::string note = text_of(event, "note"); !note.empty()) line += "  " + shown(cut(note, 120));
  terminal.line(line);
}

/// The recorded events behind `after`, page by page. Answers the number of the last one.
expected<std::int64_t> each_event(Session& session, json::object query, std::int64_t after,
                                  const std::function<void(const json::value&)>& take) {
  for (;;) {
    query["after"] = after;
    query["limit"] = kPage;
    const auto events = session.in_town("event.list", {}, query);
    if (!events) return tl::unexpected(events.error());
    const json::array& page = list_of(*events);
    for (const json::value& event : page) {
      take(event);
      after = number_of(event, "seq");
    }
    if (page.size() < kPage) return after;
  }
}

/// Follows the live stream and prints the events that arrive, until the daemon or the person ends it.
expected<int> follow_events(Session& session, const json::object& query, std::int64_t after) {
  const auto town = session.town();
  if (!town) return tl::unexpected(town.error());
  Terminal& terminal = session.terminal();
  expected<void> trouble;
  const auto ended = (*session.client())->follow("town.stream", {{"town", *town}}, {}, [&](const StreamEvent& item) {
    if (item.kind != "tick") return true;
    const auto last =
        each_event(session, query, after, [&](const json::value& event) { print_event(terminal, event); });
    if (!last) trouble = tl::unexpected(last.error());
    if (last) after = *last;
    if (!terminal.flush()) trouble = fail(Error::Code::internal, "the output cannot be written");
    return trouble.has_value();
  });
  if (!ended) return tl::unexpected(ended.error());
  if (!trouble) return tl::unexpected(trouble.error());
  return fail(Error::Code::unavailable, "the daemon closed the stream", "See whether it runs: town doctor");
}

expected<int> log(Session& session, const Values& values) {
  Terminal& terminal = session.terminal();
  const std::string id = values.text("ID");
  if (!id.empty() && !values.has("--follow")) {
    for (const char* name : {"--from", "--to", "--type"})
      if (values.has(name))
        return fail(Error::Code::invalid, std::string(name) + " is for what the town was told, not for one bead",
                    "leave it out, or follow the bead with -f");
    return tell_story(session, id);
  }
  if (!id.empty())
    if (const auto known = session.in_town("bead.get", {{"bead", id}}, {}, id); !known)
      return tl::unexpected(known.error());
  json::object query;
  if (!id.empty()) query["bead"] = id;
  if (values.has("--from")) query["from"] = values.text("--from");
  if (values.has("--to")) query["to"] = values.text("--to");
  if (values.has("--type")) query["type"] = values.text("--type");
  const auto last = each_event(session, query, 0, [&](const json::value& event) { print_event(terminal, event); });
  if (!last) return tl::unexpected(last.error());
  terminal.flush();
  return values.has("--follow") ? follow_events(session, query, *last) : expected<int>(kOk);
}

expected<int> logs(Session& session, const Values& values) {
  const auto agent = session.agent_named(values.text("AGENT"));
  if (!agent) return tl::unexpected(agent.error());
  Terminal& terminal = session.terminal();
  json::object query;
  if (values.has("--run")) query["run_id"] = values.text("--run");
  if (!values.has("--follow"))
    return answer(session, session.in_town("agent.log", {{"agent", *agent}}, query), [&](const json::value& log) {
      const std::string text = text_of(log, "text");
      terminal.line(text.empty() ? "It has said nothing." : shown(text, Keep::lines));
    });
  query["follow"] = true;
  const auto town = session.town();
  if (!town) return tl::unexpected(town.error());
  const auto ended =
      (*session.client())
          ->follow_text("agent.log", {{"town", *town}, {"agent", *agent}}, query, [&](std::string_view piece) {
            terminal.text(shown(piece, Keep::lines));
            terminal.flush();
            return true;
          });
  if (!ended) return tl::unexpected(ended.error());
  return kOk;
}

/// With a file and no daemon.
expected<json::value> why_in(const std::string& path, const std::string& id, const std::optional<std::string>& when) {
  const auto file = PastFile::open(path);
  if (!file) return tl::unexpected(file.error());
  const auto at = file->past_moment(when);
  if (!at) return tl::unexpected(at.error());
  const auto past = file->run_again({*at, *at});
  if (!past) return tl::unexpected(past.error());
  const Explanation explanation = explain(past->town, id, *at);
  if (explanation.status.empty() && explanation.decisions.empty())
    return fail(Error::Code::not_found, "nothing in the file was called " + id + " at " + to_text(*at),
                "give the id of a bead, an agent, a rig or a message");
  return explanation_json(explanation);
}

expected<json::value> why_found(Session& session, const Values& values) {
  const std::string id = values.text("ID");
  std::optional<std::string> at;
  if (values.has("--at")) at = values.text("--at");
  if (values.has("--snapshot")) return why_in(values.text("--snapshot"), id, at);
  return at ? session.in_town("past.why", {{"id", id}}, {{"at", *at}}, id)
            : session.in_town("explain.why", {{"id", id}}, {}, id);
}

expected<int> why(Session& session, const Values& values) {
  const auto found = why_found(session, values);
  return answer(session, found, [&](const json::value& why) {
    Terminal& terminal = session.terminal();
    terminal.line(terminal.styled(Style::bold, shown(text_of(why, "id"))) + "  " + shown(text_of(why, "status")));
    for (const json::value& decision : list_of(why, "decisions")) {
      const std::string kind = text_of(decision, "decision");
      const std::string until = text_of(decision, "until");
      const Style style = kind == "act" ? Style::good : kind == "wait" ? Style::warn : Style::plain;
      const std::string verb = kind == "act" ? "acts now" : kind == "wait" ? "waits" : "holds";
      terminal.line("  " + shown(text_of(decision, "rule")) + "  " + terminal.styled(style, verb) +
                    (until.empty() ? "" : " until " + clock_of(until)) + ": " + shown(text_of(decision, "because")));
    }
    if (const std::string next = text_of(why, "next"); !next.empty()) terminal.line("Next: " + shown(next));
  });
}

/// What a tick did, in a few words.
std::string tick_in_words(const json::value& record) {
  std::string words;
  for (const json::value& decision : list_of(record, "decisions")) {
    const std::string fate = text_of(decision, "fate");
    words += (words.empty() ? "" : ", ") + text_of(decision, "rule") + " " + text_of(decision, "subject") +
             (fate.empty() || fate == "applied" ? "" : " (" + fate + ")");
  }
  const std::size_t broken = list_of(record, "violations").size();
  if (broken > 0) words += (words.empty() ? "" : ", ") + std::to_string(broken) + " violations";
  return words;
}

void print_ticks(Terminal& terminal, const json::value& ticks) {
  Table table({"TICK", "AT", "BY", "FACTS", "EFFECTS", "DECIDED"});
  for (const json::value& tick : list_of(ticks)) {
    const json::value& record = member_of(tick, "record");
    table.row({{std::to_string(number_of(tick, "tick")), Style::dim},
               {text_of(tick, "at"), Style::dim},
               {text_of(record, "trigger")},
               {std::to_string(list_of(record, "events").size())},
               {std::to_string(list_of(record, "effects").size())},
               {cut(tick_in_words(record), 100), Style::bold}});
  }
  table.print_or(terminal, "No such tick is remembered.");
}

void print_tick(Terminal& terminal, const json::value& tick) {
  const json::value& record = member_of(tick, "record");
  const json::value& phases = member_of(record, "phases_us");
  terminal.line(terminal.styled(Style::bold, "tick " + std::to_string(number_of(tick, "tick"))) + "  " +
                text_of(tick, "at") + "  by " + text_of(record, "trigger"));
  std::string took = "took " + std::to_string(number_of(record, "wall_us")) + " µs";
  for (const char* phase : {"drain", "reconcile", "digest", "rows"})
    took += std::string(", ") + phase + " " + std::to_string(number_of(phases, phase));
  terminal.line("  " + took);
  for (const json::value& fact : list_of(tick, "facts"))
    terminal.line("  fact " + std::to_string(number_of(fact, "seq")) + "  " + shown(text_of(fact, "event_type")) +
                  "  " + shown(text_of(fact, "bead_id")) + "  " + shown(text_of(fact, "agent_id")));
  for (const json::value& sign : list_of(record, "life"))
    terminal.line("  sign of life of " + shown(text_of(sign, "agent_id")) + " at " + text_of(sign, "at"));
  for (const json::value& decision : list_of(record, "decisions")) {
    terminal.line("  " + terminal.styled(Style::bold, shown(text_of(decision, "rule"))) + "  " +
                  shown(text_of(decision, "subject")) + "  " + shown(text_of(decision, "why")));
    for (const json::value& action : list_of(decision, "actions"))
      terminal.line("    " + shown(cut(json::serialize(action), 160)));
  }
  for (const json::value& violation : list_of(record, "violations"))
    terminal.line(terminal.styled(Style::bad, "  violation ") + std::to_string(number_of(violation, "invariant")) +
                  ": " + shown(text_of(violation, "message")));
  for (const json::value& effect : list_of(tick, "effects"))
    terminal.line("  effect " + shown(text_of(effect, "key")) + "  " + shown(text_of(effect, "state")) + "  " +
                  shown(cut(text_of(effect, "detail"), 100)));
  terminal.line("  digest " + shown(text_of(record, "digest")));
}

expected<int> ticks(Session& session, const Values& values) {
  if (const auto number = values.number("N")) {
    for (const char* name : {"--rule", "--bead", "--agent", "--from", "--to", "--violations", "--limit"})
      if (values.has(name))
        return fail(Error::Code::invalid, std::string(name) + " chooses among ticks, and one is named already",
                    "leave one of the two out");
    return answer(session, session.in_town("tick.get", {{"n", std::to_string(*number)}}),
                  [&](const json::value& tick) { print_tick(session.terminal(), tick); });
  }
  json::object query;
  for (const char* name : {"--rule", "--bead", "--agent", "--from", "--to"})
    if (values.has(name)) query[std::string_view(name).substr(2)] = values.text(name);
  if (values.has("--violations")) query["violations"] = true;
  const auto limit = values.number("--limit").value_or(kTicksShown);
  query["limit"] = limit;
  return answer(session, session.in_town("tick.list", {}, query), [&](const json::value& found) {
    print_ticks(session.terminal(), found);
    if (std::ssize(list_of(found)) == limit)
      session.terminal().line("There may be older ones: --limit, or --to with an earlier time.");
  });
}

}  // namespace

std::vector<Command> past_commands() {
  return {
      {"log",
       "Look",
       "What happened: to one bead, its requests, decisions and effects, or everything the town was told",
       "town log -f",
       {maybe("ID", "A bead's id; everything when left out"), flag("-f,--follow", "Go on as it happens"),
        option("--from", "Since this time, such as 2026-07-01T12:00:00Z"), option("--to", "Until this time"),
        option("--type", "Only this kind of event")},
       log},
      {"logs",
       "Look",
       "The output of an agent",
       "town logs toast -f",
       {word("AGENT", "The agent's name or id"), flag("-f,--follow", "Go on as it is written"),
        option("--run", "An earlier run; the current or last one when left out")},
       logs},
      {"ticks",
       "Look",
       "The recorded ticks: what each was given, what it decided, what came of it",
       "town ticks --rule beads.assign --bead acme-12",
       {number("N", "One tick, opened; the newest ones when left out"),
        option("--rule", "Only those in which it decided"), option("--bead", "Only those about this bead"),
        option("--agent", "Only those in which this agent is named"),
        flag("--violations", "Only those in which something was refused or found to be broken"),
        option("--from", "Since this time, such as 2026-07-01T12:00:00Z"), option("--to", "Until this time"),
        number("--limit", "How many; 100 when left out")},
       ticks},
      {"why",
       "Look",
       "Why a bead, agent, rig or message is where it is, and what happens next",
       "town why acme-12",
       {word("ID", "Its id"), option("--at", "Then, such as 2026-07-01T12:00:00Z, instead of now"),
        option("--snapshot", "In a file (town export, town bundle) instead of the live town; needs no daemon")},
       why},
  };
}

}  // namespace townd::cli

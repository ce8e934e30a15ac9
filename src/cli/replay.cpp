#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/settings.hpp"

namespace townd::cli {

namespace {

Param needed(Param param) {
  param.required = true;
  return param;
}

/// The action in a few words: its type, what it is about, and where that goes.
std::string in_words(const json::value& action) {
  std::string words = text_of(action, "type");
  for (const char* key : {"bead_id", "agent_id", "convoy_id", "nudge_id", "mail_id", "chosen"})
    if (const std::string id = text_of(action, key); !id.empty()) words += " " + id;
  if (const std::string to = text_of(action, "to"); !to.empty()) words += " " + text_of(action, "from") + " → " + to;
  if (const std::string why = text_of(action, "skipped"); !why.empty()) words += " (skipped: " + why + ")";
  return words;
}

std::string all_in_words(const json::value& actions) {
  std::string words;
  for (const json::value& action : list_of(actions)) words += (words.empty() ? "" : "; ") + in_words(action);
  return words.empty() ? "–" : words;
}

void print_actions(Terminal& terminal, const json::value& actions, const std::string& none) {
  Table table({"TICK", "AT", "RULE", "ACTION"});
  for (const json::value& action : list_of(actions))
    table.row({{number_of(action, "tick") > 0 ? std::to_string(number_of(action, "tick")) : "", Style::dim},
               {text_of(action, "at"), Style::dim},
               {text_of(action, "rule")},
               {in_words(action), Style::bold}});
  table.print_or(terminal, none);
}

void print_difference(Terminal& terminal, const json::value& difference) {
  terminal.line(terminal.styled(Style::bad, "differs") + " at tick " + std::to_string(number_of(difference, "tick")) +
                " (" + text_of(difference, "at") + "), first in its " + text_of(difference, "what"));
  for (const char* side : {"recorded", "replayed"}) {
    const json::value& record = member_of(difference, side);
    terminal.line(std::string("  ") + side + ": digest " + text_of(record, "digest"));
    for (const json::value& decision : list_of(record, "decisions"))
      terminal.line("    " + shown(text_of(decision, "rule")) + "  " + shown(text_of(decision, "subject")) + "  " +
                    shown(all_in_words(member_of(decision, "actions"))));
  }
}

void print_variation(Terminal& terminal, const json::value& rerun) {
  Table table({"TICK", "AT", "AS IT WAS", "INSTEAD"});
  for (const json::value& tick : list_of(rerun, "differing"))
    table.row({{number_of(tick, "tick") > 0 ? std::to_string(number_of(tick, "tick")) : "", Style::dim},
               {text_of(tick, "at"), Style::dim},
               {cut(all_in_words(member_of(tick, "as_it_was")), 70)},
               {cut(all_in_words(member_of(tick, "instead")), 70), Style::bold}});
  table.print_or(terminal, "Every tick would have decided the same.");
  Table ends({"ID", "ENDED AS", "WOULD HAVE"});
  for (const json::value& row : list_of(rerun, "ends_apart"))
    ends.row({{text_of(row, "id"), Style::dim}, {text_of(row, "as_it_was")}, {text_of(row, "instead"), Style::bold}});
  ends.print_or(terminal, "Everything would have ended as it did.");
}

void print_rerun(Terminal& terminal, const json::value& rerun) {
  for (const json::value& why : list_of(rerun, "unusable_snapshots"))
    terminal.line(terminal.styled(Style::warn, "passed over: ") + shown(why.is_string() ? why.get_string() : ""));
  const json::value& difference = member_of(rerun, "first_difference");
  const bool matches = difference.is_null();
  if (member_of(rerun, "differing").is_array()) {
    print_variation(terminal, rerun);
  } else {
    print_actions(terminal, member_of(rerun, "actions"), "Nothing was decided in this time.");
    terminal.line();
    print_actions(terminal, member_of(rerun, "nextActions"), "Nothing was to be done at its end.");
  }
  if (const auto more = number_of(rerun, "left_out"); more > 0)
    terminal.line(std::to_string(more) + " more are left out; take a shorter time");
  if (!matches) print_difference(terminal, difference);
  const std::string run = std::to_string(number_of(rerun, "ticks")) + " ticks from the snapshot after tick " +
                          std::to_string(number_of(rerun, "after_tick")) + ", " +
                          std::to_string(number_of(rerun, "events")) + " facts in this time";
  terminal.line((matches ? terminal.styled(Style::good, "matches") + ": " : std::string()) + run);
}

/// `KEY=VALUE` of --set as one request for all.
expected<json::object> settings_asked_for(Session& session, const Values& values) {
  json::object set;
  if (!values.has("--set")) return set;
  const auto config = session.in_town("config.get");
  if (!config) return tl::unexpected(config.error());
  for (const std::string& pair : values.list("--set")) {
    const std::size_t sign = pair.find('=');
    if (sign == std::string::npos)
      return fail(Error::Code::invalid, "\"" + pair + "\" is no setting",
                  "write KEY=VALUE, such as reconciler.lost_agent=10m");
    auto patch = patch_for(*config, pair.substr(0, sign), pair.substr(sign + 1));
    if (!patch) return tl::unexpected(patch.error());
    for (auto& [name, value] : *patch) {
      json::value& group = set[name];
      if (!group.is_object() || !value.is_object()) {
        group = std::move(value);
        continue;
      }
      for (auto& [key, inner] : value.get_object()) group.get_object()[key] = inner;
    }
  }
  return set;
}

expected<int> replay(Session& session, const Values& values) {
  json::object fields{{"from", values.text("--from")}, {"to", values.text("--to")}};
  const auto set = settings_asked_for(session, values);
  if (!set) return tl::unexpected(set.error());
  if (!set->empty()) fields["set"] = *set;
  json::array drop, without;
  for (const std::string& seq : values.list("--drop")) {
    const bool digits = !seq.empty() && seq.size() < 16 && seq.find_first_not_of("0123456789") == std::string::npos;
    if (!digits)
      return fail(Error::Code::invalid, "\"" + seq + "\" is no event's number", "town log --json shows them as seq");
    drop.push_back(std::stoll(seq));
  }
  for (const std::string& rule : values.list("--without-rule")) without.emplace_back(rule);
  if (!drop.empty()) fields["drop"] = drop;
  if (!without.empty()) fields["without_rules"] = without;
  const auto rerun = session.in_town("debug.replay", {}, fields);
  const auto exit = answer(session, rerun, [&](const json::value& found) { print_rerun(session.terminal(), found); });
  if (!exit || *exit != kOk) return exit;
  return truth_of(*rerun, "matches") ? kOk : kFailed;
}

}  // namespace

std::vector<Command> replay_commands() {
  return {
      {"replay",
       "Look",
       "Decide a stretch of the past again, exactly or with a change",
       "town replay --from 2026-07-01T12:00:00Z --to 2026-07-01T13:00:00Z --set reconciler.lost_agent=10m",
       {needed(option("--from", "Facts that arrived at this time or later")),
        needed(option("--to", "And not later than this")),
        options("--set", "A setting that was otherwise, KEY=VALUE; may be given again"),
        options("--drop", "The number of a fact that did not happen; may be given again"),
        options("--without-rule", "A rule that is not asked; may be given again")},
       replay},
  };
}

}  // namespace townd::cli

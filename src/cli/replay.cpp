#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/past_file.hpp"
#include "cli/session.hpp"
#include "cli/settings.hpp"
#include "codec/config.hpp"
#include "codec/replays.hpp"
#include "codec/toml.hpp"

namespace townd::cli {

namespace {

constexpr std::size_t kConfigLimit = 1 << 20;

/// The action in a few words: its type, what it is about, and where that goes.
std::string in_words(const json::value& action) {
  std::string words = text_of(action, "type");
  for (const char* key : {"bead_id", "agent_id", "convoy_id", "nudge_id", "mail_id", "chosen"})
    if (const std::string id = text_of(action, key); !id.empty()) words += " " + id;
  if (const std::string to = text_of(action, "to"); !to.empty()) words += " " + text_of(action, "from") + " → " + to;
  if (const std::string why = text_of(action, "skipped"); !why.empty()) words += " (skipped: " + why + ")";
  return words;
}

std::string or_nothing(const std::string& words) { return words.empty() ? "–" : words; }

std::string all_in_words(const json::value& actions) {
  std::string words;
  for (const json::value& action : list_of(actions)) words += (words.empty() ? "" : "; ") + in_words(action);
  return or_nothing(words);
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
    const std::string what = text_of(difference, "what");
    if (what != "decisions" && what != "digest")
      terminal.line("    " + what + ": " + shown(cut(json::serialize(member_of(record, what)), 400)));
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
  if (truth_of(rerun, "endless"))
    terminal.line(terminal.styled(Style::warn, "It never comes to rest") +
                  "; after 10,000 ticks of its own only the recorded ones are shown.");
  Table ends({"ID", "ENDED AS", "WOULD HAVE"});
  for (const json::value& row : list_of(rerun, "ends_apart"))
    ends.row({{text_of(row, "id"), Style::dim},
              {or_nothing(text_of(row, "as_it_was"))},
              {or_nothing(text_of(row, "instead")), Style::bold}});
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
  const char* cut_list = member_of(rerun, "differing").is_array() ? "differing_left_out" : "left_out";
  if (const auto more = number_of(rerun, cut_list); more > 0)
    terminal.line(std::to_string(more) + " more ticks are left out; take a shorter time");
  for (const json::value& seq : list_of(rerun, "not_dropped"))
    terminal.line(terminal.styled(Style::warn, "not dropped: ") + "fact " + json::serialize(seq) +
                  " is not among those that were decided again");
  for (const json::value& event : list_of(rerun, "pending"))
    terminal.line("pending: " + shown(text_of(event, "event_type")) + " of " + shown(text_of(event, "created_at")));
  if (!matches) print_difference(terminal, difference);
  const std::string run = std::to_string(number_of(rerun, "ticks")) + " ticks from the snapshot after tick " +
                          std::to_string(number_of(rerun, "after_tick")) + ", " +
                          std::to_string(number_of(rerun, "events")) + " facts in this time";
  terminal.line((matches ? terminal.styled(Style::good, "matches") + ": " : std::string()) + run);
}

/// Puts what `patch` says over `set`, one level deep.
void put_over(json::object& set, json::object patch) {
  for (auto& [name, value] : patch) {
    json::value& group = set[name];
    if (!group.is_object() || !value.is_object()) {
      group = std::move(value);
      continue;
    }
    for (auto& [key, inner] : value.get_object()) group.get_object()[key] = inner;
  }
}

/// What a file in the form of townd.toml says of towns; what it says of the node decides nothing.
expected<void> put_file_over(json::object& set, const json::value& config, const std::string& path) {
  const auto text = file_contents(path, kConfigLimit);
  if (!text) return tl::unexpected(text.error());
  if (const auto right = read_node_settings(*text, path); !right) return tl::unexpected(right.error());
  const auto document = parse_toml(*text, path);
  if (!document) return tl::unexpected(document.error());
  for (const auto& [section, keys] : document->value.get_object()) {
    if (section != "town" && section != "reconciler") continue;
    for (const auto& [key, value] : keys.get_object()) {
      const std::string said = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
      auto patch = patch_for(config, std::string(section) + "." + std::string(key), said);
      if (!patch) return tl::unexpected(patch.error());
      put_over(set, std::move(*patch));
    }
  }
  return {};
}

/// --config and --set as one request, `config` being the town's settings as the daemon shows them.
expected<json::object> settings_asked_for(const json::value& config, const Values& values) {
  json::object set;
  if (values.has("--config"))
    if (const auto put = put_file_over(set, config, values.text("--config")); !put) return tl::unexpected(put.error());
  for (const std::string& pair : values.list("--set")) {
    const std::size_t sign = pair.find('=');
    if (sign == std::string::npos)
      return fail(Error::Code::invalid, "\"" + pair + "\" is no setting",
                  "write KEY=VALUE, such as reconciler.lost_agent=10m");
    auto patch = patch_for(config, pair.substr(0, sign), pair.substr(sign + 1));
    if (!patch) return tl::unexpected(patch.error());
    put_over(set, std::move(*patch));
  }
  return set;
}

expected<WhatIf> what_if_of(const Values& values) {
  WhatIf what_if;
  for (const std::string& seq : values.list("--drop")) {
    const bool digits = !seq.empty() && seq.size() < 16 && seq.find_first_not_of("0123456789") == std::string::npos;
    if (!digits)
      return fail(Error::Code::invalid, "\"" + seq + "\" is no event's number", "town log --json shows them as seq");
    what_if.dropped.push_back(std::stoll(seq));
  }
  what_if.without_rules = values.list("--without-rule");
  return what_if;
}

bool changes_settings(const Values& values) { return values.has("--set") || values.has("--config"); }

/// With a file and no daemon.
expected<json::value> replay_file(const std::string& path, const Values& values) {
  const auto file = PastFile::open(path);
  if (!file) return tl::unexpected(file.error());
  Window window{file->bundle().start_at, file->bundle().until};
  for (auto [name, end] : {std::pair{"--from", &window.from}, {"--to", &window.to}}) {
    if (!values.has(name)) continue;
    const auto at = file->past_moment(values.text(name));
    if (!at) return tl::unexpected(at.error());
    *end = *at;
  }
  if (window.from > window.to) return fail(Error::Code::invalid, "--from is later than --to", "exchange them");
  auto what_if = what_if_of(values);
  if (!what_if) return tl::unexpected(what_if.error());
  const TownConfig& config = file->bundle().start.town.config;
  auto set = settings_asked_for(settings_json(config), values);
  if (!set) return tl::unexpected(set.error());
  what_if->set = std::move(*set);
  auto variation = variation_of(*what_if, config);
  if (!variation) return tl::unexpected(variation.error());
  const auto rerun = file->run_again(window, std::move(*variation));
  if (!rerun) return tl::unexpected(rerun.error());
  return rerun_json(*rerun, window, file->pending_at(window.to));
}

/// Asks the daemon.
expected<json::value> replay_there(Session& session, const Values& values) {
  for (const char* name : {"--from", "--to"})
    if (!values.has(name))
      return fail(Error::Code::invalid, std::string(name) + " is missing",
                  "say from when to when, or name a file with --snapshot");
  json::object fields{{"from", values.text("--from")}, {"to", values.text("--to")}};
  const auto what_if = what_if_of(values);
  if (!what_if) return tl::unexpected(what_if.error());
  if (!what_if->dropped.empty()) fields["drop"] = json::value_from(what_if->dropped);
  if (!what_if->without_rules.empty()) fields["without_rules"] = json::value_from(what_if->without_rules);
  if (changes_settings(values)) {
    const auto config = session.in_town("config.get");
    if (!config) return tl::unexpected(config.error());
    auto set = settings_asked_for(*config, values);
    if (!set) return tl::unexpected(set.error());
    fields["set"] = std::move(*set);
  }
  return session.in_town("debug.replay", {}, fields);
}

expected<int> replay(Session& session, const Values& values) {
  const auto rerun =
      values.has("--snapshot") ? replay_file(values.text("--snapshot"), values) : replay_there(session, values);
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
       {option("--from", "Facts that arrived at this time or later"), option("--to", "And not later than this"),
        option("--snapshot", "In a file (town bundle, town export) instead of the live town; needs no daemon"),
        option("--config", "Settings that were otherwise, in a file like townd.toml"),
        options("--set", "A setting that was otherwise, KEY=VALUE; may be given again"),
        options("--drop", "The number of a fact that did not happen; may be given again"),
        options("--without-rule", "A rule that is not asked; may be given again")},
       replay},
  };
}

}  // namespace townd::cli

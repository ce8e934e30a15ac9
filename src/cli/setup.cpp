#include "cli/commands.hpp"
#include "cli/rig_options.hpp"
#include "cli/session.hpp"
#include "cli/settings.hpp"

namespace townd::cli {

namespace {

expected<int> new_town(Session& session, const Values& values) {
  const auto daemon = session.client();
  if (!daemon) return tl::unexpected(daemon.error());
  json::object fields{{"name", values.text("NAME")}};
  if (values.has("--prefix")) fields["prefix"] = values.text("--prefix");
  return answer(session, (*daemon)->call("town.create", {}, fields), [&](const json::value& town) {
    session.terminal().line("Town " + shown(text_of(town, "name")) + " is made; its ids begin with " +
                            shown(text_of(town, "prefix")) + "-");
    session.terminal().line("Next: town rig add PATH");
  });
}

expected<int> rig_add(Session& session, const Values& values) {
  const auto rig = plan_rig(values.text("PATH|URL"), values);
  if (!rig) return tl::unexpected(rig.error());
  return answer(session, add_rig(session, *rig), [&](const json::value& made) {
    Terminal& terminal = session.terminal();
    terminal.line("Rig " + shown(text_of(made, "name")) + " (" + shown(text_of(made, "rig_id")) + ") works on " +
                  shown(rig->git_url));
    for (const std::string& line : rig->told) terminal.line("  " + shown(line));
    if (const std::string broken = text_of(made, "broken_reason"); !broken.empty())
      terminal.line(terminal.styled(Style::bad, "  It cannot be used yet: " + shown(broken)));
    terminal.line("Next: town sling \"what is to be done\"");
  });
}

expected<int> rig_set(Session& session, const Values& values) {
  const auto rig = session.rig_named(values.text("RIG"));
  if (!rig) return tl::unexpected(rig.error());
  json::object settings = settings_said(values);
  if (settings.empty())
    return fail(Error::Code::invalid, "no setting is named",
                "say which, such as: town rig set " + values.text("RIG") + " --gate \"make test\"");
  return answer(session, session.in_town("rig.config", {{"rig", *rig}}, {{"config", std::move(settings)}}),
                [&](const json::value& changed) {
                  session.terminal().line("Rig " + shown(text_of(changed, "name")) + " is changed.");
                });
}

std::string state_of(const json::value& rig) {
  for (const char* reason : {"broken_reason", "untrusted_reason"})
    if (const std::string text = text_of(rig, reason); !text.empty()) return text;
  return "usable";
}

expected<int> rig_list(Session& session, const Values&) {
  return answer(session, session.in_town("rig.list"), [&](const json::value& rigs) {
    Table table({"ID", "NAME", "BRANCH", "GATES", "STATE", "REPOSITORY"});
    for (const json::value& rig : list_of(rigs)) {
      std::string gates;
      for (const json::value& gate : list_of(member_of(rig, "config"), "gates"))
        gates += (gates.empty() ? "" : "; ") + std::string(gate.is_string() ? gate.get_string() : "");
      const std::string state = state_of(rig);
      table.row({{text_of(rig, "rig_id"), Style::dim},
                 {text_of(rig, "name"), Style::bold},
                 {text_of(rig, "default_branch")},
                 {gates.empty() ? "none" : cut(gates, 40), gates.empty() ? Style::warn : Style::plain},
                 {cut(state, 60), state == "usable" ? Style::good : Style::bad},
                 {text_of(rig, "git_url")}});
    }
    table.print_or(session.terminal(), "No rig (repository) yet. Add one: town rig add PATH");
  });
}

expected<int> rig_trust(Session& session, const Values& values) {
  const auto rig = session.rig_named(values.text("RIG"));
  if (!rig) return tl::unexpected(rig.error());
  const auto record = session.in_town("rig.get", {{"rig", *rig}});
  if (!record) return tl::unexpected(record.error());
  const std::string change = text_of(*record, "untrusted_reason");
  if (change.empty()) {
    if (session.terminal().json()) return session.terminal().value(*record) ? kOk : kNotFound;
    session.terminal().line("There is nothing to trust: the rig's own settings have not changed.");
    return kOk;
  }
  if (!values.has("--yes")) {
    session.terminal().line("The repository's own .town folder says something new:");
    session.terminal().line(shown(change, Keep::lines));
    return fail(Error::Code::conflict, "nothing was changed",
                "If that is right: town rig trust " + values.text("RIG") + " --yes");
  }
  return answer(session, session.in_town("rig.trust", {{"rig", *rig}}),
                [&](const json::value&) { session.terminal().line("Trusted."); });
}

std::string as_text(const json::value& value) {
  if (value.is_null()) return "";
  if (value.is_double()) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.10g", value.get_double());
    return digits;
  }
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

/// `{"town": {"max_polecats": {…}}}` of rows with keys such as `town.max_polecats`, so that --get finds them by these.
json::object by_key(const json::array& rows) {
  json::object sections;
  for (const json::value& row : rows) {
    const std::string key = text_of(row, "key");
    const auto dot = key.find('.');
    json::value& section = sections[key.substr(0, dot)];
    if (!section.is_object()) section = json::object{};
    section.get_object()[key.substr(dot + 1)] = row;
  }
  return sections;
}

expected<int> config_list(Session& session, const Values& values) {
  json::object query;
  if (values.has("--rig")) {
    const auto rig = session.rig();
    if (!rig) return tl::unexpected(rig.error());
    query["rig"] = *rig;
  }
  const auto rows = session.in_town("config.keys", {}, query);
  if (!rows) return tl::unexpected(rows.error());
  return answer(session, expected<json::value>(by_key(list_of(*rows))), [&](const json::value&) {
    Table table({"SETTING", "VALUE", "FROM", "DEFAULT", "MEANING"});
    for (const json::value& row : list_of(*rows)) {
      const std::string from = text_of(row, "from");
      table.row({{text_of(row, "key")},
                 {as_text(member_of(row, "value")), Style::bold},
                 {from, from == "default" ? Style::dim : Style::plain},
                 {as_text(member_of(row, "default")), Style::dim},
                 {text_of(row, "meaning")}});
    }
    table.print(session.terminal());
  });
}

/// A rig's own settings are given when it is added.
expected<void> of_the_town(const Values& values) {
  if (!values.has("--rig")) return {};
  return fail(Error::Code::invalid, "a rig's own settings are not changed here",
              "leave out --rig for the town's; town config list --rig NAME shows what holds for a rig");
}

expected<int> config_get(Session& session, const Values& values) {
  if (const auto right = of_the_town(values); !right) return tl::unexpected(right.error());
  const auto config = session.in_town("config.get");
  if (!config) return tl::unexpected(config.error());
  const auto value = setting_named(*config, values.text("KEY"));
  if (!value) return tl::unexpected(value.error());
  return answer(session, expected<json::value>(**value), [&](const json::value& found) {
    session.terminal().line(found.is_null() ? "not set" : shown(as_text(found)));
  });
}

expected<int> config_set(Session& session, const Values& values) {
  if (const auto right = of_the_town(values); !right) return tl::unexpected(right.error());
  const auto config = session.in_town("config.get");
  if (!config) return tl::unexpected(config.error());
  const std::string key = values.text("KEY");
  const auto patch = patch_for(*config, key, values.text("VALUE"));
  if (!patch) return tl::unexpected(patch.error());
  return answer(session, session.in_town("config.patch", {}, *patch), [&](const json::value& changed) {
    const auto value = setting_named(changed, key);
    session.terminal().line(
        shown(key) + " is now " +
        (value && (*value)->is_null() ? "not set" : shown(value ? as_text(**value) : values.text("VALUE"))));
  });
}

}  // namespace

std::vector<Command> setup_commands() {
  std::vector<Param> adding = rig_params();
  adding.insert(adding.begin(), word("PATH|URL", "A checkout on this machine, or the address of a repository"));
  std::vector<Param> setting = rig_params();
  std::erase_if(setting, [](const Param& param) { return param.name == "--name"; });
  setting.insert(setting.begin(), word("RIG", "The rig's name or id"));
  return {
      {"new",
       "Set up",
       "Make a town: an independent world of repositories, work and agents",
       "town new acme",
       {word("NAME", "How you call it"), option("--prefix", "2 to 6 letters that its ids begin with")},
       new_town},
      {"rig add", "Set up", "Let the town work on a repository", "town rig add ~/src/shop --gate \"make test\"", adding,
       rig_add},
      {"rig set", "Set up", "Change what a rig was added with", "town rig set shop --gate \"make test\"", setting,
       rig_set},
      {"rig list", "Set up", "The town's repositories", "town rig list", {}, rig_list},
      {"rig trust",
       "Set up",
       "Accept what a repository's own .town folder now says",
       "town rig trust shop",
       {word("RIG", "The rig's name or id"), flag("--yes", "It is right: accept it")},
       rig_trust},
      {"config list",
       "Set up",
       "All settings with their values and where each comes from; with --rig as they hold for it",
       "town config list",
       {},
       config_list},
      {"config get",
       "Set up",
       "One setting",
       "town config get town.max_polecats",
       {word("KEY", "The setting, such as reconciler.heartbeat_stale")},
       config_get},
      {"config set",
       "Set up",
       "Change one setting",
       "town config set town.max_polecats 3",
       {word("KEY", "The setting"), word("VALUE", "Its new value")},
       config_set},
  };
}

}  // namespace townd::cli

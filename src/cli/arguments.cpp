#include "cli/arguments.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <map>

#include "codec/json.hpp"

namespace townd::cli {

namespace {

/// One parser node with the options it has to read back.
struct Leaf {
  CLI::App* app = nullptr;
  const Command* command = nullptr;
  std::vector<std::pair<std::string, CLI::Option*>> options;
};

CLI::Option* declare(CLI::App& app, const Param& param, bool shared) {
  CLI::Option* made = nullptr;
  if (param.kind == Param::Kind::flag) {
    made = app.add_flag(param.name, param.help);
  } else {
    made = app.add_option(param.name, param.help);
    made->type_name(positional(param) ? "" : param.kind == Param::Kind::number ? "N" : "TEXT");
    if (param.kind == Param::Kind::number)
      made->check([](const std::string& given) {
        Values values;
        values.put("N", {given});
        return values.number("N") ? std::string() : "\"" + given + "\" is no whole number that counts here";
      });
    if (param.kind == Param::Kind::list) {
      made->allow_extra_args(positional(param))->expected(positional(param) ? -1 : 1);
      made->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
      made->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
  }
  if (param.required) made->required();
  if (shared) made->group("Everywhere");
  return made;
}

Leaf plant(CLI::App& app, const Command* command) {
  Leaf leaf{&app, command, {}};
  app.set_help_flag();
  if (command != nullptr)
    for (const Param& param : command->params) leaf.options.emplace_back(key_of(param), declare(app, param, false));
  app.set_help_flag("-h,--help", "Show this help")->group("Everywhere");
  for (const Param& param : everywhere()) {
    const bool taken = std::any_of(leaf.options.begin(), leaf.options.end(),
                                   [&](const auto& option) { return option.first == key_of(param); });
    if (!taken) leaf.options.emplace_back(key_of(param), declare(app, param, true));
  }
  return leaf;
}

/// The words under which several commands stand, with the line that `town --help` shows for them.
constexpr std::array<std::array<std::string_view, 3>, 8> kFamilies{{
    {"rig", "Set up", "Rigs: the repositories that a town works on"},
    {"convoy", "Give work", "Convoys: pieces of work that depend on one another and land together"},
    {"config", "Set up", "Settings of a town"},
    {"agent", "Set up", "Agent programs"},
    {"mail", "Step in", "Mail of agents"},
    {"mol", "For agents", "Molecules: work that is done in steps"},
    {"triage", "Step in", "Triage: questions about stuck agents"},
    {"token", "Keep", "Tokens for the daemon's HTTP"},
}};

using Families = std::map<std::string, CLI::App*>;

CLI::App* family(CLI::App& root, Families& known, const std::string& name) {
  CLI::App*& made = known[name];
  if (made != nullptr) return made;
  made = root.add_subcommand(name);
  for (const auto& [word, group, line] : kFamilies)
    if (word == name) made->description(std::string(line))->group(std::string(group));
  made->require_subcommand(1);
  made->set_help_flag("-h,--help", "Show this help");
  return made;
}

/// `Did you mean "convoy"? `, or nothing when no command is near.
std::string suggestion(std::span<const Command> commands, std::string_view typed) {
  std::vector<std::string_view> known;
  for (const Command& command : commands)
    known.push_back(std::string_view(command.path).substr(0, command.path.find(' ')));
  const std::string_view best = townd::nearest(typed, known);
  return best.empty() ? std::string() : "Did you mean \"" + std::string(best) + "\"? ";
}

/// ` convoy new`: the words that lead to a parser node.
std::string words_to(const CLI::App& app) {
  return app.get_parent() == nullptr ? std::string() : words_to(*app.get_parent()) + " " + app.get_name();
}

const CLI::App* deepest(const CLI::App& app) {
  const auto inner = app.get_subcommands();
  return inner.empty() ? &app : deepest(*inner.back());
}

/// Whether --json or --get is there, also on a line that cannot be parsed.
bool wants_json(const std::vector<std::string>& argv) {
  for (const std::string& word : argv) {
    if (word == "--") return false;
    if (word == "--json" || word == "--get" || word.starts_with("--get=")) return true;
  }
  return false;
}

/// `town config` alone lists the settings.
std::vector<std::string> with_list_for_config(std::vector<std::string> argv) {
  const bool bare = !argv.empty() && argv[0] == "config" &&
                    (argv.size() == 1 || (argv[1].starts_with("-") && argv[1] != "-h" && argv[1] != "--help"));
  if (bare) argv.insert(argv.begin() + 1, "list");
  return argv;
}

}  // namespace

std::span<const Param> everywhere() {
  static const std::vector<Param> params = {
      flag("--json", "Answer as JSON on standard output"),
      option("--get", "Only this member of the JSON answer, such as bead.title; a text without its quotes"),
      option("--town", "Town, by name or id (or TOWN_ID)"),
      option("--rig", "Rig: the repository, by name or id (or TOWN_RIG)"),
      option("--data", "Data folder of the daemon (or TOWND_DATA; ~/.local/share/townd)"),
      option("--url", "Reach the daemon over http instead of its socket"),
      option("--token", "Token for --url, or @FILE to read it from a file"),
  };
  return params;
}

Asked parse(std::span<const Command> commands, const std::vector<std::string>& argv) {
  CLI::App root{"town: put coding agents to work on your repositories, and see what they do", "town"};
  root.footer("First time: town demo. In a repository of yours: town init. Help for one command: town COMMAND --help");
  root.require_subcommand(1);
  root.get_formatter()->column_width(34);

  Families families;
  std::vector<Leaf> leaves;
  leaves.push_back(plant(root, nullptr));
  for (const Command& command : commands) {
    CLI::App* parent = &root;
    std::string name = command.path;
    if (const auto space = name.find(' '); space != std::string::npos) {
      parent = family(root, families, name.substr(0, space));
      name = name.substr(space + 1);
    }
    CLI::App* app = parent->add_subcommand(name, command.summary);
    app->footer("Example:\n  " + command.example);
    app->group(command.group);
    leaves.push_back(plant(*app, &command));
  }

  Asked asked;
  asked.json = wants_json(argv);
  const std::vector<std::string> words = with_list_for_config(argv);
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    root.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const CLI::App* at = deepest(root);
    if (dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr) {
      asked.text = at == &root ? at->help() : at->help("town" + words_to(*at->get_parent()));
      return asked;
    }
    asked.exit = kUsage;
    const bool unknown_command = at == &root && !argv.empty() && !argv.front().starts_with('-');
    if (argv.empty()) {
      asked.text = root.help();
    } else if (unknown_command) {
      asked.wrong = Error{Error::Code::invalid, "there is no command \"" + argv.front() + "\"",
                          suggestion(commands, argv.front()) + "See: town --help"};
    } else {
      asked.wrong = Error{Error::Code::invalid, error.what(), "See: town" + words_to(*at) + " --help"};
    }
    return asked;
  }

  for (const Leaf& leaf : leaves) {
    if (leaf.app != &root && leaf.app->count() == 0) continue;
    if (leaf.command != nullptr) asked.command = leaf.command;
    for (const auto& [name, parsed] : leaf.options)
      if (parsed->count() > 0) asked.values.put(name, parsed->results());
  }
  return asked;
}

}  // namespace townd::cli

#include <algorithm>
#include <set>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"

/// What shells and man(1) are told about `town`, made from the table of commands.
namespace townd::cli {

namespace {

/// `-f` and `--follow` of `-f,--follow`; nothing for a word without a dash.
std::vector<std::string> options_of(const Param& param) {
  std::vector<std::string> found;
  if (positional(param)) return found;
  for (std::size_t at = 0; at < param.name.size();) {
    const std::size_t comma = std::min(param.name.find(',', at), param.name.size());
    found.push_back(param.name.substr(at, comma - at));
    at = comma + 1;
  }
  return found;
}

/// The words that may come next behind these: `""` → every first word, `convoy` → `new start …`.
std::set<std::string> next_words(const std::string& behind) {
  const std::string start = behind.empty() ? "" : behind + " ";
  std::set<std::string> words;
  for (const Command& command : all_commands())
    if (command.path.starts_with(start) && command.path.size() > start.size())
      words.insert(command.path.substr(start.size(), command.path.find(' ', start.size()) - start.size()));
  return words;
}

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::set<std::string> families() {
  std::set<std::string> found;
  for (const Command& command : all_commands())
    if (const auto space = command.path.find(' '); space != std::string::npos)
      found.insert(command.path.substr(0, space));
  return found;
}

std::string options_text(const Command& command) {
  std::set<std::string> words{"--help"};
  for (const Param& param : command.params)
    for (const std::string& name : options_of(param)) words.insert(name);
  for (const Param& param : everywhere())
    for (const std::string& name : options_of(param)) words.insert(name);
  return joined(words);
}

std::string bash_script() {
  std::string script =
      "# bash completion for town. Load it with: . <(town completion bash)\n"
      "_town() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} path= given i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    given=${COMP_WORDS[i]}\n"
      "    case $given in -*) continue ;; esac\n"
      "    case \" " +
      joined(families()) +
      " \" in\n"
      "      *\" $path \"*) path=\"$path $given\"; break ;;\n"
      "      *) [ -z \"$path\" ] && path=$given || break ;;\n"
      "    esac\n"
      "  done\n"
      "  local words=\n"
      "  case $path in\n"
      "    '') words='" +
      joined(next_words("")) + " --help' ;;\n";
  for (const std::string& family : families())
    script += "    '" + family + "') words='" + joined(next_words(family)) + "' ;;\n";
  for (const Command& command : all_commands())
    script += "    '" + command.path + "') words='" + options_text(command) + "' ;;\n";
  return script +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -o default -F _town town\n";
}

std::string zsh_script() {
  return "#compdef town\n"
         "# zsh completion for town. Load it with: . <(town completion zsh)\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash_script();
}

/// Between single quotes of fish.
std::string fish_text(const std::string& text) {
  std::string quoted;
  for (const char c : text) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return "'" + quoted + "'";
}

std::string fish_script() {
  std::string script = "# fish completion for town. Load it with: town completion fish | source\ncomplete -c town -f\n";
  for (const std::string& family : families())
    script += "complete -c town -n __fish_use_subcommand -a " + family + "\n";
  for (const Command& command : all_commands()) {
    const auto space = command.path.find(' ');
    const std::string first = command.path.substr(0, space);
    const bool alone = space == std::string::npos;
    const std::string last = alone ? first : command.path.substr(space + 1);
    script += "complete -c town -n " +
              (alone ? std::string("__fish_use_subcommand")
                     : "'__fish_seen_subcommand_from " + first + "; and not __fish_seen_subcommand_from " +
                           joined(next_words(first)) + "'") +
              " -a " + last + " -d " + fish_text(command.summary) + "\n";
    const std::string seen =
        "'__fish_seen_subcommand_from " + first + (alone ? "'" : "; and __fish_seen_subcommand_from " + last + "'");
    for (const Param& param : command.params) {
      if (positional(param)) continue;
      script += "complete -c town -n " + seen + " -l " + key_of(param).substr(2) +
                (param.kind == Param::Kind::flag ? "" : " -r") + " -d " + fish_text(param.help) + "\n";
    }
  }
  return script;
}

/// A text as troff takes it: no line begins a request, dashes stay dashes.
std::string troff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'' && out.empty())
      out += "\\&'";
    else if (c == '.' && out.empty())
      out += "\\&.";
    else
      out += c;
  }
  return out;
}

std::string man_page() {
  std::string page = ".TH TOWN 1 \"\" \"townd " TOWND_VERSION
                     "\" \"townd\"\n"
                     ".SH NAME\ntown \\- put coding agents to work on your repositories, and see what they do\n"
                     ".SH SYNOPSIS\n.B town\n.I COMMAND\n[\\fIOPTIONS\\fR]\n"
                     ".SH DESCRIPTION\n"
                     "town speaks with the daemon townd: people put work in, agents do it in clones of their own, what "
                     "they did is tested and merged.\n"
                     "First time: \\fBtown demo\\fR. In a repository of yours: \\fBtown init\\fR.\n"
                     ".SH OPTIONS OF EVERY COMMAND\n";
  for (const Param& param : everywhere()) page += ".TP\n.B " + troff(key_of(param)) + "\n" + troff(param.help) + "\n";
  std::vector<std::string> groups;
  for (const Command& command : all_commands())
    if (std::find(groups.begin(), groups.end(), command.group) == groups.end()) groups.push_back(command.group);
  for (const std::string& group : groups) {
    page += ".SH " + troff(group) + "\n";
    for (const Command& command : all_commands()) {
      if (command.group != group) continue;
      page += ".SS town " + troff(command.path) + "\n" + troff(command.summary) + ".\n";
      for (const Param& param : command.params)
        page += ".TP\n.B " + troff(param.name) + "\n" + troff(param.help) + "\n";
      page += ".PP\nExample:\n.EX\n" + troff(command.example) + "\n.EE\n";
    }
  }
  return page +
         ".SH EXIT STATUS\n0 done, 1 failed, 2 the command line is wrong, 3 not found, 4 refused, 5 the daemon cannot "
         "be "
         "reached.\n"
         ".SH ENVIRONMENT\n.TP\n.B TOWND_DATA\nThe daemon\\(aqs data folder.\n.TP\n.B TOWN_ID, TOWN_RIG\nTown and rig, "
         "when neither an option nor the current folder says them.\n";
}

expected<int> completion(Session& session, const Values& values) {
  const std::string shell = values.text("SHELL");
  std::string script;
  if (shell == "bash")
    script = bash_script();
  else if (shell == "zsh")
    script = zsh_script();
  else if (shell == "fish")
    script = fish_script();
  else
    return fail(Error::Code::invalid, "there is no completion for \"" + shell + "\"", "It is for: bash, zsh, fish");
  return answer(session, expected<json::value>(json::object{{"shell", shell}, {"script", script}}),
                [&](const json::value&) { session.terminal().text(script); });
}

expected<int> manual(Session& session, const Values&) {
  const std::string page = man_page();
  return answer(session, expected<json::value>(json::object{{"page", page}}),
                [&](const json::value&) { session.terminal().text(page); });
}

}  // namespace

std::vector<Command> manual_commands() {
  return {
      {"completion",
       "Keep",
       "Completion of town's words for a shell",
       ". <(town completion bash)",
       {word("SHELL", "bash, zsh or fish")},
       completion},
      {"manual", "Keep", "This program's man page", "town manual | man -l -", {}, manual},
  };
}

}  // namespace townd::cli

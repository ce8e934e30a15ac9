#include <cstdio>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"

int main(int argc, char** argv) {
  using namespace townd::cli;
  const Asked asked = parse(all_commands(), std::vector<std::string>(argv + 1, argv + argc));
  if (asked.wrong) {
    Terminal(stdout, stderr, asked.json).error(*asked.wrong);
    return asked.exit;
  }
  if (asked.command == nullptr) {
    std::fputs(asked.text.c_str(), asked.exit == kOk ? stdout : stderr);
    return asked.exit;
  }
  Terminal terminal(stdout, stderr, asked.values.has("--json"), asked.values.text("--get"));
  Session session(asked.values, terminal);
  const auto exit = asked.command->run(session, asked.values);
  terminal.progress_done();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fputs("town: the answer cannot be written\n", stderr);
    return kFailed;
  }
  if (exit) return *exit;
  terminal.error(exit.error());
  return exit_of(exit.error().code);
}

#include "runtime/run_record.hpp"

#include "ports/run_folder.hpp"
#include "runtime/files.hpp"

namespace townd {

expected<void> write_about(const std::string& folder, const RunAbout& about) {
  run_folder::Fields fields;
  fields.add("run_id", about.run_id.text);
  fields.add("agent_id", about.agent_id.text);
  fields.add("bead_id", about.bead_id.text);
  fields.add("preset", about.preset);
  return replace_whole(folder + "/about", run_folder::write(fields));
}

std::optional<RunAbout> read_about(const std::string& folder) {
  const auto text = read_whole(folder + "/about");
  const auto fields = text ? run_folder::read(*text) : std::nullopt;
  if (!fields) return std::nullopt;
  return RunAbout{RunId{fields->text("run_id")}, AgentId{fields->text("agent_id")}, BeadId{fields->text("bead_id")},
                  fields->text("preset")};
}

expected<void> write_end(const std::string& folder, const RunEnd& end) {
  run_folder::Fields fields;
  fields.add("attempt", end.attempt);
  fields.add("failed", end.verdict.state == ProcessState::failed ? 1 : 0);
  fields.add("reason", end.verdict.reason);
  fields.add("why", end.verdict.why);
  fields.add("exit_code", end.exit_code);
  fields.add("tokens", end.tokens);
  fields.add("cost_micro_usd", end.cost_micro_usd);
  if (end.limited_until) fields.add("limited_until_ms", end.limited_until->ms);
  return replace_whole(folder + "/end", run_folder::write(fields));
}

std::optional<RunEnd> read_end(const std::string& folder) {
  const auto text = read_whole(folder + "/end");
  const auto fields = text ? run_folder::read(*text) : std::nullopt;
  if (!fields) return std::nullopt;
  RunEnd end;
  end.attempt = static_cast<int>(fields->number("attempt"));
  end.verdict.state = fields->number("failed") != 0 ? ProcessState::failed : ProcessState::exited;
  end.verdict.reason = fields->text("reason");
  end.verdict.why = fields->text("why");
  end.exit_code = static_cast<int>(fields->number("exit_code"));
  end.tokens = fields->number("tokens");
  end.cost_micro_usd = fields->number("cost_micro_usd");
  if (const auto until = fields->number("limited_until_ms"); until > 0) end.limited_until = Instant{until};
  return end;
}

}  // namespace townd

#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What townd and its keeper tell each other through the folder `runs/<run>/`. townd writes `spec`, the input and
/// `tombstone`; townd-shim writes `status`, `activity` and `log.<offset>`. Every file is replaced whole by a rename.
namespace townd::run_folder {

inline constexpr std::string_view kFormat = "townd-run/1";

/// Names and values of one file: each line is `name length`, then that many bytes and a line end, so that any bytes
/// fit. Names may repeat.
struct Fields {
  std::vector<std::pair<std::string, std::string>> items;

  void add(std::string_view name, std::string_view value) { items.emplace_back(name, value); }
  void add(std::string_view name, std::int64_t value) { items.emplace_back(name, std::to_string(value)); }

  [[nodiscard]] std::string text(std::string_view name) const {
    for (const auto& [key, value] : items)
      if (key == name) return value;
    return {};
  }
  [[nodiscard]] std::int64_t number(std::string_view name) const {
    const std::string value = text(name);
    std::int64_t n = 0;
    std::from_chars(value.data(), value.data() + value.size(), n);
    return n;
  }
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [key, value] : items)
      if (key == name) values.push_back(value);
    return values;
  }
};

inline std::string write(const Fields& fields) {
  std::string out{kFormat};
  out += '\n';
  for (const auto& [name, value] : fields.items) {
    out += name + ' ' + std::to_string(value.size()) + '\n';
    out += value;
    out += '\n';
  }
  return out;
}

/// None when the text is of another version or cut short.
inline std::optional<Fields> read(std::string_view text) {
  const auto line = [&text]() -> std::optional<std::string_view> {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto found = text.substr(0, end);
    text.remove_prefix(end + 1);
    return found;
  };
  if (line() != kFormat) return std::nullopt;
  Fields fields;
  while (!text.empty()) {
    const auto head = line();
    if (!head) return std::nullopt;
    const auto space = head->find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    std::size_t size = 0;
    const auto digits = head->substr(space + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (parsed.ec != std::errc{} || size >= text.size() || text[size] != '\n') return std::nullopt;
    fields.add(head->substr(0, space), text.substr(0, size));
    text.remove_prefix(size + 1);
  }
  return fields;
}

/// What the keeper is to keep. The environment is not here but the keeper's own, so that no token is on the disk.
struct Spec {
  std::string run_id;
  int attempt = 1;                       ///< 2 is the reminder of the same run
  std::vector<std::string> setup;        ///< run before the command; empty: nothing to set up
  std::vector<std::string> setup_hides;  ///< names in the environment that set-up does not get
  std::vector<std::string> command;
  int wrapper_depth = 0;  ///< processes above the agent that belong to its sandbox: ended with it, not before
  std::string folder;     ///< working folder
  std::string input;      ///< name of the file in the run's folder that is its standard input
  std::int64_t memory_bytes = 0;
  std::int64_t processes = 0;
  std::int64_t wall_ms = 0;
  std::int64_t setup_ms = 0;
  std::int64_t log_bytes = 0;
  std::int64_t heartbeat_ms = 30'000;
  std::int64_t grace_ms = 5'000;
  bool cgroups = true;  ///< false: limits are held by sampling only
};

/// `starting`, `setting_up`, `running`, then `exited` or `setup_failed`.
struct Status {
  std::string run_id;
  int attempt = 1;
  std::int64_t keeper_pid = 0;
  std::int64_t keeper_start = 0;  ///< in clock ticks since boot (/proc/<pid>/stat, field 22)
  std::string boot_id;
  std::string state;
  int code = 0;  ///< exit code when `signal` is 0
  int signal = 0;
  std::string ended_by;              ///< `stop`, `wall`, `memory`, `processes`, or empty: by itself
  std::string problem;               ///< why it could not be started
  std::vector<std::string> cgroups;  ///< folders whose processes are the run's
  std::int64_t started_at_ms = 0;
  std::int64_t ended_at_ms = 0;
};

/// A sign of life. Lines are counted when they say something new: an error that repeats is not activity.
struct Activity {
  std::int64_t heartbeat_at_ms = 0;
  std::int64_t last_line_at_ms = 0;
  std::int64_t lines = 0;
};

inline std::string write(const Spec& spec) {
  Fields f;
  f.add("run_id", spec.run_id);
  f.add("attempt", spec.attempt);
  for (const auto& word : spec.setup) f.add("setup", word);
  for (const auto& name : spec.setup_hides) f.add("setup_hides", name);
  for (const auto& word : spec.command) f.add("command", word);
  f.add("wrapper_depth", spec.wrapper_depth);
  f.add("folder", spec.folder);
  f.add("input", spec.input);
  f.add("memory_bytes", spec.memory_bytes);
  f.add("processes", spec.processes);
  f.add("wall_ms", spec.wall_ms);
  f.add("setup_ms", spec.setup_ms);
  f.add("log_bytes", spec.log_bytes);
  f.add("heartbeat_ms", spec.heartbeat_ms);
  f.add("grace_ms", spec.grace_ms);
  f.add("cgroups", spec.cgroups ? 1 : 0);
  return write(f);
}

inline std::optional<Spec> read_spec(std::string_view text) {
  const auto f = read(text);
  if (!f) return std::nullopt;
  Spec spec;
  spec.run_id = f->text("run_id");
  spec.attempt = static_cast<int>(f->number("attempt"));
  spec.setup = f->all("setup");
  spec.setup_hides = f->all("setup_hides");
  spec.command = f->all("command");
  spec.wrapper_depth = static_cast<int>(f->number("wrapper_depth"));
  spec.folder = f->text("folder");
  spec.input = f->text("input");
  spec.memory_bytes = f->number("memory_bytes");
  spec.processes = f->number("processes");
  spec.wall_ms = f->number("wall_ms");
  spec.setup_ms = f->number("setup_ms");
  spec.log_bytes = f->number("log_bytes");
  spec.heartbeat_ms = f->number("heartbeat_ms");
  spec.grace_ms = f->number("grace_ms");
  spec.cgroups = f->number("cgroups") != 0;
  return spec;
}

inline std::string write(const Status& status) {
  Fields f;
  f.add("run_id", status.run_id);
  f.add("attempt", status.attempt);
  f.add("keeper_pid", status.keeper_pid);
  f.add("keeper_start", status.keeper_start);
  f.add("boot_id", status.boot_id);
  f.add("state", status.state);
  f.add("code", status.code);
  f.add("signal", status.signal);
  f.add("ended_by", status.ended_by);
  f.add("problem", status.problem);
  for (const auto& folder : status.cgroups) f.add("cgroup", folder);
  f.add("started_at_ms", status.started_at_ms);
  f.add("ended_at_ms", status.ended_at_ms);
  return write(f);
}

inline std::optional<Status> read_status(std::string_view text) {
  const auto f = read(text);
  if (!f) return std::nullopt;
  Status status;
  status.run_id = f->text("run_id");
  status.attempt = static_cast<int>(f->number("attempt"));
  status.keeper_pid = f->number("keeper_pid");
  status.keeper_start = f->number("keeper_start");
  status.boot_id = f->text("boot_id");
  status.state = f->text("state");
  status.code = static_cast<int>(f->number("code"));
  status.signal = static_cast<int>(f->number("signal"));
  status.ended_by = f->text("ended_by");
  status.problem = f->text("problem");
  status.cgroups = f->all("cgroup");
  status.started_at_ms = f->number("started_at_ms");
  status.ended_at_ms = f->number("ended_at_ms");
  return status;
}

inline std::string write(const Activity& activity) {
  Fields f;
  f.add("heartbeat_at_ms", activity.heartbeat_at_ms);
  f.add("last_line_at_ms", activity.last_line_at_ms);
  f.add("lines", activity.lines);
  return write(f);
}

inline std::optional<Activity> read_activity(std::string_view text) {
  const auto f = read(text);
  if (!f) return std::nullopt;
  return Activity{f->number("heartbeat_at_ms"), f->number("last_line_at_ms"), f->number("lines")};
}

}  // namespace townd::run_folder

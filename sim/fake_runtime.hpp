#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ports/runtime.hpp"
#include "sim/complaints.hpp"
#include "sim/fake_clock.hpp"
#include "sim/fake_forge.hpp"
#include "sim/random.hpp"

namespace townd::sim {

/// How an agent behaves in one run.
enum class Manner {
  works,          ///< does it, says done, ends
  leaves,         ///< ends well without a word; a reminder makes it work
  crashes,        ///< ends badly
  gives_up,       ///< says that it cannot
  lies,           ///< says done with work that does not exist
  hangs,          ///< is there, without a sign
  idles,          ///< is there and signs, but nothing happens
  says_late,      ///< its done arrives after its process has ended
  says_twice,     ///< says done twice
  never_starts,   ///< was started, and nothing came of it
  is_refused,     ///< cannot be started
  starts_unsaid,  ///< is started, but nobody is told
  fails_gates,    ///< a refinery whose gates are red
  conflicts,      ///< a refinery that cannot merge
};
inline constexpr int kManners = 14;

/// Agents as values that move with a fake clock. Processes live on when the daemon dies.
class FakeRuntime : public Runtime {
 public:
  FakeRuntime(FakeClock& clock, FakeForge& forge, Complaints& complaints, std::uint64_t seed)
      : clock_(clock), forge_(forge), complaints_(complaints), random_(seed) {}

  // ---- what a test decides ----
  std::function<Manner(const AgentSpec&)> manner = [](const AgentSpec&) { return Manner::works; };
  /// Where agents say things; false when nobody listens, and they say it again later.
  std::function<bool(const TownId&, EventBody)> say;
  Duration shortest = seconds(5);  ///< of work
  Duration longest = minutes(3);
  Duration longest_trial = minutes(3);
  int stops_unanswered = 0;  ///< so many stops answer `unavailable` and stop nothing
  NodeFacts node;

  // ---- time ----
  /// When the next agent does something.
  [[nodiscard]] Instant next() const;
  /// Lets all agents do what is due.
  void live();
  /// The machine slept: nothing happened to the processes, and nothing was due meanwhile.
  void slept(Duration d);
  /// The machine went down: every process is gone and leaves no exit status.
  void reboot();
  /// The daemon is gone: the next one hears about every process again.
  void forget_listeners();

  // ---- what a test looks at ----
  [[nodiscard]] std::vector<RunId> alive() const;
  [[nodiscard]] const std::map<RunId, int>& starts() const { return starts_; }
  [[nodiscard]] const std::map<RunId, int>& stops() const { return stops_; }
  [[nodiscard]] int reminders() const { return reminders_; }
  [[nodiscard]] const std::vector<std::string>& delivered() const { return delivered_; }
  [[nodiscard]] std::optional<AgentSpec> spec(const RunId& run) const;

  // ---- Runtime ----
  expected<void> start(const AgentSpec& spec) override;
  expected<void> remind(const AgentSpec& spec) override;
  bool can_remind(const RunId& run) override;
  expected<void> stop(const RunId& run) override;
  expected<void> deliver(const RunId& run, const std::string& from, const std::string& text) override;
  std::vector<Observation> observe() override;
  void on_change(std::function<void()> wake) override;
  NodeFacts facts() override { return node; }
  expected<std::string> log(const RunId&, std::int64_t, std::int64_t) override { return std::string(); }

 private:
  struct Process {
    AgentSpec spec;
    Manner manner = Manner::works;
    ProcessState state = ProcessState::running;
    int exit_code = 0;
    std::string reason;
    Instant speaks_at = kNever;
    Instant ends_at = kNever;
    Instant signs_at = kNever;
    Instant last_event_at;
    int to_say = 1;
    bool reminded = false;
    bool news = false;  ///< to be observed
  };

  void begin(Process& process);
  void speak(Process& process);
  void end(Process& process);
  std::optional<EventBody> words(Process& process);
  EventBody polecat_words(Process& process);
  EventBody trial_words(Process& process);
  void check_alone(const AgentSpec& spec);
  Duration some_time(Duration low, Duration high);

  FakeClock& clock_;
  FakeForge& forge_;
  Complaints& complaints_;
  Random random_;
  mutable std::recursive_mutex mutex_;
  std::map<RunId, Process> processes_;
  std::set<RunId> tombstones_;
  std::map<RunId, int> starts_;
  std::map<RunId, int> stops_;
  int reminders_ = 0;
  std::vector<std::string> delivered_;
  std::function<void()> wake_;
};

}  // namespace townd::sim

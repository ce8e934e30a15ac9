#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/agenda.hpp"
#include "core/event.hpp"
#include "core/rows.hpp"
#include "core/table.hpp"

namespace townd {

/// What is known about a bead's neighbours without looking at every row. Kept for missing beads too, as long as
/// something names them.
struct BeadLinks {
  std::vector<BeadId> blockers;  ///< this bead waits for them (`blocks`)
  std::vector<BeadId> blocked;   ///< they wait for this bead
  std::vector<BeadId> tracks;    ///< convoys (or, for a request, its source)
  std::vector<BeadId> tracked_by;
  std::vector<BeadId> requests;  ///< merge requests whose source this is
  std::vector<BeadId> members;   ///< requests whose batch head this is
  std::vector<BeadId> children;
  std::vector<AgentId> hooked;  ///< in id order; more than one breaks invariant 6
  std::vector<RunId> runs;      ///< in id order
  std::vector<BeadId> triage;   ///< live triage requests about it
  int live_requests = 0;
  // What this bead counts for in each convoy that it tracks:
  int counts_issue = 0;
  int counts_terminal = 0;
  int counts_failed = 0;
  int counts_in_flight = 0;
  // Of a convoy:
  int tracked_issues = 0;
  int terminal_issues = 0;
  int failed_issues = 0;
  int reviews_in_flight = 0;

  [[nodiscard]] bool unused() const {
    return blockers.empty() && blocked.empty() && tracks.empty() && tracked_by.empty() && requests.empty() &&
           members.empty() && children.empty() && hooked.empty() && runs.empty() && triage.empty();
  }
};

/// How many rows there are of each kind, counted when they change.
struct Census {
  std::array<std::array<int, kBeadStatuses>, kBeadTypes> beads{};  ///< by type and status
  std::array<int, kAgentStatuses> agents{};                        ///< by status
};

/// Order of a ready queue: rework first, then waiting time with priority worth `Constants::ageing` a step, then id.
struct ReadyKey {
  bool ordinary = true;
  std::int64_t weighted_since = 0;
  BeadId bead_id;
  friend auto operator<=>(const ReadyKey&, const ReadyKey&) = default;
};

/// What is known about a rig without looking at its beads and agents.
struct RigIndex {
  std::set<ReadyKey> ready;         ///< issues that R1 looks at
  std::set<ReadyKey> queue;         ///< open merge requests
  std::set<BeadId> reviewing;       ///< requests in progress without pr_url
  std::set<BeadId> requests;        ///< all live requests
  std::set<AgentId> free_polecats;  ///< idle, unhooked, no run that is not ended
  std::set<AgentId> refineries;
  int busy_polecats = 0;  ///< with a run not ended, or without a run and working or stalled
};

/// Which row changed; what the store writes and the digest sums.
struct RowKey {
  enum class Table : std::uint8_t { town, rig, bead, agent, run, review, convoy, dependency, nudge, mail, deferred };
  Table table = Table::town;
  std::string key;  ///< for a dependency: bead, depends_on and kind, separated by the unit separator 0x1f
  friend auto operator<=>(const RowKey&, const RowKey&) = default;
};

/// A town: all rows, what follows from them, and the agenda. Every edit is one `put` or `erase`; each leaves an undo
/// record, updates the indexes and touches the neighbours along the fixed edges. There is no other way to write.
class Town {
 public:
  Town() = default;
  explicit Town(TownRow row);

  // ---- reading ----
  [[nodiscard]] const TownRow& row() const { return row_; }
  [[nodiscard]] const TownConfig& config() const { return row_.config; }
  [[nodiscard]] const Constants& constants() const { return row_.config.constants; }
  [[nodiscard]] const Rig* rig(const RigId& id) const { return rigs_.find(id); }
  [[nodiscard]] const Bead* bead(const BeadId& id) const { return beads_.find(id); }
  [[nodiscard]] const Agent* agent(const AgentId& id) const { return agents_.find(id); }
  [[nodiscard]] const Run* run(const RunId& id) const { return runs_.find(id); }
  [[nodiscard]] const Review* review(const BeadId& id) const { return reviews_.find(id); }
  [[nodiscard]] const Convoy* convoy(const BeadId& id) const { return convoys_.find(id); }
  [[nodiscard]] const Nudge* nudge(const MessageId& id) const { return nudges_.find(id); }
  [[nodiscard]] const Mail* mail(const MessageId& id) const { return mail_.find(id); }
  [[nodiscard]] const std::map<std::int64_t, DeferredEvent>& deferred() const { return deferred_; }
  [[nodiscard]] bool has(const Dependency& dependency) const;

  [[nodiscard]] std::vector<RigId> rig_ids() const { return rigs_.ids(); }
  [[nodiscard]] std::vector<BeadId> bead_ids() const { return beads_.ids(); }
  [[nodiscard]] std::vector<AgentId> agent_ids() const { return agents_.ids(); }
  [[nodiscard]] std::vector<RunId> run_ids() const { return runs_.ids(); }
  [[nodiscard]] std::vector<MessageId> nudge_ids() const { return nudges_.ids(); }
  [[nodiscard]] std::vector<MessageId> mail_ids() const { return mail_.ids(); }
  [[nodiscard]] std::vector<Dependency> dependencies() const;
  [[nodiscard]] std::size_t bead_count() const { return beads_.size(); }
  [[nodiscard]] std::size_t agent_count() const { return agents_.size(); }
  [[nodiscard]] const Census& census() const { return census_; }

  /// What is known about the neighbours of a bead; empty links when nothing names it.
  [[nodiscard]] const BeadLinks& links(const BeadId& id) const;
  [[nodiscard]] const RigIndex& index(const RigId& id) const;
  [[nodiscard]] const std::set<AgentId>& mayors() const { return mayors_; }
  [[nodiscard]] const std::set<BeadId>& open_triage_requests() const { return open_triage_; }
  [[nodiscard]] const std::set<BeadId>& live_triage_batches() const { return live_batches_; }
  /// Messages not yet delivered, expired or given up, in id order.
  [[nodiscard]] const std::set<MessageId>& undelivered(const AgentId& id) const;
  /// Live beads whose assignee this is.
  [[nodiscard]] const std::set<BeadId>& assigned(const AgentId& id) const;
  /// When somebody named `source` last nudged the agent.
  [[nodiscard]] MaybeInstant last_nudged(const AgentId& id, const std::string& source) const;
  /// Triage requests about an agent that are still open.
  [[nodiscard]] const std::set<BeadId>& triage_about(const AgentId& id) const;
  [[nodiscard]] const std::set<std::pair<Instant, RunId>>& runs_by_end() const { return runs_by_end_; }
  [[nodiscard]] const std::set<std::pair<Instant, RunId>>& runs_by_request() const { return runs_by_request_; }
  /// Runs not ended that take one of the town's slots (polecats').
  [[nodiscard]] int slots_taken() const { return slots_taken_; }
  [[nodiscard]] const std::set<RunId>& live_runs() const { return live_runs_; }

  // ---- writing ----
  void put(TownRow row);
  void put(Rig row);
  void put(Bead row);
  void put(Agent row);
  void put(Run row);
  void put(Review row);
  void put(Convoy row);
  void put(Nudge row);
  void put(Mail row);
  void put(const Dependency& dependency);
  void put(DeferredEvent deferred);
  void erase(const BeadId& id);  ///< the bead with its review, convoy, edges and runs
  void erase(const AgentId& id);
  void erase(const RunId& id);
  void erase(const Dependency& dependency);
  void erase_message(const MessageId& id);
  void erase_deferred(std::int64_t seq);

  /// The next `<prefix>-<n>`.
  std::string make_id();
  /// The next number of an effect.
  std::int64_t make_effect_number();

  // ---- undo ----
  using Mark = std::size_t;
  [[nodiscard]] Mark mark() const { return undo_.size(); }
  /// Takes back every edit since `mark`; what they touched stays touched, which costs a look and changes nothing.
  void rollback(Mark mark);
  /// The rows edited since `mark`, each once, in key order.
  [[nodiscard]] std::vector<RowKey> changed_since(Mark mark) const;
  /// Forgets all undo records.
  void settle() { undo_.clear(); }

  // ---- digest and agenda ----
  /// Sum of all rows' hashes, kept up to date by hashing only what changed.
  [[nodiscard]] Hash128 digest();
  /// The same by hashing every row.
  [[nodiscard]] Hash128 recount() const;

  /// A rule whose decision about a subject was refused is not asked again for 60 s × 2ⁿ, at most an hour.
  void refuse(std::string_view rule, const SubjectKey& subject, Instant now);
  [[nodiscard]] Instant refused_until(std::string_view rule, const SubjectKey& subject) const;

  [[nodiscard]] Agenda& agenda() { return agenda_; }
  [[nodiscard]] const Agenda& agenda() const { return agenda_; }
  void touch_everything();
  /// Every subject of a stage in its order, found by looking at all rows: for the reference scan only.
  [[nodiscard]] std::vector<SubjectKey> all_subjects(Stage stage) const;
  /// The subjects made of up to `rows` rows from `place` on, in no order; `place` moves on, and back to 0 at the end.
  [[nodiscard]] std::vector<std::pair<Stage, SubjectKey>> some_subjects(std::size_t& place, std::size_t rows) const;
  /// The ready queue of a rig, found by looking at all beads.
  [[nodiscard]] std::vector<ReadyKey> recount_ready(const RigId& rig) const;
  [[nodiscard]] std::vector<ReadyKey> recount_queue(const RigId& rig) const;

 private:
  /// Where a bead stands in the indexes now, so that it can be taken out again.
  struct Filed {
    RigId rig;
    ReadyKey key;
    bool ready = false;
    bool queued = false;
    bool live_request = false;
    bool reviewing = false;
    bool triage_request = false;
    bool triage_batch = false;
    BeadId source;     ///< of a live request
    AgentId assignee;  ///< of a live bead
    AgentId triage_agent;
    BeadId triage_bead;
    friend bool operator==(const Filed&, const Filed&) = default;
  };
  struct FiledAgent {
    RigId rig;
    bool free_polecat = false;
    bool busy_polecat = false;
    bool takes_slot = false;
    bool refinery = false;
    bool mayor = false;
    bool hooked_idle = false;
  };
  /// Who nudged (source), when, which nudge.
  using NudgeTime = std::tuple<std::string, Instant, MessageId>;

  /// What was there before an edit; null when there was nothing. On the heap, so that all records are small, and shared
  /// with the records of a town's copies.
  template <class Row>
  using Old = std::shared_ptr<const Row>;
  template <class Row, class Key>
  struct Undo {
    Key key;
    Old<Row> old;
  };
  struct UndoTown {
    Old<TownRow> old;
  };
  struct UndoCounter {
    std::int64_t next_id;
    std::int64_t next_effect;
  };
  struct Refusal {
    int times = 0;
    Instant until;
  };
  using RefusalKey = std::pair<std::string, SubjectKey>;
  struct UndoRefusal {
    RefusalKey key;
    Refusal old;
  };
  struct UndoDependency {
    Dependency dependency;
    bool existed;
  };
  using UndoRecord =
      std::variant<UndoTown, UndoCounter, UndoRefusal, Undo<Rig, RigId>, Undo<Bead, BeadId>, Undo<Agent, AgentId>,
                   Undo<Run, RunId>, Undo<Review, BeadId>, Undo<Convoy, BeadId>, Undo<Nudge, MessageId>,
                   Undo<Mail, MessageId>, UndoDependency, Undo<DeferredEvent, std::int64_t>>;

  /// Puts the row, or with null erases what is there.
  template <class Row, class IdType>
  void write(Table<Row, IdType>& table, RowKey::Table kind, const IdType& id, std::type_identity_t<Row>* row);
  template <class Row, class IdType>
  void restore(Table<Row, IdType>& table, RowKey::Table kind, const Undo<Row, IdType>& undo);
  void write(TownRow row);
  void write(const Dependency& dependency, bool exists);
  void write(std::int64_t seq, std::optional<DeferredEvent> row);

  void count(const Bead* row, int by);
  void count(const Agent* row, int by);
  void changed(const Rig* old, const Rig* now);
  void changed(const Bead* old, const Bead* now);
  void changed(const Agent* old, const Agent* now);
  void changed(const Run* old, const Run* now);
  void changed(const Review* old, const Review* now);
  void changed(const Convoy* old, const Convoy* now);
  void changed(const Nudge* old, const Nudge* now);
  void changed(const Mail* old, const Mail* now);

  void touch_bead(const BeadId& id, Edge edge);
  void touch_agent(const AgentId& id, Edge edge);
  void touch_rig(const RigId& id, Edge edge);
  void touch_gate(const RigId& rig);  ///< everybody whose dispatch the gate of this rig (or, empty, the town) decides
  void touch_town(Edge edge);

  /// Puts a bead into or out of its rig's queues and its convoys' counts, whatever it was before.
  void refile(const BeadId& id);
  void refile_blocked(const BeadId& id, Edge edge);
  void refile(const AgentId& id);
  void count_in_convoys(const BeadId& id);
  BeadLinks& links_for(const BeadId& id);
  void drop_unused_links(const BeadId& id);
  void touch_messages_of(const AgentId& id);
  void link(const Dependency& dependency, bool exists);

  TownRow row_;
  Table<Rig, RigId> rigs_;
  Table<Bead, BeadId> beads_;
  Table<Agent, AgentId> agents_;
  Table<Run, RunId> runs_;
  Table<Review, BeadId> reviews_;
  Table<Convoy, BeadId> convoys_;
  Table<Nudge, MessageId> nudges_;
  Table<Mail, MessageId> mail_;
  std::map<std::int64_t, DeferredEvent> deferred_;

  Table<BeadLinks, BeadId> links_;
  Table<RigIndex, RigId> indexes_;
  Table<Filed, BeadId> filed_;
  Table<FiledAgent, AgentId> filed_agents_;
  Table<std::set<NudgeTime>, AgentId> nudged_;
  Table<std::set<BeadId>, AgentId> assigned_;
  std::set<AgentId> hooked_idle_;
  Table<std::set<MessageId>, AgentId> undelivered_;
  Table<std::set<BeadId>, AgentId> triage_about_;
  std::set<AgentId> mayors_;
  std::set<BeadId> open_triage_;
  std::set<BeadId> live_batches_;
  std::set<std::pair<Instant, RunId>> runs_by_end_;
  std::set<std::pair<Instant, RunId>> runs_by_request_;
  std::set<RunId> live_runs_;
  int slots_taken_ = 0;
  Census census_;

  std::vector<UndoRecord> undo_;
  std::vector<RowKey> dirty_;
  Hash128 town_hash_;
  Hash128 config_hash_;
  bool town_dirty_ = true;
  bool config_dirty_ = true;
  Hash128 digest_;
  std::map<RefusalKey, Refusal> refusals_;
  Agenda agenda_;
};

// ---- facts that several rules need, each defined once -------------------------------------------------------------

bool has_label(const Bead& bead, std::string_view label);
/// gt:rework, gt:pr-feedback, gt:pr-conflict or gt:pr-fixup: closed by its done, never reviewed.
bool rework_class(const Bead& bead);
/// domain.md §1: depends by `blocks` on a live bead, or on a bead with a live merge request. A failed blocker counts as
/// resolved. Gives the first such bead, or an empty id.
BeadId first_blocker(const Town& town, const BeadId& bead);
/// A live bead with this label that blocks it; null when there is none.
const Bead* live_blocker(const Town& town, const BeadId& bead, std::string_view label);
/// Label gt:held, or a staged convoy tracks it.
bool held(const Town& town, const Bead& bead);
/// The agent's run has not ended.
bool run_live(const Town& town, const Agent& agent);
/// Idle, unhooked, and no run that has not ended.
bool free_agent(const Town& town, const Agent& agent);
/// Silence is measured from here: max(t, town.observed_since, the end of a drain that ran out).
MaybeInstant heard_since(const Town& town, MaybeInstant t, Instant now);
/// The first convoy that a bead tracks, or null.
const Convoy* convoy_of(const Town& town, const BeadId& bead);
bool draining(const Town& town, Instant now);
int attempts_cap(const Town& town, const RigId& rig);
bool code_review(const Town& town, const RigId& rig);
/// The branch that work of this rig lands on.
std::string target_of(const Rig& rig);
/// How its work gets to its target.
Strategy strategy_of(const Town& town, const Rig& rig);
/// Nobody and nothing speaks against merging it; what is unknown does.
bool green(const events::PollAnswer& answer, const Rig* rig);
/// Work that is to be a pull request and is not at the forge as it was handed in, or has not answered what was asked.
bool unpublished(const Review& review);
ReadyKey ready_key(const Town& town, const Bead& bead);
/// R1 looks at this issue: open, unassigned, in a rig, neither blocked nor held nor a question.
bool ready(const Town& town, const Bead& bead);

std::string_view to_string(BeadType v);
std::string_view to_string(BeadStatus v);
std::string_view to_string(Priority v);
std::string_view to_string(AgentRole v);
std::string_view to_string(AgentStatus v);
std::string_view to_string(RunKind v);
std::string_view to_string(RunState v);
std::string_view to_string(Outcome v);
std::string_view to_string(Verdict v);
std::string_view to_string(ReviewResult v);

}  // namespace townd

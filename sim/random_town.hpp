#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tick.hpp"
#include "sim/random.hpp"

namespace townd::sim {

/// What a story leans towards, so that what is rare in ordinary life is told often enough.
enum class Mood : std::uint8_t {
  ordinary,
  landing,      ///< convoys whose issues are done, their landings failing and waiting for approvals
  failing,      ///< starts are refused, runs crash, time hardly passes
  resting,      ///< draining or not being heard, in small steps
  unreachable,  ///< a runtime that does not answer for long
  loaded,       ///< agents of another system, without runs, holding whatever
  asking,       ///< triage requests, mail and nudges
};

/// A town with a random past and a random future: rows in every state that data may be in, then facts of every kind,
/// people who interfere, and effects that are answered late, twice, wrongly or never. The same seed gives the same
/// story. The property test and the simulator use it.
class RandomTown {
 public:
  /// 1 to `most` beads, log-uniform.
  RandomTown(std::uint64_t seed, int most);

  [[nodiscard]] Town& town() { return town_; }
  [[nodiscard]] int size() const { return size_; }
  /// Ticks until what the mood is about has been told.
  [[nodiscard]] int length() const;
  /// What happens next: some time passes, some facts arrive.
  TickInput next();
  /// Tells the story what a tick did, so that its effects can be answered.
  void ticked(const TickResult& result);

 private:
  // The past: random_past.cpp
  void make_rows();
  void make_rigs();
  void make_issues(int count);
  void make_requests(int count);
  void make_molecules(int count);
  void make_published(Review& review);
  void make_convoys(int count);
  void make_agents(int count);
  void make_messages(int count);
  void know_beads();
  BeadId a_bead();
  BeadId a_live(BeadType type);
  BeadId a_hook(AgentRole role);
  void just_tried(Bead bead);
  [[nodiscard]] bool is(Mood mood) const { return mood_ == mood; }
  RigId a_rig();
  AgentId an_agent();
  Instant past(Duration longest);

  // The future: random_future.cpp
  void pass_time();
  void agents_speak(TickInput& input);
  void effects_answer(TickInput& input);
  void people_interfere(TickInput& input);
  void seldom(TickInput& input);
  void change_budgets(TickInput& input);
  void arrange_by_hand(TickInput& input);
  void machine_changes(TickInput& input);
  void forge_speaks(TickInput& input);
  void answer(const Effect& effect, TickInput& input);
  void add(TickInput& input, EventBody body);
  events::PollAnswer a_poll();
  events::PrPublished a_publication(const BeadId& request);
  events::TrialResult a_trial(const Run& run);

  Random random_;
  Mood mood_ = Mood::ordinary;
  Town town_;
  int size_ = 1;
  Instant now_;
  std::int64_t next_seq_ = 1;
  std::vector<RigId> rigs_;
  std::vector<BeadId> known_;  ///< beads to choose from, taken anew now and then
  std::vector<Effect> unanswered_;
};

}  // namespace townd::sim

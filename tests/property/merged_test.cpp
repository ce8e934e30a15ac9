#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <set>

#include "core/tick.hpp"
#include "sim/random_town.hpp"

/// Every kind of fact in every state that random towns get into: a request counts as merged only by a commit that was
/// found on its target, by the forge's word, or by a person's.
namespace townd {
namespace {

using sim::RandomTown;

std::set<BeadId> merged_in(const Town& town) {
  std::set<BeadId> merged;
  for (const BeadId& id : town.bead_ids())
    if (const Review* review = town.review(id); review && review->result == ReviewResult::merged) merged.insert(id);
  return merged;
}

/// What was told of the request in this tick that shows it to be merged; empty when nothing does.
class Witness {
 public:
  Witness(const Review& review, const BeadId& head) : review_(review), head_(head) {}

  template <class Fact>
  std::string operator()(const Fact&) const {
    return {};
  }
  std::string operator()(const events::GitMergeResult& fact) const {
    const bool its_own = fact.bead_id == review_.bead_id || fact.bead_id == head_;
    const bool says_so = fact.answer == events::LandingAnswer::landed && fact.commit == review_.merge_commit;
    return its_own && says_so && review_.evidence == "commit" ? "a commit found on the target" : "";
  }
  std::string operator()(const events::PrPolled& fact) const {
    return fact.bead_id == review_.bead_id && fact.answer.status == "merged" && by_forge() ? "a poll of the forge" : "";
  }
  std::string operator()(const events::PrStatusChanged& fact) const {
    return fact.bead_id == review_.bead_id && fact.pr_state == "merged" && by_forge() ? "the forge's status" : "";
  }
  std::string operator()(const events::PrMergeResult& fact) const {
    return fact.merged && fact.bead_id == review_.bead_id && by_forge() ? "the forge's answer to a merge" : "";
  }
  std::string operator()(const events::ReviewCompleted& fact) const {
    return fact.entry == review_.bead_id && fact.status == "merged" && !review_.evidence.empty() ? "a person" : "";
  }

 private:
  [[nodiscard]] bool by_forge() const { return review_.evidence == "forge"; }
  const Review& review_;
  const BeadId head_;
};

template <class... Bodies>
std::set<std::string_view> every_kind(std::variant<Bodies...>*) {
  return {event_type(EventBody(Bodies{}))...};
}

TEST(Merged, OnlyByACommitOnTheTargetTheForgesWordOrAPersons) {
  std::map<std::string, int> paths;
  std::set<std::string_view> told;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    RandomTown random(seed, 60);
    Town& town = random.town();
    std::set<BeadId> known = merged_in(town);
    for (int turn = 0; turn < 60; ++turn) {
      const TickInput input = random.next();
      std::map<BeadId, BeadId> heads;
      for (const BeadId& id : town.bead_ids())
        if (const Review* review = town.review(id)) heads[id] = review->batch_head;
      const TickResult result = tick(town, input);
      town.settle();
      random.ticked(result);
      for (const Event& event : input.events) told.insert(event_type(event.body));
      for (const BeadId& id : merged_in(town)) {
        if (!known.insert(id).second) continue;
        std::string path;
        for (const Event& event : input.events)
          if (path.empty()) path = std::visit(Witness(*town.review(id), heads[id]), event.body);
        EXPECT_FALSE(path.empty()) << "seed " << seed << ", tick " << turn << ": nothing shows that " << id.text
                                   << " is merged, evidence \"" << town.review(id)->evidence << '"';
        ++paths[path];
      }
    }
  }
  for (const auto& [path, times] : paths) std::cout << times << " by " << path << '\n';
  EXPECT_EQ(paths.size(), 5u) << "a path was not tried";
  std::cout << told.size() << " kinds of facts were told\n";
  for (const std::string_view kind : every_kind(static_cast<EventBody*>(nullptr)))
    EXPECT_TRUE(told.contains(kind)) << kind << " was never told";
}

}  // namespace
}  // namespace townd

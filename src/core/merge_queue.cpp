#include "core/merge_queue.hpp"

#include <algorithm>

namespace townd {
namespace {

constexpr int kWindow = 256;         // requests judged over which the rate of culprits is measured
constexpr int kPriorTried = 48;      // what is believed before anything was tried: one culprit in so many
constexpr std::size_t kGates = 64;   // remembered; the last one that is new takes the place of the oldest
constexpr int kRedsRemembered = 64;  // of a gate; older ones count half
constexpr int kFlakyInTen = 1;       // failures without a cause among ten, from which on a gate counts as flaky
constexpr int kBlamedBeforeCheck = 2;
constexpr int kTrialsBeforeCheck = 8;

GateRecord& record_of(MergeQueue& queue, const std::string& gate) {
  const auto known =
      std::find_if(queue.gates.begin(), queue.gates.end(), [&](const GateRecord& g) { return g.gate == gate; });
  if (known != queue.gates.end()) return *known;
  if (queue.gates.size() >= kGates) queue.gates.erase(queue.gates.begin());
  queue.gates.push_back({gate, 0, 0});
  return queue.gates.back();
}

auto suspects_at(MergeQueue& queue, std::string_view target_branch) {
  return std::find_if(queue.suspects.begin(), queue.suspects.end(),
                      [&](const Suspects& s) { return s.target_branch == target_branch; });
}

}  // namespace

int batch_size(const MergeQueue& queue) {
  // Of n requests n(1 - p) land; the trial itself is one run of the gates, each culprit takes log2 n + 1 more.
  const std::int64_t of = queue.tried + kPriorTried, culprits = queue.culprits + 1;
  int best = 1;
  std::int64_t best_landed = 0, best_cost = 1;
  int halvings = 0;
  for (int n = 1; n <= kBatchLimit; n *= 2, ++halvings) {
    const std::int64_t landed = n * (of - culprits), cost = of + n * culprits * (halvings + 1);
    if (landed * best_cost < best_landed * cost) continue;
    best = n;
    best_landed = landed;
    best_cost = cost;
  }
  return best;
}

const Suspects* suspects_of(const MergeQueue& queue, std::string_view target_branch) {
  for (const Suspects& suspects : queue.suspects)
    if (suspects.target_branch == target_branch) return &suspects;
  return nullptr;
}

bool flaky(const GateRecord& gate) { return gate.flakes > 0 && gate.flakes * 10 >= gate.reds * kFlakyInTen; }

TrialCare care_for(const MergeQueue& queue, std::string_view target_branch, const std::vector<BeadId>& requests) {
  const bool unsteady = std::any_of(queue.gates.begin(), queue.gates.end(), flaky);
  const bool alone = requests.size() == 1;
  const Suspects* known = suspects_of(queue, target_branch);
  // A suspect that stands alone has been in a red trial already: the next one is the second.
  const bool suspected = alone && known && !known->gate.empty() &&
                         std::count(known->requests.begin(), known->requests.end(), requests.front()) > 0;
  return {unsteady || (alone && !suspected),
          alone &&
              (queue.paused_since || queue.blamed >= kBlamedBeforeCheck || queue.without_landing >= kTrialsBeforeCheck),
          queue.sound_commit};
}

MaybeInstant paused_until(const MergeQueue& queue) {
  if (!queue.paused_since) return std::nullopt;
  return *queue.paused_since + kQueuePause;
}

void pause(MergeQueue& queue, Instant now, std::string reason) {
  queue.paused_since = now;
  queue.paused_reason = std::move(reason);
}

void resume(MergeQueue& queue, Instant now) {
  if (queue.paused_since) queue.paused_since = std::min(*queue.paused_since, now - kQueuePause);
}

void count_judged(MergeQueue& queue, int tried, int culprits) {
  queue.tried += tried;
  queue.culprits += culprits;
  if (queue.tried <= kWindow) return;
  queue.tried /= 2;
  queue.culprits /= 2;
}

void count_red(MergeQueue& queue, const std::string& gate) {
  GateRecord& record = record_of(queue, gate);
  if (++record.reds <= kRedsRemembered) return;
  record.reds /= 2;
  record.flakes /= 2;
}

void count_flake(MergeQueue& queue, const std::string& gate) { ++record_of(queue, gate).flakes; }

void target_is_sound(MergeQueue& queue, const std::string& commit) {
  if (!commit.empty()) queue.sound_commit = commit;
  queue.without_landing = queue.blamed = 0;
  queue.paused_since.reset();
  queue.paused_reason.clear();
}

void suspect(MergeQueue& queue, Suspects suspects) {
  const auto known = suspects_at(queue, suspects.target_branch);
  if (known != queue.suspects.end()) queue.suspects.erase(known);
  if (!suspects.requests.empty()) queue.suspects.push_back(std::move(suspects));
}

void leave(MergeQueue& queue, std::string_view target_branch, const BeadId& request) {
  const auto known = suspects_at(queue, target_branch);
  if (known == queue.suspects.end() || std::erase(known->requests, request) == 0) return;
  known->some_left = true;
  if (known->requests.empty()) queue.suspects.erase(known);
}

std::string acquit(MergeQueue& queue, std::string_view target_branch, const BeadId& request) {
  const auto known = suspects_at(queue, target_branch);
  if (known == queue.suspects.end() || std::erase(known->requests, request) == 0 || !known->requests.empty()) return {};
  std::string gate = known->some_left ? std::string() : std::move(known->gate);
  queue.suspects.erase(known);
  return gate;
}

}  // namespace townd

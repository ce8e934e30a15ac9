#include "core/image.hpp"

#include <charconv>
#include <utility>

namespace townd {
namespace {

template <class Row>
std::optional<AnyRow> copy_of(const Row* row) {
  return row ? std::optional<AnyRow>(*row) : std::nullopt;
}

}  // namespace

std::optional<AnyRow> row_image(const Town& town, const RowKey& key) {
  using T = RowKey::Table;
  switch (key.table) {
    case T::town: return AnyRow(town.row());
    case T::rig: return copy_of(town.rig(RigId(key.key)));
    case T::bead: return copy_of(town.bead(BeadId(key.key)));
    case T::agent: return copy_of(town.agent(AgentId(key.key)));
    case T::run: return copy_of(town.run(RunId(key.key)));
    case T::review: return copy_of(town.review(BeadId(key.key)));
    case T::convoy: return copy_of(town.convoy(BeadId(key.key)));
    case T::nudge: return copy_of(town.nudge(MessageId(key.key)));
    case T::mail: return copy_of(town.mail(MessageId(key.key)));
    case T::dependency: {
      const auto first = key.key.find('\x1f'), second = key.key.rfind('\x1f');
      const Dependency edge{BeadId(key.key.substr(0, first)), BeadId(key.key.substr(first + 1, second - first - 1)),
                            key.key.substr(second + 1) == "blocks" ? DependencyKind::blocks : DependencyKind::tracks};
      return town.has(edge) ? std::optional<AnyRow>(edge) : std::nullopt;
    }
    case T::deferred: {
      std::int64_t seq = 0;
      std::from_chars(key.key.data(), key.key.data() + key.key.size(), seq);
      const auto found = town.deferred().find(seq);
      return found == town.deferred().end() ? std::nullopt : std::optional<AnyRow>(found->second);
    }
  }
  return std::nullopt;
}

TownImage image_of(const Town& town) {
  TownImage image;
  image.town = town.row();
  for (const RigId& id : town.rig_ids()) image.rigs.push_back(*town.rig(id));
  for (const BeadId& id : town.bead_ids()) {
    image.beads.push_back(*town.bead(id));
    if (const Review* review = town.review(id)) image.reviews.push_back(*review);
    if (const Convoy* convoy = town.convoy(id)) image.convoys.push_back(*convoy);
  }
  for (const AgentId& id : town.agent_ids()) image.agents.push_back(*town.agent(id));
  for (const RunId& id : town.run_ids()) image.runs.push_back(*town.run(id));
  for (const MessageId& id : town.nudge_ids()) image.nudges.push_back(*town.nudge(id));
  for (const MessageId& id : town.mail_ids()) image.mail.push_back(*town.mail(id));
  image.dependencies = town.dependencies();
  for (const auto& [seq, deferred] : town.deferred()) image.deferred.push_back(deferred);
  return image;
}

Town town_of(TownImage image) {
  Town town(std::move(image.town));
  const auto put = [&town](auto& rows) {
    for (auto& row : rows) town.put(std::move(row));
  };
  put(image.rigs);
  put(image.agents);
  put(image.convoys);
  put(image.reviews);
  put(image.dependencies);  // before the beads: each is filed as ready or blocked once
  put(image.beads);
  put(image.runs);
  put(image.nudges);
  put(image.mail);
  put(image.deferred);
  town.settle();
  town.touch_everything();
  return town;
}

}  // namespace townd

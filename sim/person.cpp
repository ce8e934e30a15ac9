#include "sim/person.hpp"

#include <algorithm>
#include <utility>

namespace townd::sim {
namespace {

const Bead* convoy_around(const Town& town, const BeadId& id) {
  const Convoy* convoy = convoy_of(town, id);
  return convoy == nullptr ? nullptr : town.bead(convoy->bead_id);
}

void help_with(Engine& engine, const Town& town, const Bead& bead) {
  const auto say = [&](EventBody body) {
    engine.submit(town.row().town_id, std::move(body), [](const expected<Receipt>&) {});
  };
  const BeadId& id = bead.bead_id;
  const Bead* convoy = convoy_around(town, id);
  if (bead.status == BeadStatus::failed && bead.type == BeadType::issue && convoy != nullptr &&
      convoy->status == BeadStatus::open) {
    say(events::BeadReopened{id, "a person"});
  } else if (!terminal(bead.status) && has_label(bead, "gt:held")) {
    events::BeadUpdated free;
    free.bead_id = id;
    free.labels = bead.labels;
    std::erase(*free.labels, "gt:held");
    say(std::move(free));
    say(events::BeadRetried{id, "a person"});
  } else if (bead.type == BeadType::escalation && bead.status == BeadStatus::open) {
    say(events::EscalationAcknowledged{id, "a person"});
  } else if (bead.type == BeadType::issue && bead.status == BeadStatus::open && has_label(bead, "gt:triage-request")) {
    say(events::TriageResolved{id, {}, "CLOSE", "looked at"});
  }
}

}  // namespace

void help_out(Engine& engine, const TownId& town) {
  engine.look(
      town,
      [&engine](const Engine::View& view) {
        for (const BeadId& id : view.town.bead_ids()) help_with(engine, view.town, *view.town.bead(id));
      },
      [] {});
}

}  // namespace townd::sim

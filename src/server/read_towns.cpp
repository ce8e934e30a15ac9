#include "server/read_towns.hpp"

#include <memory>
#include <utility>

namespace townd {

void read_towns(Engine& engine, Metrics& metrics, Workers& workers, std::function<void()> then) {
  // Goes when the last of those who hold it has gone: every town was read, or is not there any more.
  const std::shared_ptr<void> all(nullptr,
                                  [&workers, then = std::move(then)](void*) mutable { workers.post(std::move(then)); });
  for (const TownId& town : metrics.unread())
    engine.look(
        town,
        [all, &metrics](const Engine::View& view) {
          if (view.quarantined.empty()) metrics.read(view.town, view.pending_events, view.effects_in_doubt);
        },
        [all] {});
}

}  // namespace townd

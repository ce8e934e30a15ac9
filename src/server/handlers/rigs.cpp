#include <array>

#include "codec/describe_rows.hpp"
#include "codec/fields.hpp"
#include "core/merge_queue.hpp"
#include "git/names.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"
#include "server/pages.hpp"

namespace townd {
namespace {

/// Calls `use` with the rig that the path names; answers 404 without one.
void with_rig(const CallPtr& call, std::function<void(const Engine::View&, const Rig&)> use) {
  call->look([call, use = std::move(use)](const Engine::View& view) {
    const std::string named = call->parameter("rig");
    if (const Rig* rig = find_rig(view.town, named)) return use(view, *rig);
    call->fail(no_rig(named));
  });
}

void answer_rig(const CallPtr& call, const RigId& id) {
  call->look([call, id](const Engine::View& view) {
    const Rig* rig = view.town.rig(id);
    if (!rig) return call->fail(Error::Code::not_found, "the rig " + id.text + " is gone again");
    call->succeed(rig_shape(*rig));
  });
}

/// What no rig can be set to, or nothing.
std::string nonsense_in(const RigConfig& config) {
  for (const std::string& gate : config.gates)
    if (gate.find_first_not_of(" \t\n") == std::string::npos)
      return "gates: an empty command tests nothing; set no_gates to merge without testing";
  if (config.sandbox != "bwrap" && config.sandbox != "none") return "sandbox: it is bwrap or none";
  if (config.max_polecats && *config.max_polecats < 1) return "max_polecats: at least 1; `town pause` starts nothing";
  if (config.max_dispatch_attempts && *config.max_dispatch_attempts < 1) return "max_dispatch_attempts: at least 1";
  if (config.max_batch && (*config.max_batch < 1 || *config.max_batch > kBatchLimit))
    return "max_batch: 1 to " + std::to_string(kBatchLimit) + "; 1 tries each request by itself";
  return {};
}

/// Reads `config` over what is set; false when it has answered with what is wrong.
bool read_config(const CallPtr& call, RigConfig& config) {
  if (!call->arguments().has("config")) return true;
  const RigConfig before = config;
  JsonReader reader;
  if (!reader.read(call->arguments().value("config"), config)) {
    reader.at("config");
    call->respond(
        failure(400, "the rig's settings are not right: " + reader.issue.message, "see issues", {reader.issue}));
    return false;
  }
  if (config.merge_strategy == Strategy::pr && before.merge_strategy != Strategy::pr)
    if (const auto forge = forge_set_up(call->services().node); !forge) {
      call->fail(forge.error());
      return false;
    }
  for (const auto& [now, then] :
       {std::pair{&config.polecat_preset, &before.polecat_preset}, {&config.refinery_preset, &before.refinery_preset}})
    if (*now != *then && !now->empty())
      if (const auto known = known_preset(call->services().presets, *now); !known) {
        call->fail(known.error());
        return false;
      }
  const std::string nonsense = nonsense_in(config);
  if (nonsense.empty()) return true;
  call->fail(Error::Code::invalid, "the rig's settings are not right: " + nonsense);
  return false;
}

bool refuse_url(const CallPtr& call, const std::string& url) {
  // An ssh address names its user, but no password.
  const auto authority = url.find("://");
  const auto at = authority == std::string::npos ? authority : url.substr(0, url.find('/', authority + 3)).rfind('@');
  const bool password =
      at != std::string::npos && url.substr(authority + 3, at - authority - 3).find(':') != std::string::npos;
  const bool secret = password || (url.starts_with("http") && git::without_credentials(url) != url);
  if (!url.starts_with("-") && !secret) return false;
  call->fail(
      Error::Code::invalid,
      url.starts_with("-") ? "a repository's address cannot begin with '-'" : "the address holds a user or password",
      "give a path or URL without credentials; git's own credential helpers are asked");
  return true;
}

void add_rig(const CallPtr& call) {
  const Arguments& given = call->arguments();
  events::RigAdded added;
  added.rig.name = given.text("name");
  added.rig.git_url = given.text("git_url");
  // Empty: the repository's own default, which preparing it finds out.
  added.rig.default_branch = given.text("default_branch");
  if (refuse_url(call, added.rig.git_url) || !read_config(call, added.rig.config)) return;
  if (refuse_url(call, added.rig.config.push_remote)) return;
  const std::string name = added.rig.name;
  call->submit(std::move(added), [call, name](const Receipt& receipt) {
    call->look([call, name, receipt](const Engine::View& view) {
      const Rig* rig =
          receipt.created.empty() ? find_rig(view.town, name) : view.town.rig(RigId(receipt.created.front()));
      if (!rig) return call->fail(Error::Code::internal, "the rig was recorded but cannot be found");
      call->succeed(rig_shape(*rig));
    });
  });
}

void list_rigs(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    Page page(call->arguments());
    for (const RigId& id : view.town.rig_ids())
      if (page.take(id)) page.add(rig_shape(*view.town.rig(id)));
    call->succeed(page.rows());
  });
}

void get_rig(const CallPtr& call) {
  with_rig(call, [call](const Engine::View&, const Rig& rig) { call->succeed(rig_shape(rig)); });
}

void change_rig(const CallPtr& call) {
  with_rig(call, [call](const Engine::View&, const Rig& rig) {
    const Arguments& given = call->arguments();
    events::RigChanged changed;
    changed.rig_id = rig.rig_id;
    changed.name = given.text("name", rig.name);
    changed.git_url = given.text("git_url", rig.git_url);
    changed.default_branch = given.text("default_branch", rig.default_branch);
    changed.config = rig.config;
    if ((given.has("git_url") && refuse_url(call, changed.git_url)) || !read_config(call, changed.config)) return;
    if (changed.config.push_remote != rig.config.push_remote && refuse_url(call, changed.config.push_remote)) return;
    const RigId id = rig.rig_id;
    call->submit(std::move(changed), [call, id](const Receipt&) { answer_rig(call, id); });
  });
}

void trust_rig(const CallPtr& call) {
  with_rig(call, [call](const Engine::View&, const Rig& rig) {
    const RigId id = rig.rig_id;
    call->submit(events::RigTrust{id, ""}, [call, id](const Receipt&) { answer_rig(call, id); });
  });
}

constexpr std::array<NamedHandler, 5> kHandlers{{
    {"rig.add", add_rig},
    {"rig.list", list_rigs},
    {"rig.get", get_rig},
    {"rig.config", change_rig},
    {"rig.trust", trust_rig},
}};

}  // namespace

std::span<const NamedHandler> rig_handlers() { return kHandlers; }

}  // namespace townd

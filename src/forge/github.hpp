#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "codec/json.hpp"
#include "forge/host.hpp"
#include "forge/host_settings.hpp"
#include "forge/json_calls.hpp"
#include "ports/clock.hpp"

namespace townd {

/// GitHub and GitHub Enterprise Server, by REST for what changes something and by GraphQL for how pull requests stand:
/// one request tells it of up to kTogether of them.
class GitHub final : public Host {
 public:
  static constexpr std::size_t kTogether = 50;

  GitHub(HostSettings settings, const Clock& clock, const std::atomic<bool>& stop);

  Asked<void> check(const HostedRepository& repository) override;
  Asked<std::string> open(const NewPr& wanted) override;
  std::vector<Asked<events::PollAnswer>> read(std::span<const PrPlace> places) override;
  Asked<PrPage> look(const PrPlace& place) override;
  Asked<void> comment(const PrPlace& place, const std::string& text) override;
  Asked<void> answer_thread(const PrPlace& place, const std::string& thread, const std::string& text) override;
  Asked<void> merge(const PrPlace& place, const std::string& head) override;
  [[nodiscard]] std::string head_ref(int number) const override;
  Asked<std::string> git_header() override;
  [[nodiscard]] std::vector<HostCalls> calls() const override { return calls_.made(); }

 private:
  /// An answer with a status that is no refusal, or is one of `fine`.
  Asked<JsonAnswer> call(const std::string& method, const std::string& path, const json::value& body,
                         const std::vector<int>& fine = {});
  Asked<JsonAnswer> call_as(const std::string& token, const std::string& method, const std::string& path,
                            const json::value& body, const std::vector<int>& fine = {});
  Asked<std::string> token();
  Asked<json::value> graphql(const std::string& query, json::object variables);
  Asked<void> may_read(const HostedRepository& repository, const std::string& branch);
  Asked<void> read_threads(const PrPlace& place, json::value& pull_request);
  Asked<void> read_further_pages(const PrPlace& place, json::value& pull_request);
  void read_together(std::span<const PrPlace> places, std::vector<Asked<events::PollAnswer>>& answers);

  const HostSettings settings_;
  const Clock& clock_;
  const JsonCalls calls_;
  WebAddress rest_;
  WebAddress graphql_;
  /// What was said in the unresolved threads of a pull request.
  struct Told {
    std::string as_of;
    json::array threads;
  };

  std::mutex threads_mutex_;
  std::map<std::string, Told> told_;  ///< by its page
  std::mutex mutex_;                  ///< of the installation's token
  std::string installed_;
  Instant installed_until_;
};

/// What GitHub's GraphQL says of a pull request, as townd understands it (reference §h.4). `bots` are those that are
/// listened to beside people who may write. Else what is missing.
tl::expected<events::PollAnswer, std::string> read_pull_request(const json::value& pull_request, const PrPlace& place,
                                                                std::span<const std::string> bots);

}  // namespace townd

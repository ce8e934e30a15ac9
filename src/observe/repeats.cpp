#include "observe/repeats.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "codec/json.hpp"
#include "observe/durable_file.hpp"

namespace townd {

Repeats::Repeats(std::filesystem::path file, Duration repeat) : file_(std::move(file)), repeat_(repeat) { read(); }

bool Repeats::fresh(const std::string& trouble, Instant now) {
  const auto known = told_.find(trouble);
  // A moment that is yet to come was told by a clock that has been put right since.
  if (known != told_.end() && known->second <= now && now - known->second < repeat_) return false;
  std::erase_if(told_, [&](const auto& one) { return one.second > now || now - one.second >= repeat_; });
  if (told_.size() >= kRemembered)
    told_.erase(
        std::min_element(told_.begin(), told_.end(), [](const auto& a, const auto& b) { return a.second < b.second; }));
  told_[trouble] = now;
  saved_ = false;
  return true;
}

void Repeats::read() {
  std::ifstream file(file_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto document = parse_json(text);
  const json::object* all = document ? document->if_object() : nullptr;
  if (all == nullptr) return;  // none yet, or damaged: then people are told once more
  for (const auto& [trouble, at] : *all)
    if (const std::int64_t* ms = at.if_int64()) told_.emplace(trouble, Instant{*ms});
}

void Repeats::save() {
  if (std::exchange(saved_, true)) return;
  json::object all;
  for (const auto& [trouble, at] : told_) all.emplace(trouble, at.ms);
  (void)write_durably(file_, json::serialize(all));
}

}  // namespace townd

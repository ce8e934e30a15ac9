#pragma once

#include <memory>
#include <string>
#include <variant>

#include "codec/describe_events.hpp"
#include "codec/describe_ticks.hpp"
#include "core/rule.hpp"

namespace townd::testing_tools {

/// Gives every member of a described struct a value of its own that is not blank, so that a lost one is noticed.
class Filler {
 public:
  template <class T>
  T filled() {
    T value{};
    fill(value);
    return value;
  }

 private:
  template <class T>
  void fill(T& v) {
    ++count_;
    if constexpr (std::same_as<T, bool>)
      v = true;
    else if constexpr (std::integral<T>)
      v = static_cast<T>(count_);
    else if constexpr (std::same_as<T, std::string>)
      v = "text " + std::to_string(count_);
    else if constexpr (std::same_as<T, std::string_view>)
      v = rules()[static_cast<std::size_t>(count_) % rules().size()].id;
    else if constexpr (is_id<T>)
      v.text = "id-" + std::to_string(count_);
    else if constexpr (std::same_as<T, Instant>)
      v = Instant{1'780'000'000'000 + count_};
    else if constexpr (std::same_as<T, Duration>)
      v = Duration{count_ * 61'001};
    else if constexpr (std::same_as<T, Hash128>)
      v = siphash128(std::to_string(count_));
    else if constexpr (std::same_as<T, TextRef>)
      v = TextRef::of("body " + std::to_string(count_));
    else if constexpr (std::same_as<T, std::shared_ptr<const BeadDetail>>)
      fill_detail(v);
    else if constexpr (std::same_as<T, std::shared_ptr<const Event>>)
      v = std::make_shared<const Event>(Event{count_, Instant{count_}, filled<events::AgentDone>()});
    else if constexpr (std::same_as<T, ActionBody>)
      v = filled<actions::DispatchAgent>();
    else if constexpr (is_optional<T>)
      fill(v.emplace());
    else if constexpr (is_vector<T>)
      fill(v.emplace_back()), fill(v.emplace_back());
    else if constexpr (DescribedEnum<T>)
      v = boost::mp11::mp_back<boost::describe::describe_enumerators<T>>::value;
    else
      fill_members(v);
  }

  template <class T>
  void fill_members(T& v) {
    boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>([&](auto member) {
      auto& value = v.*member.pointer;
      fill(value);
      if constexpr (std::same_as<std::remove_cvref_t<decltype(value)>, std::string>) {
        if (holds_json(member.name)) value = R"({"a":{"b":[1,"x"]},"c":null})";
      }
      if constexpr (std::same_as<std::remove_cvref_t<decltype(value)>, std::optional<std::string>>) {
        if (holds_json(member.name)) value = R"({"a":1})";
      }
    });
  }

  void fill_detail(std::shared_ptr<const BeadDetail>& v) {
    if (count_ % 3 == 0) v = std::make_shared<const BeadDetail>(filled<Rework>());
    if (count_ % 3 == 1) v = std::make_shared<const BeadDetail>(filled<TriageRequest>());
    if (count_ % 3 == 2) v = std::make_shared<const BeadDetail>(filled<Escalation>());
  }

  int count_ = 0;
};

/// Calls `visit` with a blank and a filled one of each alternative.
template <class Variant, class Visit>
void for_each_kind(Visit visit) {
  const auto all = [&]<class... T>(std::variant<T...>*) {
    (visit(Variant(T{})), ...);
    (visit(Variant(Filler().filled<T>())), ...);
  };
  all(static_cast<Variant*>(nullptr));
}

}  // namespace townd::testing_tools

#pragma once

#include <array>
#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <concepts>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "codec/json.hpp"
#include "codec/time_text.hpp"
#include "core/hash.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"

/// Reads and writes any struct whose members Boost.Describe knows: keys are the members' names, enumerators their
/// names. An unknown key is an error that names the nearest known one; a missing key leaves the member as it is. A
/// string member called `metadata` holds a JSON object.
namespace townd {

class JsonReader;
class JsonWriter;

/// Specialised for a type whose JSON is not the list of its members: `write(const JsonWriter&, const T&)` and
/// `read(JsonReader&, const json::value&, T&)`.
template <class T>
struct JsonForm;

template <class T>
concept HasJsonForm = requires {
  sizeof(JsonForm<T>);
};
template <class T>
concept Described = boost::describe::has_describe_members<T>::value;
template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

template <class T>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<Id<Tag>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

/// How members without a value are written.
enum class Blanks {
  omit,  ///< not at all, where their absence reads as the same: the store
  null,  ///< a name or text that is not set is null: snapshots and answers
  keep,  ///< texts stay texts: actions
};

/// Enumerators with words joined by a dash on the wire, as the reference writes them.
template <class E>
inline constexpr bool kDashed = false;

template <DescribedEnum E>
std::string enum_name(E value) {
  std::string name;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto described) {
    if (described.value == value) name = described.name;
  });
  if constexpr (kDashed<E>)
    for (char& c : name)
      if (c == '_') c = '-';
  return name;
}

template <DescribedEnum E>
std::optional<E> enum_from_name(std::string_view name) {
  std::optional<E> found;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto described) {
    if constexpr (kDashed<E>) {
      if (enum_name(described.value) == name) found = described.value;
    } else {
      if (name == described.name) found = described.value;
    }
  });
  return found;
}

template <DescribedEnum E>
std::string enum_choices() {
  std::string choices;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto described) {
    if (!choices.empty()) choices += ", ";
    choices += enum_name(described.value);
  });
  return choices;
}

/// The key of a member, where it is not the member's name.
template <class T>
constexpr std::string_view wire_name(std::string_view member) {
  return member;
}

constexpr bool holds_json(std::string_view member) { return member == "metadata"; }

// ---- writing ---------------------------------------------------------------------------------------------------

class JsonWriter {
 public:
  explicit JsonWriter(Blanks blanks, const TextBook* texts = nullptr, json::storage_ptr storage = {})
      : blanks_(blanks), texts_(texts), storage_(std::move(storage)) {}

  template <class T>
  json::value write(const T& v) const {
    if constexpr (HasJsonForm<T>) {
      return JsonForm<T>::write(*this, v);
    } else if constexpr (std::same_as<T, bool>) {
      return json::value(v, storage_);
    } else if constexpr (std::integral<T>) {
      return json::value(static_cast<std::int64_t>(v), storage_);
    } else if constexpr (DescribedEnum<T>) {
      return text(enum_name(v));
    } else if constexpr (std::same_as<T, std::string>) {
      return v.empty() && blanks_ == Blanks::null ? json::value(nullptr, storage_) : text(v);
    } else if constexpr (is_id<T>) {
      return write(v.text);
    } else if constexpr (std::same_as<T, Instant> || std::same_as<T, Duration>) {
      return text(to_text(v));
    } else if constexpr (std::same_as<T, Hash128>) {
      return text(v.hex());
    } else if constexpr (std::same_as<T, TextRef>) {
      return write_text_ref(v);
    } else if constexpr (is_optional<T>) {
      return v ? write(*v) : json::value(nullptr, storage_);
    } else if constexpr (is_vector<T>) {
      json::array array(storage_);
      array.reserve(v.size());
      for (const auto& element : v) array.push_back(write(element));
      return array;
    } else {
      static_assert(Described<T>, "neither described nor given a JsonForm");
      return write_members(v);
    }
  }

  /// The members of `row` as an object; those named in `leave_out` are not written.
  template <Described T>
  json::object write_members(const T& row, std::initializer_list<std::string_view> leave_out = {}) const {
    [[maybe_unused]] static const T defaults{};  // a struct without members never asks
    json::object object(storage_);
    boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>([&](auto member) {
      for (const std::string_view name : leave_out)
        if (name == member.name) return;
      const auto& value = row.*member.pointer;
      if (blanks_ == Blanks::omit && blank(value) && blank(defaults.*member.pointer)) return;
      object.emplace(wire_name<T>(member.name), write_member(member.name, value));
    });
    return object;
  }

  [[nodiscard]] Blanks blanks() const { return blanks_; }
  [[nodiscard]] const json::storage_ptr& storage() const { return storage_; }

 private:
  template <class T>
  static bool blank(const T& v) {
    if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view> || is_id<T> || is_vector<T> ||
                  std::same_as<T, TextRef>)
      return v.empty();
    else if constexpr (is_optional<T>)
      return !v;
    else if constexpr (std::integral<T> || std::same_as<T, Instant> || std::same_as<T, Hash128>)
      return v == T{};
    else if constexpr (std::same_as<T, std::shared_ptr<const typename PointedTo<T>::type>>)
      return !v;
    else
      return false;
  }
  template <class T>
  struct PointedTo {
    using type = void;
  };
  template <class T>
  struct PointedTo<std::shared_ptr<const T>> {
    using type = T;
  };

  template <class T>
  json::value write_member(std::string_view member, const T& value) const {
    if constexpr (std::same_as<T, std::string>) {
      if (holds_json(member)) return write_json(value);
    } else if constexpr (std::same_as<T, std::optional<std::string>>) {
      if (value && holds_json(member)) return write_json(*value);
    }
    return write(value);
  }

  json::value text(std::string_view v) const { return json::value(json::string(v, storage_)); }
  json::value write_text_ref(const TextRef& ref) const;
  json::value write_json(const std::string& v) const;

  Blanks blanks_;
  const TextBook* texts_;
  json::storage_ptr storage_;
};

// ---- reading ---------------------------------------------------------------------------------------------------

/// Reads values into members. False means that `issue` says what is wrong and where.
class JsonReader {
 public:
  /// With `texts`, a text is written out and goes there; without, it is named by its hash.
  explicit JsonReader(TextBook* texts = nullptr) : texts_(texts) {}

  JsonIssue issue;

  bool wrong(std::string message) {
    issue = {"", std::move(message)};
    return false;
  }
  /// Puts `key` before the place of an issue on the way out.
  bool at(std::string_view key);
  bool at(std::size_t index) { return at(std::to_string(index)); }
  bool unknown_key(std::string_view key, std::span<const std::string_view> known);

  template <class T>
  bool read(const json::value& v, T& out) {
    if constexpr (HasJsonForm<T>)
      return JsonForm<T>::read(*this, v, out);
    else if constexpr (std::same_as<T, bool>)
      return read_bool(v, out);
    else if constexpr (std::integral<T>)
      return read_integer(v, out);
    else if constexpr (DescribedEnum<T>)
      return read_enum(v, out);
    else if constexpr (std::same_as<T, std::string>)
      return read_string(v, out);
    else if constexpr (is_id<T>)
      return read_string(v, out.text);
    else if constexpr (std::same_as<T, Instant>)
      return read_instant(v, out);
    else if constexpr (std::same_as<T, Duration>)
      return read_duration(v, out);
    else if constexpr (std::same_as<T, Hash128>)
      return read_hash(v, out);
    else if constexpr (std::same_as<T, TextRef>)
      return read_text_ref(v, out);
    else if constexpr (is_optional<T>)
      return read_optional(v, out);
    else if constexpr (is_vector<T>)
      return read_vector(v, out);
    else
      return read_members(v, out);
  }

  template <Described T>
  bool read_members(const json::value& v, T& out) {
    const json::object* object = v.if_object();
    if (!object) return wrong("expected an object, got " + kind_name(v));
    std::size_t next = 0;  // keys mostly come in the members' order
    for (const auto& [key, value] : *object) {
      const std::size_t place = find_member<T>(key, next);
      if (place == Members<T>::names.size()) return unknown_key(key, Members<T>::names);
      if (!Members<T>::readers[place](*this, value, out)) return at(std::string_view(key));
      next = place + 1;
    }
    return true;
  }

  /// One member by its key. `known` says whether there is such a member.
  template <Described T>
  bool read_member(std::string_view key, const json::value& v, T& out, bool& known) {
    const std::size_t place = find_member<T>(key, 0);
    known = place != Members<T>::names.size();
    if (!known) return false;
    return Members<T>::readers[place](*this, v, out) || at(key);
  }

  template <Described T>
  static constexpr const auto& keys_of() {
    return Members<T>::names;
  }

 private:
  template <class T>
  struct Members {
    using List = boost::describe::describe_members<T, boost::describe::mod_public>;
    using Read = bool (*)(JsonReader&, const json::value&, T&);

    template <class Member>
    static bool read(JsonReader& reader, const json::value& v, T& out) {
      using Type = std::remove_cvref_t<decltype(out.*Member::pointer)>;
      if constexpr (std::same_as<Type, std::string>) {
        if (holds_json(Member::name)) return reader.read_json(v, out.*Member::pointer);
      } else if constexpr (std::same_as<Type, std::optional<std::string>>) {
        if (holds_json(Member::name) && !v.is_null()) return reader.read_json(v, (out.*Member::pointer).emplace());
      }
      return reader.read(v, out.*Member::pointer);
    }
    template <template <class...> class L, class... M>
    static constexpr std::array<std::string_view, sizeof...(M)> names_of(L<M...>) {
      return {wire_name<T>(M::name)...};
    }
    template <template <class...> class L, class... M>
    static constexpr std::array<Read, sizeof...(M)> readers_of(L<M...>) {
      return {&read<M>...};
    }
    static constexpr auto names = names_of(List{});
    static constexpr auto readers = readers_of(List{});
  };

  /// The place of `key` among the members of T, looked for from `first` on; their number when it is none of them.
  template <class T>
  static std::size_t find_member(std::string_view key, std::size_t first) {
    constexpr const auto& names = Members<T>::names;
    for (std::size_t i = first; i < names.size(); ++i)
      if (names[i] == key) return i;
    for (std::size_t i = 0; i < first && i < names.size(); ++i)
      if (names[i] == key) return i;
    return names.size();
  }

  template <class T>
  bool read_integer(const json::value& v, T& out) {
    const std::int64_t* number = v.if_int64();
    if (!number) return wrong("expected a whole number, got " + kind_name(v));
    if (*number < std::numeric_limits<T>::min() || *number > std::numeric_limits<T>::max())
      return wrong("the number " + std::to_string(*number) + " is out of range");
    out = static_cast<T>(*number);
    return true;
  }
  template <class T>
  bool read_enum(const json::value& v, T& out) {
    const json::string* name = v.if_string();
    if (!name) return wrong("expected one of " + enum_choices<T>() + ", got " + kind_name(v));
    const auto found = enum_from_name<T>(*name);
    if (!found) return wrong("\"" + std::string(*name) + "\" is none of " + enum_choices<T>());
    out = *found;
    return true;
  }
  template <class T>
  bool read_optional(const json::value& v, std::optional<T>& out) {
    if (v.is_null()) {
      out.reset();
      return true;
    }
    return read(v, out.emplace());
  }
  template <class T>
  bool read_vector(const json::value& v, std::vector<T>& out) {
    out.clear();
    if (v.is_null()) return true;
    const json::array* array = v.if_array();
    if (!array) return wrong("expected a list, got " + kind_name(v));
    out.resize(array->size());
    for (std::size_t i = 0; i < array->size(); ++i)
      if (!read((*array)[i], out[i])) return at(i);
    return true;
  }

  static std::string kind_name(const json::value& v);
  bool read_bool(const json::value& v, bool& out);
  bool read_string(const json::value& v, std::string& out);
  bool read_instant(const json::value& v, Instant& out);
  bool read_duration(const json::value& v, Duration& out);
  bool read_hash(const json::value& v, Hash128& out);
  bool read_text_ref(const json::value& v, TextRef& out);
  bool read_json(const json::value& v, std::string& out);

  TextBook* texts_;
};

/// `v` with blanks as null and texts by hash: what answers are made of.
template <class T>
json::value to_json(const T& v) {
  return JsonWriter(Blanks::null).write(v);
}

Error as_error(const JsonIssue& issue);

/// What `v` says over `out`, where it says nothing.
template <class T>
expected<T> from_json(const json::value& v, T out = {}) {
  JsonReader reader;
  if (!reader.read(v, out)) return tl::unexpected<Error>(as_error(reader.issue));
  return out;
}

}  // namespace townd

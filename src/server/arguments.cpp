#include "server/arguments.hpp"

#include <algorithm>
#include <charconv>

#include "codec/time_text.hpp"
#include "core/text.hpp"
#include "git/names.hpp"

namespace townd {
namespace {

using Kind = Field::Kind;

/// Collects what is wrong; each place is a JSON pointer.
class Checker {
 public:
  explicit Checker(Decoded& into) : into_(into) {}

  /// Checks `given` against `fields` and drops nulls, which mean the same as leaving the field out; where
  /// the handler knows the fields and the table does not, they are the handler's.
  void object(const std::string& path, json::object& given, const std::vector<Field>& fields, bool extra) {
    const bool free = extra && fields.empty();
    for (auto it = given.begin(); !free && it != given.end();) it = it->value().is_null() ? given.erase(it) : it + 1;
    for (auto& [key, value] : given) {
      const auto field = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == key; });
      const std::string place = path + "/" + std::string(key);
      if (field != fields.end())
        check(place, value, *field);
      else if (!extra)
        unknown(place, key, fields);
    }
    for (const Field& field : fields)
      if (field.required && !given.contains(field.name)) wrong(path + "/" + field.name, "is missing: " + field.about);
  }

 private:
  void wrong(std::string path, std::string message) {
    into_.issues.push_back({std::move(path), std::move(message)});
    into_.status = 400;
  }
  void too_large(std::string path, std::string message) {
    into_.issues.push_back({std::move(path), std::move(message)});
    if (into_.status == 0) into_.status = 413;
  }
  void unknown(const std::string& place, std::string_view key, const std::vector<Field>& fields) {
    std::vector<std::string_view> known;
    for (const Field& field : fields) known.push_back(field.name);
    const std::string_view near = nearest(key, known);
    wrong(place, near.empty() ? "there is no such field here"
                              : "there is no such field here; the nearest is " + std::string(near));
  }

  void check(const std::string& place, json::value& value, const Field& field) {
    switch (field.kind) {
      case Kind::text:
      case Kind::line:
      case Kind::name:
      case Kind::branch: return text(place, value, field);
      case Kind::choice: return choice(place, value, field);
      case Kind::integer: return integer(place, value, field.limit);
      case Kind::boolean:
        if (!value.is_bool()) wrong(place, "must be true or false");
        return;
      case Kind::time:
        if (!value.is_string() || !instant_from_text(value.get_string()))
          wrong(place, "must be a time such as 2026-07-01T12:00:00Z");
        return;
      case Kind::texts: return texts(place, value, field.limit);
      case Kind::integers:
        if (!value.is_array()) return wrong(place, "must be a list of numbers");
        if (value.get_array().size() > static_cast<std::size_t>(field.limit))
          return too_large(place, "has " + std::to_string(value.get_array().size()) + " entries; the limit is " +
                                      std::to_string(field.limit));
        for (std::size_t i = 0; i < value.get_array().size(); ++i)
          integer(place + "/" + std::to_string(i), value.get_array()[i], kNumberLimit);
        return;
      case Kind::objects: return objects(place, value, field);
      case Kind::object:
        if (!value.is_object()) return wrong(place, "must be an object");
        if (!field.items.empty()) object(place, value.get_object(), field.items, false);
        return sized(place, json::serialize(value).size(), field.limit);
      case Kind::anything: return sized(place, json::serialize(value).size(), field.limit);
    }
  }

  void sized(const std::string& place, std::size_t size, std::int64_t limit) {
    if (static_cast<std::int64_t>(size) > limit)
      too_large(place, "has " + std::to_string(size) + " bytes; the limit is " + std::to_string(limit));
  }

  /// A title may hold 500 characters, not bytes.
  static std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  }

  void text(const std::string& place, const json::value& value, const Field& field) {
    if (!value.is_string()) return wrong(place, "must be a text");
    const std::string_view given = value.get_string();
    if (field.required && given.find_first_not_of(" \t\r\n") == std::string_view::npos)
      return wrong(place, "is empty: " + field.about);
    if (field.kind == Kind::text) {
      if (given.find('\0') != std::string_view::npos) wrong(place, "holds a zero byte");
      return sized(place, given.size(), field.limit);
    }
    if (const std::size_t length = characters(given); static_cast<std::int64_t>(length) > field.limit)
      return too_large(place,
                       "has " + std::to_string(length) + " characters; the limit is " + std::to_string(field.limit));
    if (std::any_of(given.begin(), given.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
      return wrong(place, "holds a control character or a line break");
    if (field.kind == Kind::name && !is_name(given))
      return wrong(place, "must be letters, digits, '.', '_' and '-', begin with a letter or digit and hold no '..'");
    if (field.kind == Kind::branch && !given.empty())
      if (const auto valid = git::validate_branch_name(given); !valid) wrong(place, valid.error().what);
  }

  static bool is_name(std::string_view text) {
    const auto alphanumeric = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && alphanumeric(text.front()) && text.find("..") == std::string_view::npos &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
  }

  /// Letters of either case and `-` for `_` are taken; the handler gets the table's spelling.
  void choice(const std::string& place, json::value& value, const Field& field) {
    const auto plain = [](char c) { return c == '-' ? '_' : lower(c); };
    const auto same = [&](std::string_view x, std::string_view y) {
      return std::equal(x.begin(), x.end(), y.begin(), y.end(), [&](char c, char d) { return plain(c) == plain(d); });
    };
    std::string all;
    for (const std::string& one : field.choices) {
      if (value.is_string() && same(value.get_string(), one)) {
        value = one;
        return;
      }
      all += (all.empty() ? "" : ", ") + one;
    }
    wrong(place, "must be one of " + all);
  }

  void integer(const std::string& place, const json::value& value, std::int64_t limit) {
    const bool small = value.is_int64() && value.get_int64() >= 0 && value.get_int64() <= limit;
    if (!small) wrong(place, "must be a whole number from 0 to " + std::to_string(limit));
  }

  void texts(const std::string& place, const json::value& value, std::int64_t limit) {
    if (!value.is_array()) return wrong(place, "must be a list of texts");
    const json::array& list = value.get_array();
    if (static_cast<std::int64_t>(list.size()) > limit)
      return too_large(place, "has " + std::to_string(list.size()) + " entries; the limit is " + std::to_string(limit));
    const Field entry{"", Kind::line, kLineLimit};
    for (std::size_t i = 0; i < list.size(); ++i) text(place + "/" + std::to_string(i), list[i], entry);
  }

  void objects(const std::string& place, json::value& value, const Field& field) {
    if (!value.is_array()) return wrong(place, "must be a list of objects");
    json::array& list = value.get_array();
    if (static_cast<std::int64_t>(list.size()) > field.limit)
      return too_large(place,
                       "has " + std::to_string(list.size()) + " entries; the limit is " + std::to_string(field.limit));
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string at = place + "/" + std::to_string(i);
      if (list[i].is_object())
        object(at, list[i].get_object(), field.items, false);
      else
        wrong(at, "must be an object");
    }
  }

  static constexpr std::int64_t kLineLimit = 300;
  static constexpr std::int64_t kNumberLimit = 1LL << 52;  ///< of one in a list

  Decoded& into_;
};

/// A query has only texts; the table says what each of them stands for.
json::object from_query(const Operation& operation, const Request& request, Decoded& out) {
  json::object given;
  for (const auto& [name, text] : request.query) {
    const auto field = std::find_if(operation.fields.begin(), operation.fields.end(),
                                    [&name = name](const Field& f) { return f.name == name; });
    json::value value(text);
    if (field != operation.fields.end() && field->kind == Kind::integer) {
      std::int64_t number = -1;
      const auto end = text.data() + text.size();
      if (const auto [stop, problem] = std::from_chars(text.data(), end, number); problem == std::errc{} && stop == end)
        value = number;
    } else if (field != operation.fields.end() && field->kind == Kind::boolean) {
      if (text == "1" || text == "true" || text.empty()) value = true;
      if (text == "0" || text == "false") value = false;
    }
    if (given.contains(name)) {
      out.issues.push_back({"/" + name, "is given twice"});
      out.status = 400;
    }
    given.insert_or_assign(name, std::move(value));
  }
  return given;
}

}  // namespace

Decoded decode(const Operation& operation, const Request& request) {
  Decoded out;
  json::object given;
  if (operation.query()) {
    given = from_query(operation, request, out);
  } else if (request.body.find_first_not_of(" \t\r\n") != std::string::npos) {
    auto parsed = parse_json(request.body);
    if (!parsed || !parsed->is_object()) {
      out.status = 400;
      out.error = parsed ? "the body must be a JSON object" : "the body is " + parsed.error().what;
      out.hint = parsed ? "send {\"field\": value, …}" : parsed.error().hint;
      return out;
    }
    given = std::move(parsed->get_object());
  }
  Checker(out).object("", given, operation.fields, operation.extra_fields);
  if (out.status == 413) {
    out.error = "a field of the request is too large";
    out.hint = "send less; see issues";
  } else if (out.status != 0) {
    out.error = "the request's fields are not right";
    out.hint = "see issues; GET /openapi.json lists the fields of " + operation.name;
  }
  out.arguments = Arguments(std::move(given));
  return out;
}

// ---- reading what was checked --------------------------------------------------------------------------------------

const json::value& Arguments::value(std::string_view name) const {
  static const json::value nothing;
  const json::value* found = given_.if_contains(name);
  return found ? *found : nothing;
}

std::string Arguments::text(std::string_view name, std::string_view otherwise) const {
  const json::value& found = value(name);
  return found.is_string() ? std::string(found.get_string()) : std::string(otherwise);
}

std::optional<std::string> Arguments::maybe_text(std::string_view name) const {
  if (!has(name)) return std::nullopt;
  return text(name);
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t otherwise) const {
  const json::value& found = value(name);
  return found.is_int64() ? found.get_int64() : otherwise;
}

bool Arguments::truth(std::string_view name) const {
  const json::value& found = value(name);
  return found.is_bool() && found.get_bool();
}

MaybeInstant Arguments::time(std::string_view name) const {
  const json::value& found = value(name);
  return found.is_string() ? instant_from_text(found.get_string()) : std::nullopt;
}

std::vector<std::string> Arguments::texts(std::string_view name) const {
  std::vector<std::string> all;
  if (const json::array* list = value(name).if_array())
    for (const json::value& entry : *list) all.emplace_back(entry.get_string());
  return all;
}

std::vector<std::int64_t> Arguments::integers(std::string_view name) const {
  std::vector<std::int64_t> all;
  if (const json::array* list = value(name).if_array())
    for (const json::value& entry : *list) all.push_back(entry.get_int64());
  return all;
}

std::vector<Arguments> Arguments::objects(std::string_view name) const {
  std::vector<Arguments> all;
  if (const json::array* list = value(name).if_array())
    for (const json::value& entry : *list) all.emplace_back(entry.get_object());
  return all;
}

std::string Arguments::canonical(std::string_view name, std::string_view otherwise) const {
  return has(name) ? canonical_text(value(name)) : std::string(otherwise);
}

}  // namespace townd

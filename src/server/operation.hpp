#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace townd {

/// Who may ask (interfaces.md, Security). A set of roles is the sum of their bits.
enum Role : std::uint8_t {
  kAdmin = 1,
  kOperator = 2,
  kViewer = 4,
  kMayor = 8,
  kAgent = 16,
};
inline constexpr std::uint8_t kPeople = kAdmin | kOperator;
inline constexpr std::uint8_t kReaders = kAdmin | kOperator | kViewer | kMayor;
inline constexpr std::uint8_t kTools = kAdmin | kOperator | kMayor;
inline constexpr std::uint8_t kEverybody = kReaders | kAgent;
std::string_view to_string(Role role);

/// Limits on what is written (interfaces.md, Limits), in bytes unless said otherwise.
inline constexpr std::int64_t kTitleLimit = 500;
inline constexpr std::int64_t kBodyLimit = 256 * 1024;
inline constexpr std::int64_t kMetadataLimit = 64 * 1024;
inline constexpr std::int64_t kMailLimit = 16 * 1024;
inline constexpr std::int64_t kLabelsLimit = 50;  ///< labels
inline constexpr std::int64_t kLabelLimit = 100;
inline constexpr std::int64_t kNameLimit = 64;
inline constexpr std::int64_t kIdLimit = 100;
inline constexpr std::int64_t kPageLimit = 500;   ///< rows of one page
inline constexpr std::int64_t kBulkLimit = 5000;  ///< beads of one bulk deletion (reference §a.8)
inline constexpr std::int64_t kTasksLimit = 50;   ///< beads of one convoy request (reference §a.8)
inline constexpr std::int64_t kRequestLimit = 1 << 20;
inline constexpr std::int64_t kStepsLimit = 50;          ///< of one molecule
inline constexpr std::int64_t kStepSummaryLimit = 5000;  ///< what was done in one (reference §a.2)

/// One field of a request's body, or one parameter of its query.
struct Field {
  enum class Kind {
    text,     ///< any text without a zero byte
    line,     ///< text without control characters
    name,     ///< letters, digits, `.`, `_` and `-`, beginning with a letter or digit, no `..`
    branch,   ///< what git takes as a branch name
    integer,  ///< 0 … limit
    boolean,
    time,      ///< ISO 8601
    choice,    ///< one of `choices`
    texts,     ///< at most `limit` lines
    integers,  ///< at most `limit` numbers
    object,    ///< an object of at most `limit` bytes; of `items`, if there are any
    objects,   ///< at most `limit` objects of `items`
    anything,  ///< any JSON of at most `limit` bytes
  };
  std::string name;
  Kind kind = Kind::text;
  std::int64_t limit = 0;
  bool required = false;
  std::string about = {};
  std::vector<std::string> choices = {};
  std::vector<Field> items = {};
};

/// What an agent's token may be used for here, beside its role.
enum class Scope : std::uint8_t {
  town,  ///< anything in its town
  rig,   ///< the path's rig must be its own
  self,  ///< the path's agent must be itself
};

/// One thing that can be asked of townd. Router, openapi.json, role tests and the command line's client derive from
/// the table of these; the handler is found by `name` (handlers.hpp).
struct Operation {
  std::string name;                ///< `bead.create`
  std::string method;              ///< `POST`
  std::vector<std::string> paths;  ///< `/api/towns/:town/beads`; the first is the one to use, the others are aliases
  std::uint8_t roles = 0;          ///< 0: open to anybody
  std::string about;
  std::vector<Field> fields;  ///< of the body, or of the query of a GET
  std::string answers;        ///< what `data` is, for openapi.json: a name of its schemas
  int status = 200;
  Scope scope = Scope::town;
  bool after_end = false;     ///< a run's token is good for it for 24 h after the run has ended
  bool extra_fields = false;  ///< unknown fields are ignored, not refused
  bool raw = false;           ///< the answer has no envelope
  bool direct = false;        ///< its handler only looks and submits: a short request is not handed to a worker

  [[nodiscard]] bool query() const { return method == "GET"; }
};

}  // namespace townd

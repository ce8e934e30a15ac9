#pragma once

#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "core/event.hpp"
#include "forge/pr_place.hpp"
#include "ports/forge.hpp"

namespace townd {

/// Why a host did not do what it was asked (domain.md §6: poll).
struct Refusal {
  std::string kind;  ///< `http_error`, `network`, `invalid_response` or `rejected` (there is nothing to merge)
  int status = 0;    ///< of http_error
  bool transient = false;
  std::string why;            ///< in the host's own words where it has any; and what helps
  MaybeInstant rest_until{};  ///< not to be called before
};

template <class T>
using Asked = tl::expected<T, Refusal>;

struct NewPr {
  HostedRepository repository;
  std::string branch;
  std::string head;  ///< where it is
  std::string target_branch;
  std::string title;
  std::string body;  ///< Markdown
};

/// A pull request as it is adopted.
struct PrPage {
  std::string title;
  std::string body;
  std::string state;  ///< `open merged closed`
  std::string branch;
  std::string target_branch;
  std::string head;
  HostedRepository from;  ///< the branch's repository; another one for a fork
};

/// What townd needs of a host of pull requests. Every call blocks for its time-out at most.
class Host {
 public:
  virtual ~Host() = default;

  /// Whether townd is let in to the repository and may write there.
  virtual Asked<void> check(const HostedRepository& repository) = 0;
  /// Opens it; one that is open already for this branch and target is as good. Answers its page.
  virtual Asked<std::string> open(const NewPr& wanted) = 0;
  /// How each of them stands, in their order: threads, reviews and checks of all pages.
  virtual std::vector<Asked<events::PollAnswer>> read(std::span<const PrPlace> places) = 0;
  /// What is remembered of it may be out of date, though nothing at the host says so.
  virtual void forget(const PrPlace& place) { (void)place; }
  virtual Asked<PrPage> look(const PrPlace& place) = 0;
  virtual Asked<void> comment(const PrPlace& place, const std::string& text) = 0;
  /// Says something in a review thread and marks it as resolved. One that is gone is fine.
  virtual Asked<void> answer_thread(const PrPlace& place, const std::string& thread, const std::string& text) = 0;
  /// Merges it if its head is this commit: by squash, merge or rebase, whichever the repository allows first.
  virtual Asked<void> merge(const PrPlace& place, const std::string& head) = 0;
  /// The ref of its repository that leads to a pull request's head, whatever becomes of the branch.
  [[nodiscard]] virtual std::string head_ref(int number) const = 0;
  /// The header by which git is let in over https; `Authorization: …`.
  virtual Asked<std::string> git_header() = 0;
  /// What it was asked over HTTP, by what its allowances are for.
  [[nodiscard]] virtual std::vector<HostCalls> calls() const = 0;
};

}  // namespace townd

#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The whole of a terminal, for a page that stays.
namespace townd::cli {

struct ScreenSize {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

/// A line cut to so many columns, `…` at its end when something is missing. Colours take no room,
/// and may be left on.
std::string clipped(std::string_view line, std::size_t columns);

/// A page as it fits: its first lines, and under them one that says how many more there are, and `foot`.
std::vector<std::string> framed(const std::vector<std::string>& page, std::string_view foot, ScreenSize size);

/// Takes a terminal over: its other screen, no cursor, no echo. It is given back by the destructor, and when a signal
/// ends the program. One at a time.
class Screen {
 public:
  Screen(int in, int out);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] ScreenSize size() const;
  /// Readable when there is a key or a new size.
  [[nodiscard]] const std::vector<int>& descriptors() const { return descriptors_; }
  /// Takes the keys; whether one of them says to leave, or nobody is there any more.
  bool asked_to_leave();
  /// Whether the size is another one since this was asked last.
  bool resized();
  /// Shows these lines from the top; writes only those that differ from what is there.
  void show(const std::vector<std::string>& lines);

 private:
  int in_;
  int out_;
  std::vector<int> descriptors_;
  std::vector<std::string> there_;
};

}  // namespace townd::cli

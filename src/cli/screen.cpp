#include "cli/screen.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace townd::cli {

namespace {

// The other screen, no cursor, and no wrapping: a character wider than it looks must not move the lines below.
constexpr std::string_view kEnter = "\033[?1049h\033[?25l\033[?7l";
constexpr std::string_view kLeave = "\033[?7h\033[?25h\033[?1049l";
constexpr std::string_view kPlain = "\033[0m";

// For the signal handlers.
int g_in = -1;
int g_out = -1;
termios g_before;
int g_resized[2] = {-1, -1};

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // the terminal is gone, which is seen when it is read
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void give_back() {
  write_all(g_out, kLeave);
  ::tcsetattr(g_in, TCSANOW, &g_before);
}

extern "C" void on_end_signal(int signal) {
  give_back();
  ::raise(signal);  // SA_RESETHAND: now it ends us
}

extern "C" void on_resize(int) {
  const int before = errno;
  [[maybe_unused]] const ssize_t written = ::write(g_resized[1], "r", 1);
  errno = before;
}

void handle(void (*handler)(int), int flags, std::initializer_list<int> signals) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int signal : signals) ::sigaction(signal, &action, nullptr);
}

/// How many bytes of `text` make its first character; a colour belongs to the character behind it.
std::size_t first_character(std::string_view text, bool& is_colour) {
  is_colour = text.starts_with("\033[");
  if (is_colour) return std::min(text.find('m'), text.size() - 1) + 1;
  std::size_t length = 1;
  while (length < text.size() && (static_cast<std::uint8_t>(text[length]) & 0xC0U) == 0x80U) ++length;
  return length;
}

}  // namespace

std::string clipped(std::string_view line, std::size_t columns) {
  std::string text;
  std::size_t fits = 0;  // of `text`, with a `…` behind it
  std::size_t used = 0;
  while (!line.empty()) {
    bool is_colour = false;
    const std::size_t length = first_character(line, is_colour);
    if (!is_colour && ++used > columns) {
      text.resize(fits);
      return columns == 0 ? std::string() : text + "…";
    }
    text += line.substr(0, length);
    line.remove_prefix(length);
    if (used < columns) fits = text.size();
  }
  return text;
}

std::vector<std::string> framed(const std::vector<std::string>& page, std::string_view foot, ScreenSize size) {
  const std::size_t room = size.rows > 0 ? size.rows - 1 : 0;
  std::vector<std::string> lines(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(std::min(page.size(), room)));
  std::string last(foot);
  if (page.size() > room) {
    const std::size_t hidden = page.size() - room;
    last = std::to_string(hidden) + (hidden == 1 ? " more line" : " more lines") + " below; " + last;
  }
  lines.resize(room);
  lines.push_back(std::move(last));
  for (std::string& line : lines) line = clipped(line, size.columns);
  return lines;
}

Screen::Screen(int in, int out) : in_(in), out_(out) {
  g_in = in;
  g_out = out;
  ::tcgetattr(in, &g_before);
  if (::pipe2(g_resized, O_CLOEXEC | O_NONBLOCK) != 0) g_resized[0] = g_resized[1] = -1;
  descriptors_ = {in_, g_resized[0]};
  handle(on_end_signal, static_cast<int>(SA_RESETHAND | SA_NODEFER), {SIGINT, SIGTERM, SIGHUP, SIGQUIT});
  handle(on_resize, SA_RESTART, {SIGWINCH});
  termios keys = g_before;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VMIN] = 0;
  keys.c_cc[VTIME] = 0;
  keys.c_cc[VSUSP] = _POSIX_VDISABLE;  // a shell must not find its prompt on our screen
  ::tcsetattr(in, TCSANOW, &keys);
  write_all(out_, kEnter);
}

Screen::~Screen() {
  handle(SIG_DFL, 0, {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH});
  give_back();
  for (int& end : g_resized) {
    ::close(end);
    end = -1;
  }
}

ScreenSize Screen::size() const {
  winsize said{};
  if (::ioctl(out_, TIOCGWINSZ, &said) != 0 || said.ws_row == 0 || said.ws_col == 0) return {};
  return {said.ws_row, said.ws_col};
}

bool Screen::asked_to_leave() {
  pollfd ready{in_, POLLIN, 0};
  if (::poll(&ready, 1, 0) <= 0) return false;
  std::array<char, 64> keys{};
  const ssize_t got = ::read(in_, keys.data(), keys.size());
  if (got <= 0) return (ready.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 || (got < 0 && errno != EINTR);
  return std::any_of(keys.begin(), keys.begin() + got, [](char key) { return key == 'q' || key == 'Q'; });
}

bool Screen::resized() {
  std::array<char, 64> bytes{};
  bool any = false;
  while (::read(g_resized[0], bytes.data(), bytes.size()) > 0) any = true;
  if (any) there_.clear();  // terminals move or cut lines as they like when they are resized
  return any;
}

void Screen::show(const std::vector<std::string>& lines) {
  std::string out;
  if (there_.empty()) out += "\033[2J";
  for (std::size_t row = 0; row < lines.size(); ++row)
    if (row >= there_.size() || there_[row] != lines[row])
      out += "\033[" + std::to_string(row + 1) + ";1H" + lines[row] + std::string(kPlain) + "\033[K";
  for (std::size_t row = lines.size(); row < there_.size(); ++row)
    out += "\033[" + std::to_string(row + 1) + ";1H\033[K";
  there_ = lines;
  write_all(out_, out);
}

}  // namespace townd::cli

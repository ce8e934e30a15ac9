#include "observe/crash_note.hpp"

#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <fstream>
#include <sstream>

#include "codec/time_text.hpp"

namespace townd {
namespace {

struct Fatal {
  int number;
  const char* name;
};
constexpr std::array<Fatal, 5> kFatal{
    {{SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}}};

constexpr int kAddresses = 24;
constexpr std::size_t kNote = 8192;       ///< a note that was altered is not read for ever
constexpr std::size_t kStack = 64 << 10;  ///< for the handler, when the main thread's own is used up

/// What a handler may use, made before anything happens: it must not allocate, lock or format.
struct Prepared {
  std::array<char, 4096> file{};
  std::array<char, 64> version{};
  std::array<char, 256> thrown{};  ///< the words of the exception that nobody caught
  std::uintptr_t end = 0;
  std::uintptr_t base = 0;  ///< where the program was loaded; addresses are told from there, as addr2line takes them
};
Prepared prepared;
alignas(16) std::array<char, kStack> handler_stack;

/// A text of fixed size that can be written in a signal handler.
class NoteLine {
 public:
  NoteLine& add(const char* text) {
    while (*text != '\0' && size_ < text_.size()) text_[size_++] = *text++;
    return *this;
  }
  NoteLine& add(std::uintptr_t number, unsigned base) {
    std::array<char, 20> digits{};
    std::size_t count = 0;
    do {
      digits[count++] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    while (count != 0 && size_ < text_.size()) text_[size_++] = digits[--count];
    return *this;
  }
  void write_to(int file) const { [[maybe_unused]] const ssize_t written = ::write(file, text_.data(), size_); }

 private:
  std::array<char, 400> text_{};
  std::size_t size_ = 0;
};

const char* name_of(int number) {
  for (const Fatal& fatal : kFatal)
    if (fatal.number == number) return fatal.name;
  return "signal";
}

void write_note(int number) {
  const int file = ::open(prepared.file.data(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  NoteLine()
      .add("signal ")
      .add(name_of(number))
      .add("\npid ")
      .add(static_cast<std::uintptr_t>(::getpid()), 10)
      .write_to(file);
  NoteLine()
      .add("\ntime ")
      .add(static_cast<std::uintptr_t>(now.tv_sec), 10)
      .add("\nversion ")
      .add(prepared.version.data())
      .write_to(file);
  if (prepared.thrown[0] != '\0') NoteLine().add("\nthrown ").add(prepared.thrown.data()).write_to(file);
  std::array<void*, kAddresses> addresses{};
  const int count = ::backtrace(addresses.data(), kAddresses);
  for (int i = 0; i < count; ++i) {
    const auto address = reinterpret_cast<std::uintptr_t>(addresses[i]);
    const bool ours = address >= prepared.base && address < prepared.end;  // a library's says nothing without its base
    if (ours) NoteLine().add("\nat 0x").add(address - prepared.base, 16).write_to(file);
  }
  NoteLine().add("\n").write_to(file);
  ::fsync(file);
  ::close(file);
}

extern "C" void on_fatal(int number) {
  const int before = errno;
  write_note(number);
  errno = before;
  // The handler is gone by now (SA_RESETHAND); blocked until this returns, the signal then does what it always does.
  ::raise(number);
}

[[noreturn]] void on_terminate() {
  try {
    if (std::current_exception()) std::rethrow_exception(std::current_exception());
  } catch (const std::exception& thrown) {
    std::snprintf(prepared.thrown.data(), prepared.thrown.size(), "%s", thrown.what());
    std::replace_if(
        prepared.thrown.begin(), prepared.thrown.end(),
        [](char c) { return c != '\0' && static_cast<unsigned char>(c) < ' '; }, ' ');
  } catch (...) {
    std::snprintf(prepared.thrown.data(), prepared.thrown.size(), "something that is no std::exception");
  }
  std::abort();
}

int take_place(dl_phdr_info* info, std::size_t, void*) {
  prepared.base = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i)
    prepared.end = std::max<std::uintptr_t>(prepared.end,
                                            info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz);
  return 1;  // the program itself comes first
}

}  // namespace

std::string crash_note_file(const std::string& data) { return data + "/crash"; }

void note_crashes(const std::string& file, std::string_view version) {
  if (file.size() >= prepared.file.size()) return;  // the system opens no such path either
  std::copy(file.begin(), file.end(), prepared.file.begin());
  std::copy_n(version.begin(), std::min(version.size(), prepared.version.size() - 1), prepared.version.begin());
  ::dl_iterate_phdr(&take_place, nullptr);
  std::array<void*, 1> first{};
  ::backtrace(first.data(), 1);  // loads what it needs, for which a handler is no place
  std::set_terminate(&on_terminate);
  const stack_t stack{handler_stack.data(), 0, handler_stack.size()};
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = &on_fatal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_ONSTACK);
  ::sigemptyset(&action.sa_mask);
  for (const Fatal& fatal : kFatal) ::sigaction(fatal.number, &action, nullptr);
}

std::optional<Alarm> take_crash_note(const std::string& file) {
  std::ifstream note(file, std::ios::binary);
  if (!note) return std::nullopt;
  std::string text(kNote, '\0');
  note.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(note.gcount()));
  ::unlink(file.c_str());

  std::istringstream lines(text);
  std::string signal = "a signal", pid, version, at, thrown, addresses;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string key = line.substr(0, space), value = line.substr(std::min(space + 1, line.size()));
    std::int64_t seconds = 0;
    if (key == "signal") signal = value;
    if (key == "pid") pid = value;
    if (key == "version") version = value;
    if (key == "thrown") thrown = value;
    if (key == "at") addresses += " " + value;
    if (key == "time" && std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc{})
      at = to_text(Instant{seconds * 1000});
  }
  Alarm alarm;
  alarm.kind = "crash";
  alarm.subject = signal;
  alarm.message = "townd " + version + " (pid " + pid + ") was ended by " + signal + " at " + at +
                  (thrown.empty() ? "" : ", nobody caught: " + thrown) +
                  (addresses.empty() ? "" : "; addresses:" + addresses);
  return alarm;
}

}  // namespace townd

#include <signal.h>

#include <fstream>
#include <iostream>
#include <mutex>
#include <string>

#include "receiver.hpp"
#include "strict_sentry.hpp"

/// A strict Sentry for end-to-end tests: fake-sentry FOLDER KEY PROJECT [PORT]. Writes its port to FOLDER/port and each
/// event to FOLDER/events, its envelope to FOLDER/envelopes/N, and what is wrong with a request to FOLDER/complaints. A
/// status in FOLDER/status is answered instead; `hang` there is no answer. Ends with SIGTERM.
int main(int argc, char** argv) {
  using namespace townd::test;
  if (argc < 4) {
    std::cerr << "usage: fake-sentry FOLDER KEY PROJECT [PORT]\n";
    return 2;
  }
  const std::string folder = argv[1];
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end, nullptr);
  StrictSentry sentry(argv[2], argv[3]);
  int taken = 0;
  const auto answer = [&](const Received& request) -> Reply {
    std::string status;
    std::ifstream(folder + "/status") >> status;
    std::ofstream(folder + "/requests", std::ios::app) << (status.empty() ? "200" : status) << "\n";
    if (status == "hang") return {0};
    if (status == "429") return {429, "Retry-After: 3\r\nX-Sentry-Rate-Limits: 3:error;default:organization:quota\r\n"};
    if (!status.empty()) return {std::stoi(status)};
    const std::size_t known = sentry.events.size();
    if (const std::string trouble = sentry.take(request); !trouble.empty()) {
      std::ofstream(folder + "/complaints", std::ios::app) << trouble << "\n";
      return {400};
    }
    std::ofstream(folder + "/envelopes/" + std::to_string(++taken), std::ios::binary) << request.body;
    if (sentry.events.size() != known)
      std::ofstream(folder + "/events", std::ios::app) << townd::json::serialize(sentry.events.back()) << "\n";
    return {200};
  };
  const Receiver receiver(answer, argc > 4 ? std::stoi(argv[4]) : 0);
  std::ofstream(folder + "/port.new") << receiver.port() << "\n";
  std::rename((folder + "/port.new").c_str(), (folder + "/port").c_str());
  int signal = 0;
  sigwait(&end, &signal);
  return 0;
}

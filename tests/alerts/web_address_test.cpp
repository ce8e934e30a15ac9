#include "http/web_address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "http/client.hpp"
#include "observe/post.hpp"

namespace townd {
namespace {

TEST(WebAddresses, are_taken_apart) {
  const auto address = read_web_address("https://user:word@hooks.example/a/b?c=d");
  ASSERT_TRUE(address) << address.error().what;
  EXPECT_EQ(address->place(), "hooks.example:443");
  EXPECT_EQ(address->user, "user");
  EXPECT_EQ(address->url(), "https://hooks.example:443/a/b?c=d");
  EXPECT_EQ(read_web_address("https://[2001:db8::1]:8443/x")->place(), "[2001:db8::1]:8443");
  EXPECT_EQ(read_web_address("http://127.0.0.1:9000")->url(), "http://127.0.0.1:9000/");
}

TEST(WebAddresses, that_are_none_or_are_plain_http_elsewhere_are_refused_without_being_repeated) {
  for (const char* text :
       {"", "hooks.example", "ftp://hooks.example/", "https://", "https:///path", "https:/hooks.example/",
        "https://hooks.example:0/", "https://hooks.example:70000/", "https://hooks.example/#part",
        "https://hooks .example/", "https://hooks.example/\n", "https://hooks.example\\@else.example/",
        "http://hooks.example/", "http://10.0.0.1/", "http://127.evil.example/", "http://127.0.0.1.evil.example/",
        "http://169.254.169.254/", "HTTPS//secretword"}) {
    const auto address = read_web_address(text);
    EXPECT_FALSE(address) << text;
    if (!address) {
      EXPECT_EQ(address.error().what.find("hooks"), std::string::npos) << address.error().what;
    }
  }
  for (const char* text : {"http://localhost:1/", "http://127.0.0.1/", "http://127.9.9.9/", "http://[::1]:80/"})
    EXPECT_TRUE(read_web_address(text)) << text;
}

bool may(const char* text, bool tls) {
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1) return may_connect(reinterpret_cast<sockaddr&>(six), tls);
  sockaddr_in four{};
  four.sin_family = AF_INET;
  EXPECT_EQ(inet_pton(AF_INET, text, &four.sin_addr), 1) << text;
  return may_connect(reinterpret_cast<sockaddr&>(four), tls);
}

TEST(WebAddresses, lead_to_no_metadata_service_whatever_their_names_resolve_to) {
  for (const char* bad : {"169.254.169.254", "169.254.0.1", "100.100.100.200", "192.0.0.192", "0.0.0.0", "224.0.0.1",
                          "255.255.255.255", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
                          "::", "ff02::1", "::169.254.169.254"}) {
    EXPECT_FALSE(may(bad, true)) << bad;
    EXPECT_FALSE(may(bad, false)) << bad;
  }
  for (const char* good :
       {"93.184.216.34", "10.1.2.3", "192.168.1.1", "127.0.0.1", "::1", "2001:db8::1", "fd00::1", "::ffff:10.0.0.1"})
    EXPECT_TRUE(may(good, true)) << good;
}

TEST(WebAddresses, without_tls_lead_to_this_machine_only) {
  for (const char* bad : {"93.184.216.34", "10.1.2.3", "2001:db8::1", "::ffff:10.0.0.1"}) EXPECT_FALSE(may(bad, false));
  for (const char* good : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(may(good, false)) << good;
}

constexpr Instant kNow{1'700'000'000'000};  // Tue, 14 Nov 2023 22:13:20 GMT

TEST(RetryAfter, is_seconds_or_a_date_within_bounds) {
  EXPECT_EQ(http::retry_after("120", kNow, seconds(60)), seconds(120));
  EXPECT_EQ(http::retry_after("1.2", kNow, seconds(60)), Duration{1200});
  EXPECT_EQ(http::retry_after("Tue, 14 Nov 2023 22:14:20 GMT", kNow, seconds(5)), seconds(60));
  EXPECT_EQ(http::retry_after("Tue, 14 Nov 2023 22:00:00 GMT", kNow, seconds(5)), seconds(1));
  EXPECT_EQ(http::retry_after("0", kNow, seconds(60)), seconds(1));
  EXPECT_EQ(http::retry_after("99999999999", kNow, seconds(60)), days(1));
  for (const char* text : {"", "soon", "-5", "nan"})
    EXPECT_EQ(http::retry_after(text, kNow, seconds(60)), seconds(60)) << text;
}

TEST(Answers, decide_whether_an_alert_is_sent_again) {
  const auto fate = [](int status) { return judge(PostAnswer{status, {}, {}}, kNow).fate; };
  for (const int status : {200, 201, 204}) EXPECT_EQ(fate(status), Sent::Fate::taken) << status;
  for (const int status : {408, 425, 429, 500, 502, 503}) EXPECT_EQ(fate(status), Sent::Fate::later) << status;
  for (const int status : {301, 302, 307, 400, 401, 403, 404, 413})
    EXPECT_EQ(fate(status), Sent::Fate::refused) << status;
  EXPECT_EQ(judge(PostAnswer{429, {}, {}}, kNow).hold, seconds(60));
  EXPECT_EQ(judge(PostAnswer{503, "7", {}}, kNow).hold, seconds(7));
  EXPECT_EQ(judge(PostAnswer{503, {}, {}}, kNow).hold, Duration{});
  EXPECT_EQ(judge(fail(Error::Code::unavailable, "no route"), kNow).fate, Sent::Fate::later);
}

}  // namespace
}  // namespace townd

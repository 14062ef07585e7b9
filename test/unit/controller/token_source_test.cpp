#include "controller/token_source.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "controller/kube_config.hpp"
#include "test/fake/kubeconfig_fixture.hpp"

namespace controller {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class TokenSourceTest : public fake::KubeconfigFixture {
 protected:
  TokenSource source() const {
    KubeConfig config;
    config.token = "static";
    config.token_file = directory_ / "token";
    return TokenSource(config);
  }
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST_F(TokenSourceTest, ReadsTheFileAgainAfterAMinute) {
  auto tokens = source();
  write("token", "one\n");
  EXPECT_EQ(tokens.current(start_), "one");
  write("token", "two\n");
  EXPECT_EQ(tokens.current(start_ + seconds(59)), "one");
  EXPECT_EQ(tokens.current(start_ + seconds(60)), "two");
}

TEST_F(TokenSourceTest, NeverWaitsForAPipe) {
  auto tokens = source();
  ASSERT_EQ(::mkfifo((directory_ / "token").c_str(), 0600), 0);
  EXPECT_EQ(tokens.current(start_), "static");
}

TEST_F(TokenSourceTest, SaysOnceThatItsFileIsOfNoUse) {
  auto tokens = source();
  testing::internal::CaptureStderr();
  for (int minute = 0; minute < 3; ++minute) tokens.current(start_ + seconds(60 * minute));
  const auto said = testing::internal::GetCapturedStderr();
  const auto file = (directory_ / "token").string() + ": No such file or directory";
  const auto first = said.find(file);
  EXPECT_NE(first, std::string::npos) << said;
  EXPECT_EQ(said.find(file, first + 1), std::string::npos) << said;
}

TEST_F(TokenSourceTest, ReadsTheFileAgainWhenToldThatTheTokenIsBad) {
  auto tokens = source();
  write("token", "one");
  EXPECT_EQ(tokens.current(start_), "one");
  write("token", "two");
  tokens.rejected(start_);
  EXPECT_EQ(tokens.current(start_), "two");
}

TEST_F(TokenSourceTest, DropsOnlyATokenThatIsOlderThanTheRefusedRequest) {
  auto tokens = source();
  write("token", "one");
  EXPECT_EQ(tokens.current(start_), "one");
  write("token", "two");
  tokens.rejected(start_ + seconds(1));
  EXPECT_EQ(tokens.current(start_ + seconds(2)), "two");
  write("token", "three");
  tokens.rejected(start_ + seconds(1));  // of a request that was sent with the first token
  EXPECT_EQ(tokens.current(start_ + seconds(3)), "two");
  tokens.rejected(start_ + seconds(3));
  EXPECT_EQ(tokens.current(start_ + seconds(4)), "three");
}

TEST_F(TokenSourceTest, KeepsTheLastGoodToken) {
  auto tokens = source();
  EXPECT_EQ(tokens.current(start_), "static");
  for (const std::string& bad :
       {std::string(), std::string("\n"), std::string("a b"), std::string("a\0b", 3),
        std::string("a\r\nX: y"), std::string(65 * 1024, 'a')}) {
    write("token", "good");
    tokens.rejected(start_);
    EXPECT_EQ(tokens.current(start_), "good");
    write("token", bad);
    tokens.rejected(start_);
    EXPECT_EQ(tokens.current(start_), "good") << bad.substr(0, 20);
  }
  fs::remove(directory_ / "token");
  tokens.rejected(start_);
  EXPECT_EQ(tokens.current(start_), "good");
}

}  // namespace
}  // namespace controller

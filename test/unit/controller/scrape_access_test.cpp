#include "controller/scrape_access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "test/fake/loop_fixture.hpp"
#include "test/fake/scripted_kube_client.hpp"

namespace controller {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
using testing::IsEmpty;
using testing::SizeIs;
using Verdict = ScrapeAccess::Verdict;

class ScrapeAccessTest : public fake::LoopFixture {
 protected:
  static ScrapeAccess::Clock::time_point now() { return now_; }

  Verdict check(const std::string& authorization, const std::string& path = "/metrics") {
    return run(access_.check(authorization, path));
  }

  void known(const json::object& user) {
    client_.create_answers.push_back(
        json::object{{"kind", "TokenReview"},
                     {"status", json::object{{"authenticated", true}, {"user", user}}}});
  }
  void unknown() {
    client_.create_answers.push_back(
        json::object{{"kind", "TokenReview"}, {"status", json::object{{"error", "expired"}}}});
  }
  void allowed(bool yes) {
    client_.create_answers.push_back(
        json::object{{"kind", "SubjectAccessReview"}, {"status", json::object{{"allowed", yes}}}});
  }

  static inline ScrapeAccess::Clock::time_point now_{1000h};
  fake::ScriptedKubeClient client_;
  ScrapeAccess access_{client_, now};
};

TEST_F(ScrapeAccessTest, AsksForNobodyWithoutABearerToken) {
  for (const auto* header : {"", "Bearer", "Bearer ", "Bearer \t", "Basic dXNlcjpwYXNz",
                             "bearerx y", "Bearer a b", "Token t", "the-token"}) {
    EXPECT_EQ(check(header), Verdict::Unauthenticated) << header;
  }
  EXPECT_EQ(check("Bearer " + std::string(9000, 'x')), Verdict::Unauthenticated);
  EXPECT_THAT(client_.creates, IsEmpty());
}

TEST_F(ScrapeAccessTest, HandsOnWhoTheUserIsAsTheReviewSaidIt) {
  known({{"username", "u"},
         {"uid", "1"},
         {"groups", json::array{"g"}},
         {"extra", json::object{{"k", json::array{"v"}}}}});
  allowed(true);
  EXPECT_EQ(check("bearer t"), Verdict::Allowed);
  ASSERT_THAT(client_.creates, SizeIs(2));
  EXPECT_EQ(client_.creates[0].first.resource.plural, "tokenreviews");
  EXPECT_EQ(client_.creates[1].first.resource.plural, "subjectaccessreviews");
  EXPECT_EQ(json::serialize(client_.creates[1].second.at("spec")),
            R"({"nonResourceAttributes":{"path":"/metrics","verb":"get"},)"
            R"("user":"u","uid":"1","groups":["g"],"extra":{"k":["v"]}})");
}

TEST_F(ScrapeAccessTest, TakesNoStrangeAnswerForAYes) {
  const json::value kReviews[] = {
      json::object{},
      json::object{{"status", "authenticated"}},
      json::object{{"status", json::object{{"authenticated", "true"}}}},
      json::object{{"status", json::object{{"authenticated", true}}}},
      json::object{{"status", json::object{{"authenticated", true}, {"user", json::object{}}}}},
  };
  int number = 0;
  for (const auto& review : kReviews) {
    client_.create_answers.push_back(review.as_object());
    EXPECT_EQ(check("Bearer t" + std::to_string(++number)), Verdict::Unauthenticated) << review;
  }
  known({{"username", "u"}});
  client_.create_answers.push_back(json::object{{"status", json::object{{"allowed", "yes"}}}});
  EXPECT_EQ(check("Bearer last"), Verdict::Forbidden);
}

TEST_F(ScrapeAccessTest, KeepsAYesForAMinute) {
  known({{"username", "u"}});
  allowed(true);
  EXPECT_EQ(check("Bearer t"), Verdict::Allowed);
  now_ += 59s;
  EXPECT_EQ(check("Bearer t"), Verdict::Allowed);
  EXPECT_THAT(client_.creates, SizeIs(2)) << "the second answer is the first one";
  now_ += 2s;
  known({{"username", "u"}});
  allowed(false);
  EXPECT_EQ(check("Bearer t"), Verdict::Forbidden);
}

TEST_F(ScrapeAccessTest, KeepsANoForTenSeconds) {
  unknown();
  EXPECT_EQ(check("Bearer t"), Verdict::Unauthenticated);
  now_ += 9s;
  EXPECT_EQ(check("Bearer t"), Verdict::Unauthenticated);
  EXPECT_THAT(client_.creates, SizeIs(1));
  now_ += 2s;
  known({{"username", "u"}});
  allowed(true);
  EXPECT_EQ(check("Bearer t"), Verdict::Allowed);
}

TEST_F(ScrapeAccessTest, KeepsNoAnswerThatWasNone) {
  for (int attempt = 1; attempt <= 2; ++attempt) {
    client_.create_answers.push_back(std::unexpected(KubeError{}));
    EXPECT_EQ(check("Bearer t"), Verdict::Unknown);
    EXPECT_THAT(client_.creates, SizeIs(attempt));
  }
  known({{"username", "u"}});
  client_.create_answers.push_back(std::unexpected(KubeError{}));
  EXPECT_EQ(check("Bearer t"), Verdict::Unknown) << "who it is does not say what it may";
}

TEST_F(ScrapeAccessTest, TellsTokensAndPathsApart) {
  known({{"username", "u"}});
  allowed(true);
  EXPECT_EQ(check("Bearer t"), Verdict::Allowed);
  unknown();
  EXPECT_EQ(check("Bearer t2"), Verdict::Unauthenticated);
  known({{"username", "u"}});
  allowed(false);
  EXPECT_EQ(check("Bearer t", "/other"), Verdict::Forbidden);
}

TEST_F(ScrapeAccessTest, AsksOnceForRequestsThatComeTogether) {
  known({{"username", "u"}});
  allowed(true);
  std::vector<Verdict> verdicts;
  const auto note = [&](const std::exception_ptr&, Verdict verdict) {
    verdicts.push_back(verdict);
  };
  for (int i = 0; i < 8; ++i) {
    boost::asio::co_spawn(io_, access_.check("Bearer t", "/metrics"), note);
  }
  run_until([&] { return verdicts.size() == 8; });
  EXPECT_THAT(verdicts, testing::Each(Verdict::Allowed));
  EXPECT_THAT(client_.creates, SizeIs(2));
}

}  // namespace
}  // namespace controller

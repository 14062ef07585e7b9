#include "controller/redact.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

TEST(Redact, ReplacesEverySecret) {
  EXPECT_EQ(redact("a hunter2 b hunter2", {"hunter2"}), "a [redacted] b [redacted]");
  EXPECT_EQ(redact("the cat", {"cat", ""}), "the cat");
  EXPECT_EQ(redact("[redacted]", {"redacted"}), "[[redacted]]");
}

TEST(Redact, FindsTokensThatNobodyNamed) {
  const std::string key(64, 'A');
  EXPECT_EQ(redact_tokens("got eyJhbGci.eyJzdWIi.c2ln, bad"), "got [redacted], bad");
  EXPECT_EQ(redact_tokens("token=\"k8s-aws-v1.aHR0cHM6\""), "token=\"[redacted]\"");
  EXPECT_EQ(redact_tokens("-----BEGIN KEY-----\n" + key + "\n"),
            "-----BEGIN KEY-----\n[redacted]\n");
  EXPECT_EQ(redact_tokens("x." + key + "\n"), "[redacted]\n");
}

TEST(Redact, LeavesOrdinaryWords) {
  for (const std::string text :
       {"", "Unable to locate credentials. Run \"aws configure\".\n",
        "open /home/somebody/.aws/a/very/long/path/that/goes/on/and/on/for/ever/credentials: no",
        "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com"}) {
    EXPECT_EQ(redact_tokens(text), text);
  }
}

TEST(Redact, KnowsSecretsByTheirNames) {
  const auto found = named_secrets(
      {{"AWS_SECRET_ACCESS_KEY", "one"}, {"AWS_PROFILE", "two"}, {"api_token", "three"}},
      {"get-token", "--client-secret", "four", "--password=five", "--id", "six", "-v", "--token"});
  EXPECT_EQ(found, (std::vector<std::string>{"one", "three", "four", "five"}));
}

}  // namespace
}  // namespace controller

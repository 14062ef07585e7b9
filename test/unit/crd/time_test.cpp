#include "crd/time.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace crd {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kTime = std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 8h + 15min;

TEST(Rfc3339, IsWrittenInUtcWithWholeSeconds) {
  EXPECT_EQ(to_rfc3339(kTime), "2026-01-31T08:15:00Z");
  EXPECT_EQ(to_rfc3339(kTime + 999ms), "2026-01-31T08:15:00Z");
  EXPECT_EQ(to_rfc3339(TimePoint{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339_milli(kTime + 999ms), "2026-01-31T08:15:00.999Z");
  EXPECT_EQ(to_rfc3339_micro(kTime), "2026-01-31T08:15:00.000000Z");
  EXPECT_EQ(to_rfc3339_micro(kTime + 7ms), "2026-01-31T08:15:00.007000Z");
  EXPECT_EQ(to_rfc3339(TimePoint{} - 1ms), "1969-12-31T23:59:59Z");
}

TEST(Rfc3339, SurvivesARoundTripOfWholeSeconds) {
  for (const auto time : {TimePoint{}, kTime, kTime + 44s, TimePoint{} - 24h,
                          TimePoint{std::chrono::sys_days{std::chrono::year{2024} / 2 / 29}}}) {
    EXPECT_EQ(parse_rfc3339(to_rfc3339(time)), time) << to_rfc3339(time);
  }
}

TEST(Rfc3339, IsReadWithFractionsAndOffsets) {
  const struct {
    std::string_view text;
    TimePoint time;
  } kCases[] = {
      {"2026-01-31T08:15:00Z", kTime},
      {"2026-01-31T08:15:00.25Z", kTime + 250ms},
      {"2026-01-31T08:15:00.123456Z", kTime + 123ms},  // a MicroTime
      {"2026-01-31T08:15:00.123999999999Z", kTime + 123ms},
      {"2026-01-31T10:15:00+02:00", kTime},
      {"2026-01-31T03:45:00.5-04:30", kTime + 500ms},
      {"2026-01-31T08:15:60Z", kTime + 1min},  // a leap second
  };
  for (const auto& [text, time] : kCases) EXPECT_EQ(parse_rfc3339(text), time) << text;
}

TEST(Rfc3339, IsRefusedWhenAnythingIsWrong) {
  for (const std::string_view text : {"",
                                      "null",
                                      "2026",
                                      "2026-01-31",
                                      "2026-01-31T08:15:00",
                                      "2026-01-31 08:15:00Z",
                                      "2026-01-31T08:15Z",
                                      "2026-1-31T08:15:00Z",
                                      "2026-01-31T08:15:00.Z",
                                      "2026-01-31T08:15:00,5Z",
                                      "2026-01-31T08:15:00Zx",
                                      " 2026-01-31T08:15:00Z",
                                      "2026-01-31T08:15:00Z ",
                                      "2026-13-31T08:15:00Z",
                                      "2026-00-31T08:15:00Z",
                                      "2026-02-30T08:15:00Z",
                                      "2025-02-29T08:15:00Z",
                                      "2026-01-00T08:15:00Z",
                                      "2026-01-31T24:00:00Z",
                                      "2026-01-31T08:60:00Z",
                                      "2026-01-31T08:15:61Z",
                                      "2026-01-31T08:15:00+2:00",
                                      "2026-01-31T08:15:00+24:00",
                                      "2026-01-31T08:15:00+02:60",
                                      "2026-01-31T08:15:00+0200",
                                      "+026-01-31T08:15:00Z",
                                      "-001-01-31T08:15:00Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace crd

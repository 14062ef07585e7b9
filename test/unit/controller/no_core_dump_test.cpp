#include "controller/no_core_dump.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>

namespace controller {
namespace {

/// In a process of its own: the rest of the tests may be debugged.
[[noreturn]] void report_in_exit_code() {
  forbid_core_dumps();
  rlimit limit{1, 1};
  getrlimit(RLIMIT_CORE, &limit);
  std::_Exit(limit.rlim_cur == 0 && limit.rlim_max == 0 ? 10 + prctl(PR_GET_DUMPABLE) : 1);
}

TEST(NoCoreDump, LeavesNothingOfTheMemory) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "AddressSanitizer traces the process";
#endif
#endif
  EXPECT_EXIT(report_in_exit_code(), testing::ExitedWithCode(10), "");
}

}  // namespace
}  // namespace controller

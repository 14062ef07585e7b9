#include "controller/host_cleanup/own_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/host_cleanup/tool.hpp"
#include "test/fake/temporary_folder.hpp"

namespace host_cleanup {
namespace {

using testing::HasSubstr;

TEST(OwnProgram, RunsAsACopyWithItsOwnLibraries) {
  const fake::TemporaryFolder folder;
  const auto program = OwnProgram::open();
  ASSERT_TRUE(program) << program.error();
  for (int i = 0; i < 2; ++i) {  // a second copy takes the place of the first
    const auto copied = program->copy_to(folder / "program");
    ASSERT_TRUE(copied) << copied.error();
  }
  auto command = program->command_in(folder / "program");
  command.emplace_back("--gtest_list_tests");
  std::string script;
  for (const auto& word : command) script += " '" + word + "'";
  const auto result = run_tool({.name = "sh", .arguments = {"-c", script}});
  EXPECT_EQ(result.failure, "") << result.errors;
  EXPECT_THAT(result.output, HasSubstr("RunsAsACopyWithItsOwnLibraries"));
}

}  // namespace
}  // namespace host_cleanup

#include "reconcilers/validate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace reconcilers {

void PrintTo(const SpecProblem& problem, std::ostream* out) {
  *out << problem.reason << ": " << problem.message;
}

namespace {

using testing::HasSubstr;

using Change = std::function<void(crd::NodeRemovalSpec&)>;

constexpr auto kLimit = std::int64_t{std::numeric_limits<std::int32_t>::max()};
constexpr auto kTooLong = std::numeric_limits<std::int64_t>::max();  // overflows as milliseconds

std::optional<SpecProblem> problem_after(const Change& change) {
  crd::NodeRemovalSpec spec;
  spec.node_name = "jetson";
  change(spec);
  return validate(spec);
}

TEST(Validate, AdmitsTheSmallestSpec) {
  EXPECT_EQ(problem_after([](auto&) {}).has_value(), false);
}

TEST(Validate, AdmitsEveryFieldThatIsImplemented) {
  const auto problem = problem_after([](crd::NodeRemovalSpec& spec) {
    spec.node_uid = "u1";
    spec.suspend = true;
    spec.delete_node = false;
    spec.allow_control_plane = true;
    spec.drain.force = spec.drain.delete_empty_dir_data = true;
    spec.drain.ignore_daemon_sets = false;
    spec.drain.grace_period_seconds = 1;
    spec.drain.timeout_seconds = 0;
    spec.migration = {.wait = false, .timeout_seconds = 0, .on_timeout = crd::TimeoutAction::Fail};
    spec.volumes = {
        .wait_for_detach = false, .timeout_seconds = 0, .on_timeout = crd::TimeoutAction::Fail};
    spec.unreachable = {.tolerance_seconds = 0, .fenced = true};
  });
  EXPECT_EQ(problem.has_value(), false);
}

TEST(Validate, AdmitsNodeNames) {
  for (const std::string name : {"a", "0", "jetson", "ip-10-0-0-1.eu.internal", "node.1"}) {
    EXPECT_FALSE(problem_after([&](auto& spec) { spec.node_name = name; })) << name;
  }
  EXPECT_FALSE(problem_after([](auto& spec) { spec.node_name = std::string(253, 'a'); }));
}

TEST(Validate, RefusesWhatIsNoNodeName) {
  for (const std::string& name :
       {std::string{"Jetson"}, std::string{"-a"}, std::string{"a-"}, std::string{".a"},
        std::string{"a."}, std::string{"a/b"}, std::string{"a b"}, std::string{"a_b"},
        std::string{".."}, std::string{"a\n"}, std::string{"\xC3\xA4"}, std::string{"a%2Fb"},
        std::string{"a\0b", 3}, std::string(254, 'a')}) {
    const auto problem = problem_after([&](auto& spec) { spec.node_name = name; });
    ASSERT_TRUE(problem) << name;
    EXPECT_EQ(problem->reason, "InvalidSpec");
    EXPECT_EQ(problem->message,
              "spec.nodeName is not a node name: at most 253 lower-case letters, digits, '-' and "
              "'.', beginning and "
              "ending with a letter or digit. Delete this NodeRemoval and create a corrected one.");
  }
}

TEST(Validate, NamesTheFieldThatIsWrong) {
  const struct {
    Change change;
    std::string message;
  } kCases[] = {
      {[](auto& spec) { spec.node_name.clear(); },
       "spec.nodeName is missing; give exactly one of nodeName and nodeSelector"},
      {[](auto& spec) { spec.node_selector.emplace(); },
       "spec has both nodeName and nodeSelector; give exactly one of them"},
      {[](auto& spec) { spec.drain.grace_period_seconds = 0; },
       "spec.drain.gracePeriodSeconds must be at least 1: 0 would kill pods without asking them to "
       "stop"},
      {[](auto& spec) { spec.drain.grace_period_seconds = -1; },
       "spec.drain.gracePeriodSeconds must be at least 1: 0 would kill pods without asking them to "
       "stop"},
      {[](auto& spec) { spec.drain.timeout_seconds = -1; },
       "spec.drain.timeoutSeconds must not be negative"},
      {[](auto& spec) { spec.migration.timeout_seconds = -1; },
       "spec.migration.timeoutSeconds must not be negative"},
      {[](auto& spec) { spec.volumes.timeout_seconds = -1; },
       "spec.volumes.timeoutSeconds must not be negative"},
      {[](auto& spec) { spec.unreachable.tolerance_seconds = -1; },
       "spec.unreachable.toleranceSeconds must not be negative"},
      {[](auto& spec) { spec.decode_errors = {"spec.suspend must be true or false", "other"}; },
       "spec.suspend must be true or false"},
  };
  for (const auto& [change, message] : kCases) {
    const auto problem = problem_after(change);
    ASSERT_TRUE(problem) << message;
    EXPECT_EQ(problem->reason, "InvalidSpec");
    EXPECT_EQ(problem->message, message + ". Delete this NodeRemoval and create a corrected one.");
  }
}

TEST(Validate, RefusesSecondsThatTheSchemaWouldRefuse) {
  for (const Change& change :
       {Change{[](auto& spec) { spec.drain.timeout_seconds = kTooLong; }},
        Change{[](auto& spec) { spec.drain.grace_period_seconds = kTooLong; }},
        Change{[](auto& spec) { spec.migration.timeout_seconds = kTooLong; }},
        Change{[](auto& spec) { spec.volumes.timeout_seconds = kTooLong; }},
        Change{[](auto& spec) { spec.unreachable.tolerance_seconds = kTooLong; }},
        Change{[](auto& spec) { spec.drain.timeout_seconds = kLimit + 1; }}}) {
    const auto problem = problem_after(change);
    EXPECT_EQ(problem ? problem->reason : "none", "InvalidSpec");
  }
  EXPECT_FALSE(problem_after([](auto& spec) { spec.drain.timeout_seconds = kLimit; }));
}

TEST(Validate, RefusesACleaningThatCannotBeMeant) {
  const auto cleaning = [](auto change) {
    return problem_after([&](crd::NodeRemovalSpec& spec) {
      spec.host_cleanup.enabled = true;
      change(spec);
    });
  };
  EXPECT_FALSE(cleaning([](auto&) {}));
  const auto message = [&](auto change) {
    const auto problem = cleaning(change);
    return problem ? problem->message : "none";
  };
  EXPECT_THAT(message([](auto& spec) { spec.delete_node = false; }), HasSubstr("deleteNode"));
  EXPECT_THAT(message([](auto& spec) { spec.host_cleanup.plan.steps.clear(); }),
              HasSubstr("hostCleanup.steps"));
  EXPECT_THAT(message([](auto& spec) { spec.host_cleanup.timeout_seconds = 0; }),
              HasSubstr("hostCleanup.timeoutSeconds"));
  EXPECT_THAT(message([](auto& spec) { spec.host_cleanup.plan.cni_interfaces = {"eth0"}; }),
              HasSubstr("cniInterfaces: \"eth0\" is an interface of the machine itself"));
  EXPECT_THAT(message([](auto& spec) { spec.host_cleanup.plan.cni_interfaces = {"a/b"}; }),
              HasSubstr("cniInterfaces: \"a/b\" must consist of"));
  EXPECT_THAT(message([](auto& spec) { spec.host_cleanup.plan.extra_paths = {"/etc"}; }),
              HasSubstr("extraPaths: \"/etc\" must be at least two levels deep"));
  EXPECT_FALSE(problem_after([](auto& spec) { spec.host_cleanup.plan.extra_paths = {"/etc"}; }));
}

TEST(Validate, CleansNoMachineUnlessTheOperatorMay) {
  crd::NodeRemovalSpec spec;
  Policy policy;
  const auto reason = [&] {
    const auto problem = refuse_host_cleanup(spec, policy);
    return problem ? problem->reason : "none";
  };
  EXPECT_EQ(reason(), "none");
  spec.host_cleanup.enabled = true;
  EXPECT_EQ(reason(), "HostCleanupDisabled");
  policy.host_cleanup_namespace = "noderemoval-host";
  EXPECT_EQ(reason(), "ImageNotAllowed");
  policy.host_cleanup_image = "noderemoval:1";
  EXPECT_EQ(reason(), "none");
  spec.host_cleanup.image = "evil:1";
  EXPECT_EQ(reason(), "ImageNotAllowed");
  policy.host_cleanup_allowed_images = {"evil:1"};
  EXPECT_EQ(reason(), "none");
}

TEST(Validate, RefusesWhatOnlyFitsOtherKindsOfRemovals) {
  const auto select = [](crd::NodeRemovalSpec& spec) {
    spec.node_name.clear();
    spec.node_selector.emplace().match_labels["pool"] = "edge";
  };
  EXPECT_FALSE(problem_after(select));
  EXPECT_TRUE(problem_after([&](auto& spec) {
    select(spec);
    spec.node_uid = "u1";
  }));
  EXPECT_TRUE(problem_after([](auto& spec) { spec.max_concurrent.emplace(); }));
  EXPECT_FALSE(problem_after([&](auto& spec) {
    select(spec);
    spec.max_concurrent.emplace();
  }));
  EXPECT_TRUE(problem_after([](auto& spec) { spec.ttl_seconds_after_finished = -1; }));
  EXPECT_TRUE(problem_after([](auto& spec) { spec.ttl_seconds_after_finished = kTooLong; }));
}

}  // namespace
}  // namespace reconcilers

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "controller/host_cleanup/container_runtime.hpp"
#include "controller/host_cleanup/processes.hpp"
#include "controller/host_cleanup/step.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kListTimeout = 30s;
constexpr auto kRemoveTimeout = 90s;
constexpr auto kAllTimeout = 600s;
constexpr int kRounds = 5;  // as kubeadm tries it

ToolCall crictl(const std::string& endpoint, std::vector<std::string> arguments,
                std::chrono::seconds timeout) {
  // Its own limit is 2 s, too short for what has to give addresses and mounts back.
  std::vector<std::string> all{"-r", endpoint, "-t", std::to_string((timeout - 5s) / 1s) + "s"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return {.name = "crictl", .arguments = std::move(all), .timeout = timeout};
}

/// What crictl complains of. It warns of a missing configuration each time, and says the cause
/// last, after the long names of what it was about.
std::string complaint_of(const ToolResult& result) {
  std::string words;
  for (const auto& line : lines_of(result.errors)) {
    if (!line.empty() && !line.contains("level=warning")) words = one_line(line);
  }
  if (words.empty() || result.exit_code < 0) return words_of(result);
  constexpr std::size_t kMax = 110;
  return words.size() <= kMax ? words : "..." + words.substr(words.size() - kMax);
}

struct Pods {
  std::vector<std::string> ids;
  std::string problem;  ///< empty: these are all there are
};

Pods list_pods(const std::string& endpoint) {
  const auto result = run_tool(crictl(endpoint, {"pods", "-q"}, kListTimeout));
  if (!result.failure.empty())
    return {.ids = {}, .problem = "crictl pods: " + complaint_of(result)};
  return {.ids = words_in(result.output), .problem = {}};
}

std::size_t count_shims() {
  const auto all = processes();
  return static_cast<std::size_t>(std::ranges::count_if(all, is_shim_of_kubernetes));
}

Outcome remove_pods(const Context& context, const std::string& endpoint, Pods pods) {
  const auto deadline = Clock::now() + kAllTimeout;
  const auto count = pods.ids.size();
  std::string words;
  for (int round = 0; round < kRounds && !pods.ids.empty(); ++round) {
    for (const auto& id : pods.ids) {
      if (Clock::now() > deadline) break;
      auto result = context.run(crictl(endpoint, {"stopp", id}, kRemoveTimeout));
      if (!result.failure.empty()) words = "stopp: " + complaint_of(result);
      result = context.run(crictl(endpoint, {"rmp", id}, kRemoveTimeout));
      if (!result.failure.empty()) words = "rmp: " + complaint_of(result);
    }
    pods = list_pods(endpoint);
    if (!pods.problem.empty()) return failed(failure::kPodsLeft, pods.problem);
    if (Clock::now() > deadline) break;
  }
  if (pods.ids.empty()) return done(counted(count, "pod") + " removed, 0 left");
  return failed(failure::kPodsLeft,
                counted(pods.ids.size(), "pod") + " left; crictl " + cut(words, 120));
}

/// Containers that a kubelet before 1.24 has started with Docker, without a CRI. Fails with a
/// sentence.
std::expected<std::vector<std::string>, std::string> containers_in_docker() {
  const auto result =
      run_tool({.name = "docker",
                .arguments = {"ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}}"},
                .timeout = kListTimeout});
  if (!result.failure.empty()) return std::unexpected("docker ps: " + words_of(result));
  std::vector<std::string> ids;
  for (const auto& line : lines_of(result.output)) {
    const auto words = words_in(line);
    if (words.size() == 2 && words[1].starts_with("k8s_")) ids.push_back(words[0]);
  }
  return ids;
}

Outcome clean_docker(const Context& context) {
  const auto ids = containers_in_docker();
  // Where no Docker runs it has no containers either.
  if (!ids || ids->empty()) return nothing_to_do("no containers of Kubernetes in Docker");
  const auto count = counted(ids->size(), "container") + " in Docker";
  if (context.plan.dry_run) return planned("would remove " + count);
  ToolCall call{.name = "docker", .arguments = {"rm", "--force", "--volumes"}, .timeout = 300s};
  call.arguments.insert(call.arguments.end(), ids->begin(), ids->end());
  const auto result = context.run(call);
  const auto left = containers_in_docker();
  if (!left) return failed(failure::kPodsLeft, left.error());
  if (left->empty()) return done(count + " removed, 0 left");
  return failed(failure::kPodsLeft,
                counted(left->size(), "container") + " in Docker left: " + words_of(result));
}

Outcome clean_runtime(const Context& context, const Runtime& runtime, std::size_t shims) {
  if (!find_tool("crictl")) {
    if (shims == 0) return nothing_to_do("no container of Kubernetes runs; crictl is missing");
    return failed(failure::kToolMissing, counted(shims, "container process") +
                                             " of Kubernetes run, and crictl to remove them is "
                                             "not installed");
  }
  auto pods = list_pods(runtime.endpoint);
  if (!pods.problem.empty()) {
    // A runtime that nobody has named may serve no CRI at all, such as Docker's containerd.
    if (!runtime.named && shims == 0) return nothing_to_do("no runtime with pods");
    return failed(failure::kPodsLeft, runtime.endpoint + ": " + pods.problem);
  }
  if (pods.ids.empty()) return nothing_to_do("no pods");
  if (context.plan.dry_run) return planned("would remove " + counted(pods.ids.size(), "pod"));
  return remove_pods(context, runtime.endpoint, std::move(pods));
}

}  // namespace

std::string socket_of(const std::string& endpoint) {
  constexpr std::string_view kScheme = "unix://";
  return endpoint.starts_with(kScheme) ? endpoint.substr(kScheme.size()) : endpoint;
}

std::vector<Runtime> runtimes(const KubeletFacts& facts) {
  struct stat status{};
  const auto is_socket = [&](const std::string& path) {
    return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
  };
  if (!facts.runtime_endpoint.empty() && is_socket(socket_of(facts.runtime_endpoint))) {
    return {{.endpoint = facts.runtime_endpoint, .named = true}};
  }
  std::vector<Runtime> found;
  for (const std::string path :
       {"/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/cri-dockerd.sock"}) {
    if (is_socket(path)) found.push_back({.endpoint = "unix://" + path, .named = false});
  }
  return found;
}

Outcome clean_pods(const Context& context) {
  const auto shims = count_shims();
  const auto all = runtimes(context.facts);
  if (all.empty() && shims > 0) {
    return failed(failure::kPodsLeft, counted(shims, "container process") +
                                          " of Kubernetes run without their runtime: start it, "
                                          "such as containerd, and clean again");
  }
  auto outcome = nothing_to_do(all.empty() ? "no container runtime runs" : "no pods");
  const auto add = [&](Outcome one) {
    if (one.result != crd::step_result::kNothingToDo) outcome = std::move(one);
    return outcome.result != crd::step_result::kFailed;
  };
  for (const auto& runtime : all) {
    if (!add(clean_runtime(context, runtime, shims))) return outcome;
  }
  if (find_tool("docker")) add(clean_docker(context));
  return outcome;
}

}  // namespace host_cleanup

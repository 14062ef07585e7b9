#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>

#include "controller/early_exit.hpp"
#include "controller/endpoints.hpp"
#include "controller/http_kube_client.hpp"
#include "controller/kube_config.hpp"
#include "controller/leader_election.hpp"
#include "controller/log.hpp"
#include "reconcilers/policy.hpp"

/// What the command line says. Every default stands in the members below or in the structs they are
/// of, and nowhere else.
struct Options {
  controller::KubeConfigSource kube_config;
  controller::ClientOptions client;
  reconcilers::Policy policy;
  bool leader_elect = true;
  controller::LeaderElectionOptions leader_election;
  controller::EndpointOptions endpoints;
  controller::LogLevel log_level = controller::LogLevel::Info;
  controller::LogFormat log_format = controller::LogFormat::Text;
  /// Shorter than the grace period that the manifests give the pod.
  std::chrono::seconds shutdown_timeout{30};
  std::size_t workers = 16;
};

std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv);

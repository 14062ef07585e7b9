#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "controller/host_cleanup/kubelet_facts.hpp"
#include "crd/host_cleanup.hpp"

namespace host_cleanup {

inline constexpr std::string_view kStateFolder = "/var/lib/noderemoval";

/// What was handed over to the machine.
struct Request {
  std::string removal_uid;
  std::string node_name;
  std::string node_uid;
  std::chrono::seconds timeout{600};   ///< for the start to be allowed
  std::vector<std::string> arguments;  ///< crd::arguments_of(plan)
};

/// The folder of one cleaning: /var/lib/noderemoval/<removal UID>, or .../by-hand. Only root can
/// enter it.
///   request.json   what was asked for
///   facts.json     what was known of the kubelet before it was stopped
///   result.json    a HostReport; complete at any time
///   cleanup.log    what was done
///   *.before       the rules of iptables before they were changed
///   program/       the program while it runs
class StateFolder {
 public:
  explicit StateFolder(std::filesystem::path path) : path_(std::move(path)) {}

  static std::filesystem::path path_for(const std::string& removal_uid);

  /// Makes it if it is not there. Fails with a sentence, also when it is not root's own folder.
  std::expected<void, std::string> create() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path log() const { return path_ / "cleanup.log"; }
  std::filesystem::path program() const { return path_ / "program"; }

  std::expected<void, std::string> write(const Request& request) const;
  std::expected<Request, std::string> read_request() const;

  std::expected<void, std::string> write(const crd::HostReport& report) const;
  std::optional<crd::HostReport> read_report() const;

  /// What is known now, and what was known when a cleaning was begun that did not come to its end.
  KubeletFacts remembered(KubeletFacts now) const;
  std::expected<void, std::string> write(const KubeletFacts& facts) const;

 private:
  std::filesystem::path path_;
};

}  // namespace host_cleanup

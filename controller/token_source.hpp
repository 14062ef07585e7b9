#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "controller/kube_config.hpp"

namespace controller {

/// A bearer token that is re-read from its file when older than 60 s, as in client-go (the kubelet
/// rotates projected tokens). An unreadable, empty or malformed file keeps the last good token,
/// and the log says so once.
class TokenSource {
 public:
  explicit TokenSource(const KubeConfig& config);
  /// Empty when the configuration has no token.
  const std::string& current(std::chrono::steady_clock::time_point now);
  /// After a 401 to a request sent at `sent_at`: the next current() reads the file again, unless
  /// that has been done since.
  void rejected(std::chrono::steady_clock::time_point sent_at);

 private:
  std::string token_;
  std::filesystem::path file_;
  std::optional<std::chrono::steady_clock::time_point> read_at_;
  std::string problem_;  ///< with the file, as it was logged
};

}  // namespace controller

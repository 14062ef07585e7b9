#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "controller/kube_config.hpp"

namespace controller {

/// The CA and the client certificate, read again from their files when older than 5 min, as in
/// client-go. Files that are empty, damaged, expired or do not fit together keep the last good ones
/// and are looked at again after a minute; the log says so once.
class TlsFiles {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// The texts in `config` were read at `now`.
  TlsFiles(const KubeConfig& config, TimePoint now);

  struct Change {
    bool authority = false;
    bool identity = false;
  };
  /// Reads the files that are due; what is different since the last call.
  Change refresh(TimePoint now);

  /// The certificate of the server was refused: its CA may have been replaced.
  void authority_failed() { authority_.due.reset(); }
  /// A request sent at `sent_at` was answered with 401: the next refresh() reads the certificate
  /// again, unless that has been done since.
  void rejected(TimePoint sent_at);

  const std::string& ca_pem() const { return ca_pem_; }
  const std::string& certificate_pem() const { return certificate_pem_; }
  const std::string& key_pem() const { return key_pem_; }

 private:
  struct Schedule {
    TimePoint read_at;
    std::optional<TimePoint> due;  ///< absent: now
    std::string problem;           ///< what the log said last
  };

  std::expected<bool, std::string> read_authority();
  std::expected<bool, std::string> read_identity();
  template <typename Read>
  bool run(Schedule& schedule, TimePoint now, Read read);

  std::filesystem::path ca_file_;
  std::filesystem::path certificate_file_;
  std::filesystem::path key_file_;
  std::string ca_pem_;
  std::string certificate_pem_;
  std::string key_pem_;
  Schedule authority_;
  Schedule identity_;
};

}  // namespace controller

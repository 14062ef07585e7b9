#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "crd/time.hpp"

namespace controller {

/// What an exec plugin gave: a token, a client certificate with its key, or both.
struct ExecCredential {
  std::string token;
  std::string certificate_pem;
  std::string key_pem;
  /// When it ends: expirationTimestamp, or the end of the certificate when that is sooner.
  std::optional<crd::TimePoint> expires;
  bool operator==(const ExecCredential&) const = default;
};

/// Reads the ExecCredential that a plugin printed. Fails with what is wrong, never quoting it.
std::expected<ExecCredential, std::string> parse_exec_credential(std::string_view text,
                                                                 std::string_view api_version);

}  // namespace controller

#pragma once

#include <expected>
#include <string>

#include "crd/time.hpp"

namespace controller {

/// Whether a certificate (with its chain) and a key can prove who we are: both PEM, of one another,
/// not expired. The end of its validity, or a sentence that calls them by the given names and never
/// quotes them.
std::expected<crd::TimePoint, std::string> check_client_certificate(
    const std::string& certificate_pem, const std::string& certificate_name,
    const std::string& key_pem, const std::string& key_name);

}  // namespace controller

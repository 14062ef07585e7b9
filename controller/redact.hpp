#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace controller {

/// `text` with "[redacted]" in place of every one of `secrets` (those of less than 6 characters
/// would hit ordinary words and are left).
std::string redact(std::string text, const std::vector<std::string>& secrets);

/// `text` with "[redacted]" in place of words that look like a JSON web token, a token of EKS or a
/// line of a private key.
std::string redact_tokens(const std::string& text);

/// The values that are named like a secret: PASSWORD=x of an environment, --client-secret x or
/// --client-secret=x of arguments.
std::vector<std::string> named_secrets(
    const std::vector<std::pair<std::string, std::string>>& environment,
    const std::vector<std::string>& arguments);

}  // namespace controller

#include "controller/redact.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace controller {
namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::size_t kShortest = 6;
constexpr std::size_t kKeyLine = 60;  // PEM has 64 characters in a line

bool is_named_like_a_secret(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::array<std::string_view, 6> kNames{"secret",     "token",   "password",
                                                   "credential", "api-key", "access_key"};
  return std::ranges::any_of(kNames, [&](auto part) { return lower.contains(part); });
}

bool stands_in_token(unsigned char c) {
  return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '+' || c == '/' ||
         c == '=';
}

/// A long run of base64 in either alphabet: a part of a token, or of a private key.
bool has_long_part(std::string_view word) {
  std::size_t run = 0;
  for (const char c : word) {
    run = c == '.' ? 0 : run + 1;
    if (run >= kKeyLine) return true;
  }
  return false;
}

bool looks_like_a_secret(std::string_view word) {
  return word.starts_with("eyJ") || word.starts_with("k8s-aws-v1.") ||
         (!word.starts_with('/') && has_long_part(word));
}

}  // namespace

std::string redact(std::string text, const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets) {
    if (secret.size() < kShortest) continue;
    for (auto at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + kRedacted.size())) {
      text.replace(at, secret.size(), kRedacted);
    }
  }
  return text;
}

std::string redact_tokens(const std::string& text) {
  std::string out;
  for (auto at = text.begin(); at != text.end();) {
    const auto end = std::find_if_not(at, text.end(), stands_in_token);
    const std::string_view word(at, end);
    out += looks_like_a_secret(word) ? kRedacted : word;
    at = end;
    if (at != text.end()) out += *at++;
  }
  return out;
}

std::vector<std::string> named_secrets(
    const std::vector<std::pair<std::string, std::string>>& environment,
    const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  for (const auto& [name, value] : environment) {
    if (is_named_like_a_secret(name)) out.push_back(value);
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    const auto equals = argument.find('=');
    if (!argument.starts_with('-') || !is_named_like_a_secret(argument.substr(0, equals))) continue;
    if (equals != std::string::npos) {
      out.push_back(argument.substr(equals + 1));
    } else if (i + 1 < arguments.size()) {
      out.push_back(arguments[i + 1]);
    }
  }
  return out;
}

}  // namespace controller
